"""What `textgen.interpret` finds in a loaded model, kept for the next look at the same text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from textgen.ui.cached import memory

if TYPE_CHECKING:
    import numpy as np

    from textgen.data.recall_task import Document, Task
    from textgen.generation.generator import Generator
    from textgen.interpret import Gradients, Override, Trace


def blank(generator: Generator, document: Document) -> list[int]:
    """The ids of a document up to its blank."""
    from textgen.interpret import at_blank

    return at_blank(generator.tokenizer, document)[0]


def texts(generator: Generator, document: Document) -> list[str]:
    """Each of them as text; what stands before the first is a line's end."""
    own = generator.tokenizer
    return ["↵" if k == 0 else own.token(i) for k, i in enumerate(blank(generator, document))]


def time_scales(generator: Generator, values: dict[str, np.ndarray]) -> np.ndarray:
    """How long each unit of a gated cell keeps its state, in tokens [U]."""
    from textgen.interpret import KEEP, time_scale

    return time_scale(KEEP[generator.config.cell](values))


def trace(generator: Generator, ids: Sequence[int], edits: Sequence[Override] = ()) -> Trace:
    return _trace(generator, generator.name, generator.hash, tuple(ids), tuple(edits))


@st.cache_data(max_entries=32, show_spinner=False)
def _trace(
    _generator: Generator, name: str, mark: str, ids: tuple[int, ...], edits: tuple[Override, ...]
) -> Trace:
    from textgen.interpret import trace

    return trace(_generator.model, ids, edits)


def effects(generator: Generator, document: Document, layer: int) -> np.ndarray:
    """What each unit does for the right answer [U]: `ablation`."""
    return _effects(generator, generator.name, generator.hash, document, layer)


@st.cache_data(max_entries=32, show_spinner=False)
def _effects(
    _generator: Generator, name: str, mark: str, document: Document, layer: int
) -> np.ndarray:
    from textgen.interpret import ablation, at_blank

    return ablation(_generator.model, *at_blank(_generator.tokenizer, document), layer)


def told_apart(
    generator: Generator, task: Task, document: Document, every: tuple[Document, ...], layer: int
) -> np.ndarray:
    """What each unit keeps of this document's fact, of every fact [U]."""
    return _told_apart(generator, task, generator.name, generator.hash, document, every, layer)


@st.cache_data(max_entries=32, show_spinner=False)
def _told_apart(
    _generator: Generator,
    _task: Task,
    name: str,
    mark: str,
    document: Document,
    every: tuple[Document, ...],
    layer: int,
) -> np.ndarray:
    from textgen.interpret import told_apart

    return told_apart(memory.scorer(_generator, _task), document, every, layer)


def gradients(generator: Generator, document: Document) -> Gradients:
    """Of log p(right answer) at the blank."""
    return _gradients(generator, generator.name, generator.hash, document)


@st.cache_data(max_entries=32, show_spinner=False)
def _gradients(_generator: Generator, name: str, mark: str, document: Document) -> Gradients:
    from textgen.interpret import at_blank, gradients

    return gradients(_generator.model, *at_blank(_generator.tokenizer, document))


def saliency(generator: Generator, document: Document, foil: str) -> np.ndarray:
    """Gradient times embedding, of the answer against a foil [T]."""
    return _saliency(generator, generator.name, generator.hash, document, foil)


@st.cache_data(max_entries=64, show_spinner=False)
def _saliency(
    _generator: Generator, name: str, mark: str, document: Document, foil: str
) -> np.ndarray:
    from textgen.interpret import at_blank, saliency

    return saliency(_generator.model, *at_blank(_generator.tokenizer, document, foil)).product


def occlusion(generator: Generator, document: Document, foil: str) -> np.ndarray:
    """What the answer loses against a foil without each token [T]."""
    return _occlusion(generator, generator.name, generator.hash, document, foil)


@st.cache_data(max_entries=64, show_spinner=False)
def _occlusion(
    _generator: Generator, name: str, mark: str, document: Document, foil: str
) -> np.ndarray:
    from textgen.interpret import at_blank, occlusion

    return occlusion(_generator.model, *at_blank(_generator.tokenizer, document, foil))


def told_at(generator: Generator, document: Document) -> int:
    """Which token of a document ends the sentence that tells the fact; the last of a document that
    does not say."""
    told = document.told or len(document.before)
    return len(generator.tokenizer.encode(document.before[:told]))


def asked_at(generator: Generator, document: Document) -> int:
    """Which token of a document is the last before its question."""
    return len(generator.tokenizer.encode(document.before[: document.asked]))


def unit_values(
    generator: Generator, ids: Sequence[int], found: Trace, layer: int, unit: int, token: int
) -> dict[str, float]:
    """All that `equations.lines` puts in: the unit's values at the token, at the one before
    ("was_"), and the parts of its sums."""
    from textgen.interpret.sums import sums

    values: dict[str, float] = {}
    for name, course in found.layers[layer].items():
        values[name] = float(course[token, unit])
        values[f"was_{name}"] = float(course[token - 1, unit]) if token else 0.0
    for name, parts in sums(generator.model, ids, found, layer, token).items():
        for part, column in parts.items():
            values[f"{name}_{part}".replace("'", "2")] = float(column[unit])
    return values
