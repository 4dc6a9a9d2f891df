"""The compiled loop: state and logits in, a chunk of sampled ids out. No text in here.

One XLA program samples `CHUNK` tokens. Which transforms take part is fixed when it is compiled;
their values are arguments. Noise comes from outside as uniform numbers, so a text depends on its
seed alone: not on batch size, chunk size or hardware generator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from textgen.backend import ops, tf
from textgen.generation.sampling import NEVER
from textgen.model import LanguageModel, State

CHUNK = 32
HISTORY = 512  # tokens that the repetition transforms look back on
LARGEST_UNIFORM = 1 - 2**-20  # kept from 1, so that rounding cannot step past the last token


class Step(NamedTuple):
    """One sampled token of each row."""

    ids: np.ndarray  # [batch]
    logprobs: np.ndarray  # [batch], natural log under the model itself, before the transforms
    top_ids: np.ndarray  # [batch, top_logprobs], best first
    top_logprobs: np.ndarray  # [batch, top_logprobs]


class Decoder:
    """Samples ids from a `LanguageModel`; keeps its compiled programs for the next call."""

    def __init__(self, model: LanguageModel, banned_ids: tuple[int, ...]) -> None:
        self.model = model
        bias = np.zeros(model.vocab_size, np.float32)
        bias[list(banned_ids)] = NEVER
        self.banned = bias
        self._programs: dict[tuple[Any, ...], Any] = {}
        self._read = tf.function(
            lambda ids: self._last(*model(ids)),
            input_signature=[tf.TensorSpec([1, None], tf.int32)],
        )

        self._read_targets = tf.function(self._score, reduce_retracing=True)

    @staticmethod
    def _last(logits: Any, state: State) -> tuple[Any, State]:
        return logits[:, -1], state

    def decode(
        self,
        prompts: list[list[int]],
        transforms: tuple[Any, ...],
        seeds: Sequence[tuple[int, ...]],
        top_logprobs: int = 0,
    ) -> Iterator[Step]:
        """Endless steps that continue `prompts`, each with its own seed."""
        logits, state = self.prefill(prompts)
        history = np.full((len(prompts), HISTORY), -1, np.int32)
        for row, ids in enumerate(prompts):
            recent = ids[-HISTORY:]
            history[row, HISTORY - len(recent) :] = recent
        program = self._program(tuple(map(type, transforms)), len(prompts), top_logprobs)
        values = tuple(
            tf.constant(v, tf.int32 if isinstance(v, int) else tf.float32)
            for t in transforms
            for v in vars(t).values()
        )
        generators = [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
        history = tf.constant(history)
        while True:
            noise = np.stack([g.random(CHUNK, np.float32) for g in generators])
            noise = np.minimum(noise, np.float32(LARGEST_UNIFORM))
            logits, state, history, *out = program(logits, state, history, noise, values)
            yield from (Step(*row) for row in zip(*(o.numpy() for o in out), strict=True))

    def prefill(self, prompts: list[list[int]]) -> tuple[Any, State]:
        """Read each distinct prompt once; (logits [B, V], state) after its last token."""
        read = {tuple(ids): self._read(np.array([ids], np.int32)) for ids in prompts}
        rows = [read[tuple(ids)] for ids in prompts]
        if len(rows) == 1:
            return rows[0]
        logits = tf.concat([row[0] for row in rows], 0)
        state = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *(r[1] for r in rows))
        return logits, state

    def _program(self, kinds: tuple[type, ...], batch: int, top: int) -> Any:
        """The compiled sampler of one chunk for this choice of transforms and this shape."""
        key = (kinds, batch, top)
        if key not in self._programs:
            self._programs[key] = tf.function(self._chunk(kinds, top), jit_compile=True)
        return self._programs[key]

    def _chunk(self, kinds: tuple[type, ...], top: int) -> Any:
        def sample(logits: Any, history: Any, uniform: Any, values: tuple[Any, ...]) -> Any:
            for kind, value in zip(kinds, values, strict=True):
                logits = kind(value)(logits, history)
            # the inverse of the cumulative distribution: one uniform number, one token
            total = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)
            below = total <= uniform[:, None] * total[:, -1:]
            return ops.sum(ops.cast(below, "int32"), axis=-1)

        def chunk(
            logits: Any, state: State, history: Any, noise: Any, values: tuple[Any, ...]
        ) -> Any:
            def body(i: Any, logits: Any, state: State, history: Any, out: Any) -> Any:
                logits = logits + self.banned
                ids = sample(logits, history, noise[:, i], values)
                logprobs = ops.log_softmax(logits, axis=-1)
                chosen = ops.take_along_axis(logprobs, ids[:, None], axis=-1)[:, 0]
                best, best_ids = ops.top_k(logprobs, top) if top else (logprobs[:, :0], None)
                best_ids = history[:, :0] if best_ids is None else ops.cast(best_ids, "int32")
                found = (ids, chosen, best_ids, best)
                out = tuple(a.write(i, v) for a, v in zip(out, found, strict=True))
                history = ops.concatenate([history[:, 1:], ids[:, None]], axis=1)
                logits, state = self.model.step(ids, state)
                return i + 1, logits, state, history, out

            kinds_out = (tf.int32, tf.float32, tf.int32, tf.float32)
            batch = logits.shape[0]
            shapes = ((batch,), (batch,), (batch, top), (batch, top))
            out = tuple(
                tf.TensorArray(kind, CHUNK, element_shape=shape)
                for kind, shape in zip(kinds_out, shapes, strict=True)
            )
            loop = (tf.constant(0), logits, state, history, out)
            _, logits, state, history, out = tf.while_loop(
                lambda i, *rest: i < CHUNK, body, loop, maximum_iterations=CHUNK
            )
            return logits, state, history, *(array.stack() for array in out)

        return chunk

    def logprobs(self, ids: list[int], window: int = 256) -> Iterator[tuple[np.ndarray, ...]]:
        """Windows of (log-probability, rank) of ids[1:], the state carried from end to end.

        Rank 1 is the likeliest token.
        """
        state = self.model.initial_state(1)
        for begin in range(0, len(ids) - 1, window):
            part = np.array([ids[begin : begin + window + 1]], np.int32)
            logprobs, ranks, state = self._read_targets(part[:, :-1], part[:, 1:], state)
            yield logprobs.numpy()[0], ranks.numpy()[0]

    def _score(self, ids: Any, targets: Any, state: State) -> Any:
        logits, state = self.model(ids, state)
        own = ops.take_along_axis(logits, targets[..., None], axis=-1)
        ranks = 1 + ops.sum(ops.cast(logits > own, "int32"), axis=-1)
        return own[..., 0] - ops.logsumexp(logits, axis=-1), ranks, state
