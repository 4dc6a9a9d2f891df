"""Does the model remember? The probability of the answer against the distance to the fact.

At the blank every candidate is scored by the probability of its whole sentence ending, the same for
all, and the probabilities are shared out among the candidates. A model that knows nothing of the
fact finds the answer once in as many times as there are candidates.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from textgen.data.recall_task import Document, Task, Writer, is_task, read_task
from textgen.errors import ConfigError
from textgen.evaluation.batch_reader import Reader
from textgen.generation.generator import Generator
from textgen.terminal import Report, table

DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)
LEAST = 0.9  # what the horizon asks of the lower bound
Z95 = 1.959964
BATCH = 408  # documents read at once

# What is done to a document before the model reads it. Each says what it should do to a model
# that uses the fact, and only the fact.
CONTROLS = {
    "none": "as it is",
    "removed": "without the sentence that tells: chance",
    "swapped": "with another fact told: the answer follows it",
    "zeroed": "the state set to zero after the fact: chance",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One distance, one control. tokens: mean distance in tokens. low, high: Wilson's 95 %."""

    distance: int
    tokens: float
    control: str
    n: int
    accuracy: float
    low: float
    high: float
    probability: float
    groups: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Probe:
    """rows of all distances; horizon in characters (0: not even the shortest)."""

    rows: list[Row]
    horizon: int
    chance: float
    settings: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def probe(
    scorer: Scorer,
    distances: Sequence[int] = DISTANCES,
    n: int = 408,
    controls: Sequence[str] = ("none",),
    variant: str = "plain",
    held_out: Sequence[str] = ("filler",),
    seed: int = 1,
) -> Probe:
    """Measure a model on `n` documents of a task at each distance.

    Every filler is read with every fact: fact and filler are crossed. held_out: "filler",
    "phrasing", both or none. Raises `ConfigError` for a setting that makes no documents.
    """
    task, generator = scorer.task, scorer.generator
    if n < 1 or not distances or min(distances) < 1:
        raise ConfigError(f"n is {n} and distances {list(distances)}: give whole numbers from 1")
    if variant not in task.variants:
        raise ConfigError(f"variant is {variant!r}: {task.path} has {', '.join(task.variants)}")
    rows = [
        measure(scorer, distance, n, control, variant, held_out, seed)
        for distance in sorted(distances)
        for control in controls
    ]
    settings = {
        "model": generator.name,
        "hash": generator.hash,
        "task": task.path.name,
        "n": n,
        "variant": variant,
        "held_out": list(held_out),
        "seed": seed,
    }
    return Probe(rows, horizon(rows), 1 / len(task.answers), settings)


def written(
    task: Task, distance: int, variant: str, held_out: Sequence[str], seed: int
) -> Iterator[Document]:
    """Documents of one distance: for each filler, one with each fact."""
    writer = Writer(task, held_out)
    for k in itertools.count():
        for fact in task.facts:
            # one filler and one wording for all facts: only the fact differs
            yield writer.write(random.Random(f"{seed} {distance} {k}"), fact, distance, variant)


def measure(
    scorer: Scorer,
    distance: int,
    n: int,
    control: str = "none",
    variant: str = "plain",
    held_out: Sequence[str] = ("filler",),
    seed: int = 1,
) -> Row:
    """One row of a probe."""
    documents = list(itertools.islice(written(scorer.task, distance, variant, held_out, seed), n))
    shares = np.concatenate(
        [
            scorer.shares(documents[at : at + BATCH], control)
            for at in range(0, len(documents), BATCH)
        ]
    )
    wanted = scorer.wanted(documents, control)
    right = shares.argmax(1) == wanted
    low, high = wilson(int(right.sum()), len(right))
    groups = np.array([d.group for d in documents])
    return Row(
        distance=distance,
        tokens=float(np.mean([len(scorer.encode(d.before[d.told :])) for d in documents])),
        control=control,
        n=len(documents),
        accuracy=float(right.mean()),
        low=low,
        high=high,
        probability=float(shares[np.arange(len(shares)), wanted].mean()),
        groups={str(g): float(right[groups == g].mean()) for g in dict.fromkeys(groups)},
    )


class Scorer:
    """The share of each candidate at the blank."""

    def __init__(self, generator: Generator, task: Task) -> None:
        self.generator, self.task = generator, task
        self.tokenizer = generator.tokenizer
        self.reader = Reader(generator.model)
        self.encode = generator.tokenizer.encode

    def shares(self, documents: Sequence[Document], control: str = "none") -> np.ndarray:
        """[B, candidates], each row of sum 1."""
        return self.shares_of(self.state(documents, control), [d.ending for d in documents])

    def shares_of(self, state: Any, endings: Sequence[str]) -> np.ndarray:
        candidates = [[self.encode(a + ending) for a in self.task.answers] for ending in endings]
        logprobs = self.reader.continuations(state, candidates)
        shares = np.exp(logprobs - logprobs.max(1, keepdims=True))
        return np.asarray(shares / shares.sum(1, keepdims=True))

    def state(self, documents: Sequence[Document], control: str) -> Any:
        """The state at the blank."""
        start = self.tokenizer.start_id
        if control == "zeroed":
            return self.reader.read([self.encode(d.before[d.told :]) for d in documents])
        if control == "removed":
            return self.reader.read(
                [[start, *self.encode(d.before[d.told :].lstrip())] for d in documents]
            )
        texts = [d.before for d in documents]
        if control == "swapped":
            texts = [
                other.before[: other.told] + d.before[d.told :]
                for d, other in zip(documents, self.others(documents), strict=True)
            ]
        return self.reader.read([[start, *self.encode(text)] for text in texts])

    def others(self, documents: Sequence[Document]) -> list[Document]:
        """For each document one with another fact told: the next that differs."""
        number = len(documents)
        return [
            next(
                documents[(k + step) % number]
                for step in range(1, number + 1)
                if documents[(k + step) % number].answer != document.answer or step == number
            )
            for k, document in enumerate(documents)
        ]

    def wanted(self, documents: Sequence[Document], control: str) -> np.ndarray:
        """The index of the candidate that is right, or, where the fact was swapped, follows."""
        if control == "swapped":
            documents = self.others(documents)
        return np.array([self.task.answers.index(d.answer) for d in documents])


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): 95 % for the given z."""
    share = right / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    width = 1 + z * z / n
    return max(0.0, (middle - half) / width), min(1.0, (middle + half) / width)


def task_of(generator: Generator) -> Task:
    """The task that a model was trained on. Raises `ConfigError` when it was none."""
    corpus = generator.card.get("corpus")
    source = corpus.get("source") if isinstance(corpus, dict) else None
    if isinstance(source, list) and len(source) == 1:
        (source,) = source
    if not is_task(source):
        raise ConfigError(f"{generator.name} was not trained on a task: name one with --task FILE")
    return read_task(str(source))


def report(found: Probe) -> Report:
    """The rows as a table, and the horizon, for a terminal."""
    groups = list(found.rows[0].groups)
    head = ["distance", "tokens", "control", "n", "right", "95 %", "probability", *groups]
    lines = [
        [
            f"{r.distance}",
            f"{r.tokens:.0f}",
            r.control,
            f"{r.n}",
            f"{r.accuracy:.1%}",
            f"{r.low:.1%} to {r.high:.1%}",
            f"{r.probability:.3f}",
            *(f"{r.groups.get(g, math.nan):.1%}" for g in groups),
        ]
        for r in found.rows
    ]
    return [
        table(head, lines, words=0),
        f"chance {found.chance:.1%}",
        f"horizon {found.horizon} characters",
    ]


def as_csv(found: Probe) -> str:
    """One line for each row."""
    groups = list(found.rows[0].groups)
    names = [f.name for f in dataclasses.fields(Row) if f.name != "groups"]
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow([*names, *groups])
    for row in found.rows:
        table.writerow([*(getattr(row, n) for n in names), *(row.groups.get(g) for g in groups)])
    return file.getvalue()


def horizon(rows: Sequence[Row]) -> int:
    """The greatest distance at which the lower bound is above 90 %, there and at all shorter."""
    found = 0
    for row in sorted((r for r in rows if r.control == "none"), key=lambda r: r.distance):
        if row.low <= LEAST:
            break
        found = row.distance
    return found
