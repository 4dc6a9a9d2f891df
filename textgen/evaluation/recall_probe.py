"""Does the model remember? The probability of the answer against the distance to the fact.

At the blank the probability is shared out among the candidates, so that none is likelier for being
short (see `choices`). A model that knows nothing of the fact finds the answer once in as many times
as there are candidates.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from textgen import shipped
from textgen.arrays import State
from textgen.data.recall_documents import HELD_OUT, Document, documents, sample_texts
from textgen.data.recall_task import Task, read_task
from textgen.data.training_data import digest
from textgen.errors import ConfigError, shown
from textgen.evaluation.batch_reader import Reader
from textgen.evaluation.choices import decisive, shared_out
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.options import Option, check_value

DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)
LEAST = 0.9  # what the horizon asks of the lower bound
Z95 = 1.959964
# documents, all answered right, whose lower bound n / (n + z^2) is above LEAST
FEWEST = math.floor(LEAST / (1 - LEAST) * Z95**2) + 1
# what a probe takes; the documents of a distance are held in memory together
NUMBERS = {
    "distances": Option("characters from fact to answer", low=1, high=100_000),
    "n": Option("documents of each distance", low=1, high=100_000),
    "seed": Option("of the documents", low=0),
}
READ_TOGETHER = 408 * 12  # candidates in their documents: one batch of the shipped tasks

# What is done to a document before the model reads it. Each says what it should do to a model
# that uses the fact, and only the fact.
CONTROLS = {
    "none": "as it is",
    "removed": "without the sentences that tell: chance",
    "swapped": "with another fact told of the one asked about: the answer follows it",
    "zeroed": "the state set to zero after them: chance",
}


@dataclasses.dataclass(frozen=True)
class ProbeRow:
    """One distance, one control. distance: characters from the opening to the answer. tokens: mean
    distance in tokens from the fact asked about. low, high: Wilson's 95 %."""

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
    """rows of all distances; horizon in characters (0: not even the shortest, or fewer than
    `FEWEST` documents of each, which can show none)."""

    rows: list[ProbeRow]
    horizon: int
    chance: float
    settings: dict[str, object]

    def as_dict(self) -> dict[str, object]:
        """All of it, as JSON takes it."""
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

    Every filler is read with every fact: fact and filler are crossed. distances: characters from
    the fact to its answer, 1 to 100,000. controls: of `CONTROLS`. variant: of those of the task,
    such as "plain", "distractor" or "correction". held_out: which of `HELD_OUT` come from what is
    never trained on. Raises `ConfigError` for a setting that makes no documents, and for a control
    that there is not.
    """
    task, generator = scorer.task, scorer.generator
    distances = _listed("distances", distances, "whole numbers")
    controls = _chosen("controls", controls, CONTROLS)
    held_out = _chosen("held_out", held_out, HELD_OUT)
    if not controls:
        raise ConfigError(f"controls is empty: give at least one of {', '.join(CONTROLS)}")
    if not distances:
        raise ConfigError("distances is empty: give at least one whole number")
    for name, values in (("distances", distances), ("n", [n]), ("seed", [seed])):
        for value in values:
            check_value(name, value, NUMBERS[name], int)
    n, seed = int(n), int(seed)  # NumPy's would not become JSON
    rows = [
        measure(scorer, distance, n, control, variant, held_out, seed)
        for distance in sorted(map(int, distances))
        for control in controls
    ]
    settings = {
        "model": generator.name,
        "hash": generator.hash,
        "task": task.path.name,
        "n": n,
        "variant": variant,
        "held_out": held_out,
        "seed": seed,
    }
    return Probe(rows, horizon(rows), 1 / len(task.answers), settings)


def _listed(name: str, values: object, of: str) -> list[Any]:
    """`values` as a list. Raises `ConfigError` where they are none."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigError(f"{name} is {shown(values)}: give a list of {of}")
    return list(values)


def _chosen(name: str, values: object, allowed: Collection[str]) -> list[str]:
    """`values` as a list. Raises `ConfigError` where they are not all among `allowed`."""
    chosen = _listed(name, values, ", ".join(allowed))
    if not all(value in tuple(allowed) for value in chosen):
        raise ConfigError(f"{name} is {shown(values)}: give a list of {', '.join(allowed)}")
    return chosen


def measure(
    scorer: Scorer,
    distance: int,
    n: int,
    control: str = "none",
    variant: str = "plain",
    held_out: Sequence[str] = ("filler",),
    seed: int = 1,
) -> ProbeRow:
    """One row of a probe."""
    task = scorer.task
    texts = documents(task, distance, n, variant, held_out, seed, swapped=control == "swapped")
    shares = scorer.shares(texts, control)
    wanted = scorer.wanted(texts)
    right = shares.argmax(1) == wanted
    low, high = wilson(int(right.sum()), len(right))
    groups = np.array([text.group for text in texts])
    return ProbeRow(
        distance=distance,
        tokens=float(np.mean([len(scorer.encode(t.before[t.fact_end :])) for t in texts])),
        control=control,
        n=n,
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
        self.reader = Reader(generator.network)
        self.encode = generator.tokenizer.encode

    def shares(self, documents: Sequence[Document], control: str = "none") -> np.ndarray:
        """[B, candidates], each row of sum 1. Documents that are swapped tell another fact
        themselves, and are read as they are."""
        size = max(1, READ_TOGETHER // len(self.task.answers))
        parts = [documents[at : at + size] for at in range(0, len(documents), size)]
        return np.concatenate(
            [self.shares_of(self.state(d, control), [one.ending for one in d]) for d in parts]
        )

    def answers(self, document: Document, control: str = "none") -> dict[str, float]:
        """The probability of each answer at the blank of one document."""
        (shares,) = self.shares([document], control)
        return by_answer(self.task, shares)

    def answers_after(self, state: State, document: Document) -> dict[str, float]:
        """The probability of each answer where a document was read up to this state."""
        (shares,) = self.shares_of(state, [document.ending])
        return by_answer(self.task, shares)

    def wanted(self, documents: Sequence[Document]) -> np.ndarray:
        """The candidate that is right in each of B documents: its index [B]."""
        return np.array([self.task.answers.index(d.answer) for d in documents])

    def shares_of(self, state: State, endings: Sequence[str]) -> np.ndarray:
        """[B, candidates] after a state [B, U], each row of sum 1."""
        of_ending = {
            ending: decisive([self.encode(answer + ending) for answer in self.task.answers])
            for ending in dict.fromkeys(endings)  # few: many documents are asked alike
        }
        logprobs = self.reader.continuations(state, [of_ending[ending] for ending in endings])
        shares = np.empty(logprobs.shape[:2])
        for ending, candidates in of_ending.items():
            rows = [k for k, other in enumerate(endings) if other == ending]
            shares[rows] = shared_out(logprobs[rows], candidates)
        return shares

    def any_answer(self, documents: Sequence[Document]) -> np.ndarray:
        """The probability that a model, writing on at the blank, writes one of the answers: [B].
        Where it is small, the shares of the answers tell little of what it would write."""
        answers = [self.encode(answer) for answer in self.task.answers]
        logprobs = self.reader.continuations(
            self.state(documents, "none"), [answers] * len(documents)
        )
        return np.exp(logprobs.sum(2, dtype=np.float64)).sum(1)

    def state(self, documents: Sequence[Document], control: str) -> State:
        """The state [B, U] at the blank."""
        start = self.tokenizer.start_id
        after = [d.before[d.opening_end :] for d in documents]
        if control == "zeroed":
            return self.reader.read([self.encode(text) for text in after])
        if control == "removed":
            texts = [text.lstrip() for text in after]
        else:
            texts = [d.before for d in documents]
        return self.reader.read([[start, *self.encode(text)] for text in texts])


def by_answer(task: Task, shares: np.ndarray) -> dict[str, float]:
    """answer -> its share, from the shares in the order of the task's answers [candidates]."""
    return dict(zip(task.answers, map(float, shares), strict=True))


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): 95 % for the given z."""
    share = right / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    width = 1 + z * z / n
    return max(0.0, (middle - half) / width), min(1.0, (middle + half) / width)


def horizon(rows: Sequence[ProbeRow]) -> int:
    """The greatest distance at which the lower bound is above 90 %, there and at all shorter."""
    reached = 0
    for row in sorted((r for r in rows if r.control == "none"), key=lambda r: r.distance):
        if row.low <= LEAST:
            break
        reached = row.distance
    return reached


def task_of(generator: Generator) -> Task:
    """The shipped task that a model was trained on. Raises `ConfigError` when it was none.

    A config.json may come from a stranger, so what it names is compared, and not opened: the name
    is to be that of a shipped task, or the hash of its texts. Where the hash is another, a note
    says so.
    """
    corpus = generator.card.get("corpus")
    if not isinstance(corpus, dict) or "task" not in corpus:
        raise ConfigError(f"{generator.name} was not trained on a task: name one with --task FILE")
    name, source = corpus["task"], corpus.get("source")
    for file in shipped.TASKS.glob("*.toml"):
        if file.name == name:
            task = read_task(file)
            same = digest(sample_texts(task)) == corpus.get("sha256")
            if not same and source in (name, f"tasks/{name}", str(file)):
                logger.warning(
                    "%s was trained on %s as it was then; it is asked as %s is now",
                    generator.name,
                    name,
                    file.name,
                )
                same = True
            if same:
                return task
    raise ConfigError(
        f"{generator.name} was trained on the task {shown(name)}, which does not come with "
        "textgen: name its file with --task FILE"
    )
