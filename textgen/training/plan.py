"""The settings that make the most of so many seconds on this machine.

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
import time
from collections.abc import Collection
from typing import Any

from textgen.config import ModelConfig, Settings, TrainConfig
from textgen.log import logger
from textgen.training.cost import weights_per_token

# From few passes a gru learns more than an lstm, from so many that something has to be dropped it
# learns less: docs/quality.md.
FEW_PASSES, MANY_PASSES = "gru", "lstm"
LEAST_OF_MANY = 256  # units of such an lstm; smaller ones were not compared
# So many tokens, or more, are embedded so wide, where the text is long enough to teach it: pieces,
# and the characters of a Korean text, which has twice as many; one in Latin letters has some 100.
LARGE_VOCABULARY, WIDE_EMBEDDING = 300, 256
SIZES = (1024, 768, 640, 512, 448, 384, 320, 256, 192, 128)  # of the recurrent layer
# The size is the largest that leaves so many passes over the text (`MANY` to an lstm that is taken
# for them), or so many tokens to be read for each weight, without the embeddings, since what is new
# in a long text is worth more than what is read again; and that has no more weights for each token
# of the text: more only learn it by heart.
FEW, MANY = 5, 10
READ_PER_WEIGHT, WEIGHTS_PER_TOKEN = 60, 4
MAX_PASSES = 60  # patience ends most trainings before
WINDOWS = ((32, 64), (16, 64), (8, 64))  # lanes x tokens; smaller batches learn more from a pass
STEPS_OF_PASS = 50  # at least
PEAK_RATE = 8e-3  # learning rate: twice the default, for few passes
# Steps over which the rate rises, and the share of all that they are at most: beginning at its peak
# it may make a text of many letters diverge.
WARMUP_STEPS, MAX_WARMUP = 150, 0.2
TRAINED = 0.92  # share of the time for training steps; the rest reads the held-out text
TIMED_SIZE = 384  # the size whose speed is measured, to tell that of the others by
# Dropout where there is one weight for each token and the text is read ten times; what each
# doubling of either adds; the most.
BASE_DROPOUT, BASE_PASSES, DROPOUT_OF_DOUBLING, MAX_DROPOUT = 0.15, 10, 0.07, 0.5
# A model that was begun from knows most of it already, and learns less by heart; but it has no less
# than it was trained with.
OF_BEGUN = -0.35
# An lstm that steps with Muon learns less by heart than a gru does from as many passes.
OF_LSTM = -0.05
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
    end = time.perf_counter() + seconds
    if model.tie_weights and not _is_free(model, fixed, "embedding_size"):
        model = _fill(model, fixed, hidden_size=model.embedding_size)  # which have to be equal
        fixed = {*fixed, "hidden_size"}
    taught = vocab_size * WIDE_EMBEDDING <= WEIGHTS_PER_TOKEN * tokens
    if vocab_size >= LARGE_VOCABULARY and taught and not model.tie_weights:
        model = _fill(model, fixed, embedding_size=WIDE_EMBEDDING)
    lanes, length = next((w for w in WINDOWS if tokens >= STEPS_OF_PASS * w[0] * w[1]), WINDOWS[-1])
    training = _fill(
        training, fixed, batch_size=lanes, sequence_length=length, learning_rate=PEAK_RATE
    )
    rule = _Rule(tokens, vocab_size, end, training, fixed, begun)
    model = rule.sized(model)
    training, steps = rule.for_the_time(model)
    model = rule.dropping(model, steps / rule.of_pass)
    return model, rule.stepped(model, training, steps)


class _Rule:
    """What a text, the speed of a machine and the end of the time ask of a model and its training.

    A pass is one over the text, `of_pass` are its steps. `training` has its batches already.
    """

    def __init__(
        self,
        tokens: int,
        vocab_size: int,
        end: float,
        training: TrainConfig,
        fixed: Collection[str],
        begun: bool,
    ) -> None:
        self.tokens, self.vocab_size, self.end = tokens, vocab_size, end
        self.training, self.fixed, self.begun = training, fixed, begun
        self.of_pass = tokens / (training.batch_size * training.sequence_length)
        self.of_epoch = self.of_pass  # but where a streamed text is cut into shorter ones
        if training.stream and training.steps_per_epoch:
            self.of_epoch = training.steps_per_epoch
        self.free_passes = _is_free(training, fixed, "epochs")
        self.least_dropout = 0.0
        self.work = 0.0  # of this machine in a second, in weights that a token is multiplied by

    def sized(self, model: ModelConfig) -> ModelConfig:
        """`model` with the cell and the size of the rule, where they are free."""
        # who names a forget bias asks for the cell that has one
        named = any(not _is_free(model, self.fixed, name) for name in ("cell", "forget_bias"))
        free_cell = not named and not self.begun
        if free_cell:
            model = dataclasses.replace(model, cell=FEW_PASSES)
        free_size = _is_free(model, self.fixed, "hidden_size")
        if free_size or self.free_passes:
            logger.info("measuring how fast this machine trains, to see what fits into the time")
        if free_size or (free_cell and self.free_passes):
            tried = self.in_size(model, TIMED_SIZE)
            self.work = self.speed(tried, BASE_PASSES) * weights_per_token(tried, self.vocab_size)
        if free_cell:
            many = self.largest(dataclasses.replace(model, cell=MANY_PASSES), MANY)
            if self.is_worth(many):
                self.least_dropout = LEAST_DROPOUT  # it is taken as one that drops something
                return many
        return self.largest(model, FEW)

    def is_worth(self, many: ModelConfig) -> bool:
        """Whether a text is read so often that this model for many passes is the better one."""
        passes = self.passes(many)
        dropping = self.dropping(many, passes)
        large = many.hidden_size >= LEAST_OF_MANY
        muon = self.optimized(dropping).optimizer == "muon"
        return passes >= MANY and large and dropping.dropout > 0 and muon

    def largest(self, model: ModelConfig, least: int) -> ModelConfig:
        """`model` in the largest size that leaves `least` passes, or enough read for a weight."""
        if not _is_free(model, self.fixed, "hidden_size"):
            return self.in_size(model, model.hidden_size)
        for size in SIZES:
            tried = self.in_size(model, size)
            weights = weights_per_token(tried, self.vocab_size)
            enough = min(least, READ_PER_WEIGHT * weights / self.tokens)
            if (
                weights <= WEIGHTS_PER_TOKEN * self.tokens
                and self.passes_at(self.work / weights) >= enough
            ):
                break
        return tried

    def in_size(self, model: ModelConfig, size: int) -> ModelConfig:
        model = _fill(model, self.fixed, hidden_size=size)
        if model.tie_weights:
            model = _fill(model, self.fixed, embedding_size=model.hidden_size)
        return model

    def passes(self, model: ModelConfig) -> float:
        """Over the text, of those that are asked for, as far as the time allows."""
        asked = self.training.epochs * self.of_epoch / self.of_pass
        if not self.work:
            return asked
        found = self.passes_at(self.work / weights_per_token(model, self.vocab_size))
        return found if self.free_passes else min(found, asked)

    def passes_at(self, tokens_per_second: float) -> float:
        left = self.training.max_seconds or max(1.0, self.end - time.perf_counter())
        return TRAINED * left * tokens_per_second / self.tokens

    def speed(self, model: ModelConfig, passes: float) -> float:
        """Tokens that this machine trains on in a second, measured."""
        from textgen.training.speed import speed  # TensorFlow is loaded in no time of the budget's

        model = self.dropping(model, passes)
        return speed(model, self.vocab_size, self.optimized(model))

    def dropping(self, model: ModelConfig, passes: float) -> ModelConfig:
        """`model` with the dropout that its size calls for in so many passes over the text."""
        weights = weights_per_token(model, self.vocab_size) + self.vocab_size * model.embedding_size
        # a text that is read twice as often counts as half as long
        tokens = self.tokens * BASE_PASSES / passes
        share = BASE_DROPOUT + DROPOUT_OF_DOUBLING * math.log2(weights / tokens)
        share += OF_BEGUN if self.begun else OF_LSTM if model.cell == MANY_PASSES else 0.0
        share = 0.0 if share < LEAST_DROPOUT else round(min(share, MAX_DROPOUT), 2)
        share = max(share, self.least_dropout)
        if self.begun and "dropout" not in self.fixed:
            return dataclasses.replace(model, dropout=max(model.dropout, share))
        return _fill(model, self.fixed, dropout=share)

    def optimized(self, model: ModelConfig) -> TrainConfig:
        """The training with the optimizer that suits `model`, its dropout and a text so long."""
        too_long = self.decay_of_muon() < MIN_DECAY_OF_MUON
        noisy = model.dropout and model.cell != MANY_PASSES
        if noisy or self.begun or too_long:
            return self.training
        return _fill(self.training, self.fixed, optimizer="muon")

    def for_the_time(self, model: ModelConfig) -> tuple[TrainConfig, float]:
        """The training with the epochs that the time allows, and its steps."""
        training, of_epoch, steps = self.training, self.of_epoch, math.inf
        if self.free_passes:
            steps = self.of_pass * self.passes_at(self.speed(model, self.passes(model)))
            if training.stream and steps < self.of_pass:
                # so that the rate has fallen, and the model is judged, at the end
                training = _fill(training, self.fixed, steps_per_epoch=max(1, round(steps)))
                of_epoch = training.steps_per_epoch or self.of_pass
            steps = min(steps, MAX_PASSES * self.of_pass)
            epochs = math.ceil(round(steps / of_epoch, 2))
            training = _fill(training, self.fixed, epochs=max(1, epochs))
        return training, max(1.0, min(steps, training.epochs * of_epoch))

    def stepped(self, model: ModelConfig, training: TrainConfig, steps: float) -> TrainConfig:
        """`training` with the optimizer that suits `model`, its rise, its decay and its end."""
        training = dataclasses.replace(training, optimizer=self.optimized(model).optimizer)
        warmup = round(min(WARMUP_STEPS / steps, MAX_WARMUP), 4)
        decay = self.decay(training, steps)
        training = _fill(training, self.fixed, warmup=warmup, weight_decay=decay)
        # time ends the last pass, and the rate falls towards that
        left = max(1.0, round(self.end - time.perf_counter(), 1))  # 0 would be no end at all
        return _fill(training, self.fixed, max_seconds=left)

    def decay(self, training: TrainConfig, steps: float) -> float:
        """Of AdamW, what shrinks a weight by `DECAYED` e-foldings over all steps, whose learning
        rate is half its peak on average; of Muon, by one in `SHRUNK_IN` passes."""
        if training.optimizer == "muon":
            decay = self.decay_of_muon()
            return round(min(max(decay, MIN_DECAY_OF_MUON), MAX_DECAY_OF_MUON), 3)
        return round(min(2 * DECAYED / (training.learning_rate * steps), MAX_DECAY), 3)

    def decay_of_muon(self) -> float:
        """What shrinks a weight by one e-folding in `SHRUNK_IN` passes, without bounds."""
        from textgen.training.optimizers import FASTER  # only here: it imports TensorFlow

        return 2 / (FASTER * self.training.learning_rate * SHRUNK_IN * self.of_pass)


def _fill(settings: Settings, fixed: Collection[str], **values: Any) -> Settings:
    """`settings` with those of `values` that are not `fixed` and whose place holds the default."""
    free = {name: value for name, value in values.items() if _is_free(settings, fixed, name)}
    return dataclasses.replace(settings, **free)


def _is_free(settings: object, fixed: Collection[str], name: str) -> bool:
    return name not in fixed and getattr(settings, name) == getattr(type(settings), name)
