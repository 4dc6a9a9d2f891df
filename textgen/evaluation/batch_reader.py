"""Reads many texts at once, for the states a model comes to. Ids only.

Texts of different length are aligned at their ends: before a text begins, its state stays as it is.
So all come to their last token together, in stretches of one shape that is compiled once.

B texts, T tokens of a stretch, U hidden_size, V vocabulary, C continuations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from textgen.arrays import Array, State
from textgen.backend import ops, tf
from textgen.generation.decoder import Program
from textgen.model import LanguageModel

STRETCH = 64  # tokens that the compiled program reads
COURSE_STRETCH = 1024  # tokens that the one reads which hands out every state


class Reader:
    """Keeps its compiled programs for the next call."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._read_program: Program = tf.function(self._read_stretch, jit_compile=True)
        self._course_program: Program = tf.function(self._course_stretch, jit_compile=True)
        self._score_program: Program = tf.function(self._score, jit_compile=True)

    def read(
        self, texts: Sequence[Sequence[int]], state: State | None = None, stretch: int = STRETCH
    ) -> State:
        """The state [B, U] after each of B texts, given as ids, from `state` or from nothing.

        stretch: of few tokens, where few are read at a time.
        """
        length = -(-max(map(len, texts)) // stretch) * stretch
        ids = np.zeros((len(texts), length), np.int32)
        begin = np.zeros(len(texts), np.int32)
        for k, text in enumerate(texts):
            begin[k] = length - len(text)
            ids[k, begin[k] :] = text
        state = self.model.initial_state(len(texts)) if state is None else state
        for at in range(0, length, stretch):
            state = self._read_program(ids[:, at : at + stretch], begin - at, state)
        return state

    def _read_stretch(self, ids: Array, begin: Array, state: State) -> State:
        """The state [B, U] after ids [B, T], of which text k begins at place begin[k]."""

        def body(t: Array, state: State) -> tuple[Array, State]:
            new = self.model.advance(ids[:, t], state)
            begun = (t >= begin)[:, None]
            return t + 1, tf.nest.map_structure(lambda n, s: tf.where(begun, n, s), new, state)

        length = ids.shape[1]
        _, state = tf.while_loop(
            lambda t, _: t < length, body, (0, state), maximum_iterations=length
        )
        return state

    def course(self, ids: Sequence[int] | np.ndarray) -> Iterator[State]:
        """The states after each token of one text, read from nothing, stretch by stretch: [T, U],
        T at most `COURSE_STRETCH`."""
        state = self.model.initial_state(1)
        for at in range(0, len(ids), COURSE_STRETCH):
            part = np.asarray(ids[at : at + COURSE_STRETCH], np.int32)
            padded = np.pad(part, (0, COURSE_STRETCH - len(part)))
            states, state = self._course_program(padded, state)
            yield tuple(tuple(s[: len(part)] for s in layer) for layer in states)

    def _course_stretch(self, ids: Array, state: State) -> tuple[State, State]:
        """(the states [T, U] after each of ids [T], the last of them [1, U])."""

        def body(t: Array, state: State, course: Any) -> tuple[Array, State, Any]:
            state = self.model.advance(ids[t][None], state)
            course = tf.nest.map_structure(lambda a, s: a.write(t, s[0]), course, state)
            return t + 1, state, course

        course = tf.nest.map_structure(
            lambda s: tf.TensorArray(s.dtype, COURSE_STRETCH, element_shape=s.shape[1:]), state
        )
        _, state, course = tf.while_loop(
            lambda t, *_: t < COURSE_STRETCH,
            body,
            (0, state, course),
            maximum_iterations=COURSE_STRETCH,
        )
        return tf.nest.map_structure(lambda a: a.stack(), course), state

    def next_logprobs(self, state: State) -> np.ndarray:
        """Natural log of the probability of each next token: [B, V]."""
        return np.asarray(tf.nn.log_softmax(self.model.logits(state)))

    def continuations(self, state: State, texts: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Natural log of the probability of whole continuations, C for each state of B: [B, C]."""
        batch, number = len(texts), len(texts[0])
        every = [ids for choices in texts for ids in choices]
        length = -(-max(map(len, every)) // 8) * 8  # few shapes to compile
        ids = np.zeros((batch * number, length), np.int32)
        counted = np.zeros((batch * number, length), np.float32)
        for k, one in enumerate(every):
            ids[k, : len(one)], counted[k, : len(one)] = one, 1.0
        logprobs: Array = self._score_program(ids, counted, state, number)
        return np.asarray(logprobs).reshape(batch, number)

    def _score(self, ids: Array, counted: Array, state: State, number: int) -> Array:
        """Sum of log-probabilities [B C] of ids [B C, T] where `counted`, after state [B, U]."""
        state = tf.nest.map_structure(lambda part: tf.repeat(part, number, 0), state)

        def body(t: Array, state: State, total: Array) -> tuple[Array, State, Array]:
            logprobs = tf.nn.log_softmax(self.model.logits(state))
            chosen = ops.take_along_axis(logprobs, ids[:, t][:, None], -1)[:, 0]
            return t + 1, self.model.advance(ids[:, t], state), total + chosen * counted[:, t]

        length = ids.shape[1]
        return tf.while_loop(
            lambda t, *_: t < length,
            body,
            (0, state, tf.zeros(ids.shape[0])),
            maximum_iterations=length,
        )[2]
