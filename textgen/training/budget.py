"""Minutes given, settings found: the largest model that still gets to read the text often enough.

A larger model learns more from each pass over the text, a smaller one makes more of them. The rule
here leaves five passes, of a long text sixty tokens to be read for each weight, and takes no more
than four weights for each token of the text; embeds Korean characters and pieces wider than Latin
letters; and gives more dropout the more weights there are for a token and the more often it is
read. It takes a GRU, but an LSTM where one that makes ten passes would need dropout. Muon takes the
steps, but of a GRU with dropout, and on a long text, AdamW. Weights decay by the same factor over a
pass (Muon) or over the whole training (AdamW), however many steps there are.
What it reached, and on which texts, stands in docs/quality.md. The speed is measured on this
machine, with this vocabulary, before the training begins (speed.py).
"""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Collection
from typing import Any

import numpy as np

from textgen.config import ModelConfig, Settings, TrainConfig
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, counted
from textgen.log import logger
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training.cost import weights_per_token

# From few passes a gru learns more than an lstm, from so many that something has to be dropped it
# learns less: docs/quality.md.
FEW_PASSES, MANY_PASSES = "gru", "lstm"
LEAST_OF_MANY = 256  # units of such an lstm; smaller ones were not compared
# So many tokens, or more, are embedded so wide, where the text is long enough to teach it: pieces,
# and the characters of a Korean text, which has twice as many; one in Latin letters has some 100.
LARGE_VOCABULARY, WIDE_EMBEDDING = 300, 256
SIZES = (1024, 768, 640, 512, 448, 384, 320, 256, 192, 128)  # of the recurrent layer
# The size is the largest that leaves so many passes over the text, or so many tokens to be read for
# each weight, without the embeddings, since what is new in a long text is worth more than what is
# read again; and that has no more weights for each token of the text: more only learn it by heart.
PASSES = {FEW_PASSES: 5, MANY_PASSES: 10}
READ_PER_WEIGHT, WEIGHTS_PER_TOKEN = 60, 4
MAX_PASSES = 60  # patience ends most trainings before
WINDOWS = ((32, 64), (16, 64), (8, 64))  # lanes x tokens; smaller batches learn more from a pass
STEPS_OF_PASS = 50  # at least
PEAK_RATE = 8e-3  # learning rate: twice the default, for few passes
# Steps over which the rate rises, and the share of all that they are at most: beginning at its peak
# it may make a text of many letters diverge.
WARMUP_STEPS, MAX_WARMUP = 150, 0.2
TRAINED = 0.92  # share of the budget for training steps; the rest reads the held-out text
TIMED_SIZE = 384  # the size whose speed is measured, to tell that of the others by
# Dropout where there is one weight for each token and the text is read ten times; what each
# doubling of either adds; the most.
BASE_DROPOUT, BASE_PASSES, DROPOUT_OF_DOUBLING, MAX_DROPOUT = 0.15, 10, 0.07, 0.5
# A model that was begun from knows most of it already, and learns less by heart; but it has no less
# than it was trained with.
OF_BEGUN = -0.35
# An lstm that steps with Muon learns less by heart than a gru does from as many passes.
OF_MANY_PASSES = -0.05
# Less than that is none: where there are few passes it only costs, the more so with Muon, and any
# costs a product for each token where the vocabulary is small.
LEAST_DROPOUT = 0.1
# By how many e-foldings the decay of AdamW shrinks a weight that nothing pulls at, over the whole
# training; the largest decay.
DECAYED, MAX_DECAY = 2.0, 0.5
# Muon learns more from a pass than AdamW; but what a gru drops is noise in the gradient, which it
# follows, and an lstm minds that less. Passes in which its decay shrinks a weight to 1 / e, as Wang
# & Aitchison 2024, arXiv 2405.13698, find it best in passes, not in steps; the least and the
# largest decay. Of a text so long that it would be less AdamW learns more: Muon's steps are as long
# as ever however small the gradient, and weights that hardly decay grow until the recurrence is
# lost, with nothing to be seen but a loss that stays high.
SHRUNK_IN, MIN_DECAY_OF_MUON, MAX_DECAY_OF_MUON = 1.4, 0.05, 0.2
# Share of the budget in which a tokenizer learns its vocabulary; characters that it learns from,
# however short that is; stretches of a longer text that they are taken from.
LEARNED, LEAST_LEARNED, STRETCHES = 0.1, 500_000, 100
SHORTEST_BUDGET, LONGEST_BUDGET = 10.0, 720 * 3600.0  # seconds
LEAST_TRAINED = 2.0  # seconds of training, without which there is no use in beginning
LEAST_LEFT = 0.5  # a smaller share of the budget that is left after measuring is worth a note
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """ "90s", "3m", "1.5h" or a number of seconds. Raises `ConfigError`."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smh]?)", text.strip())
    if not match:
        raise ConfigError(f"budget is {text!r}: give a time such as 90s, 3m or 1.5h")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not SHORTEST_BUDGET <= seconds <= LONGEST_BUDGET:
        raise ConfigError(
            f"budget is {text!r}: give at least {SHORTEST_BUDGET:.0f} seconds and at most "
            f"{LONGEST_BUDGET / _UNITS['h']:.0f} hours, such as 90s, 3m or 1h"
        )
    return seconds


def check_left(seconds: float) -> None:
    """Raises `ConfigError` where next to nothing is left of the budget before any training."""
    if seconds < LEAST_TRAINED:
        raise ConfigError(
            "the budget went into reading the text, and measuring how fast this machine trains: "
            "give a longer --budget"
        )


def to_learn_from(text: str, kind: type[Tokenizer], seconds: float) -> str:
    """Of a text that a tokenizer of this kind is to learn its vocabulary from, what it learns from
    in `LEARNED` of `seconds`: all, or stretches of it from everywhere, at least `LEAST_LEARNED`."""
    most = max(LEAST_LEARNED, LEARNED * seconds * kind.learned_per_second)
    if len(text) <= most:
        return text
    begins = np.linspace(0, len(text), STRETCHES, endpoint=False).astype(int).tolist()
    length = round(most) // STRETCHES
    return "\n".join(text[at : at + length] for at in begins)


def within(
    seconds: float,
    data: TrainingData,
    tokenizer: Tokenizer,
    model: ModelConfig,
    training: TrainConfig,
    fixed: Collection[str] = (),
    begun: bool = False,
) -> tuple[ModelConfig, TrainConfig]:
    """The settings to train with on `data` for `seconds`, shown on stderr; see `plan`.

    Raises `ConfigError` for a task, which has no passes, and where next to no time is left.
    """
    begin = time.perf_counter()
    tokens = data.tokens(tokenizer)
    seconds -= time.perf_counter() - begin
    check_left(seconds)
    if tokens <= training.sequence_length:
        data.batches(tokenizer)  # which refuses so short a text, before anything is measured
    given = training.max_seconds
    model, training = plan(tokens, tokenizer.vocab_size, seconds, model, training, fixed, begun)
    left = training.max_seconds
    if not given:
        check_left(left)
        if left < LEAST_LEFT * seconds:
            logger.warning(
                f"note: of the budget {left:.0f} s are left for training, as this machine is slow "
                "or busy: give a longer --budget"
            )
    logger.info(
        f"in {left:.0f} s: {model.num_layers} x {model.hidden_size} units of {model.cell}, "
        f"dropout {model.dropout}, {training.optimizer} with a decay of {training.weight_decay}, "
        f"{counted(training.epochs, 'epoch')} in batches of {training.batch_size} x "
        f"{training.sequence_length}"
    )
    return model, training


def plan(
    tokens: int,
    vocab_size: int,
    seconds: float,
    model: ModelConfig,
    training: TrainConfig,
    fixed: Collection[str] = (),
    begun: bool = False,
) -> tuple[ModelConfig, TrainConfig]:
    """`model` and `training` with what `seconds` on this machine allow.

    tokens: of a pass over the text. A setting that is not its default, or named in `fixed`, is left
    as it is; where that is max_seconds, the passes are those of that time. begun: whether the
    weights are those of a model that was trained on another text.
    """
    from textgen.training.speed import speed  # TensorFlow is loaded in no time of the budget's

    lanes, length = next((w for w in WINDOWS if tokens >= STEPS_OF_PASS * w[0] * w[1]), WINDOWS[-1])
    # who names a forget bias asks for the cell that has one
    free_cell = all(_is_free(model, fixed, name) for name in ("cell", "forget_bias")) and not begun
    if free_cell:
        model = dataclasses.replace(model, cell=FEW_PASSES)
    if model.tie_weights and not _is_free(model, fixed, "embedding_size"):
        model = _fill(model, fixed, hidden_size=model.embedding_size)  # which have to be equal
        fixed = {*fixed, "hidden_size"}
    taught = vocab_size * WIDE_EMBEDDING <= WEIGHTS_PER_TOKEN * tokens
    if vocab_size >= LARGE_VOCABULARY and taught and not model.tie_weights:
        model = _fill(model, fixed, embedding_size=WIDE_EMBEDDING)
    training = _fill(
        training, fixed, batch_size=lanes, sequence_length=length, learning_rate=PEAK_RATE
    )
    of_pass = tokens / (training.batch_size * training.sequence_length)
    free_size = _is_free(model, fixed, "hidden_size")
    free_passes = _is_free(training, fixed, "epochs")
    end = time.perf_counter() + seconds
    work = 0.0  # of this machine in a second, in weights that a token is multiplied by

    def passes(tokens_per_second: float) -> float:
        left = training.max_seconds or max(1.0, end - time.perf_counter())
        return TRAINED * left * tokens_per_second / tokens

    def sized(model: ModelConfig, size: int, read: float = BASE_PASSES) -> ModelConfig:
        return _sized(model, size, vocab_size, tokens * BASE_PASSES / read, fixed, begun)

    def stepped(model: ModelConfig) -> TrainConfig:
        return _stepped(training, model, of_pass, fixed, begun)

    def timed(model: ModelConfig) -> float:
        return speed(model, vocab_size, stepped(model))

    def read_by(model: ModelConfig) -> float:
        """Passes over the text, of those that are asked for."""
        asked = training.epochs * _of_epoch(training, of_pass) / of_pass
        if not work:
            return asked
        found = passes(work / weights_per_token(model, vocab_size))
        return found if free_passes else min(found, asked)

    def largest(model: ModelConfig) -> ModelConfig:
        """`model` in the size of the rule."""
        least = PASSES.get(model.cell, PASSES[FEW_PASSES])
        for size in SIZES:
            tried = sized(model, size)
            weights = weights_per_token(tried, vocab_size)
            enough = min(least, READ_PER_WEIGHT * weights / tokens)
            if weights <= WEIGHTS_PER_TOKEN * tokens and passes(work / weights) >= enough:
                break
        return sized(model, size, read_by(tried))

    if free_size or free_passes:
        logger.info("measuring how fast this machine trains, to see what fits into the time")
    if free_size or (free_cell and free_passes):
        tried = sized(model, TIMED_SIZE)
        work = timed(tried) * weights_per_token(tried, vocab_size)
    chosen = largest(model)
    if free_cell:
        many = largest(dataclasses.replace(model, cell=MANY_PASSES))
        often = read_by(many) >= PASSES[MANY_PASSES] and many.hidden_size >= LEAST_OF_MANY
        if often and many.dropout and stepped(many).optimizer == "muon":
            chosen = many
            model = dataclasses.replace(model, cell=MANY_PASSES)
    steps = math.inf  # that the time allows
    if free_passes:
        steps = of_pass * passes(timed(chosen))
        if training.stream and steps < of_pass:
            # so that the rate has fallen, and the model is judged, at the end
            training = _fill(training, fixed, steps_per_epoch=max(1, round(steps)))
        steps = min(steps, MAX_PASSES * of_pass)
        epochs = math.ceil(round(steps / _of_epoch(training, of_pass), 2))
        training = _fill(training, fixed, epochs=max(1, epochs))
    steps = max(1.0, min(steps, training.epochs * _of_epoch(training, of_pass)))
    chosen = sized(model, chosen.hidden_size, steps / of_pass)
    if free_cell and chosen.cell == MANY_PASSES:  # it was chosen as one that drops something
        chosen = _fill(chosen, fixed, dropout=LEAST_DROPOUT)
    warmup = round(min(WARMUP_STEPS / steps, MAX_WARMUP), 4)
    training = stepped(chosen)
    decay = _decay(training, steps, of_pass)
    training = _fill(training, fixed, warmup=warmup, weight_decay=decay)
    # time ends the last pass, and the rate falls towards that
    left = max(1.0, round(end - time.perf_counter(), 1))  # 0 would be no end at all
    return chosen, _fill(training, fixed, max_seconds=left)


def _of_epoch(training: TrainConfig, of_pass: float) -> float:
    """Steps of an epoch, which is a pass unless a streamed text is cut into shorter ones."""
    return training.steps_per_epoch if training.stream and training.steps_per_epoch else of_pass


def _stepped(
    training: TrainConfig,
    model: ModelConfig,
    of_pass: float,
    fixed: Collection[str],
    begun: bool,
) -> TrainConfig:
    """`training` with the optimizer that suits `model`, its dropout and the length of the text.

    of_pass: steps of a pass.
    """
    too_long = _decay_of_muon(training, of_pass) < MIN_DECAY_OF_MUON
    noisy = model.dropout and model.cell != MANY_PASSES
    if noisy or begun or too_long:
        return training
    return _fill(training, fixed, optimizer="muon")


def _decay(training: TrainConfig, steps: float, of_pass: float) -> float:
    """Of AdamW, what shrinks a weight by `DECAYED` e-foldings over all steps, whose learning rate
    is half its peak on average; of Muon, by one in `SHRUNK_IN` passes. of_pass: steps of a pass."""
    if training.optimizer == "muon":
        decay = _decay_of_muon(training, of_pass)
        return round(min(max(decay, MIN_DECAY_OF_MUON), MAX_DECAY_OF_MUON), 3)
    return round(min(2 * DECAYED / (training.learning_rate * steps), MAX_DECAY), 3)


def _decay_of_muon(training: TrainConfig, of_pass: float) -> float:
    """What shrinks a weight by one e-folding in `SHRUNK_IN` passes, without bounds."""
    from textgen.training.optimizers import FASTER  # only here: it imports TensorFlow

    return 2 / (FASTER * training.learning_rate * SHRUNK_IN * of_pass)


def _sized(
    model: ModelConfig,
    size: int,
    vocab_size: int,
    tokens: float,
    fixed: Collection[str],
    begun: bool,
) -> ModelConfig:
    """`model` of this size, with the dropout that its size calls for on so many tokens.

    tokens: of a text that is read `BASE_PASSES` times; one that is read twice as often counts as
    half as long.
    """
    model = _fill(model, fixed, hidden_size=size)
    if model.tie_weights:
        model = _fill(model, fixed, embedding_size=model.hidden_size)
    weights = weights_per_token(model, vocab_size) + vocab_size * model.embedding_size
    share = BASE_DROPOUT + DROPOUT_OF_DOUBLING * math.log2(weights / tokens)
    share += OF_BEGUN if begun else OF_MANY_PASSES if model.cell == MANY_PASSES else 0.0
    share = 0.0 if share < LEAST_DROPOUT else round(min(share, MAX_DROPOUT), 2)
    if begun and "dropout" not in fixed:
        return dataclasses.replace(model, dropout=max(model.dropout, share))
    return _fill(model, fixed, dropout=share)


def _fill(settings: Settings, fixed: Collection[str], **values: Any) -> Settings:
    """`settings` with those of `values` that are not `fixed` and whose place holds the default."""
    free = {name: value for name, value in values.items() if _is_free(settings, fixed, name)}
    return dataclasses.replace(settings, **free)


def _is_free(settings: object, fixed: Collection[str], name: str) -> bool:
    return name not in fixed and getattr(settings, name) == getattr(type(settings), name)
