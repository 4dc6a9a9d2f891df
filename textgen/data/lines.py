"""A text whose documents are its lines: names, titles, menus, lyrics.

Every line is trained on with its beginning, the newline before it, and its end, the newline after
it. Lines that stand together by chance, or by the alphabet, are told apart: they are shuffled anew
for every pass, and read in short rows that begin from the empty state, which is where a model
begins that is asked for one line.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np

from textgen.arrays import Dataset
from textgen.data.batches import Batch, Row, generated, padded
from textgen.data.lanes import Lanes
from textgen.data.text_in_memory import TextInMemory
from textgen.data.training_data import COUNTED
from textgen.errors import CorpusError
from textgen.tokenizers.tokenizer import Tokenizer

LONGEST = 512  # tokens of a row; a longer line goes on in the next one, from the empty state
GROUP = 4  # batches made together, so that each is of rows of about one length


@dataclasses.dataclass(frozen=True)
class LinesInMemory(TextInMemory):
    """A text, read line by line."""

    carry: ClassVar[bool] = False

    def counted(self, tokenizer: Tokenizer) -> np.ndarray:
        """As `TrainingData` has it, the lines in a random order."""
        ids, ends = _ids(tokenizer, self.text)
        order = np.random.default_rng(self.settings.seed).permutation(len(ends))
        lines = np.split(ids, ends[:-1])
        return np.concatenate([ids[-1:], *(lines[k] for k in order)])[:COUNTED]

    def batches(self, tokenizer: Tokenizer) -> Lines:
        settings = self.settings
        ids, ends = _ids(tokenizer, self.text)
        if len(ends) < 2:
            raise CorpusError(
                f"{self.source} has one line to train on: give one with more, or leave out "
                "--sample-by line"
            )
        return Lines(ids, ends, settings.batch_size, settings.sequence_length, settings.seed)

    def held_out(self, tokenizer: Tokenizer) -> Lanes | None:
        """The lines as they stand: each window is a row of its own."""
        ids, ends = _ids(tokenizer, self.held_out_text)
        if not len(ends):
            return None
        rows = pack(ids, ends, range(len(ends)), self.settings.sequence_length)
        size = min(self.settings.batch_size, len(rows))
        steps = -(-len(rows) // size)
        nothing: Row = ([tokenizer.start_id] * 2, [0.0] * 2)
        rows += [nothing] * (steps * size - len(rows))
        parts = (part.reshape(steps, size, -1).swapaxes(0, 1) for part in padded(rows))
        inputs, targets, weights = (part.reshape(size, -1) for part in parts)
        return Lanes(inputs, targets, weights, inputs.shape[1] // steps)


def _ids(tokenizer: Tokenizer, text: str) -> tuple[np.ndarray, np.ndarray]:
    """(the ids of all lines, each with the newline after it; where each line ends)."""
    lines = [line for line in text.split("\n") if line]
    each = [[*tokenizer.encode(line), tokenizer.start_id] for line in lines]
    ids = np.array([i for line in each for i in line], np.int32)
    return ids, np.cumsum([len(line) for line in each], dtype=np.int64)


def pack(ids: np.ndarray, ends: np.ndarray, order: Iterable[int], length: int) -> list[Row]:
    """The lines in this order, as rows: of whole lines and at most `length` tokens, or of one that
    is longer. Before each stands a newline.

    ids: of all lines, each with the newline after it. ends: of each line in `ids`.
    """
    rows: list[list[np.ndarray]] = []
    filled = length
    for line in order:
        part = ids[ends[line - 1] if line else 0 : ends[line]]
        if filled + len(part) > length:
            rows.append([])
            filled = 0
        rows[-1].append(part)
        filled += len(part)
    return [part for row in rows for part in _cut([ids[-1:], *row])]


def _cut(row: Sequence[np.ndarray]) -> Iterator[Row]:
    """A row in parts of `LONGEST` targets at most; each begins with the token before them."""
    ids = np.concatenate(row).tolist()
    for at in range(0, len(ids) - 1, LONGEST):
        part = ids[at : at + LONGEST + 1]
        yield part, [1.0] * len(part)


@dataclasses.dataclass(frozen=True)
class Lines:
    """Batches of rows that `pack` makes, the lines shuffled for each pass.

    most: rows of a batch; a short text has fewer. Batch k depends on the fields and on k alone.
    """

    ids: np.ndarray
    ends: np.ndarray
    most: int
    length: int
    seed: int

    @functools.cached_property
    def batch_size(self) -> int:
        return min(self.most, len(self._rows(0)))

    @functools.cached_property
    def steps(self) -> int:
        """Batches of about one pass."""
        return -(-len(self._rows(0)) // self.batch_size)

    @property
    def steps_of_text(self) -> int:
        return self.steps

    def dataset(self, start: int = 0) -> Dataset:
        """An endless `tf.data.Dataset` of (inputs, targets, weights) [batch_size, T] from batch
        `start` of the run. T is that of the longest row of the batch, rounded up."""

        def batches() -> Iterator[Batch]:
            first, skipped = divmod(start, GROUP)
            yield from itertools.islice(self._batches(first), skipped, None)

        return generated(batches, (self.batch_size, None))

    def _batches(self, first: int) -> Iterator[Batch]:
        """The batches from group `first` on, each group in a random order."""
        size = self.batch_size
        every = itertools.chain.from_iterable(map(self._rows, itertools.count()))
        rows = itertools.islice(every, first * GROUP * size, None)
        for group in itertools.count(first):
            taken = sorted(itertools.islice(rows, GROUP * size), key=lambda row: len(row[0]))
            for k in np.random.default_rng((self.seed, group, 1)).permutation(GROUP):
                yield padded(taken[k * size : (k + 1) * size])

    def _rows(self, number: int) -> list[Row]:
        """The rows of pass `number`."""
        order = np.random.default_rng((self.seed, number)).permutation(len(self.ends))
        return pack(self.ids, self.ends, order, self.length)
