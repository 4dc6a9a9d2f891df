"""Evidence: which tokens the answer hangs on, by gradient and by taking each away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_task import Document, Task
from textgen.errors import TextgenError
from textgen.ui import models, page_parts, widgets
from textgen.ui.cached import looks
from textgen.ui.components.token_figure import Scale, token_figure
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator

state = st.session_state
FIRST_CELLS = ("LSTM", "RNN")
LEAST, MOST = 0.01, 10.0  # nats: of the lightest and the strongest tint, for all models
ABREAST = 2  # models


def main() -> None:
    widgets.header("evidence")
    try:
        task, document = page_parts.choose_document()
        left, right = st.columns([2, 7], gap="medium")
        with left:
            foil = choose_foil(task, document)
        with right:
            generators = choose_models(task)
        if generators:
            compare(generators, document, foil)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("evidence.how"), t("evidence.source"))


def choose_foil(task: Task, document: Document) -> str:
    """The answer that the right one is weighed against."""
    others = [answer for answer in task.answers if answer != document.answer]
    if state.get("foil") not in others:
        state.pop("foil", None)
    return str(st.selectbox(t("evidence.foil"), others, key="foil", bind="query-params"))


def choose_models(task: Task) -> dict[str, Generator]:
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    names = st.pills(
        t("remember.models"),
        list(available),
        selection_mode="multi",
        key="cells",
        default=[name for name in FIRST_CELLS if name in available],
        bind="query-params",
        wrap=True,
    )
    return {name: models.load(available[name]) for name in names}


def compare(generators: dict[str, Generator], document: Document, foil: str) -> None:
    """The same text under each model, coloured on one scale; two models beside each other."""
    frames, reads = [], []
    columns: list[Any] = []
    for name, generator in generators.items():
        columns = columns or list(st.columns(ABREAST, gap="large"))
        with columns.pop(0):
            st.subheader(name, anchor=False)
            with st.spinner(t("remember.measuring", name=name)):
                found = {
                    "gradient": looks.saliency(generator, document, foil),
                    "occlusion": looks.occlusion(generator, document, foil),
                }
                reads.append(looks.trace(generator, looks.blank(generator, document)))
            texts = looks.texts(generator, document)
            for kind, values in found.items():
                strip(name, generator, document, texts, kind, values)
            judge(name, generator, document, found["occlusion"])
        frames.append(
            pd.DataFrame({"model": name, "token": range(len(texts)), "text": texts} | found)
        )
    page_parts.downloads(pd.concat(frames), "evidence", list(generators.values()))
    page_parts.replay_error(*reads)


def strip(
    name: str,
    generator: Generator,
    document: Document,
    texts: list[str],
    kind: str,
    values: np.ndarray,
) -> None:
    """Blue where a token speaks for the answer, orange where against it."""
    scale = Scale("log", t("evidence.supports"), MOST, LEAST)
    title = t(f"evidence.{kind}")
    token_figure(
        texts,
        values[None],
        [title],
        [scale],
        key=f"{kind}-{name}",
        title=title,
        caption=page_parts.origin(generator, texts),
        value_word=t("evidence.nats"),
        pinned=page_parts.Pin(None, page_parts.pinned().token),
        on_pin=page_parts.pin_token,
        rest=document.answer + document.ending,
        matrix=False,
        legend=kind == "gradient",
    )


def judge(name: str, generator: Generator, document: Document, occluded: np.ndarray) -> None:
    """Does the answer hang on the sentence that tells? The question is left out: without its words
    nobody would know what is asked."""
    told = looks.told_at(generator, document)
    strongest = int(np.argmax(abs(occluded[: looks.asked_at(generator, document) + 1])))
    text = looks.texts(generator, document)[strongest]
    page_parts.claim(
        t("evidence.claim", name=name),
        strongest <= told,
        t(
            "evidence.found",
            text=text.replace(" ", "␣"),
            token=strongest,
            nats=float(occluded[strongest]),
            told=told,
        ),
    )


main()
