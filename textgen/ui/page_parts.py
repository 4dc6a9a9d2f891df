"""What every exhibit has: a model and a document to look at, a claim with its verdict, how the
figure is computed, and the figure to take away."""

from __future__ import annotations

import html
import random
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.data.recall_task import Document, Task, Writer, read_task
from textgen.ui import models, widgets
from textgen.ui.cached import looks
from textgen.ui.charts import step as step_charts
from textgen.ui.components.chart_saver import chart_saver
from textgen.ui.components.token_figure import Pin, Scale
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator
    from textgen.interpret import Trace

state = st.session_state
FIRST = "LSTM"
NEAREST, FARTHEST, AT_FIRST = 20, 1500, 150  # characters from fact to answer
TOLERANCE = 1e-5  # of a replay
ANSWERS = 6  # shown
SATURATED = 3.0  # where tanh is nearly 1


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
        t("write.model"),
        list(available),
        default=FIRST if FIRST in available else None,
        required=True,
        key="model",
        bind="query-params",
    )
    task, document = choose_document()
    return models.load(available[name or next(iter(available))]), task, document


def choose_document() -> tuple[Task, Document]:
    """A document on filler that no model was trained on; each control lives in the address."""
    task = the_task()
    if state.get("fact") not in task.facts:
        state.pop("fact", None)
    left, middle, right, last = st.columns([2, 3, 2, 2], vertical_alignment="bottom", gap="medium")
    fact = left.selectbox(t("remember.fact"), task.facts, key="fact", bind="query-params")
    middle.slider(
        t("remember.distance"),
        NEAREST,
        FARTHEST,
        AT_FIRST,
        10,
        key="distance",
        bind="query-params",
    )
    widgets.worded(
        right.selectbox,
        t("remember.variant"),
        task.variants,
        "variant",
        lambda v: t(f"variant.{v}"),
    )
    last.button(t("remember.refill"), on_click=refill, icon=":material/shuffle:", type="tertiary")
    return task, written(task, fact)


def written(task: Task, fact: str) -> Document:
    """The chosen document with this fact: the same filler and wording for every fact."""
    seed = st.query_params.get("filler", "1")
    return Writer(task, ("filler",)).write(random.Random(seed), fact, distance(), variant())


def keepers(generator: Generator, task: Task, document: Document, layer: int) -> np.ndarray:
    """The units of a layer [U], first the one that most tells this document from those with the
    same filler and any fact."""
    every = tuple(written(task, fact) for fact in task.facts)
    return np.argsort(-abs(looks.told_apart(generator, task, document, every, layer)))


def distance() -> int:
    return int(state["distance"])


def variant() -> str:
    return str(state["variant"])


def the_task() -> Task:
    """The shipped one in the page's language."""
    return read_task(shipped.TASKS / f"speaker-{language()}.toml")


def refill() -> None:
    st.query_params["filler"] = str(secrets.randbits(31))


def choose_layer(generator: Generator) -> int:
    """From 0; of a model with one layer nothing is asked."""
    layers = generator.config.num_layers
    if layers == 1:
        return 0
    numbers = [str(k + 1) for k in range(layers)]
    return (
        int(st.selectbox(t("step.layer"), numbers, key="layer", bind="query-params", width=90)) - 1
    )


def gates_of(generator: Generator) -> tuple[str, ...]:
    from textgen.interpret import GATES

    return GATES[generator.config.cell]


# --- a cell of a figure that is pinned, kept in the address ---------------------------------------

UNPINNED = "none"


def pinned(default: str | None = None) -> Pin:
    """(unit, token) of the address; `default` is the unit of an address that names none."""
    unit = st.query_params.get("unit", default)
    token = st.query_params.get("token", "")
    return Pin(
        unit if unit is not None and unit.isdigit() else None,
        int(token) if token.isdigit() else None,
    )


def pin(found: Pin) -> None:
    st.query_params["unit"] = UNPINNED if found.row is None else found.row
    pin_token(found)


def pin_token(found: Pin) -> None:
    if found.token is None:
        st.query_params.pop("token", None)
    else:
        st.query_params["token"] = str(found.token)


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


def replay_error(*traces: Trace) -> None:
    """How close what is shown comes to what the trained layers compute."""
    error = max(read.error for read in traces)
    mark = "✓" if error < TOLERANCE else "✗"
    widgets.line([f"{mark} {t('exhibit.replay', error=error, limit=TOLERANCE)}"])


# --- the figure -----------------------------------------------------------------------------------


def chart(
    figure: alt.LayerChart,
    rows: pd.DataFrame,
    name: str,
    generators: Generator | Sequence[Generator] = (),
) -> None:
    """A figure and its downloads."""
    with st.container(key=f"figure {name}"):
        st.altair_chart(figure, key=name)
    downloads(rows, name, generators, f"figure {name}")


def downloads(
    rows: pd.DataFrame,
    name: str,
    generators: Generator | Sequence[Generator] = (),
    drawn: str = "",
) -> None:
    """The numbers as CSV, the chart in the container `drawn` as SVG and PNG, and whose they are."""
    found = generators if isinstance(generators, Sequence) else [generators]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV",
            rows.to_csv(index=False),
            f"{name}.csv",
            "text/csv",
            key=f"csv {name}",
            type="tertiary",
            icon=":material/download:",
        )
        if drawn:
            chart_saver(drawn, name)
        if found:
            st.caption(widgets.plain(", ".join(f"{g.name} {g.hash}" for g in found)))


def symbol(generator: Generator, name: str) -> str:
    """How the equations write a value: the candidate as what it may become."""
    return generator.model.recurrent[0].STATE[-1] + "\u0303" if name == "c" else name


def most(values: np.ndarray) -> float:
    """The end of a scale for these: their largest size, of two figures."""
    return float(f"{max(float(abs(values).max()), 0.01):.1e}")


def scale_of(generator: Generator, name: str, values: np.ndarray) -> Scale:
    """A gate from 0 to 1, anything else about zero; C only as far as tanh(C) still grows."""
    if name in gates_of(generator):
        return Scale("share", t("gates.share"))
    end = most(values)
    if name == "C" and end > SATURATED:
        return Scale("signed", t("gates.clipped", most=SATURATED), SATURATED)
    return Scale("signed", symbol(generator, name), end)


def origin(generator: Generator, tokens: Sequence[str]) -> str:
    """Whose figure it is."""
    return f"{generator.name} {generator.hash} · {t('exhibit.tokens', n=len(tokens))}"


def marks(generator: Generator, document: Document) -> list[tuple[int, str]]:
    """Where the sentence that tells ends."""
    return [(looks.told_at(generator, document), t("exhibit.told"))]


def answers(
    generator: Generator,
    name: str,
    before: dict[str, float],
    after: dict[str, float] | None = None,
    changed: str = "",
) -> None:
    """The likeliest answers, as read and, where something was changed, as `changed`."""
    words = {"before": t("step.before"), "after": changed, "share": t("remember.share")}
    frame = pd.DataFrame({"answer": before.keys(), "before": before.values()})
    if after is not None:
        frame["after"] = after.values()
    shown = list(frame.columns[1:])
    frame = frame.loc[frame[shown].max(axis=1).sort_values(ascending=False).index[:ANSWERS]]
    long = frame.melt("answer", shown, "kind", "share").replace({"kind": words})
    chart(step_charts.answers(long, words), long, name, generator)
