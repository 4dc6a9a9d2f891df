"""The settings of a model and of its training, as frozen dataclasses without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import TypeVar

from textgen.cells import CELLS
from textgen.options import option, options_of
from textgen.text.read_config import ReadConfig
from textgen.tokenizers.tokenizer import TOKENIZERS

Settings = TypeVar("Settings", "ModelConfig", "TokenizerConfig", "TrainConfig")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Model: what is built."""

    cell: str = option("lstm", "recurrent cell", choices=CELLS)
    hidden_size: int = option(256, "units of each recurrent layer", low=1, high=8192)
    num_layers: int = option(1, "recurrent layers, one above the other", low=1, high=16)
    embedding_size: int = option(64, "size of a token's vector", low=1, high=8192)
    embedding_scale: float = option(
        1.0,
        "vectors begin uniform within this: small ones are slow to be told apart",
        low=0.0,
        low_open=True,
        high=100.0,
    )
    activation: str = option(
        "tanh",
        "activation of the rnn cell (the gated cells keep tanh)",
        choices=("tanh", "relu", "sigmoid"),
    )
    forget_bias: float = option(1.0, "first bias of a forget gate", low=-20.0, high=20.0)
    chrono: int = option(
        0,
        "longest time to remember over: sets the gates' first biases (0: off)",
        low=0,
        high=1_000_000,
    )
    dropout: float = option(0.0, "share of units dropped between layers", low=0.0, high=0.95)
    tie_weights: bool = option(False, "read out with the embedding's own matrix, transposed")


@dataclasses.dataclass(frozen=True)
class TokenizerConfig:
    """Tokenizer: how text becomes ids."""

    tokenizer: str = option("char", "what a token is", choices=TOKENIZERS)
    vocab_size: int = option(2000, "pieces in a SentencePiece vocabulary", low=2, high=100_000)
    model_type: str = option("unigram", "kind of SentencePiece", choices=("unigram", "bpe"))


HELD_OUT = ("end", "documents")


@dataclasses.dataclass(frozen=True)
class TrainConfig(ReadConfig):
    """Training: how the text is read and the weights are found."""

    epochs: int = option(20, "passes over the text", low=1)
    max_seconds: float = option(
        0.0,
        "end after so many seconds, in the midst of an epoch, the learning rate having fallen by "
        "then (0: with the last epoch)",
        low=0.0,
    )
    batch_size: int = option(32, "lanes read side by side", low=1)
    sequence_length: int = option(64, "tokens a gradient reaches back", low=1)
    optimizer: str = option(
        "adamw",
        "what takes the steps; muon learns more from a pass over a text, at a rate of 0.008 and, "
        "but for an lstm, without dropout",
        choices=("adamw", "muon"),
    )
    learning_rate: float = option(4e-3, "peak learning rate", low=0.0, low_open=True)
    warmup: float = option(0.02, "share of all steps in which the rate rises", low=0.0, high=1.0)
    weight_decay: float = option(0.1, "decay of the weights", low=0.0)
    clip_norm: float = option(1.0, "largest norm of the gradient", low=0.0, low_open=True)
    validation_fraction: float = option(
        0.1,
        "share of the text that is held out, of its end at most 500,000 characters",
        low=0.0,
        high=0.5,
    )
    held_out: str = option(
        "end",
        "what is held out: the end of the text, or documents from all over it; of a text with "
        "labels, of each label",
        choices=HELD_OUT,
    )
    patience: int = option(5, "epochs without a better validation before it stops", low=1)
    distance: int = option(
        150, "of a task: longest distance from fact to answer, in characters", low=20, high=100_000
    )
    answer_weight: float = option(
        10.0, "of a task: what a token of the answer counts in the loss", low=0.1, high=1000.0
    )
    stream: bool = option(
        False, "a text larger than memory: read once into a file, and trained on from there"
    )
    steps_per_epoch: int = option(
        0,
        "of a task or with --stream: batches of an epoch (0: 100 of a task, the whole text)",
        low=0,
    )
    replay: str = option(
        "",
        "another text that a share of each batch is of, TEXT=SHARE: old.txt=0.2, so that what a "
        "model knew of it is not forgotten",
    )
    interpolate: bool = option(
        True,
        "with --from and --replay, end a part of the way back to the weights that it began from",
    )
    ngrams: bool = option(
        True,
        "count the n-grams of the text at the end, so that they and the network predict together",
    )
    prompt: str = option("", "what the samples after each epoch begin with")
    sample_length: int = option(
        120, "tokens of the sample after each epoch (0: none)", low=0, high=100_000
    )
    dtype: str = option(
        "auto",
        "type of the products while training; auto takes bfloat16 where the processor has it",
        choices=("auto", "float32", "bfloat16"),
    )
    seed: int = option(1, "seed of weights, dropout and samples", low=0, high=2**31 - 1)
    deterministic: bool = option(
        False, "the same weights, bit for bit, whenever trained on this machine; slower on a GPU"
    )


def without_effect(
    model: ModelConfig,
    tokenizer: TokenizerConfig,
    training: TrainConfig,
    *,
    task: bool,
    given: Collection[str] = (),
) -> dict[str, str]:
    """The settings that change nothing beside the others: name -> why.

    One at its default counts only where a person named it. task: whether what is trained on is a
    task, not a text. given: the names of the settings that a person named.
    """
    cell, rules = CELLS[model.cell], {}
    if model.activation not in cell.activations:
        others = " or ".join(name for name, kind in CELLS.items() if len(kind.activations) > 1)
        keeps = ", ".join(cell.activations)
        rules["activation"] = f"the {model.cell} cell keeps {keeps}, but --cell {others} does not"
    if model.chrono and not cell.chrono_signs:
        rules["chrono"] = f"the {model.cell} cell has no gate whose bias it could set"
    if not cell.forget_gate:
        rules["forget_bias"] = f"the {model.cell} cell has no forget gate"
    elif model.chrono and cell.forget_gate in cell.chrono_signs:
        rules["forget_bias"] = "chrono sets the biases of the forget gate"
    if tokenizer.tokenizer != "sentencepiece":
        for name in ("vocab_size", "model_type"):
            rules[name] = f"it is for the sentencepiece tokenizer, not for {tokenizer.tokenizer}"
    if task:
        for name in (*options_of(ReadConfig), "validation_fraction", "held_out", "sequence_length"):
            rules[name] = "it is for a text, and a task writes whole documents without end"
        rules["replay"] = "it is mixed into a text, and this is a task"
        rules["interpolate"] = rules["replay"]
        rules["ngrams"] = "they are of a text, and this is a task"
    else:
        if training.label_by:
            rules["ngrams"] = "a text with labels is read in their voices, which counts know not of"
        for name in ("distance", "answer_weight"):
            rules[name] = "it is for a task, not for a text"
        if not training.replay:
            rules["interpolate"] = "it is for a run that replays an old text"
        if not training.stream:
            rules["steps_per_epoch"] = "it is for a task or with stream: an epoch is the whole text"
        else:
            rules["held_out"] = "of a streamed text the end is held out"
            rules["label_by"] = "a streamed text is read on and on, not document by document"
            rules["replay"] = "it is mixed into a text in memory, not with stream"
    if not training.sample_length:
        rules["prompt"] = "sample_length is 0, and the prompt is for samples"

    def is_at_default(name: str) -> bool:
        every = (model, tokenizer, training)
        return all(getattr(one, name, None) == getattr(type(one), name, None) for one in every)

    return {name: why for name, why in rules.items() if name in given or not is_at_default(name)}


def at_default(settings: Settings, names: Iterable[str]) -> Settings:
    """`settings` with those of `names` that it has at their default."""
    default = {name: getattr(type(settings), name) for name in names if hasattr(settings, name)}
    return dataclasses.replace(settings, **default)


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """A sweep: how many trainings, and how long each."""

    trials: int = option(20, "trainings in all, by whichever process", low=1, high=100_000)
    seconds: float = option(60.0, "of each training", low=10.0, high=1e7)
    jobs: int = option(1, "trainings at a time, on a GPU each if there are any", low=1, high=256)


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Evaluation: what is measured beside the model as it is."""

    window: int = option(256, "tokens of a window that is read from nothing", low=1, high=65_536)
    order: int = option(5, "longest n-gram to compare with", low=1, high=12)
    cache: int = option(
        0, "also with a neural cache of so many tokens (0: without)", low=0, high=20_000
    )
    dynamic: bool = option(False, "also with dynamic evaluation: learning while it reads")
    sample_length: int = option(
        2000, "tokens of a sample to look at (0: none)", low=0, high=100_000
    )
    shortest: int = option(20, "characters from which on a span counts as copied", low=1)
    seed: int = option(1, "seed of the sample and of the tokens looked back from", low=0)
