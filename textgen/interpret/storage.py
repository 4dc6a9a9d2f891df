"""Where a fact is kept, over many documents: states swapped, and read off with a ruler.

All take a `Scorer`, whose programs are compiled once for a number of documents. Places are told in
tokens before the blank, at which all documents with the same filler have read the same.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Sequence

import numpy as np

from textgen.data.recall_task import Document, Task, Writer
from textgen.errors import ConfigError
from textgen.evaluation.recall_probe import Scorer
from textgen.interpret.measures import linear_probe
from textgen.model import State

STEP = 16  # tokens: places this far apart, or a multiple, cost no reading beyond the text


def pairs(
    task: Task, distance: int, number: int, variant: str = "plain", seed: int = 1
) -> list[tuple[Document, Document]]:
    """(receiver, donor) with one filler and one wording, but facts of different answers.

    Every fact comes equally often, on either side; each filler serves every fact once.
    """
    writer, facts, found = Writer(task, ("filler",)), task.facts, []
    for k in itertools.count():
        step = 1 + k % (len(facts) - 1)  # from a fact to that of its donor
        texts = [
            writer.write(random.Random(f"{seed} {distance} {k}"), fact, distance, variant)
            for fact in facts
        ]
        for index, text in enumerate(texts):
            donor = texts[(index + step) % len(facts)]
            if donor.answer != text.answer:
                found.append((text, donor))
            if len(found) == number:
                return found
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
    names: tuple[str, ...] = scorer.generator.model.recurrent[0].STATE
    if not set(parts) <= set(names):
        raise ConfigError(f"parts are {list(parts)}: this cell's state has {', '.join(names)}")
    receivers, donors = (
        [ids_of(scorer, document.before) for document in side]
        for side in zip(*documents, strict=True)
    )
    shortest = min(map(len, receivers + donors))
    if not 0 <= left < shortest:
        raise ConfigError(f"left is {left}: give 0 to {shortest - 1} tokens before the blank")
    own, given = (
        scorer.reader.read([ids[: len(ids) - left] for ids in rows]) for rows in (receivers, donors)
    )
    state: State = tuple(
        tuple(b if name in parts else a for name, a, b in zip(names, *layers, strict=True))
        for layers in zip(own, given, strict=True)
    )
    if left:
        state = scorer.reader.read([ids[-left:] for ids in receivers], state)
    return scorer.shares_of(state, [receiver.ending for receiver, _ in documents])


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
    names: tuple[str, ...] = scorer.generator.model.recurrent[0].STATE
    if part not in names:
        raise ConfigError(f"part is {part!r}: this cell's state has {', '.join(names)}")
    rows = [ids_of(scorer, document.before) for document in documents]
    labels = [document.answer for document in documents]
    found: dict[int, float] = {}
    state, read = None, [0] * len(rows)
    for left in sorted(set(lefts), reverse=True):
        ends = [max(len(ids) - left, 0) for ids in rows]
        news = [ids[a:b] for ids, a, b in zip(rows, read, ends, strict=True)]
        if any(news) or state is None:
            state = scorer.reader.read(news, state, STEP)
        read = ends
        values = np.asarray(state[layer][names.index(part)])
        found[left] = linear_probe(values, labels, groups=groups)
    return [found[left] for left in lefts]


def told_apart(
    scorer: Scorer, document: Document, every: Sequence[Document], layer: int
) -> np.ndarray:
    """How far each unit of a layer tells a document from others, when the question begins [U].

    What it may show then, tanh(C) or h, minus its mean over `every`: documents with the same filler
    and every fact. A unit that tells them apart has kept something of the fact.
    """
    rows = [ids_of(scorer, d.before[: d.asked]) for d in (document, *every)]
    name = scorer.generator.model.recurrent[0].STATE[-1]
    shown = np.asarray(scorer.reader.read(rows)[layer][-1])
    shown = np.tanh(shown) if name == "C" else shown
    return np.asarray(shown[0] - shown[1:].mean(0))


def ids_of(scorer: Scorer, text: str) -> list[int]:
    return [scorer.tokenizer.start_id, *scorer.encode(text)]
