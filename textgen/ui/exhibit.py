"""What every exhibit has: a model and a document to look at, a claim with its verdict, how the
figure is computed, and the figure to take away."""

from __future__ import annotations

import html
import random
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd
import streamlit as st

from textgen.documents import SHIPPED, Document, Task, Writer, read_task
from textgen.ui import models, widgets
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.generate import Generator

state = st.session_state
FIRST = "LSTM"
NEAREST, FARTHEST, AT_FIRST = 20, 1500, 150  # characters from fact to answer


# --- what is looked at ----------------------------------------------------------------------------


def choose() -> tuple[Generator, Task, Document] | None:
    """One model that was trained on the task of the page's language, and a document of it."""
    task = the_task()
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    if not available:
        st.info(t("exhibit.no_model", task=widgets.plain(task.path.name)))
        return None
    if state.get("model") not in available:
        state.pop("model", None)
    name = st.segmented_control(
        t("write.model"), list(available), default=FIRST if FIRST in available else None,
        required=True, key="model", bind="query-params",
    )  # fmt: skip
    task, document = choose_document()
    return models.load(available[name or next(iter(available))]), task, document


def choose_document() -> tuple[Task, Document]:
    """A document on filler that no model was trained on; each control lives in the address."""
    task = the_task()
    for key, allowed in (("fact", task.facts), ("variant", task.variants)):
        if state.get(key) not in allowed:
            state.pop(key, None)
    left, middle, right = st.columns([2, 3, 2], vertical_alignment="bottom", gap="medium")
    fact = left.selectbox(t("remember.fact"), task.facts, key="fact", bind="query-params")
    distance = middle.slider(
        t("remember.distance"), NEAREST, FARTHEST, AT_FIRST, 10, key="distance",
        bind="query-params",
    )  # fmt: skip
    kind = right.selectbox(
        t("remember.variant"), task.variants, key="variant", bind="query-params",
        format_func=lambda v: t(f"variant.{v}"),
    )  # fmt: skip
    seed = st.query_params.get("filler", "1")
    st.button(t("remember.refill"), on_click=refill, icon=":material/shuffle:", type="tertiary")
    return task, Writer(task, ("filler",)).write(random.Random(seed), fact, distance, kind)


def the_task() -> Task:
    """The shipped one in the page's language."""
    return read_task(SHIPPED / f"speaker-{language()}.toml")


def refill() -> None:
    st.query_params["filler"] = str(secrets.randbits(31))


# --- what is said of it ---------------------------------------------------------------------------


def claim(text: str, holds: bool, measured: str) -> None:
    """A sentence of the lesson, whether it holds, and the measurement that says so."""
    kind, mark = ("holds", "✓") if holds else ("fails", "✗")
    st.html(
        f'<div class="tg-claim tg-{kind}"><p>{html.escape(text)}</p>'
        f"<p><b>{mark} {html.escape(t(f'exhibit.{kind}'))}</b> {html.escape(measured)}</p></div>"
    )


def how(text: str, source: str) -> None:
    """How it is computed, folded away."""
    with st.expander(t("exhibit.how")):
        words, where = html.escape(text), html.escape(source)
        st.html(f'<p class="tg-intro">{words}</p><p><small>{where}</small></p>')


# --- the figure -----------------------------------------------------------------------------------


def chart(
    figure: alt.LayerChart,
    rows: pd.DataFrame,
    name: str,
    generators: Generator | Sequence[Generator] = (),
) -> None:
    """A figure and its downloads."""
    st.altair_chart(figure, key=name)
    downloads(rows, name, generators)


def downloads(
    rows: pd.DataFrame, name: str, generators: Generator | Sequence[Generator] = ()
) -> None:
    """The numbers as CSV (the menu of a figure saves it as PNG and SVG), and whose they are."""
    found = generators if isinstance(generators, Sequence) else [generators]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV", rows.to_csv(index=False), f"{name}.csv", "text/csv", key=f"csv {name}",
            type="tertiary", icon=":material/download:",
        )  # fmt: skip
        if found:
            st.caption(widgets.plain(", ".join(f"{g.name} {g.hash}" for g in found)))
