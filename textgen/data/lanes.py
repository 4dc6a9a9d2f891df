"""A text in lanes, in memory or in a file of ids.

The text is cut into `batch_size` lanes that are read side by side. Batch k holds tokens
[k T, (k + 1) T) of every lane, so the state after batch k is the right state to begin batch k + 1
with: truncated backpropagation through time (Williams & Peng 1990) with the state carried.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textgen.arrays import Array, Arrays, Dataset
from textgen.data.batches import Batch, generated, ready
from textgen.errors import CorpusError, counted

# The held-out text is read in few, long lanes, so that few of its tokens are predicted from an
# empty state.
VALIDATION_LANES, VALIDATION_LANE_LENGTH = 8, 1000


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a text lies in lanes: lane i has the `per_lane` targets after token i * per_lane, the
    last lanes what is left, and is read in `steps` windows."""

    targets: int
    lanes: int
    per_lane: int
    steps: int
    sequence_length: int

    def window(self, lane: int, step: int, number: int = 1) -> tuple[int, int]:
        """(begin, end) of the inputs of a lane in `number` windows from `step` on."""
        first, last = (min(i * self.per_lane, self.targets) for i in (lane, lane + 1))
        begin = first + step * self.sequence_length
        return min(begin, last), min(begin + number * self.sequence_length, last)


def lay_out(tokens: int, batch_size: int, sequence_length: int) -> Layout:
    """The layout of a text; every token but the first is a target exactly once.

    A short text gets fewer lanes than asked for, each at least one window long. Raises
    `CorpusError` when not even one window fits.
    """
    targets = tokens - 1
    if targets < sequence_length:
        raise CorpusError(
            f"the text has {counted(tokens, 'token')}, but one window takes "
            f"{sequence_length + 1}: give a longer text or a smaller --sequence-length"
        )
    lanes = max(1, min(batch_size, targets // sequence_length))
    per_lane = -(-targets // lanes)
    return Layout(targets, lanes, per_lane, -(-per_lane // sequence_length), sequence_length)


@dataclasses.dataclass(frozen=True)
class Lanes:
    """Text laid out in lanes.

    inputs, targets: int32 [batch_size, steps * sequence_length]; targets are inputs one token on.
    weights: float32, 1 where a target is text, 0 where a lane is padded at its end.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    sequence_length: int

    @property
    def batch_size(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def steps(self) -> int:
        return int(self.inputs.shape[1]) // self.sequence_length

    @property
    def steps_of_text(self) -> int:
        """After so many batches the text begins anew."""
        return self.steps

    def dataset(self, start: int = 0) -> Dataset:
        """An endless `tf.data.Dataset` of (inputs, targets, weights) [batch_size, sequence_length].

        It begins at batch `start` of the run; after the last batch of the text comes the first.
        """
        from textgen.backend import tf

        arrays = [tf.constant(a) for a in (self.inputs, self.targets, self.weights)]
        length = self.sequence_length

        def batch(k: Array) -> Arrays:
            begin = tf.cast(k % self.steps, tf.int32) * length
            shape = (self.batch_size, length)
            return tuple(
                tf.ensure_shape(array[:, begin : begin + length], shape) for array in arrays
            )

        return ready(tf.data.Dataset.range(start, np.iinfo(np.int64).max).map(batch))


def make_lanes(ids: np.ndarray, batch_size: int, sequence_length: int) -> Lanes:
    """Lay `ids` [N] out in lanes, as `lay_out` says; raises as it does."""
    layout = lay_out(len(ids), batch_size, sequence_length)
    shape = (layout.lanes, layout.steps * sequence_length)
    inputs, shifted = (np.zeros(shape, np.int32) for _ in range(2))
    weights = np.zeros(shape, np.float32)
    for lane in range(layout.lanes):
        begin, end = layout.window(lane, 0, layout.steps)
        inputs[lane, : end - begin] = ids[begin:end]
        shifted[lane, : end - begin] = ids[begin + 1 : end + 1]
        weights[lane, : end - begin] = 1.0
    return Lanes(inputs, shifted, weights, sequence_length)


def held_out_lanes(ids: np.ndarray, sequence_length: int) -> Lanes | None:
    """Lanes to judge by; None for a text without a single target."""
    if len(ids) < 2:
        return None
    number = min(VALIDATION_LANES, max(1, len(ids) // VALIDATION_LANE_LENGTH))
    return make_lanes(ids, number, min(sequence_length, len(ids) - 1))


@dataclasses.dataclass(frozen=True)
class FileLanes:
    """The batches of `make_lanes`, of ids that stay in a file: each batch is read when it is due.

    The file is read, not mapped into memory, where every page touched would count as ours.

    dtype: of the ids in the file. steps: batches of an epoch, which may end within the text; the
    next goes on there.
    """

    path: Path
    dtype: np.dtype
    layout: Layout
    steps: int

    @property
    def batch_size(self) -> int:
        return self.layout.lanes

    @property
    def steps_of_text(self) -> int:
        """After so many batches the text begins anew."""
        return self.layout.steps

    def dataset(self, start: int = 0) -> Dataset:
        """As that of `Lanes`."""

        def batches() -> Iterator[Batch]:
            with open(self.path, "rb", buffering=0) as file:
                for k in itertools.count(start):
                    yield self._batch(file, k % self.layout.steps)

        return generated(batches, (self.batch_size, self.layout.sequence_length))

    def _batch(self, file: BinaryIO, step: int) -> Batch:
        layout = self.layout
        shape = (layout.lanes, layout.sequence_length)
        inputs, targets = (np.zeros(shape, np.int32) for _ in range(2))
        weights = np.zeros(shape, np.float32)
        for lane in range(layout.lanes):
            begin, end = layout.window(lane, step)
            if begin < end:
                file.seek(begin * self.dtype.itemsize)
                data = file.read((end + 1 - begin) * self.dtype.itemsize)
                ids = np.frombuffer(data, self.dtype)
                inputs[lane, : end - begin] = ids[:-1]
                targets[lane, : end - begin] = ids[1:]
                weights[lane, : end - begin] = 1.0
        return inputs, targets, weights
