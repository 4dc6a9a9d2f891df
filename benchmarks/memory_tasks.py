"""Tasks that ask for memory alone: examples drawn anew for every batch, and what no memory gives.

Each is a function of the length and a generator of random numbers, and returns the input one-hot or
as numbers [T, B, D], the answers [T, B] (of adding [B, 1]), and which of them count [T, B].
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

BATCH = 64
SYMBOLS, COPIED = 8, 10  # of both copying tasks
PAIRS, KEYS, VALUES = 6, 12, 12  # of associative recall
DEEPEST = 8  # of brackets

Examples: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


def adding(length: int, random: np.random.Generator) -> Examples:
    """Of `length` random numbers two are marked; the answer, at the end, is their sum."""
    x = np.zeros((length, BATCH, 2), np.float32)
    x[:, :, 0] = random.random((length, BATCH))
    half, rows = length // 2, np.arange(BATCH)
    x[random.integers(0, half, BATCH), rows, 1] = 1
    x[random.integers(half, length, BATCH), rows, 1] = 1
    return x, (x[:, :, 0] * x[:, :, 1]).sum(0)[:, None], np.ones((BATCH, 1), np.float32)


def copy(length: int, random: np.random.Generator) -> Examples:
    """Ten symbols, `length` blanks, a mark; then the ten are asked for, in their order."""
    places = np.repeat(np.arange(COPIED)[:, None], BATCH, 1)
    return _copied(length, places, random)


def selective_copy(length: int, random: np.random.Generator) -> Examples:
    """As `copy`, but the ten symbols stand anywhere among the blanks."""
    places = random.random((length + COPIED, BATCH)).argpartition(COPIED, 0)[:COPIED]
    return _copied(length, np.sort(places, 0), random)


def _copied(length: int, places: np.ndarray, random: np.random.Generator) -> Examples:
    total, blank = length + 2 * COPIED + 1, SYMBOLS
    symbols = random.integers(0, SYMBOLS, (COPIED, BATCH))
    ids = np.full((total, BATCH), blank)
    ids[places, np.arange(BATCH)] = symbols
    ids[-COPIED - 1] = blank + 1  # now
    answers, counts = np.zeros((total, BATCH), np.int32), np.zeros((total, BATCH), np.float32)
    answers[-COPIED:], counts[-COPIED:] = symbols, 1
    return _one_hot(ids, SYMBOLS + 2), answers, counts


def recall(length: int, random: np.random.Generator) -> Examples:
    """Six pairs of a key and a value, then blanks, then the keys in another order: at each its
    value is asked for."""
    blank = KEYS + VALUES
    keys = random.random((KEYS, BATCH)).argsort(0)[:PAIRS]
    values = random.integers(0, VALUES, (PAIRS, BATCH))
    order = random.random((PAIRS, BATCH)).argsort(0)
    ids = np.full((length, BATCH), blank)
    ids[0 : 2 * PAIRS : 2], ids[1 : 2 * PAIRS : 2] = keys, KEYS + values
    ids[-PAIRS:] = np.take_along_axis(keys, order, 0)
    answers, counts = np.zeros((length, BATCH), np.int32), np.zeros((length, BATCH), np.float32)
    answers[-PAIRS:], counts[-PAIRS:] = np.take_along_axis(values, order, 0), 1
    return _one_hot(ids, blank + 1), answers, counts


def parity(length: int, random: np.random.Generator) -> Examples:
    """Bits; at each, whether there were an odd number of ones so far."""
    bits = random.integers(0, 2, (length, BATCH))
    answers = (bits.cumsum(0) % 2).astype(np.int32)
    return _one_hot(bits, 2), answers, np.ones((length, BATCH), np.float32)


def brackets(length: int, random: np.random.Generator) -> Examples:
    """Brackets that open and close, at most eight deep; at each, how many are open."""
    depth = np.zeros(BATCH, int)
    ids, answers = np.zeros((2, length, BATCH), int)
    for t in range(length):
        opens = (random.random(BATCH) < 0.5) & (depth < DEEPEST) | (depth == 0)
        depth += np.where(opens, 1, -1)
        ids[t], answers[t] = opens, depth
    return _one_hot(ids, 2), answers.astype(np.int32), np.ones((length, BATCH), np.float32)


def _one_hot(ids: np.ndarray, number: int) -> np.ndarray:
    return np.eye(number, dtype=np.float32)[ids]


@dataclasses.dataclass(frozen=True)
class Task:
    """examples: as above, for `length`. outputs: how many numbers are read out; one is compared by
    its square, more are logits. source: the paper. seconds: of a core, that a training gets."""

    examples: Callable[[int, np.random.Generator], Examples]
    length: int
    outputs: int
    source: str
    seconds: float

    def draw(self, random: np.random.Generator) -> Examples:
        return self.examples(self.length, random)

    def without_memory(self) -> float:
        """The loss of who always gives the answers' own distribution, or their mean."""
        _, answers, counts = self.draw(np.random.default_rng(3))
        if self.outputs == 1:
            return 1 / 6
        share = np.bincount(answers[counts > 0], minlength=self.outputs) / counts.sum()
        return -float(sum(p * math.log(p) for p in share if p))


TASKS: Mapping[str, Task] = {
    "adding 200": Task(adding, 200, 1, "Hochreiter & Schmidhuber 1997", 80),
    "adding 500": Task(adding, 500, 1, "Hochreiter & Schmidhuber 1997", 160),
    "copy 50": Task(copy, 50, SYMBOLS, "Arjovsky et al. 2016, arXiv 1511.06464", 120),
    "selective copy 50": Task(selective_copy, 50, SYMBOLS, "Gu & Dao 2023, arXiv 2312.00752", 60),
    "recall 32": Task(recall, 32, VALUES, "Arora et al. 2023, arXiv 2312.04927", 90),
    "parity 50": Task(parity, 50, 2, "Hahn 2020, arXiv 1906.06755", 20),
    "brackets 100": Task(brackets, 100, DEEPEST + 1, "Suzgun et al. 2019, arXiv 1906.03648", 40),
}
