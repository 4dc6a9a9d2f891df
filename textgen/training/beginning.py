"""To begin a run from a model: its weights, tokenizer and settings go on with another text.

The vocabulary grows by the characters that the text has and the model has not. Their vectors, and
their columns and biases of the read-out, begin at the mean of those that are there (Hewitt 2021:
then no new character is likelier than an average one); the ids of the others stay.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from textgen import shipped
from textgen.config import ModelConfig, TokenizerConfig
from textgen.data.sources import find_training_text, why_not_found
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, RunError, counted, shown
from textgen.evaluation.evaluate import carried_nats
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.network import Network, weight_shapes
from textgen.options import options_of
from textgen.runs.run_config import Card, Origin, RunConfig
from textgen.runs.run_folder import read_config, weights_hash
from textgen.text.nfc import nfc
from textgen.tokenizers.sentencepiece_model import read_pieces
from textgen.tokenizers.tokenizer import Tokenizer

# Peak learning rate, half of that of a fresh model, and how many times as fast the numbers of a new
# token are learned, which know nothing yet: docs/begin.md
RATE, OF_NEW = 2e-3, 5.0
MEASURED = 30_000  # characters, at most, of each text that are predicted before and after
FREE = ("dropout",)  # of the model's settings: no weight hangs on them
# gives each grown weight -> the axis of its tokens
AXES = {"embedding.embeddings": 0, "head.kernel": 1, "head.bias": 0}


@dataclasses.dataclass(frozen=True)
class Beginning:
    """The model to begin from, and how the user named it."""

    run: str
    model: Generator

    def settle(self, config: RunConfig, fixed: Collection[str]) -> RunConfig:
        """`config` with the model's own settings, and the learning rate of who begins from one.

        fixed: the settings that were named; one that the model contradicts is refused with
        `ConfigError`.
        """
        own, tokens = self.model.config, self._tokenizer_config
        asked = dataclasses.asdict(config.model) | dataclasses.asdict(config.tokenizer)
        for name, has in (dataclasses.asdict(own) | dataclasses.asdict(tokens)).items():
            if name in fixed and name not in FREE and asked[name] != has:
                raise ConfigError(
                    f"{name} is {shown(asked[name])}, but {self.run} was made with {shown(has)}, "
                    "which stays: leave it out, or train anew without --from"
                )
        free = {name: getattr(config.model, name) for name in FREE if name in fixed}
        training = config.training
        if "learning_rate" not in fixed:
            training = dataclasses.replace(training, learning_rate=RATE)
        return dataclasses.replace(
            config, model=dataclasses.replace(own, **free), tokenizer=tokens, training=training
        )

    @property
    def _tokenizer_config(self) -> TokenizerConfig:
        tokenizer = self.model.tokenizer
        if tokenizer.name != "sentencepiece":
            return TokenizerConfig(tokenizer.name)
        kind, pieces = read_pieces(tokenizer.to_bytes())
        return TokenizerConfig(tokenizer.name, len(pieces), kind)

    @property
    def settled(self) -> set[str]:
        """The settings that a budget leaves alone: those of the model but its dropout, and the
        decay, which would take from it what it knows."""
        rates = {"learning_rate", "weight_decay"}
        return {*options_of(ModelConfig), *options_of(TokenizerConfig), *rates} - {*FREE}

    def tokenizer(self, text: str) -> Tokenizer:
        """The tokenizer of the model, grown by the characters of `text`."""
        own = self.model.tokenizer
        grown = own.extended(text)
        if added := grown.vocab_size - own.vocab_size:
            new = f"{counted(added, 'character')} {'is' if added == 1 else 'are'} new"
            logger.info(f"{new} to {self.run}: {own.vocab_size} were known")
        elif own.name == "sentencepiece":
            logger.info(f"{self.run} keeps its {own.vocab_size} pieces, which write every text")
        return grown

    def network(self, config: ModelConfig, vocab_size: int) -> Network:
        """The model with `vocab_size` tokens, and the dropout of `config`."""
        return Network(config, vocab_size, grown(self.model.network.weights, vocab_size))

    def origin(self, data: TrainingData) -> Origin:
        """What config.json is to say of it: the model, and how well it predicts the texts, which is
        measured here."""
        texts = known_texts(data, self.model.card)
        bits = {name: bits_per_char(self.model, text) for name, text in texts.items()}
        return Origin(self.run, self.model.hash, bits, self.model.tokenizer.vocab_size)


def read(run: str | Path) -> Beginning:
    """The model `run`, named as `textgen.load` takes it. Raises as that does, and for a file."""
    if Path(str(run)).is_file():
        raise RunError(
            f"{run} is a file: begin from a run folder or a shipped model; `textgen import` makes "
            "a run of a model of Keras"
        )
    return Beginning(str(run), Generator.from_run(run))


def grown(weights: Mapping[str, np.ndarray], vocab_size: int) -> dict[str, np.ndarray]:
    """Weights of a model with more tokens: each new one is the mean of those that are there."""
    result = dict(weights)
    for name, axis in AXES.items():
        if name in weights:  # tied weights have no kernel of their own
            more = vocab_size - weights[name].shape[axis]
            mean = weights[name].mean(axis, keepdims=True)
            result[name] = np.concatenate([weights[name], np.repeat(mean, more, axis)], axis)
    return result


def rates(config: ModelConfig, vocab_size: int, known: int) -> dict[str, np.ndarray]:
    """How many times as fast each number of the grown weights is learned, by their names: those of
    a token that is new, because its id is not under `known`, `OF_NEW` times. Broadcasts."""
    of_token = np.where(np.arange(vocab_size) < known, 1.0, OF_NEW).astype(np.float32)
    shapes = weight_shapes(config, vocab_size)
    others = {
        name: [k for k in range(len(shapes[name])) if k != axis]
        for name, axis in AXES.items()
        if name in shapes  # tied weights have no kernel of their own
    }
    return {name: np.expand_dims(of_token, axes) for name, axes in others.items()}


def known_texts(data: TrainingData, card: Card) -> dict[str, str]:
    """What is held out of the "new" text, and of the "old" one: that which is mixed in, or where it
    is at hand that which the model of `card` was trained on."""
    texts = {"new": data.held_out_text}
    if data.replayed is not None:
        texts["old"] = data.replayed.held_out_text
    elif (old := find_training_text(card, shipped.HOME)) is not None:
        texts["old"] = old.held_out_text
    return {name: text for name, text in texts.items() if text}


def bits_per_char(model: Generator, text: str) -> float:
    """Bits per character of the first `MEASURED` characters of `text`, the state carried. To name
    a character that the model lacks costs what any of Unicode's does."""
    text = nfc(text)[:MEASURED]
    ids = model.tokenizer.encode(text)
    bits = float(carried_nats(model, ids).sum(dtype=np.float64)) / math.log(2)
    unknown = sum(i == model.tokenizer.unk_id for i in ids)
    return (bits + unknown * math.log2(0x110000)) / len(text)


def report(folder: Path, origin: Origin, data: TrainingData) -> None:
    """Say what the run in `folder` makes of the texts, beside what the model made of them that it
    began from."""
    texts = known_texts(data, _card_of(origin))
    measured = [name for name in origin.bits if name in texts]
    if measured:
        after = Generator.from_run(folder)
        logger.info(
            f"bits per character of what is held out, the network alone, beside {origin.run}:"
        )
        for name in measured:
            before, now = origin.bits[name], bits_per_char(after, texts[name])
            change = (now - before) / before
            logger.info(f"  {name} text  {before:.3f} before, {now:.3f} after ({change:+.1%})")
    if "old" not in measured:
        why = why_not_found(_card_of(origin), shipped.HOME)
        logger.info(f"the text that {origin.run} was trained on {why}: it is not measured")


def _card_of(origin: Origin) -> Card:
    """config.json of the model that a run began from; empty where that is gone or another."""
    try:
        folder = shipped.find(Path(origin.run), shipped.MODELS)
        return read_config(folder) if weights_hash(folder) == origin.hash else {}
    except RunError:
        return {}
