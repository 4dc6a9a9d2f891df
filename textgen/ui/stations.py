"""The path of stations through the pages: at each a question to guess first, something to move,
something to see, and the answer, which is measured on the loaded models when a guess was made.

`?station=name` in the address of a page puts the station above it.
"""

from __future__ import annotations

import html
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from textgen.cells import make_cell
from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, ids_before_blank, written_at
from textgen.interpret.verdicts import answered
from textgen.ui import address, answers, cached, models, need, page_parts, wave, widgets
from textgen.ui.components.presenter import presenter
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.api import Model

Measured = Callable[[Mapping[str, "Model"], Task, Document], dict[str, Any]]
LAYER = (32, 128)  # embedding_size, hidden_size: of the shipped GRU, and of docs/lesson
RACE_DISTANCE, RACE_DOCUMENTS, RACE_READINGS = 1000, 24, 5
FEW_LETTERS = 10
FAR = 500  # characters, over which the gradient of an RNN vanishes
CHOICES = ("a", "b")


# --- what is measured -----------------------------------------------------------------------------


def right_of(model: Model, task: Task, document: Document) -> float:
    return cached.answers(model, task, document)[document.answer]


def unrolled(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    ids = ids_before_blank(loaded["RNN"].tokenizer, document)
    sizes = (weight.size for layer in loaded["RNN"].network.layers for weight in layer.values())
    return {"parameters": sum(sizes), "tokens": len(ids)}


def slopes(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    from textgen.interpret.gradient_flow import slope

    middle = np.zeros(1)
    return {name: float(slope(name, middle)[0]) for name in ("tanh", "sigmoid")}


def products(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    from textgen.interpret.gradient_flow import powers

    less, more = (float(powers(factor, 100)[-1]) for factor in (0.9, 1.1))
    return {"less": widgets.number(less), "more": widgets.number(more)}


def right_of_each(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    """Of each model the right answer's share, with the fact and without it, and what follows."""
    found: dict[str, Any] = {}
    for cell, model in loaded.items():
        shares = cached.answers(model, task, document)
        without = cached.answers_without_fact(model, task, document)
        says = "untaught"
        if answers.untold(model, task, document) is not None:
            says = answered(shares, without, document.answer).verdict.value
        name = cell.lower()
        found |= {
            name: shares[document.answer],
            f"{name}_without": without[document.answer],
            f"{name}_says": t(f"stations.says_{says}"),
        }
    return found


def parts(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    """The gates of the unit that goes through the pages, where the fact is written into it."""
    model = loaded["LSTM"]
    unit = int(need.units_by_need(model, task, document, 0)[0])
    values = cached.trace_document(model, document).layers[0]
    token = written_at(model.tokenizer, document, values["C"][:, unit])
    gates = {name: float(values[name][token, unit]) for name in ("f", "i", "o")}
    return gates | {"unit": unit, "token": page_parts.tokens(model, document)[token]}


def forgotten(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    from textgen.interpret import Override

    model = loaded["LSTM"]
    ids = ids_before_blank(model.tokenizer, document)
    after = cached.trace(model, ids, [Override(0, "f", None, None, 0.0)]).state
    shares = cached.answers_after(model, task, after, document)
    return {"before": right_of(model, task, document), "after": shares[document.answer]}


def conveyor(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    model = loaded["LSTM"]
    told = fact_end(model.tokenizer, document)
    gates = cached.trace_document(model, document).layers[-1]["f"][told + 1 :]
    kept = np.prod(np.asarray(gates, np.float64), 0)
    return {"tokens": len(gates), "most": float(kept.max()), "units": int((kept > 0.5).sum())}


def calmer(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    """How much C and h of a unit move from token to token, once the fact has been told."""
    model = loaded["LSTM"]
    unit = int(need.units_by_need(model, task, document, 0)[0])
    values = cached.trace_document(model, document).layers[0]
    told = fact_end(model.tokenizer, document)
    moved = {part: abs(np.diff(values[part][told:, unit])).mean() for part in ("C", "h")}
    return {part: float(size) for part, size in moved.items()} | {"unit": unit}


def handed_over(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    model = loaded["LSTM"]
    other = next(fact for fact in task.facts if task.answer_to(fact) != document.answer)
    donor = document_with(task, other)
    tokens = len(ids_before_blank(model.tokenizer, document))
    middle = (fact_end(model.tokenizer, document) + tokens) // 2
    shares = {
        part: cached.answers_transplanted(model, task, document, donor, middle, (part,))
        for part in ("C", "h")
    }
    return {"answer": donor.answer} | {part: s[donor.answer] for part, s in shares.items()}


def variant(cell: str) -> Measured:
    """The parameters of a cell beside those of an LSTM, and what it answers."""

    def measure(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
        own, lstm = (make_cell(name).parameters(*LAYER) for name in (cell, "lstm"))
        counted = {"more": own - lstm, "parameters": own, "lstm": lstm, "share": own / lstm}
        return counted | right_of_each(loaded, task, document)

    return measure


def counted(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    gru, lstm = (make_cell(name).parameters(*LAYER) for name in ("gru", "lstm"))
    return {"gru": gru, "lstm": lstm, "share": gru / lstm}


def raced(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    """How long each takes to read a document, and how often it is right far from the fact."""
    writer = Writer(task, ("filler",))
    facts = [task.facts[k % len(task.facts)] for k in range(RACE_DOCUMENTS)]
    far = [writer.write(random.Random(k), fact, RACE_DISTANCE) for k, fact in enumerate(facts)]
    found: dict[str, Any] = {"n": len(far), "distance": RACE_DISTANCE}
    for name, model in loaded.items():
        shares = cached.scorer(model, task).shares(far)
        said = [task.answers[k] for k in shares.argmax(1)]
        right = sum(answer == one.answer for answer, one in zip(said, far, strict=True))
        found |= {
            name.lower(): right / len(far),
            f"{name.lower()}_ms": 1000 * reading(model, far[0]),
        }
    return found


def reading(model: Model, document: Document) -> float:
    """Seconds to read a document, the shortest of a few readings."""
    from textgen.interpret import trace

    ids = ids_before_blank(model.tokenizer, document)

    def once() -> float:
        began = time.perf_counter()
        trace(model.network, ids)
        return time.perf_counter() - began

    return min(once() for _ in range(RACE_READINGS))


def waved(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    """How far the models of the wave are off, with all letters given and with a few."""
    return {
        f"{name.lower()}_{given}": wave.off_by(wave.continued(model, given))
        for name, model in wave.loaded().items()
        for given in (wave.GIVEN, FEW_LETTERS)
    }


# --- the path -------------------------------------------------------------------------------------


class Station(NamedTuple):
    """page, query: where it stands. needed: the models that are measured, by their cells."""

    page: str
    query: dict[str, str]
    needed: tuple[str, ...]
    measure: Measured


FIRST_PAGE = "lesson"
EVERYWHERE = {"always": "true", "whole": "true"}
STATIONS = {
    "unrolled": Station("step", {"model": "RNN"}, ("RNN",), unrolled),
    "slopes": Station("gradients", {}, (), slopes),
    "products": Station("gradients", {"factor": "0.9"}, (), products),
    "remembered": Station("remember", {"custom": "false"}, ("RNN", "LSTM"), right_of_each),
    "parts": Station("step", {}, ("LSTM",), parts),
    "forgotten": Station("step", {"gate": "f"} | EVERYWHERE, ("LSTM",), forgotten),
    "conveyor": Station("gradients", {"distance": str(FAR)}, ("LSTM",), conveyor),
    "calmer": Station("gates", {}, ("LSTM",), calmer),
    "handed_over": Station("transplant", {}, ("LSTM",), handed_over),
    "peephole": Station("step", {"model": "PEEPHOLE"}, ("PEEPHOLE",), variant("peephole")),
    "coupled": Station("step", {"model": "COUPLED"}, ("COUPLED",), variant("coupled")),
    "counted": Station("step", {"model": "GRU"}, (), counted),
    "raced": Station("race", {}, ("GRU", "LSTM"), raced),
    "without_h": Station(
        "remember", {"custom": "false", "cells": "MINGRU"}, ("MINGRU",), right_of_each
    ),
    "wave": Station("lesson", {}, (), waved),
}


# which guess is right, by what was measured
RIGHT: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "unrolled": lambda found: False,
    "slopes": lambda found: found["tanh"] > found["sigmoid"],
    "products": lambda found: False,
    "remembered": lambda found: found["rnn"] > found["lstm"],
    "parts": lambda found: found["i"] < 0.5,
    "forgotten": lambda found: found["after"] > found["before"],
    "conveyor": lambda found: False,
    "calmer": lambda found: found["C"] < found["h"],
    "handed_over": lambda found: found["C"] < 0.5,
    "peephole": lambda found: found["parameters"] < 1.5 * found["lstm"],
    "coupled": lambda found: found["coupled"] < 0.5,
    "counted": lambda found: abs(found["share"] - 3 / 4) < abs(found["share"] - 1 / 2),
    "raced": lambda found: found["gru"] < found["lstm"],
    "without_h": lambda found: found["mingru"] > 0.5,
    "wave": lambda found: found["rnn_200"] > wave.NOTHING_LEARNED,
}  # True: the first of the two


def folders_of(task: Task) -> dict[str, Path]:
    """The models of a task by their cells."""
    return {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}


def there(folders: Mapping[str, Path]) -> list[str]:
    """The stations whose models there are."""
    return [name for name, station in STATIONS.items() if set(station.needed) <= folders.keys()]


def document_with(task: Task, fact: str, distance: int = page_parts.AT_FIRST) -> Document:
    """The one document of the path: the same for all stations but for its fact, and for the
    distance where a station names one."""
    return Writer(task, ("filler",)).write(random.Random("1"), fact, distance)


def link(name: str, fact: str) -> str:
    """The address of a station, which can be given away."""
    page, query, _, _ = STATIONS[name]
    place = "" if page == FIRST_PAGE else page
    parts = along(fact) | pinned(query.get("model")) | {"station": name} | query
    return f"./{place}?{urlencode(parts)}"


def along(fact: str) -> dict[str, str]:
    """What every link of the path takes along: the language, the fact, and that it is presented."""
    presented = {"present": "yes"} if "present" in st.query_params else {}
    return {"lang": language(), "fact": fact} | presented


def pinned(model: str | None) -> dict[str, str]:
    """The unit that is pinned here, for a station that looks into the same model; None: the one
    with which a page opens."""
    unit = st.query_params.get("unit")
    alike = st.query_params.get("model") == model
    return {"unit": unit} if unit is not None and alike else {}


def show_presenter() -> None:
    presenter({word: t(f"stations.{word}") for word in ("present", "leave", "print")})


def path(task: Task, fact: str) -> None:
    """All stations, each a link to its place."""
    with st.container(horizontal=True, vertical_alignment="center", key="path head"):
        st.subheader(t("stations.title"), anchor=False)
        show_presenter()
    rows = "".join(
        f'<li><a href="{html.escape(link(name, fact))}" target="_self">'
        f"{html.escape(t(f'stations.{name}'))}</a> "
        f"<small>{html.escape(t(f'{STATIONS[name].page}.title'))}</small></li>"
        for name in there(folders_of(task))
    )
    st.html(f'<ol class="tg-path">{rows}</ol>')


def strip() -> None:
    """The station that the address names, above a page; nothing where it names none."""
    name = address.choice("station", list(STATIONS))
    if name is None:
        return
    task = page_parts.shipped_task()
    folders = folders_of(task)
    names = there(folders)
    if name not in names:
        return
    fact = address.choice("fact", task.facts) or page_parts.telling_fact(task)
    with st.container(key="station"):
        with st.container(horizontal=True, vertical_alignment="center", key="station head"):
            st.html(numbers(names, name, fact))
            show_presenter()
        st.subheader(f"{names.index(name) + 1}. {t(f'stations.{name}')}", anchor=False)
        distance = int(STATIONS[name].query.get("distance", page_parts.AT_FIRST))
        st.fragment(guess)(name, folders, task, document_with(task, fact, distance))


def numbers(names: list[str], here: str, fact: str) -> str:
    """HTML: the path as numbers, each a link, and the one before and after."""
    place = names.index(here)

    def anchor(where: str, text: object, attributes: str) -> str:
        return f'<a href="{html.escape(where)}" target="_self" {attributes}>{text}</a>'

    def beside(by: int, word: str, arrow: str) -> str:
        if not 0 <= place + by < len(names):
            return ""
        return anchor(link(names[place + by], fact), arrow, f'aria-label="{html.escape(t(word))}"')

    def number(k: int, name: str) -> str:
        current = ' aria-current="step"' if name == here else ""
        title = html.escape(t(f"stations.{name}"))
        return anchor(link(name, fact), k, f'title="{title}"{current}')

    first = f"./?{urlencode(along(fact))}"
    parts = [
        anchor(first, html.escape(t("lesson.title")), 'class="tg-home"'),
        beside(-1, "stations.previous", "←"),
        *(number(k, name) for k, name in enumerate(names, 1)),
        beside(1, "stations.next", "→"),
    ]
    label = html.escape(t("stations.path"))
    return f'<nav class="tg-stations" aria-label="{label}">{"".join(parts)}</nav>'


def guess(name: str, folders: Mapping[str, Path], task: Task, document: Document) -> None:
    """What to guess, the measured answer when that was done, what to move and what to see."""
    chosen = st.pills(
        t("stations.guess"),
        CHOICES,
        format_func=lambda choice: t(f"stations.{name}_{choice}"),
        key=f"guess {name}",
    )
    if chosen is not None:
        with st.spinner(t("stations.measuring")):
            loaded = {cell: models.load(folders[cell]) for cell in STATIONS[name].needed}
            values = STATIONS[name].measure(loaded, task, document)
        answer = widgets.glossed(t(f"stations.{name}_answer", **values))
        is_right = RIGHT[name](values) == (chosen == CHOICES[0])
        told, kind = (t("stations.right"), "holds") if is_right else (t("stations.wrong"), "fails")
        st.html(
            f'<div class="tg-claim tg-{kind} tg-answer"><p><b>{html.escape(told)}</b> {answer}</p>'
            "</div>"
        )
    move, see = (
        f"<dt>{html.escape(t(f'stations.{what}'))}</dt>"
        f"<dd>{html.escape(t(f'stations.{name}_{what}'))}</dd>"
        for what in ("move", "see")
    )
    st.html(f'<dl class="tg-do">{move}{see}</dl>')
