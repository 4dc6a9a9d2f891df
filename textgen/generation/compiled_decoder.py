"""The loop that writes, compiled: slow to begin, faster where much is written at once.

One XLA program samples `CHUNK` tokens. Which transforms take part is fixed when it is compiled;
their values are arguments.

B batch, V vocabulary, K top_logprobs, L `HISTORY`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from textgen.arrays import Array, Arrays, State
from textgen.backend import by_xla, tf
from textgen.generation.decoder import CHUNK, Decoder, Step, newest, noises
from textgen.generation.sampling import Transform
from textgen.network import Network

Program: TypeAlias = Callable[..., Arrays]


def on_tensorflow(network: Network) -> Network:
    """The same equations over arrays of TensorFlow."""
    weights = {name: tf.constant(weight) for name, weight in network.weights.items()}
    same = Network(network.config, network.vocab_size, weights)
    same.first = network.first
    return same


class CompiledDecoder(Decoder):
    """Keeps its compiled programs for the next call."""

    def __init__(
        self, network: Network, banned_ids: tuple[int, ...], token_bytes: Sequence[bytes] = ()
    ) -> None:
        super().__init__(on_tensorflow(network), banned_ids, token_bytes)
        self._programs: dict[tuple[tuple[type, ...], int, int], Program] = {}
        self._advance: Program = tf.function(
            self._read, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False
        )

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
        for noise in noises(seeds):
            logits, state, history, *columns = program(logits, state, history, noise, values)
            yield from (Step(*step) for step in zip(*(c.numpy() for c in columns), strict=True))

    def program(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """`step` compiled, for one shape of its arguments."""
        return by_xla(step)

    def read_prompt(self, ids: list[int]) -> tuple[Array, State]:
        """(logits [1, V], state) after the last of ids."""
        state: State = self._advance(np.array(ids, np.int32))
        return self.network.logits(state), state

    def _read(self, ids: Array) -> State:
        """The state after ids [T], of any number: a graph that is traced once."""

        def body(t: Array, state: State) -> tuple[Array, State]:
            return t + 1, self.network.advance(ids[t][None], state)

        begin = (tf.constant(0), self.network.initial_state(1))
        state: State = tf.while_loop(lambda t, _: t < tf.size(ids), body, begin)[1]
        return state

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

        def chunk(
            logits: Array, state: State, history: Array, noise: Array, values: Arrays
        ) -> Arrays:
            transforms = [kind(value) for kind, value in zip(kinds, values, strict=True)]

            def body(
                i: Array, logits: Array, state: State, history: Array, columns: Arrays
            ) -> Arrays:
                step, history = self.sample(logits, history, noise[:, i], transforms, top)
                columns = tuple(c.write(i, part) for c, part in zip(columns, step, strict=True))
                logits, state = self.network.step(step.ids, state)
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
