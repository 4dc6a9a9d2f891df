"""Batches of whole documents of a recall task, and the course that a training on them takes."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
from collections.abc import Iterator

from textgen.arrays import Dataset
from textgen.data.batches import Batch, Row, generated, padded
from textgen.data.recall_documents import Document, Question, Writer
from textgen.data.recall_task import Task
from textgen.tokenizers.tokenizer import Tokenizer

SHORTEST_DISTANCE = 10  # characters, between fact and answer, that a training begins with
GROUP = 4  # batches written together, so that each is of documents of about one length
GROWING = 0.4  # share of a training in which the distance grows
VARIANT_SHARES = {"plain": 0.25, "distractor": 0.55, "correction": 0.05, "passing": 0.15}
# of the documents of each variant, the share with further questions after the first
ASKED_AGAIN = {"distractor": 0.7, "plain": 0.3, "correction": 0.3, "passing": 0.3}
FURTHER_QUESTIONS = 3  # at most; all of a document share its distance


@dataclasses.dataclass(frozen=True)
class DocumentBatches:
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

    def dataset(self, start: int = 0) -> Dataset:
        """An endless `tf.data.Dataset` of (inputs, targets, weights) [batch_size, T] from batch
        `start` of the run. T is that of the longest document of the batch, rounded up."""

        def batches() -> Iterator[Batch]:
            first, skipped = divmod(start, GROUP)
            for group in itertools.count(first):
                yield from self._group(group)[skipped:]
                skipped = 0

        return generated(batches, (self.batch_size, None))

    def batch(self, k: int) -> Batch:
        """Batch `k` of the run."""
        return self._group(k // GROUP)[k % GROUP]

    def _group(self, group: int) -> list[Batch]:
        """The batches from `group * GROUP` on, in a random order."""
        rng = random.Random(f"{self.seed} {group} {self.judged}")
        way = 1.0 if self.judged else group * GROUP / (self.steps * self.epochs)
        documents = [self._document(rng, way, d) for d in self._distances(rng, way)]
        rows = sorted(map(self._row, documents), key=lambda row: len(row[0]))
        size = self.batch_size
        batches = [padded(rows[k * size : (k + 1) * size]) for k in range(GROUP)]
        return rng.sample(batches, GROUP)

    def _distances(self, rng: random.Random, way: float) -> list[int]:
        """Of the documents of a group, `way` being the share of the run that lies behind it."""
        waiting = self.task.course.waiting if "distractor" in self.task.variants else 0.0
        grown = min(1.0, max(0.0, (way - waiting) / GROWING))
        cap = SHORTEST_DISTANCE * (self.distance / SHORTEST_DISTANCE) ** grown
        if not self.judged and rng.random() < 0.5:
            cap = SHORTEST_DISTANCE * (cap / SHORTEST_DISTANCE) ** rng.random()
        return [round(cap * rng.uniform(0.8, 1.0)) for _ in range(GROUP * self.batch_size)]

    def _document(self, rng: random.Random, way: float, distance: int) -> Document:
        course = self.task.course
        variants = [
            name
            for name in self.task.variants
            if name in VARIANT_SHARES and (name != "distractor" or way >= course.persons)
        ]
        (variant,) = rng.choices(variants, [VARIANT_SHARES[name] for name in variants])
        begin, end = course.either
        either = min(1.0, max(0.0, (way - begin) / (end - begin)))
        times = 0
        if not self.judged and rng.random() < ASKED_AGAIN[variant]:
            times = rng.randint(1, FURTHER_QUESTIONS)
        return self.writer.write(
            rng,
            rng.choice(self.task.facts),
            distance // (times + 1),
            variant,
            of_either=rng.random() < either,
            again=times,
            later_of_either=way >= course.later,
        )

    def _row(self, document: Document) -> Row:
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
