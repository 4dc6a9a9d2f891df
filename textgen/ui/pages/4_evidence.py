"""Evidence: which tokens the answer hangs on, by gradient and by taking each away."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.documents import Document, Task
from textgen.errors import TextgenError
from textgen.ui import exhibit, looks, models, widgets
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.generate import Generator

state = st.session_state
FIRST_CELLS = ("LSTM", "RNN")
LEAST, MOST = 0.01, 10.0  # nats: of the lightest and the strongest tint, for all models alike
STRONGEST = 0.6  # opacity
SPACE = "&nbsp;"
FOR, AGAINST = "0, 114, 178", "230, 120, 0"  # blue and orange, told apart by every eye


def main() -> None:
    widgets.header("evidence")
    try:
        task, document = exhibit.choose_document()
        foil = choose_foil(task, document)
        generators = choose_models(task)
        if generators:
            compare(generators, document, foil)
    except TextgenError as error:
        widgets.error(error)
    exhibit.how(t("evidence.how"), t("evidence.source"))


def choose_foil(task: Task, document: Document) -> str:
    """The answer that the right one is weighed against."""
    others = [answer for answer in task.answers if answer != document.answer]
    if state.get("foil") not in others:
        state.pop("foil", None)
    return str(st.selectbox(t("evidence.foil"), others, key="foil", bind="query-params", width=220))


def choose_models(task: Task) -> dict[str, Generator]:
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    names = st.pills(
        t("remember.models"), list(available), selection_mode="multi", key="cells",
        default=[name for name in FIRST_CELLS if name in available], bind="query-params",
        wrap=True,
    )  # fmt: skip
    return {name: models.load(available[name]) for name in names}


def compare(generators: dict[str, Generator], document: Document, foil: str) -> None:
    """The same text under each model, coloured on one scale."""
    frames = []
    legend()
    for name, generator in generators.items():
        with st.spinner(t("remember.measuring", name=name)):
            found = {
                "gradient": looks.saliency(generator, document, foil),
                "occlusion": looks.occlusion(generator, document, foil),
            }
        ids = looks.blank(generator, document)
        texts = ["↵" if k == 0 else generator.tokenizer.decode([i]) for k, i in enumerate(ids)]
        st.subheader(name, anchor=False)
        columns = st.columns(2, gap="medium")
        for column, (kind, values) in zip(columns, found.items(), strict=True):
            with column:
                st.caption(t(f"evidence.{kind}"))
                st.html(coloured(texts, values, document.answer + document.ending))
        judge(name, texts, found["occlusion"], looks.told_at(generator, document))
        frames.append(
            pd.DataFrame({"model": name, "token": range(len(ids)), "text": texts} | found)
        )
    exhibit.downloads(pd.concat(frames), "evidence", list(generators.values()))


def coloured(texts: list[str], values: np.ndarray, rest: str) -> str:
    """HTML of a text: blue where a token speaks for the answer, orange where against it.

    The strongest is also underlined, and each tells its number to the pointer that rests on it.
    """
    strongest = int(np.argmax(abs(values)))
    spans = []
    for k, (text, value) in enumerate(zip(texts, values, strict=True)):
        mark = " tg-strongest" if k == strongest else ""
        shown = html.escape(text)
        spans.append(
            f'<span class="tg-token{mark}" style="background: rgba({tint(float(value))})" '
            f'title="{shown} {value:+.3f}">{shown}</span>'
        )
    return f'<div class="tg-document">{"".join(spans)} <i>{html.escape(rest)}</i></div>'


def tint(value: float) -> str:
    """ "r, g, b, opacity": the opacity grows with the logarithm."""
    share = math.log(max(abs(value), LEAST) / LEAST) / math.log(MOST / LEAST)
    return f"{FOR if value > 0 else AGAINST}, {STRONGEST * min(share, 1.0):.2f}"


def legend() -> None:
    marks = [-MOST, -1.0, -0.1, LEAST, 0.1, 1.0, MOST]
    cells = "".join(
        f'<span class="tg-token" style="background: rgba({tint(mark)})">{SPACE}{mark:+g}{SPACE}'
        "</span>"
        for mark in marks
    )
    against, supports = html.escape(t("evidence.against")), html.escape(t("evidence.supports"))
    st.html(f'<div class="tg-line">{against} {cells} {supports}</div>')


def judge(name: str, texts: list[str], occluded: np.ndarray, told: int) -> None:
    """Does the answer hang on the sentence that tells?"""
    strongest = int(np.argmax(abs(occluded)))
    exhibit.claim(
        t("evidence.claim", name=name), strongest <= told,
        t("evidence.found", text=texts[strongest].replace(" ", "␣"), token=strongest,
          nats=float(occluded[strongest]), told=told),
    )  # fmt: skip


main()
