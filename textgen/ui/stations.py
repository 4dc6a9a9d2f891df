"""The path of stations through the pages: at each a question to guess first, something to move,
something to see, and the answer, which is measured on the loaded models when a guess was made.

`?station=name` in the address of a page puts the station above it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.interpret import lesson
from textgen.interpret.questions import QUESTIONS
from textgen.interpret.verdicts import Verdict
from textgen.ui import address, answers, cached, models, page_parts, wave, widgets
from textgen.ui.components.presenter import presenter
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.api import Model

FAR = 500  # characters, over which the gradient of an RNN vanishes
CHOICES = ("a", "b")


class Station(NamedTuple):
    """Where a question of `QUESTIONS` is asked: on a page, with these choices in its address."""

    page: str
    query: dict[str, str]


FIRST_PAGE = "lesson"
EVERYWHERE = {"always": "true", "whole": "true"}
STATIONS = {
    "unrolled": Station("step", {"model": "RNN"}),
    "slopes": Station("gradients", {}),
    "products": Station("gradients", {"factor": "0.9"}),
    "remembered": Station("remember", {"custom": "false"}),
    "parts": Station("step", {}),
    "forgotten": Station("step", {"gate": "f"} | EVERYWHERE),
    "conveyor": Station("gradients", {"distance": str(FAR)}),
    "calmer": Station("gates", {}),
    "handed_over": Station("transplant", {}),
    "peephole": Station("step", {"model": "PEEPHOLE"}),
    "coupled": Station("step", {"model": "COUPLED"}),
    "counted": Station("step", {"model": "GRU"}),
    "raced": Station("race", {}),
    "without_h": Station("remember", {"custom": "false", "cells": "MINGRU"}),
    "wave": Station("lesson", {}),
}


def folders_of(task: Task) -> dict[str, Path]:
    """The models of a task by their cells."""
    return {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}


def there(folders: Mapping[str, Path]) -> list[str]:
    """The stations whose models there are."""
    return [name for name in STATIONS if set(QUESTIONS[name].cells) <= folders.keys()]


def link(name: str, fact: str) -> str:
    """The address of a station, which can be given away."""
    page, query = STATIONS[name]
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
        distance = int(STATIONS[name].query.get("distance", lesson.DISTANCE))
        st.fragment(guess)(name, folders, task, lesson.lesson_document(task, fact, distance))


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
            compared = wave.loaded() if name == "wave" else loaded(name, folders)
            found = cached.asked(name, compared, task, document)
        figures = {
            key: in_words(key, value, compared, task, document)
            for key, value in found.figures.items()
        }
        answer = widgets.glossed(t(f"stations.{name}_answer", **figures))
        is_right = found.first_is_right == (chosen == CHOICES[0])
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


def loaded(name: str, folders: Mapping[str, Path]) -> dict[str, Model]:
    """The models that a question is put to, by their cells."""
    return {cell: models.load(folders[cell]) for cell in QUESTIONS[name].cells}


def in_words(
    key: str, figure: object, compared: Mapping[str, Model], task: Task, document: Document
) -> object:
    """A figure as the text of an answer takes it: a verdict on a cell in words."""
    if not isinstance(figure, Verdict):
        return figure
    model = compared[key.removesuffix("_says").upper()]
    says = figure.value if answers.is_taught(model, task, document) else "untaught"
    return t(f"stations.says_{says}")
