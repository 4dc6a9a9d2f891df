"""Reads many texts at once, to look at what the model makes of them. Ids only.

Rows of different length are aligned at their ends: before a row begins, its state is held. So all
rows come to their last token together, in blocks of one shape that is compiled once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from textgen.backend import ops, tf
from textgen.model import LanguageModel, State

BLOCK = 64  # tokens of a compiled block
COURSE = 1024  # tokens of a block whose every state is kept


class Reader:
    """Keeps its compiled programs for the next call."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._block = tf.function(self._read_block, jit_compile=True)
        self._follow = tf.function(self._score, jit_compile=True)
        self._stretch = tf.function(self._read_stretch, jit_compile=True)

    def read(
        self, rows: Sequence[Sequence[int]], state: State | None = None, block: int = BLOCK
    ) -> State:
        """The state [B, U] after each of B rows of ids, from `state` or from nothing.

        block: of few tokens, where few are read at a time.
        """
        length = max(map(len, rows))
        blocks = -(-length // block)
        ids = np.zeros((len(rows), blocks * block), np.int32)
        begin = np.zeros(len(rows), np.int32)
        for k, row in enumerate(rows):
            begin[k] = ids.shape[1] - len(row)
            ids[k, begin[k] :] = row
        state = self.model.initial_state(len(rows)) if state is None else state
        for at in range(0, ids.shape[1], block):
            state = self._block(ids[:, at : at + block], begin - at, state)
        return state

    def _read_block(self, ids: Any, begin: Any, state: State) -> State:
        def body(t: Any, state: State) -> Any:
            new = self.model.advance(ids[:, t], state)
            begun = (t >= begin)[:, None]
            return t + 1, tf.nest.map_structure(lambda n, s: tf.where(begun, n, s), new, state)

        block = ids.shape[1]
        return tf.while_loop(lambda t, _: t < block, body, (0, state), maximum_iterations=block)[1]

    def course(self, ids: Sequence[int] | np.ndarray) -> Iterator[State]:
        """The states after each token of one text, read from nothing, in blocks: [T, U], T at most
        `COURSE`."""
        state = self.model.initial_state(1)
        for at in range(0, len(ids), COURSE):
            part = np.asarray(ids[at : at + COURSE], np.int32)
            padded = np.pad(part, (0, COURSE - len(part)))
            states, state = self._stretch(padded, state)
            yield tuple(tuple(s[: len(part)] for s in layer) for layer in states)

    def _read_stretch(self, ids: Any, state: State) -> tuple[State, State]:
        def body(t: Any, state: State, kept: Any) -> Any:
            state = self.model.advance(ids[t][None], state)
            kept = tf.nest.map_structure(lambda a, s: a.write(t, s[0]), kept, state)
            return t + 1, state, kept

        kept = tf.nest.map_structure(
            lambda s: tf.TensorArray(s.dtype, COURSE, element_shape=s.shape[1:]), state
        )
        _, state, kept = tf.while_loop(
            lambda t, *_: t < COURSE, body, (0, state, kept), maximum_iterations=COURSE
        )
        return tf.nest.map_structure(lambda a: a.stack(), kept), state

    def next_logprobs(self, state: State) -> np.ndarray:
        """Natural log of the probability of each next token: [B, V]."""
        return np.asarray(tf.nn.log_softmax(self.model.logits(state)))

    def continuations(self, state: State, texts: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Natural log of the probability of whole continuations, C for each of B rows: [B, C]."""
        rows, number = len(texts), len(texts[0])
        length = max(len(ids) for row in texts for ids in row)
        length = -(-length // 8) * 8  # few shapes to compile
        ids = np.zeros((rows * number, length), np.int32)
        counted = np.zeros((rows * number, length), np.float32)
        for k, one in enumerate(one for row in texts for one in row):
            ids[k, : len(one)], counted[k, : len(one)] = one, 1.0
        return self._follow(ids, counted, state, number).numpy().reshape(rows, number)

    def _score(self, ids: Any, counted: Any, state: State, number: int) -> Any:
        """Sum of log-probabilities [B C] of ids [B C, T] where `counted`, after state [B, U]."""
        state = tf.nest.map_structure(lambda part: tf.repeat(part, number, 0), state)

        def body(t: Any, state: State, total: Any) -> Any:
            logprobs = tf.nn.log_softmax(self.model.logits(state))
            own = ops.take_along_axis(logprobs, ids[:, t][:, None], -1)[:, 0]
            return t + 1, self.model.advance(ids[:, t], state), total + own * counted[:, t]

        length = ids.shape[1]
        return tf.while_loop(
            lambda t, *_: t < length,
            body,
            (0, state, tf.zeros(ids.shape[0])),
            maximum_iterations=length,
        )[2]
