"""Where a fact is kept, over many documents: states handed over, and read off by a linear probe.

All take a `Scorer`. Places are counted in tokens before the blank, at which all documents with the
same filler have read the same.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Collection, Sequence

import numpy as np

from textgen.arrays import State
from textgen.data.recall_documents import Document, Writer, documents
from textgen.data.recall_task import Task
from textgen.errors import ConfigError
from textgen.evaluation.recall_probe import Scorer, wilson
from textgen.interpret.measures import linear_probe
from textgen.interpret.verdicts import MOSTLY, SURE, Verdict, beyond

STEP = 16  # tokens: places are this far apart, or a multiple
PAIRS = 132  # every ordered pair of twelve facts
# documents that the probe sees, each filler with every fact: with fewer it falls short of what is
# there, and with more a task of many facts takes minutes
DOCUMENTS = 1920
PLACES = 16  # before the blank, at which the probe reads, at most


def pairs(
    task: Task, distance: int, number: int, variant: str = "plain", seed: int = 1
) -> list[tuple[Document, Document]]:
    """(receiver, donor) with one filler and one wording, but facts of different answers.

    Every fact comes equally often, on either side; each filler serves every fact once.
    """
    writer, facts = Writer(task, ("filler",)), task.facts
    made: list[tuple[Document, Document]] = []
    for k in itertools.count():
        step = 1 + k % (len(facts) - 1)  # from a fact to that of its donor
        texts = [
            writer.write(random.Random(f"{seed} {distance} {k}"), fact, distance, variant)
            for fact in facts
        ]
        for index, text in enumerate(texts):
            donor = texts[(index + step) % len(facts)]
            if donor.answer != text.answer:
                made.append((text, donor))
            if len(made) == number:
                return made
    raise AssertionError  # the count has no end


def exchange(
    scorer: Scorer,
    documents: Sequence[tuple[Document, Document]],
    left: int,
    parts: Collection[str],
) -> np.ndarray:
    """The share of each candidate at the blank [B, candidates] of (receiver, donor), after `parts`
    ("h", "C") of the state, in all layers, were handed over `left` tokens before it.

    Raises `ConfigError` where there is no such part, and for a place outside a document.
    """
    names: tuple[str, ...] = scorer.generator.network.cell.state_names
    if not set(parts) <= set(names):
        raise ConfigError(f"parts are {list(parts)}: this cell's state has {', '.join(names)}")
    receivers, donors = (
        [ids_of(scorer, document.before) for document in side]
        for side in zip(*documents, strict=True)
    )
    shortest = min(map(len, receivers + donors))
    if not 0 <= left < shortest:
        raise ConfigError(f"left is {left}: give 0 to {shortest - 1} tokens before the blank")
    received, donated = (
        scorer.reader.read([ids[: len(ids) - left] for ids in rows]) for rows in (receivers, donors)
    )
    state: State = tuple(
        tuple(b if name in parts else a for name, a, b in zip(names, *layers, strict=True))
        for layers in zip(received, donated, strict=True)
    )
    if left:
        state = scorer.reader.read([ids[-left:] for ids in receivers], state)
    return scorer.shares_of(state, [receiver.ending for receiver, _ in documents])


@dataclasses.dataclass(frozen=True)
class Flips:
    """The fact is in some parts of the state: who is handed them gives the donor's answer.

    share: of n pairs, those that gave the donor's answer; low, high: its 95 % interval (Wilson).
    unmoved: the share of those that gave their own all the same.
    """

    share: float
    low: float
    high: float
    unmoved: float
    n: int

    @property
    def verdict(self) -> Verdict:
        return beyond(MOSTLY, self.low, self.high)


def flips(
    scorer: Scorer,
    distance: int,
    left: int,
    parts: Collection[str],
    variant: str = "plain",
    number: int = PAIRS,
) -> Flips:
    """How often `parts` of the state, handed over `left` tokens before the blank, turn the answer.

    Judged on `pairs` at this distance (characters from the fact to the answer). Raises as
    `exchange` does.
    """
    documents = pairs(scorer.task, distance, number, variant)
    answers = exchange(scorer, documents, left, parts).argmax(1)
    wanted = np.array(
        [[scorer.task.answers.index(text.answer) for text in pair] for pair in documents]
    )
    unmoved, turned = (answers[:, None] == wanted).sum(0).tolist()
    n = len(documents)
    return Flips(turned / n, *wilson(turned, n), unmoved / n, n)


def stored(
    scorer: Scorer,
    documents: Sequence[Document],
    lefts: Sequence[int],
    part: str,
    groups: Sequence[int],
    layer: int = -1,
) -> list[float]:
    """Can the fact be read off a part of the state, `lefts` tokens before the blank? For each, the
    share of held-out documents in which a linear probe finds the answer.

    groups [B]: documents with the same filler share a number (see `linear_probe`). Raises as that
    does, and `ConfigError` for a part that is not there.
    """
    names: tuple[str, ...] = scorer.generator.network.cell.state_names
    if part not in names:
        raise ConfigError(f"part is {part!r}: this cell's state has {', '.join(names)}")
    rows = [ids_of(scorer, document.before) for document in documents]
    labels = [document.answer for document in documents]
    accuracies: dict[int, float] = {}
    state, read = None, [0] * len(rows)
    for left in sorted(set(lefts), reverse=True):
        ends = [max(len(ids) - left, 0) for ids in rows]
        news = [ids[a:b] for ids, a, b in zip(rows, read, ends, strict=True)]
        if any(news) or state is None:
            state = scorer.reader.read(news, state)
        read = ends
        values = np.asarray(state[layer][names.index(part)])
        accuracies[left] = linear_probe(values, labels, groups=groups)
    return [accuracies[left] for left in lefts]


@dataclasses.dataclass(frozen=True)
class Readable:
    """How far the answer can be read off each part of the state, all along a document.

    accuracy: part of the state -> tokens before the blank -> the share of n held-out documents in
    which a linear probe finds the answer.
    """

    accuracy: dict[str, dict[int, float]]
    n: int

    def least(self, part: str, left: int) -> float:
        """The worst of a part over the last `left` tokens before the blank."""
        return min(share for place, share in self.accuracy[part].items() if place <= left)

    def verdict(self, part: str, left: int, chance: float) -> Verdict:
        """Whether the fact can be read off this part all that way, more often than not. It cannot
        where the 95 % interval reaches chance; between the two it cannot be told: a probe of many
        answers sees few documents of each."""
        low, _ = wilson(round(self.least(part, left) * self.n), self.n)
        if low <= chance:
            return Verdict.FAILS
        return Verdict.HOLDS if low > SURE else Verdict.OPEN


def readable(
    scorer: Scorer,
    distance: int,
    layer: int = -1,
    variant: str = "plain",
    fillers: int = 0,
    seed: int = 1,
) -> Readable:
    """`stored` for every part of a layer's state, at up to `PLACES` places of documents at this
    distance: `fillers` fillers, each read with every fact; 0: so many that it is about `DOCUMENTS`.
    Raises as `stored` does."""
    facts = len(scorer.task.facts)
    fillers = fillers or -(-DOCUMENTS // facts)
    texts = documents(scorer.task, distance, fillers * facts, variant, seed=seed)
    groups = [index // facts for index in range(len(texts))]
    longest = max(len(ids_of(scorer, text.before)) for text in texts)
    steps = -(-longest // STEP)
    lefts = [STEP * step for step in range(0, steps + 1, -(-steps // PLACES))]
    parts: tuple[str, ...] = scorer.generator.network.cell.state_names
    return Readable(
        {
            part: dict(zip(lefts, stored(scorer, texts, lefts, part, groups, layer), strict=True))
            for part in parts
        },
        len(texts),
    )


def ids_of(scorer: Scorer, text: str) -> list[int]:
    """The ids of a text that stands at the beginning of a document."""
    return [scorer.tokenizer.start_id, *scorer.encode(text)]
