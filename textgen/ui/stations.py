"""The path of stations: at each a question to guess first, the measured answer, and the page
that shows it. Whatever is measured, is measured on the loaded models when a guess has been made."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from textgen.cells import make_cell
from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, ids_before_blank
from textgen.ui import address, cached, models, page_parts, widgets
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.api import Model

Measured = Callable[[Mapping[str, "Model"], Task, Document], dict[str, Any]]
LAYER = (64, 128)  # embedding_size, hidden_size: of the layers whose parameters are counted


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
    return {"less": widgets.power(less), "more": f"{more:,.0f}"}


def right_of_each(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    return {name.lower(): right_of(model, task, document) for name, model in loaded.items()}


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


def handed_over(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    model = loaded["LSTM"]
    other = next(fact for fact in task.facts if task.answer_to(fact) != document.answer)
    donor = page_parts.document_with(task, other)
    tokens = len(ids_before_blank(model.tokenizer, document))
    middle = (fact_end(model.tokenizer, document) + tokens) // 2
    shares = {
        part: cached.answers_transplanted(model, task, document, donor, middle, (part,))
        for part in ("C", "h")
    }
    return {"answer": donor.answer} | {part: s[donor.answer] for part, s in shares.items()}


def counted(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    gru, lstm = (make_cell(name).parameters(*LAYER) for name in ("gru", "lstm"))
    return {"gru": gru, "lstm": lstm, "share": gru / lstm}


def without_h(loaded: Mapping[str, Model], task: Task, document: Document) -> dict[str, Any]:
    return {"share": right_of(loaded["MINGRU"], task, document)}


# name -> (page, its address, the models that it needs, how the answer is measured)
STATIONS: dict[str, tuple[str, dict[str, str], tuple[str, ...], Measured]] = {
    "unrolled": ("step", {"model": "RNN"}, ("RNN",), unrolled),
    "slopes": ("gradients", {}, (), slopes),
    "products": ("gradients", {"factor": "0.9"}, (), products),
    "remembered": ("remember", {"custom": "false"}, ("RNN", "LSTM"), right_of_each),
    "forgotten": (
        "step",
        {"gate": "f", "always": "true", "whole": "true"},
        ("LSTM",),
        forgotten,
    ),
    "conveyor": ("gradients", {}, ("LSTM",), conveyor),
    "handed_over": ("transplant", {}, ("LSTM",), handed_over),
    "counted": ("step", {"model": "GRU"}, (), counted),
    "both_gated": ("race", {}, ("GRU", "LSTM"), right_of_each),
    "without_h": ("remember", {"custom": "false", "cells": "MINGRU"}, ("MINGRU",), without_h),
}
CHOICES = ("a", "b")


def path(folders: Mapping[str, Path], task: Task, document: Document) -> None:
    """The stations whose models there are, folded; the one that the address names is open.

    folders: of the models of the task, by cell.
    """
    st.subheader(t("stations.title"), anchor=False)
    there = [name for name, (_, _, needed, _) in STATIONS.items() if set(needed) <= folders.keys()]
    opened = address.number("station", 1, len(there))
    for number, name in enumerate(there, 1):
        question = widgets.plain(t(f"stations.{name}"))
        with st.expander(f"{number}. {question}", expanded=number == opened):
            st.fragment(station)(name, folders, task, document)


def station(name: str, folders: Mapping[str, Path], task: Task, document: Document) -> None:
    """A question; when it has been guessed, the answer and where to see it."""
    page, query, needed, measure = STATIONS[name]
    guess = st.pills(
        t("stations.guess"),
        CHOICES,
        format_func=lambda choice: t(f"stations.{name}_{choice}"),
        key=f"guess {name}",
    )
    if guess is None:
        return
    loaded = {cell: models.load(folders[cell]) for cell in needed}
    answer = t(f"stations.{name}_answer", **measure(loaded, task, document))
    where = f"{page}?{urlencode({'lang': language(), 'fact': document.fact} | query)}"
    st.html(
        f'<div class="tg-claim tg-holds"><p>{widgets.glossed(answer)}</p>'
        f'<p><a href="{html.escape(where)}" target="_self">{html.escape(t("stations.see"))} →</a>'
        "</p></div>"
    )
