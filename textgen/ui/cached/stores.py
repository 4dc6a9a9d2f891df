"""What the page Neurons measures on many documents and a whole corpus, kept for the next look."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import streamlit as st

from textgen import shipped
from textgen.ui.cached import memory

if TYPE_CHECKING:
    import numpy as np

    from textgen.data.recall_task import Document, Task
    from textgen.generation.generator import Generator

PAIRS = 132  # every ordered pair of the twelve facts
FILLERS = 160  # each read with every fact: with fewer the probe falls short of what is there
PLACES = 16  # at which it looks, at most


def answers_without(
    generator: Generator, task: Task, document: Document, layer: int, units: list[int]
) -> dict[str, float]:
    """The probability of each answer, the state of these units held at zero up to the blank."""
    return _answers_without(
        generator,
        task,
        generator.name,
        generator.hash,
        task.path.name,
        document,
        layer,
        tuple(units),
    )


@st.cache_data(max_entries=256, show_spinner=False)
def _answers_without(
    _generator: Generator,
    _task: Task,
    name: str,
    mark: str,
    task: str,
    document: Document,
    layer: int,
    units: tuple[int, ...],
) -> dict[str, float]:
    from textgen.interpret import at_blank, silenced

    ids, _ = at_blank(_generator.tokenizer, document)
    state = silenced(_generator.model, ids, layer, units)
    (row,) = memory.scorer(_generator, _task).shares_of(state, [document.ending])
    return dict(zip(_task.answers, map(float, row), strict=True))


@dataclasses.dataclass(frozen=True)
class Flips:
    """Of n pairs: the share that gave the donor's answer, with its 95 % interval, and the share
    that kept its own."""

    share: float
    low: float
    high: float
    own: float
    n: int


def flips(
    generator: Generator,
    task: Task,
    distance: int,
    variant: str,
    left: int,
    parts: tuple[str, ...],
) -> Flips:
    """`parts` of the state handed over `left` tokens before the blank."""
    return _flips(
        generator,
        task,
        generator.name,
        generator.hash,
        task.path.name,
        distance,
        variant,
        left,
        parts,
    )


@st.cache_data(max_entries=128, show_spinner=False)
def _flips(
    _generator: Generator,
    _task: Task,
    name: str,
    mark: str,
    task: str,
    distance: int,
    variant: str,
    left: int,
    parts: tuple[str, ...],
) -> Flips:
    from textgen.evaluation.recall_probe import wilson
    from textgen.interpret import exchange, pairs

    documents = pairs(_task, distance, PAIRS, variant)
    found = exchange(memory.scorer(_generator, _task), documents, left, parts).argmax(1)
    given, own = (
        sum(_task.answers.index(d.answer) == k for d, k in zip(side, found, strict=True))
        for side in ([b for _, b in documents], [a for a, _ in documents])
    )
    return Flips(given / len(found), *wilson(given, len(found)), own / len(found), len(found))


def readable(
    generator: Generator, task: Task, distance: int, variant: str, layer: int
) -> dict[str, dict[int, float]]:
    """part of the state -> tokens before the blank -> how often a probe finds the answer there."""
    return _readable(
        generator, task, generator.name, generator.hash, task.path.name, distance, variant, layer
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _readable(
    _generator: Generator,
    _task: Task,
    name: str,
    mark: str,
    task: str,
    distance: int,
    variant: str,
    layer: int,
) -> dict[str, dict[int, float]]:
    from textgen.evaluation.recall_probe import written
    from textgen.interpret import stored
    from textgen.interpret.storage import STEP

    facts = len(_task.facts)
    documents = list(
        itertools.islice(written(_task, distance, variant, ("filler",), 1), FILLERS * facts)
    )
    groups = [k // facts for k in range(len(documents))]
    scorer = memory.scorer(_generator, _task)
    longest = max(1 + len(scorer.encode(d.before)) for d in documents)
    steps = -(-longest // STEP)
    lefts = [STEP * k for k in range(0, steps + 1, -(-steps // PLACES))]
    parts = _generator.model.recurrent[0].STATE
    return {
        part: dict(zip(lefts, stored(scorer, documents, lefts, part, groups, layer), strict=True))
        for part in parts
    }


@st.cache_data(max_entries=8, show_spinner=False)
def _corpus(language: str) -> str:
    from textgen.text.corpus import load_corpus

    return load_corpus([shipped.CORPORA / language]).text


def corpus_outputs(
    generator: Generator, language: str, layer: int
) -> tuple[str, list[int], np.ndarray]:
    """(the shipped corpus, its ids, h of a layer after each [T, U])."""
    text = _corpus(language)
    return text, *_corpus_outputs(generator, generator.name, generator.hash, text, layer)


@st.cache_data(max_entries=8, show_spinner=False)
def _corpus_outputs(
    _generator: Generator, name: str, mark: str, text: str, layer: int
) -> tuple[list[int], np.ndarray]:
    from textgen.interpret import outputs

    ids = _generator.tokenizer.encode(text)
    return ids, outputs(_generator.model, ids, layer)
