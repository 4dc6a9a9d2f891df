"""From logits to the logits one samples from: small pure transforms, applied in file order.

Each is a frozen dataclass with one field, called as `transform(logits, history) -> logits`:
logits [batch, vocabulary]; history [batch, length] holds the ids so far, newest last, -1 where
there is none yet. A transform at its default does nothing and is left out of the compiled loop.
All are XLA-safe, and the field may be a scalar tensor: a new value needs no new compilation.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from textgen import backend
from textgen.options import option

NEVER = -1e30  # a logit that is never sampled; finite, so that 0 * NEVER is not NaN
LONGEST_NGRAM = 10


@dataclasses.dataclass(frozen=True)
class RepetitionPenalty:
    """Divide positive and multiply negative logits of tokens in the history (Keskar 2019)."""

    repetition_penalty: Any = option(
        1.0, "above 1: tokens already written become less likely", low=0.1, high=5.0
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        penalty = ops.cast(self.repetition_penalty, logits.dtype)
        lowered = ops.where(logits > 0, logits / penalty, logits * penalty)
        return ops.where(_marked(history, history >= 0, logits), lowered, logits)


@dataclasses.dataclass(frozen=True)
class NoRepeatNgram:
    """Forbid the token that would complete an n-gram of the history once more."""

    no_repeat_ngram_size: Any = option(
        0, "no run of this many tokens is written twice (0: off)", low=0, high=LONGEST_NGRAM
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        n, length = self.no_repeat_ngram_size, history.shape[1]
        # place j repeats if the n - 1 ids before it are the newest n - 1 ids, one by one
        repeats = history >= 0
        for back in range(1, min(LONGEST_NGRAM, length)):
            before = ops.pad(history[:, :-back], ((0, 0), (back, 0)), constant_values=-1)
            same = ops.equal(before, history[:, length - back, None]) & (before >= 0)
            repeats = repeats & (same | (back >= n))
        return ops.where(_marked(history, repeats, logits), NEVER, logits)


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Divide the logits: below 1 safer, above 1 wilder."""

    temperature: Any = option(
        1.0, "below 1 safer, above 1 wilder", low=0.0, high=10.0, low_open=True
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        return logits / backend.ops.cast(self.temperature, logits.dtype)


@dataclasses.dataclass(frozen=True)
class TopK:
    """Keep the k most likely tokens (Fan et al. 2018)."""

    top_k: Any = option(0, "keep this many most likely tokens (0: all)", low=0, high=1000)

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        last = ops.minimum(self.top_k, logits.shape[-1]) - 1
        threshold = ops.take(_descending(logits), last, axis=-1)[:, None]
        return ops.where(logits < threshold, NEVER, logits)


@dataclasses.dataclass(frozen=True)
class TopP:
    """Keep the smallest set of tokens whose probability reaches p (Holtzman et al. 2020)."""

    top_p: Any = option(
        1.0,
        "keep the most likely tokens that make up this probability",
        low=0.0,
        high=1.0,
        low_open=True,
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        ordered = _descending(logits)
        probabilities = ops.softmax(ordered, axis=-1)
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        kept = before < ops.cast(self.top_p, logits.dtype)
        threshold = ops.min(ops.where(kept, ordered, -NEVER), axis=-1, keepdims=True)
        return ops.where(logits < threshold, NEVER, logits)


@dataclasses.dataclass(frozen=True)
class MinP:
    """Keep tokens at least p times as likely as the likeliest (Nguyen et al. 2024)."""

    min_p: Any = option(
        0.0, "drop tokens less likely than this share of the likeliest", low=0.0, high=1.0
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        probabilities = ops.softmax(logits, axis=-1)
        floor = ops.max(probabilities, axis=-1, keepdims=True) * ops.cast(self.min_p, logits.dtype)
        return ops.where(probabilities < floor, NEVER, logits)


@dataclasses.dataclass(frozen=True)
class TypicalP:
    """Keep the tokens whose surprise is nearest the expected one (Meister et al. 2023)."""

    typical_p: Any = option(
        1.0,
        "keep the tokens of most typical surprise that make up this probability",
        low=0.0,
        high=1.0,
        low_open=True,
    )

    def __call__(self, logits: Any, history: Any) -> Any:
        ops = backend.ops
        log_p = ops.log_softmax(logits, axis=-1)
        p = ops.exp(log_p)
        entropy = -ops.sum(p * log_p, axis=-1, keepdims=True)
        oddness = ops.abs(-log_p - entropy)
        order = ops.argsort(oddness, axis=-1)
        ordered = ops.take_along_axis(p, order, axis=-1)
        before = ops.cumsum(ordered, axis=-1) - ordered
        kept = before < ops.cast(self.typical_p, logits.dtype)
        odd = ops.take_along_axis(oddness, order, axis=-1)
        threshold = ops.max(ops.where(kept, odd, 0.0), axis=-1, keepdims=True)
        return ops.where(oddness > threshold, NEVER, logits)


TRANSFORMS: tuple[type, ...] = (
    RepetitionPenalty,
    NoRepeatNgram,
    Temperature,
    TopK,
    TopP,
    MinP,
    TypicalP,
)
# those that make sense where nothing is drawn: the others would only narrow a choice
PENALTIES = (RepetitionPenalty, NoRepeatNgram)


def _descending(logits: Any) -> Any:
    return -backend.ops.sort(-logits, axis=-1)


def _marked(history: Any, where: Any, logits: Any) -> Any:
    """bool [batch, vocabulary]: the ids of `history` at the places `where`."""
    ops = backend.ops
    batch, length = history.shape
    rows = ops.repeat(ops.arange(batch, dtype="int32"), length)
    ids = ops.reshape(ops.maximum(history, 0), (-1,))
    counts = ops.scatter(
        ops.stack([rows, ids], axis=-1),
        ops.reshape(ops.cast(where, "int32"), (-1,)),
        tuple(logits.shape),
    )
    return counts > 0
