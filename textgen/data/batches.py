"""Batches as training reads them, whatever they are of, and what all kinds of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from textgen.arrays import Dataset

ROUNDED = 32  # tokens: few lengths, since the loop over time is compiled for each

Row: TypeAlias = tuple[list[int], list[float]]  # ids, and what each counts as a target
# inputs, targets [B, T]: ids, and the same one token on; weights [B, T]: what each target counts
Batch: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


class Batches(Protocol):
    """What training reads: batches without end, the same ones whenever a run is made again.

    batch_size: rows of a batch. steps: batches of an epoch. steps_of_text: after so many batches
    the text begins anew.
    """

    @property
    def batch_size(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def steps_of_text(self) -> int: ...

    def dataset(self, start: int = 0) -> Dataset:
        """An endless `tf.data.Dataset` from batch `start` of the run on, of (inputs, targets,
        weights) [batch_size, T]: ids, the same one token on, and what each target counts. Of a text
        with labels also which voice begins in each row [batch_size]: see labelled_text.py."""


def generated(
    batches: Callable[[], Iterator[tuple[np.ndarray, ...]]],
    shape: tuple[int | None, ...],
    *,
    begins: bool = False,
) -> Dataset:
    """An endless `tf.data.Dataset` of (inputs, targets, weights) of this shape, and where `begins`
    says so of what begins in each row."""
    from textgen.backend import tf

    types = (tf.int32, tf.int32, tf.float32)
    signature = [tf.TensorSpec(shape, kind) for kind in types]
    if begins:
        signature.append(tf.TensorSpec(shape[:1], tf.int32))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=tuple(signature))
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return ready(dataset.apply(endless))


def ready(dataset: Dataset) -> Dataset:
    """A few batches ahead. Without the thread that tunes a dataset: there is nothing to tune, and
    it sleeps for longer and longer, up to a minute and more, before it lets a training end."""
    from textgen.backend import tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(4).with_options(options)


def padded(rows: Sequence[Row]) -> Batch:
    """Rows as a batch, as long as the longest of them, rounded up; what is padded counts 0."""
    longest = max(len(ids) for ids, _ in rows) - 1
    length = -(-longest // ROUNDED) * ROUNDED
    inputs, targets = (np.zeros((len(rows), length), np.int32) for _ in range(2))
    weights = np.zeros((len(rows), length), np.float32)
    for row, (ids, counts) in enumerate(rows):
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
        weights[row, : len(ids) - 1] = counts[1:]
    return inputs, targets, weights


def padded_texts(texts: Iterable[Sequence[int] | np.ndarray]) -> Batch:
    """`padded`, where every target counts."""
    return padded([([*ids], [1.0] * len(ids)) for ids in texts])
