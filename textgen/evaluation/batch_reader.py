"""Reads many texts at once, for the states a model comes to. Ids only.

Texts of different length are aligned at their ends: before a text begins, its state stays as it is.
So all come to their last token together.

B texts, T tokens, U hidden_size, V vocabulary, C continuations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from textgen import array_ops
from textgen.arrays import State, cut
from textgen.backend import cores
from textgen.data.batches import padded_texts
from textgen.network import Network

STRETCH = 256  # tokens of a text whose states are held at a time
PIECE = 8  # tokens of each of many texts whose logits are held at a time
TOGETHER = 64  # texts that are read side by side: what they take fits a core's own memory

T = TypeVar("T")


class Reader:
    """Reads with `network`: a share of the texts on each core."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def read(self, texts: Sequence[Sequence[int]], state: State | None = None) -> State:
        """The state [B, U] after each of B texts, given as ids, from `state` or from nothing."""

        def of_rows(rows: slice) -> State:
            here = texts[rows]
            first = self.network.initial_state(len(here)) if state is None else cut(state, rows)
            return self._read(here, first)

        return self.network.joined(self._shared_out(of_rows, len(texts)))

    def _read(self, texts: Sequence[Sequence[int]], state: State) -> State:
        longest = max(map(len, texts))
        begin = np.array([longest - len(text) for text in texts])
        ids = np.zeros((longest, len(texts)), np.int32)
        for k, text in enumerate(texts):
            ids[begin[k] :, k] = text
        all_begun = begin.max(initial=0)
        for t, column in enumerate(ids):
            new = self.network.advance(column, state)
            if t < all_begun:
                begun = (t >= begin)[:, None]
                new = tuple(
                    tuple(np.where(begun, n, s) for n, s in zip(*layer, strict=True))
                    for layer in zip(new, state, strict=True)
                )
            state = new
        return state

    def course(self, ids: Sequence[int] | np.ndarray) -> Iterator[np.ndarray]:
        """h of the top layer after each token of one text, read from nothing, stretch by stretch:
        [T, U], T at most `STRETCH`."""
        state = self.network.initial_state(1)
        for at in range(0, len(ids), STRETCH):
            part = np.asarray(ids[at : at + STRETCH], np.int32)
            hidden, state = self.network.read(part[:, None], state)
            yield hidden[:, 0]

    def next_logprobs(self, hidden: np.ndarray) -> np.ndarray:
        """Natural log of the probability of each next token [B, V], from h of the top layer."""
        return array_ops.log_softmax(self.network.read_out(hidden))

    def nats(self, ids: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """-ln p of each target, the text of each row read from nothing: ids, targets [B, T]."""
        return self.predictions(ids, targets)[0]

    def predictions(self, ids: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """-ln p of each target, and ln p of the likeliest token in its place, the text of each row
        read from nothing: ids, targets [B, T] -> [2, B, T]."""

        def of_rows(rows: slice) -> np.ndarray:
            inputs, wanted = ids[rows].T, targets[rows].T
            found = np.empty((2, *inputs.shape), np.float32)
            state = self.network.initial_state(inputs.shape[1])
            for at in range(0, len(inputs), PIECE):
                part = slice(at, at + PIECE)
                hidden, state = self.network.read(inputs[part], state)
                logprobs = self.next_logprobs(hidden)
                found[0, part] = -np.take_along_axis(logprobs, wanted[part][..., None], -1)[..., 0]
                found[1, part] = logprobs.max(-1)
            return found.transpose(0, 2, 1)

        return np.concatenate(self._shared_out(of_rows, len(ids)), axis=1)

    def in_windows(self, ids: Sequence[int] | np.ndarray, window: int) -> np.ndarray:
        """What `predictions` gives of each token of one text but the first, read in windows of so
        many tokens, each from nothing: [2, T - 1]."""
        read = len(ids) - 1
        rows = -(-read // window)
        inputs, targets = np.zeros((2, rows * window), np.int32)
        inputs[:read], targets[:read] = ids[:-1], ids[1:]
        found = self.predictions(inputs.reshape(rows, -1), targets.reshape(rows, -1))
        return found.reshape(2, -1)[:, :read]

    def continuations(self, state: State, texts: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
        """Natural log of the probability of each token of continuations, C for each state of B:
        [B, C, L], L tokens in the longest of all; 0 behind the end of a shorter one."""
        number = len(texts[0])
        longest = max(len(ids) for choices in texts for ids in choices)

        def of_rows(rows: slice) -> np.ndarray:
            every = [ids for choices in texts[rows] for ids in choices]
            found = self._score(every, repeat(cut(state, rows), number), longest)
            return found.reshape(-1, number, longest)

        return np.concatenate(self._shared_out(of_rows, len(texts), -(-TOGETHER // number)))

    def _score(self, texts: Sequence[Sequence[int]], state: State, longest: int) -> np.ndarray:
        """The log-probability of each token of N texts after its state [N, U]: [N, longest]."""
        ids = np.zeros((longest, len(texts)), np.int32)
        counted = np.zeros((longest, len(texts)), np.float32)
        for k, text in enumerate(texts):
            ids[: len(text), k], counted[: len(text), k] = text, 1.0
        found = np.zeros((longest, len(texts)), np.float32)
        for t, column in enumerate(ids):
            logprobs = self.next_logprobs(state[-1][0])
            found[t] = array_ops.pick(logprobs, column) * counted[t]
            if t + 1 < longest:
                state = self.network.advance(column, state)
        return found.T

    def _shared_out(
        self, work: Callable[[slice], T], rows: int, together: int = TOGETHER
    ) -> list[T]:
        """What `work` returns for `together` rows at a time, in order."""
        parts = [slice(at, at + together) for at in range(0, rows, together)]
        if len(parts) == 1:
            return [work(parts[0])]
        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(work, parts))


def repeat(state: State, number: int) -> State:
    """The state of each text, so many times one after the other."""
    return tuple(tuple(np.repeat(part, number, 0) for part in layer) for layer in state)


def nats_of(network: Network, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """-ln p of each token of texts after their first, read each from the beginning; 0 behind the
    end of a shorter one: [B, T]."""
    if not texts:
        return np.zeros((0, 0))
    inputs, targets, counted = padded_texts(texts)
    return (Reader(network).nats(inputs, targets) * counted).astype(np.float64)
