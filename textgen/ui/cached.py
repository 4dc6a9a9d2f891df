"""What pages measure on loaded models, kept for the next run of a page.

A measurement is found again by its arguments: a model by its name, its weights and its settings, a
task by its file and all that the file says, anything else by its value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import streamlit as st

from textgen import shipped
from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import ids_before_blank

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.evaluation.context_length import ContextRow
    from textgen.evaluation.recall_probe import Probe, Scorer
    from textgen.interpret import Flips, Gradients, Override, Readable, Trace
    from textgen.interpret.fact_course import FactCourse
    from textgen.interpret.questions import Found
    from textgen.interpret.unit_probe import FeatureProbe

DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000)  # characters, of a curve of recall
LATE = 500  # tokens of a text of one's own over which a unit is changed
TEMPERATURE = 0.8  # of what is written without some units; 1 rambles in small models

P = ParamSpec("P")
R = TypeVar("R")

# by name, because importing the class would import TensorFlow
HASHES: dict[str | type, Callable[[Any], object]] = {
    "textgen.api.Model": lambda model: (
        model.name,
        model.hash,
        dataclasses.asdict(model.config),
        model.tokenizer.vocab_size,
        b"" if model.network.first is None else model.network.first.tobytes(),  # its voice
        b"" if model.mixture is None else model.mixture.terms.tobytes(),  # its n-grams
    ),
    "textgen.data.recall_task.Task": repr,
}


def cached(entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep what a function returns, a copy for each reader, for its last `entries` arguments."""
    return st.cache_data(max_entries=entries, show_spinner=False, hash_funcs=HASHES)


def cached_object(entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the one object that a function returns, for all sessions."""
    return st.cache_resource(max_entries=entries, show_spinner=False, hash_funcs=HASHES)


# --- models ---------------------------------------------------------------------------------------


@cached_object(12)
def untrained(model: Model) -> Model:
    """The model as it might have been before its training."""
    from textgen.interpret import untrained

    return untrained(model)


@cached_object(32)
def scorer(model: Model, task: Task) -> Scorer:
    """Its programs are compiled once for a number of documents."""
    from textgen.evaluation.recall_probe import Scorer

    return Scorer(model, task)


# --- one document ---------------------------------------------------------------------------------


@cached(32)
def trace(model: Model, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """Every value of every unit while the model reads ids."""
    from textgen.interpret import trace

    return trace(model.network, ids, overrides)


def trace_document(model: Model, document: Document) -> Trace:
    """`trace` of a document up to its blank."""
    return trace(model, ids_before_blank(model.tokenizer, document))


@cached(32)
def effects(model: Model, document: Document, layer: int) -> Array:
    """What each unit of a layer does for the right answer [U]: `ablation`."""
    from textgen.interpret import ablation, at_blank

    return ablation(model.network, *at_blank(model.tokenizer, document), layer, late(document))


@cached(32)
def fact_course(
    model: Model, task: Task, document: Document, others: Sequence[Document]
) -> FactCourse:
    """A fact on its way through a document, beside those of `others` whose words are as long."""
    from textgen.interpret.fact_course import fact_course, of_one_length

    judge = scorer(model, task)
    return fact_course(judge, document, of_one_length(judge, document, others))


@cached(32)
def of_one_length(
    model: Model, task: Task, document: Document, others: Sequence[Document]
) -> list[Document]:
    """Those of the others whose tokens stand at the same places."""
    from textgen.interpret.fact_course import of_one_length

    return of_one_length(scorer(model, task), document, others)


@cached(32)
def units_by_need(model: Model, task: Task | None, document: Document, layer: int) -> Array:
    """The units of a layer [U], first the one whose memory the answer needs most."""
    from textgen.interpret.lesson import units_by_need

    return units_by_need(model, task, document, layer, late(document))


@cached(32)
def asked(question: str, compared: dict[str, Model], task: Task, document: Document) -> Found:
    """What was found for a question of the lesson on models by their cells."""
    from textgen.interpret.questions import QUESTIONS

    return QUESTIONS[question].measure(compared, task, document)


@cached(64)
def telling_fact(model: Model, task: Task) -> str:
    """The first fact of which the model shows that it remembers it."""
    from textgen.interpret.lesson import telling_fact

    return telling_fact(model, task)


@cached(32)
def gradients(model: Model, document: Document) -> Gradients:
    """Of log p(right answer) at the blank."""
    from textgen.interpret import at_blank, gradients

    return gradients(model.network, *at_blank(model.tokenizer, document))


@cached(64)
def saliency(model: Model, document: Document, foil: str) -> Array:
    """Gradient times embedding, of the answer against a foil [T]."""
    from textgen.interpret import at_blank, saliency

    return saliency(model.network, *at_blank(model.tokenizer, document, foil)).product


@cached(64)
def occlusion(model: Model, document: Document, foil: str) -> Array:
    """What the answer loses against a foil without each token [T], or each few (`block_of`)."""
    from textgen.interpret import at_blank, occlusion

    ids, goal = at_blank(model.tokenizer, document, foil)
    return occlusion(model.network, ids, goal, block_of(model, document))


def late(document: Document) -> int | None:
    """Over how many tokens before the blank a unit is changed: over all of a document with a fact,
    so that the fact is among them; over the last of a longer text, so that it takes seconds."""
    return None if document.fact else LATE


def block_of(model: Model, document: Document) -> int:
    """How many tokens are taken away together: one by one in a document with a fact; a few of a
    longer text of one's own, so that it takes seconds."""
    from textgen.interpret.effects import block_of

    return 1 if document.fact else block_of(len(ids_before_blank(model.tokenizer, document)))


@cached(64)
def answers(model: Model, task: Task, document: Document) -> dict[str, float]:
    """The probability of each answer at the blank."""
    return scorer(model, task).answers(document)


@cached(64)
def any_answer(model: Model, task: Task, document: Document) -> float:
    """The probability that the model goes on with one of the answers at the blank."""
    (share,) = scorer(model, task).any_answer([document])
    return float(share)


@cached(64)
def answers_without_fact(model: Model, task: Task, document: Document) -> dict[str, float]:
    """The probability of each answer where the document is read without the sentence that tells:
    what the model says that has nothing to remember."""
    return scorer(model, task).answers(document, "removed")


def answers_after(model: Model, task: Task, state: Array, document: Document) -> dict[str, float]:
    """The probability of each answer where the document was read up to this state."""
    return scorer(model, task).answers_after(state, document)


@cached(256)
def answers_without(
    model: Model, task: Task, document: Document, layer: int, units: Sequence[int]
) -> dict[str, float]:
    """The probability of each answer, the state of these units held at zero up to the blank."""
    from textgen.interpret import SilencedNetwork

    network = SilencedNetwork(model.network, layer, units)
    ids = np.array(ids_before_blank(model.tokenizer, document), np.int32)
    _, state = network.read(ids[:, None], network.initial_state(1))
    return answers_after(model, task, state, document)


@cached(64)
def answers_transplanted(
    model: Model, task: Task, document: Document, donor: Document, at: int, parts: Sequence[str]
) -> dict[str, float]:
    """The probability of each answer where `parts` of the donor's state were handed over after
    `at` tokens."""
    from textgen.interpret import transplant

    ids, given = (ids_before_blank(model.tokenizer, text) for text in (document, donor))
    return answers_after(model, task, transplant(model.network, ids, given, at, parts), document)


@cached(16)
def predictions_transplanted(
    model: Model, text: str, donor: str, places: Sequence[int], parts: Sequence[str]
) -> Array:
    """The probability of each token after a text [B, V] where `parts` of the donor's state were
    handed over after so many tokens of it."""
    from textgen.array_ops import softmax
    from textgen.interpret import transplants
    from textgen.interpret.texts import ids_of

    ids, given = (ids_of(model, "the text", one) for one in (text, donor))
    state = transplants(model.network, ids, given, places, parts)
    return softmax(model.network.logits(state))


@cached(64)
def counted(model: Model, prompt: str, written: Sequence[int]) -> list[float]:
    """What of each token written the n-grams predicted."""
    from textgen.ui.samples import counted

    return counted(model, prompt, written)


# --- many documents, and long texts ---------------------------------------------------------------


@cached(64)
def probe(model: Model, task: Task, n: int, control: str) -> Probe:
    """Right answers against distance, on `n` documents of each."""
    from textgen.evaluation.recall_probe import probe

    return probe(scorer(model, task), DISTANCES, n, (control,))


@cached(128)
def flips(
    model: Model, task: Task, distance: int, variant: str, left: int, parts: Sequence[str]
) -> Flips:
    """How often parts of the state, handed over `left` tokens before the blank, turn the answer."""
    from textgen.interpret import flips

    return flips(scorer(model, task), distance, left, parts, variant)


@cached(64)
def readable(model: Model, task: Task, distance: int, variant: str, layer: int) -> Readable:
    """How far the answer can be read off each part of a layer's state."""
    from textgen.interpret import readable

    return readable(scorer(model, task), distance, layer, variant)


@cached(8)
def corpus(language: str) -> str:
    """The shipped prose of a language."""
    from textgen.text.corpus import load_corpus

    return load_corpus([shipped.CORPORA / language / "prose"]).text


@cached(8)
def outputs(model: Model, text: str, layer: int, part: str = "h") -> tuple[list[int], Array]:
    """(the ids of a text, `part` of a layer's state after each [T, U])."""
    from textgen.interpret import outputs

    ids = model.tokenizer.encode(text)
    return ids, outputs(model.network, ids, layer, part)


@cached(16)
def find_units(model: Model, text: str, layer: int, part: str) -> list[FeatureProbe]:
    """What the units of a layer tell of where in a text the model is, best told first."""
    from textgen.interpret.unit_probe import probe_text

    ids, values = outputs(model, text, layer, part)
    return probe_text(model.tokenizer, ids, values)


@cached(64)
def written_without(
    model: Model, prompt: str, layer: int, units: Sequence[int], length: int, seed: int
) -> str:
    """What the model writes after a prompt while these units of a layer are silent."""
    from textgen.interpret import without_units

    quiet = without_units(model, units, layer)
    return quiet.generate(prompt, max_new_tokens=length, temperature=TEMPERATURE, seed=seed).text


@cached(16)
def context(model: Model, text: str) -> tuple[list[ContextRow], int]:
    """(the loss with ever more context, how many tokens the model looks back)."""
    from textgen.evaluation.context_length import context_curve, looks_back

    rows = context_curve(model, text)
    return rows, looks_back(rows)


def recipe(task: Task, cell: str) -> Path:
    """recipes/speaker-lstm-ko.toml for the task speaker-ko."""
    stem, _, tongue = task.path.stem.rpartition("-")
    return shipped.RECIPES / f"{stem}-{cell}-{tongue}.toml"
