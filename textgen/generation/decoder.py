"""The compiled loop: state and logits in, a chunk of sampled ids out. No text in here.

One XLA program samples `CHUNK` tokens. Which transforms take part is fixed when it is compiled;
their values are arguments. Noise comes from outside as uniform numbers, so a text depends on its
seed alone: not on batch size, chunk size or hardware generator.

B batch, V vocabulary, K top_logprobs, L `HISTORY`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from textgen.arrays import Array, Arrays, State
from textgen.backend import ops, tf
from textgen.generation.sampling import NEVER, Transform, draw
from textgen.model import LanguageModel

CHUNK = 32
HISTORY = 512  # tokens that the repetition transforms look back on
LARGEST_UNIFORM = 1 - 2**-20  # less than 1, so that rounding cannot step past the last token

Program: TypeAlias = Callable[..., tuple[Any, ...]]


class Step(NamedTuple):
    """One sampled token of each text of a batch."""

    ids: np.ndarray  # [B]
    logprobs: np.ndarray  # [B], natural log under the model itself, before the transforms
    top_ids: np.ndarray  # [B, K], best first
    top_logprobs: np.ndarray  # [B, K]


class Decoder:
    """Samples ids from a `LanguageModel`; keeps its compiled programs for the next call."""

    def __init__(self, model: LanguageModel, banned_ids: tuple[int, ...]) -> None:
        self.model = model
        self.allowed = np.ones(model.vocab_size, bool)
        self.allowed[list(banned_ids)] = False
        self._programs: dict[tuple[tuple[type, ...], int, int], Program] = {}
        self._read: Program = tf.function(
            lambda ids: self._last(*model(ids)),
            input_signature=[tf.TensorSpec([1, None], tf.int32)],
        )
        self._score_window: Program = tf.function(self._score, reduce_retracing=True)

    @staticmethod
    def _last(logits: Array, state: State) -> tuple[Array, State]:
        return logits[:, -1], state

    def without_banned(self, logits: Array) -> Array:
        """The logits [B, V] with `NEVER` at the ids that are never sampled."""
        return ops.where(self.allowed, logits, NEVER)

    def decode(
        self,
        prompts: list[list[int]],
        transforms: tuple[Transform, ...],
        seeds: Sequence[tuple[int, ...]],
        top_logprobs: int = 0,
    ) -> Iterator[Step]:
        """Endless steps that continue `prompts`, each with its own seed."""
        logits, state = self.prefill(prompts)
        history: Array = tf.constant(newest(prompts))
        program = self._program(tuple(map(type, transforms)), len(prompts), top_logprobs)
        values = tuple(
            tf.constant(value, tf.int32 if isinstance(default, int) else tf.float32)
            for t in transforms
            for value, default in zip(vars(t).values(), vars(type(t)()).values(), strict=True)
        )
        generators = [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
        while True:
            noise = np.stack([g.random(CHUNK, np.float32) for g in generators])
            noise = np.minimum(noise, np.float32(LARGEST_UNIFORM))
            logits, state, history, *columns = program(logits, state, history, noise, values)
            yield from (Step(*step) for step in zip(*(c.numpy() for c in columns), strict=True))

    def prefill(self, prompts: list[list[int]]) -> tuple[Array, State]:
        """Read each distinct prompt once; (logits [B, V], state) after its last token."""
        read = {tuple(ids): self._read(np.array([ids], np.int32)) for ids in prompts}
        ends = [read[tuple(ids)] for ids in prompts]
        if len(ends) == 1:
            return ends[0][0], ends[0][1]
        logits = tf.concat([end[0] for end in ends], 0)
        state = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *(e[1] for e in ends))
        return logits, state

    def _program(self, kinds: tuple[type, ...], batch: int, top: int) -> Program:
        """The compiled sampler of one chunk for this choice of transforms and this shape."""
        key = (kinds, batch, top)
        if key not in self._programs:
            self._programs[key] = tf.function(self._chunk(kinds, top), jit_compile=True)
        return self._programs[key]

    def _chunk(self, kinds: tuple[type, ...], top: int) -> Program:
        """The sampler of one chunk, to be compiled.

        (logits [B, V], state, history [B, L], noise [B, CHUNK], a value for each of `kinds`) ->
        (logits, state, history, and the parts of a `Step`, each [CHUNK, ...])
        """

        def sample(logits: Array, history: Array, uniform: Array, values: Arrays) -> Array:
            for kind, value in zip(kinds, values, strict=True):
                logits = kind(value)(logits, history)
            return draw(logits, self.allowed, uniform)

        def chunk(
            logits: Array, state: State, history: Array, noise: Array, values: Arrays
        ) -> tuple[Any, ...]:
            def body(
                i: Array, logits: Array, state: State, history: Array, columns: Arrays
            ) -> tuple[Any, ...]:
                logits = self.without_banned(logits)
                ids = sample(logits, history, noise[:, i], values)
                logprobs = ops.log_softmax(logits, axis=-1)
                chosen = ops.take_along_axis(logprobs, ids[:, None], axis=-1)[:, 0]
                best, best_ids = ops.top_k(logprobs, top) if top else (logprobs[:, :0], None)
                best_ids = history[:, :0] if best_ids is None else ops.cast(best_ids, "int32")
                step = (ids, chosen, best_ids, best)
                columns = tuple(c.write(i, part) for c, part in zip(columns, step, strict=True))
                history = ops.concatenate([history[:, 1:], ids[:, None]], axis=1)
                logits, state = self.model.step(ids, state)
                return i + 1, logits, state, history, columns

            types = (tf.int32, tf.float32, tf.int32, tf.float32)
            batch = logits.shape[0]
            shapes = ((batch,), (batch,), (batch, top), (batch, top))
            columns = tuple(
                tf.TensorArray(kind, CHUNK, element_shape=shape)
                for kind, shape in zip(types, shapes, strict=True)
            )
            loop = (tf.constant(0), logits, state, history, columns)
            _, logits, state, history, columns = tf.while_loop(
                lambda i, *rest: i < CHUNK, body, loop, maximum_iterations=CHUNK
            )
            return logits, state, history, *(column.stack() for column in columns)

        return chunk

    def logprobs(self, ids: list[int], window: int = 256) -> Iterator[tuple[np.ndarray, ...]]:
        """Windows of (log-probability, rank) of ids[1:], the state carried from end to end.

        Rank 1 is the likeliest token.
        """
        state = self.model.initial_state(1)
        for begin in range(0, len(ids) - 1, window):
            part = np.array([ids[begin : begin + window + 1]], np.int32)
            logprobs, ranks, state = self._score_window(part[:, :-1], part[:, 1:], state)
            yield logprobs.numpy()[0], ranks.numpy()[0]

    def _score(self, ids: Array, targets: Array, state: State) -> tuple[Array, Array, State]:
        logits, state = self.model(ids, state)
        target_logits = ops.take_along_axis(logits, targets[..., None], axis=-1)
        ranks = 1 + ops.sum(ops.cast(logits > target_logits, "int32"), axis=-1)
        return target_logits[..., 0] - ops.logsumexp(logits, axis=-1), ranks, state


def newest(prompts: list[list[int]]) -> np.ndarray:
    """The last `HISTORY` ids of each prompt, newest last, -1 where there is none: [B, L]."""
    history = np.full((len(prompts), HISTORY), -1, np.int32)
    for k, ids in enumerate(prompts):
        recent = ids[-HISTORY:]
        history[k, HISTORY - len(recent) :] = recent
    return history
