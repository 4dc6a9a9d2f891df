"""From logits to the logits one samples from: small pure transforms, applied in file order.

Each is a frozen dataclass with one field, called as `transform(logits, history) -> logits`:
logits [batch, vocabulary]; history [batch, length] holds the ids so far, newest last, -1 where
there is none yet. A transform at its default does nothing and is left out.
Each is written once for arrays of NumPy and of TensorFlow (`ops_for`). There XLA compiles it, and
the field may be a scalar tensor: a new value needs no new compilation.

To add a transform, write its class here under `@register`: the command line, the sliders and the
check of its range follow from the field. At every value in that range, some token that was possible
before stays possible.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, TypeVar

from textgen.array_ops import ops_for, pick
from textgen.arrays import Array
from textgen.options import option

NEVER = -1e30  # a logit that is never sampled; finite, so that 0 * NEVER is not NaN
POSSIBLE = NEVER / 1e10  # every logit that stands for a possible token lies above
COLDEST = 1e-30  # a temperature below is 0: float32 has no room to divide by it
LONGEST_NGRAM = 10


class Transform:
    """What the transforms have in common.

    for_beams: whether the transform makes sense in beam search, where nothing is drawn and a
    narrower choice changes nothing.
    """

    for_beams: ClassVar[bool] = False

    def __call__(self, logits: Array, history: Array) -> Array:
        """logits [batch, vocabulary] after the ids of `history` [batch, length]."""
        raise NotImplementedError


TRANSFORMS: list[type[Transform]] = []  # in the order in which they are applied
_Class = TypeVar("_Class", bound=type[Transform])


def register(transform: _Class) -> _Class:
    """Let `transform` be applied after those that are registered already."""
    TRANSFORMS.append(transform)
    return transform


@register
@dataclasses.dataclass(frozen=True)
class RepetitionPenalty(Transform):
    """Divide positive and multiply negative logits of tokens in the history (Keskar 2019)."""

    for_beams: ClassVar[bool] = True

    repetition_penalty: Array = option(
        1.0, "above 1: tokens already written become less likely", low=0.1, high=5.0
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        penalty = ops.cast(self.repetition_penalty, logits.dtype)
        lowered = ops.where(logits > 0, logits / penalty, logits * penalty)
        return ops.where(_marked(history, history >= 0, logits), lowered, logits)


@register
@dataclasses.dataclass(frozen=True)
class NoRepeatNgram(Transform):
    """Forbid the token that would complete an n-gram of the history once more.

    Where that would forbid every token, none is forbidden.
    """

    for_beams: ClassVar[bool] = True

    no_repeat_ngram_size: Array = option(
        0, "no run of this many tokens is written twice (0: off)", low=0, high=LONGEST_NGRAM
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        n, length = self.no_repeat_ngram_size, history.shape[1]
        # place j repeats if the n - 1 ids before it are the newest n - 1 ids, one by one
        repeats = history >= 0
        for back in range(1, min(LONGEST_NGRAM, length)):
            before = ops.pad(history[:, :-back], ((0, 0), (back, 0)), constant_values=-1)
            same = ops.equal(before, history[:, length - back, None]) & (before >= 0)
            repeats = repeats & (same | (back >= n))
        without = ops.where(_marked(history, repeats, logits), NEVER, logits)
        some_left = ops.any(without > POSSIBLE, axis=-1, keepdims=True)
        return ops.where(some_left, without, logits)


@register
@dataclasses.dataclass(frozen=True)
class Temperature(Transform):
    """Divide the logits: below 1 safer, above 1 wilder, 0 greedy.

    They are measured from the largest first: as the temperature falls, the others fall without end
    and it stays. Of several that are largest, 0 takes the one with the smallest id.
    """

    temperature: Array = option(
        1.0, "below 1 safer, above 1 wilder, 0 always the likeliest token", low=0.0, high=10.0
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        temperature = ops.cast(self.temperature, logits.dtype)
        below = logits - ops.max(logits, axis=-1, keepdims=True)
        divided = ops.maximum(below / ops.maximum(temperature, COLDEST), NEVER)
        likeliest = ops.argmax(logits, axis=-1, keepdims=True)
        greedy = ops.where(ops.arange(logits.shape[-1]) == likeliest, 0.0, NEVER)
        return ops.where(temperature > COLDEST, divided, greedy)


@register
@dataclasses.dataclass(frozen=True)
class TopK(Transform):
    """Keep the k most likely tokens (Fan et al. 2018)."""

    top_k: Array = option(0, "keep this many most likely tokens (0: all)", low=0, high=1000)

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        last = ops.minimum(self.top_k, logits.shape[-1]) - 1
        threshold = ops.take(_descending(logits), last, axis=-1)[:, None]
        return ops.where(logits < threshold, NEVER, logits)


@register
@dataclasses.dataclass(frozen=True)
class TopP(Transform):
    """Keep the smallest set of tokens whose probability reaches p (Holtzman et al. 2020)."""

    top_p: Array = option(
        1.0,
        "keep the most likely tokens that make up this probability",
        low=0.0,
        high=1.0,
        low_open=True,
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        ordered = _descending(logits)
        probabilities = ops.softmax(ordered, axis=-1)
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        inside = before < ops.cast(self.top_p, logits.dtype)
        threshold = ops.min(ops.where(inside, ordered, -NEVER), axis=-1, keepdims=True)
        # the likeliest stays, also with a p that is 0 in float32
        return ops.where(logits < ops.minimum(threshold, ordered[:, :1]), NEVER, logits)


@register
@dataclasses.dataclass(frozen=True)
class MinP(Transform):
    """Keep tokens at least p times as likely as the likeliest (Nguyen et al. 2024)."""

    min_p: Array = option(
        0.0, "drop tokens less likely than this share of the likeliest", low=0.0, high=1.0
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        # p >= min_p max(p), as logarithms: there the likeliest cannot be rounded away
        share = ops.log(ops.cast(self.min_p, logits.dtype))
        return ops.where(logits < ops.max(logits, axis=-1, keepdims=True) + share, NEVER, logits)


@register
@dataclasses.dataclass(frozen=True)
class TypicalP(Transform):
    """Keep the tokens whose surprise is nearest the expected one (Meister et al. 2023)."""

    typical_p: Array = option(
        1.0,
        "keep the tokens of most typical surprise that make up this probability",
        low=0.0,
        high=1.0,
        low_open=True,
    )

    def __call__(self, logits: Array, history: Array) -> Array:
        ops = ops_for(logits)
        log_p = ops.log_softmax(logits, axis=-1)
        p = ops.exp(log_p)
        entropy = -ops.sum(p * log_p, axis=-1, keepdims=True)
        oddness = ops.abs(-log_p - entropy)
        order = ops.argsort(oddness, axis=-1)
        ordered = ops.take_along_axis(p, order, axis=-1)
        before = ops.cumsum(ordered, axis=-1) - ordered
        inside = before < ops.cast(self.typical_p, logits.dtype)
        odd = ops.take_along_axis(oddness, order, axis=-1)
        threshold = ops.max(ops.where(inside, odd, 0.0), axis=-1, keepdims=True)
        # the most typical stays, also with a p that is 0 in float32
        threshold = ops.maximum(threshold, odd[:, :1])
        return ops.where(oddness > threshold, NEVER, logits)


def draw(logits: Array, allowed: Array, uniform: Array) -> Array:
    """The ids [batch] that numbers from 0 to 1, `uniform` [batch], choose of logits
    [batch, vocabulary], by the inverse of the cumulative distribution.

    An id outside `allowed`, bool [vocabulary] or [batch, vocabulary], is never drawn.
    """
    ops = ops_for(logits)
    probabilities = ops.softmax(ops.where(allowed, logits, -float("inf")), axis=-1)
    # a thousand of them added up in float32, in another order, would choose another id
    total = ops.cumsum(ops.cast(probabilities, "float64"), axis=-1)
    below = total <= ops.cast(uniform[:, None], "float64") * total[:, -1:]
    ids = ops.sum(ops.cast(below, "int32"), axis=-1)
    # the running sum is rounded, so it may step onto a token of no probability
    chosen = pick(probabilities, ids)
    likeliest = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
    return ops.where(chosen > 0, ids, likeliest)


def _descending(logits: Array) -> Array:
    return -ops_for(logits).sort(-logits, axis=-1)


def _marked(history: Array, where: Array, logits: Array) -> Array:
    """bool [batch, vocabulary]: the ids of `history` at the places `where`."""
    ops = ops_for(logits)
    batch, length = history.shape
    rows = ops.repeat(ops.arange(batch, dtype="int32"), length)
    ids = ops.reshape(ops.maximum(history, 0), (-1,))
    counts = ops.scatter(
        ops.stack([rows, ids], axis=-1),
        ops.reshape(ops.cast(where, "int32"), (-1,)),
        tuple(logits.shape),
    )
    return counts > 0
