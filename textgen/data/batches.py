"""Ids to training batches: contiguous lanes of a text, in memory or in a file, or whole documents
of a task.

Lanes: the text is cut into `batch_size` lanes that are read side by side. Batch k holds tokens
[k T, (k + 1) T) of every lane, so the state after batch k is the right state to begin batch k + 1
with: truncated backpropagation through time (Williams & Peng 1990) with the state carried.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from textgen.data.recall_documents import Document, Question, Writer
from textgen.data.recall_task import Task
from textgen.errors import CorpusError
from textgen.tokenizers.tokenizer import Tokenizer

# The held-out text is read in few, long lanes, so that few of its tokens are predicted from an
# empty state.
VALIDATION_LANES, VALIDATION_LANE_LENGTH = 8, 1000
SHORTEST = 10  # characters between fact and answer that a task begins with: no filler
SORTED = 4  # batches written together, so that each is of documents of about one length
ROUNDED = 32  # tokens: few lengths, since the loop over time is compiled for each
GROWING = 0.4  # share of a run in which the distance grows
# of the documents
SHARES = {"plain": 0.25, "distractor": 0.55, "correction": 0.05, "passing": 0.15}
# of the documents: with up to so many questions after the first, which share the distance
AGAIN, TIMES = {"distractor": 0.7, "plain": 0.3, "correction": 0.3, "passing": 0.3}, 3


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

    def dataset(self, start: int = 0) -> Any:
        """An endless `tf.data.Dataset` from batch `start` of the run on, of (inputs, targets,
        weights) [batch_size, T]: ids, the same one token on, and what each target counts. Of a text
        with labels also which voice begins in each row [batch_size]: see labelled_text.py."""


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
            f"the text has {tokens} tokens, but one window takes {sequence_length + 1}: "
            "give a longer text or a smaller --sequence-length"
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

    def dataset(self, start: int = 0) -> Any:
        """An endless `tf.data.Dataset` of (inputs, targets, weights) [batch_size, sequence_length].

        It begins at batch `start` of the run; after the last batch of the text comes the first.
        """
        from textgen.backend import tf

        arrays = [tf.constant(a) for a in (self.inputs, self.targets, self.weights)]
        length = self.sequence_length

        def batch(k: Any) -> tuple[Any, ...]:
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

    def dataset(self, start: int = 0) -> Any:
        """As that of `Lanes`."""

        def batches() -> Iterator[tuple[np.ndarray, ...]]:
            with open(self.path, "rb", buffering=0) as file:
                for k in itertools.count(start):
                    yield self._batch(file, k % self.layout.steps)

        return generated(batches, (self.batch_size, self.layout.sequence_length))

    def _batch(self, file: BinaryIO, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def generated(
    batches: Callable[[], Iterator[tuple[np.ndarray, ...]]], shape: Any, *, begins: bool = False
) -> Any:
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


def ready(dataset: Any) -> Any:
    """A few batches ahead. Without the thread that tunes a dataset: there is nothing to tune, and
    it sleeps for longer and longer, up to a minute and more, before it lets a training end."""
    from textgen.backend import tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(4).with_options(options)


@dataclasses.dataclass(frozen=True)
class Documents:
    """Batches of documents, written as they are needed: batch k depends on the seed and k alone.

    A few batches are written together, and their documents sorted into them by length: padded as
    they come, a third of what is read would be padding.

    The distance to the fact grows, by the same factor with each batch, and then stays; half of the
    batches go back to a shorter one, so that what was learned is kept. Where a task tells of two
    persons, the distance waits at first. Asked about either of them from the beginning, a model
    settles for naming one at random; so the speaker is the only one asked about until the facts are
    learned, and then the other more and more often, as the task's course has it.

    steps: batches of an epoch. distance: the longest, in characters. answer_weight: what a token
    of the answer counts, where every other token counts 1. judged: for validation, new documents of
    the longest distance, where nothing but the answer counts.
    """

    task: Task
    tokenizer: Tokenizer
    batch_size: int
    steps: int
    epochs: int
    distance: int
    answer_weight: float
    seed: int
    judged: bool = False

    @property
    def steps_of_text(self) -> int:
        return self.steps

    @functools.cached_property
    def writer(self) -> Writer:
        return Writer(self.task, training=not self.judged)

    def dataset(self, start: int = 0) -> Any:
        """An endless `tf.data.Dataset` of (inputs, targets, weights) [batch_size, T] from batch
        `start` of the run. T is that of the longest document of the batch, rounded up."""

        def batches() -> Iterator[tuple[np.ndarray, ...]]:
            first, skipped = divmod(start, SORTED)
            for group in itertools.count(first):
                yield from self._group(group)[skipped:]
                skipped = 0

        return generated(batches, (self.batch_size, None))

    def batch(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Batch `k` of the run: ids, the same one token on, and what each target counts."""
        return self._group(k // SORTED)[k % SORTED]

    def _group(self, group: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The batches from `group * SORTED` on, in a random order."""
        rng = random.Random(f"{self.seed} {group} {self.judged}")
        way = 1.0 if self.judged else group * SORTED / (self.steps * self.epochs)
        documents = [self._document(rng, way, d) for d in self._distances(rng, way)]
        rows = sorted(map(self._row, documents), key=lambda row: len(row[0]))
        size = self.batch_size
        batches = [padded(rows[k * size : (k + 1) * size]) for k in range(SORTED)]
        return rng.sample(batches, SORTED)

    def _distances(self, rng: random.Random, way: float) -> list[int]:
        """Of the documents of a group, `way` being the share of the run that lies behind it."""
        waiting = self.task.course.waiting if "distractor" in self.task.variants else 0.0
        grown = min(1.0, max(0.0, (way - waiting) / GROWING))
        cap = SHORTEST * (self.distance / SHORTEST) ** grown
        if not self.judged and rng.random() < 0.5:
            cap = SHORTEST * (cap / SHORTEST) ** rng.random()
        return [round(cap * rng.uniform(0.8, 1.0)) for _ in range(SORTED * self.batch_size)]

    def _document(self, rng: random.Random, way: float, distance: int) -> Document:
        course = self.task.course
        variants = [
            name
            for name in self.task.variants
            if name in SHARES and (name != "distractor" or way >= course.persons)
        ]
        (variant,) = rng.choices(variants, [SHARES[name] for name in variants])
        begin, end = course.either
        either = min(1.0, max(0.0, (way - begin) / (end - begin)))
        times = 0
        if not self.judged and rng.random() < AGAIN[variant]:
            times = rng.randint(1, TIMES)
        return self.writer.write(
            rng,
            rng.choice(self.task.facts),
            distance // (times + 1),
            variant,
            of_either=rng.random() < either,
            again=times,
            later_of_either=way >= course.later,
        )

    def _row(self, document: Document) -> tuple[list[int], list[float]]:
        """The ids of a document, and what each counts as a target."""
        encode, start = self.tokenizer.encode, self.tokenizer.start_id
        ids, counts, usual = [start], [1.0], 0.0 if self.judged else 1.0
        questions: list[Document | Question] = [document, *document.later]
        for asked in questions:
            for text, count in (
                (asked.before, usual),
                (asked.answer, self.answer_weight),
                (asked.ending, usual),
            ):
                part = encode(text)
                ids += part
                counts += [count] * len(part)
        return [*ids, start], [*counts, usual]


def padded(
    rows: list[tuple[list[int], list[float]]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ids, the same one token on, what each target counts) of rows of ids and counts."""
    longest = max(len(ids) for ids, _ in rows) - 1
    length = -(-longest // ROUNDED) * ROUNDED
    inputs, targets = (np.zeros((len(rows), length), np.int32) for _ in range(2))
    weights = np.zeros((len(rows), length), np.float32)
    for row, (ids, counts) in enumerate(rows):
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
        weights[row, : len(ids) - 1] = counts[1:]
    return inputs, targets, weights


def padded_texts(
    texts: Iterable[Sequence[int] | np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`padded`, where every target counts."""
    return padded([([*ids], [1.0] * len(ids)) for ids in texts])
