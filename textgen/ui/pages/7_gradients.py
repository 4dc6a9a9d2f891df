"""Gradients: how much of the answer's gradient comes back over the tokens, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_task import Document
from textgen.errors import TextgenError
from textgen.ui import models, page_parts, widgets
from textgen.ui.cached import looks, memory
from textgen.ui.charts import gradients as gradient_charts
from textgen.ui.charts.curves import CELL_COLOURS
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator

FIRST_CELLS = ("LSTM", "GRU", "RNN")
KINDS = ("trained", "untrained")
PLAIN, GATED = "RNN", "LSTM"  # of the two claims
GONE = 1e-3  # a gradient of which less is left at the fact has vanished
NEAR = 2.0  # a way bears a gradient when what it brings is the whole within this factor
REPEATED = (0.9, 1.0, 1.1)


def main() -> None:
    widgets.header("gradients")
    first = st.container()
    # what is plain mathematics waits for no model, and runs again alone
    left, right = st.columns(2, gap="large")
    with left:
        st.fragment(repeated)()
    with right:
        st.fragment(run_away)()
    st.fragment(activations)()
    page_parts.how(t("gradients.how"), t("gradients.source"))
    with first:
        try:
            measured()
        except TextgenError as error:
            widgets.error(error)


# --- measured -------------------------------------------------------------------------------------


def measured() -> None:
    """The gradient of log p(answer) with respect to the state after each token."""
    task, document = page_parts.choose_document()
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    names = st.pills(
        t("remember.models"),
        list(available),
        selection_mode="multi",
        key="cells",
        default=[name for name in available if name in FIRST_CELLS],
        bind="query-params",
        wrap=True,
    )
    if not names:
        return
    words = {
        "step": t("gradients.distance"),
        "value": t("gradients.norm"),
        "name": t("option.cell"),
    }
    generators = {(name, kind): load(available[name], kind) for kind in KINDS for name in names}
    with st.container(key="figure gradients"):
        place = st.empty()
    frames: list[pd.DataFrame] = []
    for (name, kind), generator in generators.items():  # the first look at each takes a second
        told = t(f"gradients.{kind}")
        with st.spinner(t("remember.measuring", name=f"{name}, {told}")):
            frames.append(course(generator, document, name, told))
        if name == names[-1]:
            rows = pd.concat(frames)
            chart = gradient_charts.course(
                rows, words, colours=CELL_COLOURS, reverse=True, height=320
            )
            place.altair_chart(chart, key=f"gradients {kind}")
    trained = {name: generators[name, KINDS[0]] for name in names}
    page_parts.downloads(rows, "gradients", list(trained.values()), "figure gradients")
    if PLAIN in trained:
        vanishes(rows, trained[PLAIN], document)
    ways_back(trained, document)


def load(folder: Path, kind: str) -> Generator:
    return models.load(folder) if kind == "trained" else memory.untrained(folder)


def course(generator: Generator, document: Document, name: str, kind: str) -> pd.DataFrame:
    """Norms for the state that is carried along, C where there is one, by tokens before the
    answer."""
    from textgen.interpret.gradient_flow import norms

    layer = looks.gradients(generator, document).layers[-1]
    part = "C" if "C" in layer else "h"
    found = norms(layer[part])
    steps = np.arange(len(found))[::-1]
    return pd.DataFrame({"step": steps, "value": found, "name": name, "kind": kind, "part": part})


def left_at_fact(norms: np.ndarray, generator: Generator, document: Document) -> float:
    """What is left of a gradient at the end of the sentence that tells."""
    return float(norms[looks.told_at(generator, document)] / norms[-1])


def vanishes(rows: pd.DataFrame, generator: Generator, document: Document) -> None:
    """Judged on the trained model; its untrained twin is told beside it."""
    trained, untrained = (
        left_at_fact(own["value"].to_numpy(), generator, document)
        for _, own in rows[rows["name"] == PLAIN].groupby("kind", sort=False)
    )
    page_parts.claim(
        t("gradients.claim_vanishes"),
        trained < GONE,
        t("gradients.left", trained=trained, untrained=untrained, limit=GONE),
    )


def ways_back(trained: dict[str, Generator], document: Document) -> None:
    """In a gated cell: along the state alone a gradient meets nothing but what the gates keep."""
    from textgen.interpret import KEEP
    from textgen.interpret.gradient_flow import along, norms

    gated = [name for name, generator in trained.items() if generator.config.cell in KEEP]
    if not gated:
        plain = next(iter(trained.values()))
        page_parts.replay_error(looks.trace(plain, looks.blank(plain, document)))
        return
    st.subheader(t("gradients.ways"), anchor=False)
    first = GATED if GATED in gated else gated[0]
    name = first
    if len(gated) > 1:
        name = st.segmented_control(
            t("option.cell"),
            gated,
            default=first,
            required=True,
            key="way",
            bind="query-params",
            label_visibility="collapsed",
        )
    generator = trained[name]
    slopes = looks.gradients(generator, document).layers[-1]
    read = looks.trace(generator, looks.blank(generator, document))
    values = read.layers[-1]
    part = "C" if "C" in slopes else "h"
    keep = KEEP[generator.config.cell](values)
    ways = {
        t("gradients.whole", part=part): norms(slopes[part]),
        t("gradients.along", part=part): norms(along(keep, slopes[part][-1])),
    }
    whole, alone = (left_at_fact(found, generator, document) for found in ways.values())
    if part == "C":
        ways[t("gradients.whole", part="h")] = norms(slopes["h"])
    steps = np.arange(len(keep))[::-1]
    rows = pd.concat(
        pd.DataFrame({"step": steps, "value": found, "name": way, "kind": ""})
        for way, found in ways.items()
    )
    words = {"step": t("gradients.distance"), "value": t("gradients.norm"), "name": " "}
    chart = gradient_charts.course(rows, words, reverse=True, columns=1)
    page_parts.chart(chart, rows, "ways", [generator])
    if name == GATED:
        page_parts.claim(
            t("gradients.claim_survives"),
            whole > GONE and 1 / NEAR < alone / whole < NEAR,
            t("gradients.borne", whole=whole, alone=alone, limit=GONE),
        )
    page_parts.replay_error(read)


# --- the mathematics ------------------------------------------------------------------------------


def repeated() -> None:
    """A factor for each step: the product vanishes, stays or explodes."""
    from textgen.interpret.gradient_flow import powers

    st.subheader(t("gradients.product"), anchor=False)
    factor = st.slider(
        t("gradients.factor"), 0.5, 1.5, 0.8, 0.01, key="factor", bind="query-params"
    )
    steps = st.slider(t("gradients.steps"), 10, 300, 100, 10, key="steps", bind="query-params")
    factors = dict.fromkeys((*REPEATED, factor))
    rows = pd.concat(
        pd.DataFrame(
            {"step": range(steps + 1), "value": powers(f, steps), "name": f"{f:.2f}", "kind": ""}
        )
        for f in factors
    )
    words = {
        "step": t("gradients.steps"),
        "value": t("gradients.of_product"),
        "name": t("gradients.factor"),
    }
    page_parts.chart(gradient_charts.course(rows, words), rows, "factors")
    widgets.facts((f"{f:g}^{steps}", f"{powers(f, steps)[-1]:.2g}") for f in factors)


def activations() -> None:
    """The derivative that every step through an activation multiplies by."""
    from textgen.interpret.gradient_flow import powers, slope

    st.subheader(t("gradients.slopes"), anchor=False)
    at = st.slider(t("gradients.at"), -4.0, 4.0, 0.5, 0.1, key="a", bind="query-params")
    left, right = st.columns(2, gap="large")
    a = np.linspace(-5, 5, 201)
    names = ("tanh", "sigmoid")
    curves = pd.concat(pd.DataFrame({"a": a, "value": slope(n, a), "name": n}) for n in names)
    with left:
        words = {"a": "a", "value": t("gradients.derivative")}
        page_parts.chart(gradient_charts.slopes(curves, at, words), curves, "slopes")
    products = pd.concat(
        pd.DataFrame(
            {
                "step": range(51),
                "value": powers(float(slope(n, np.array([at]))[0]), 50),
                "name": n,
                "kind": "",
            }
        )
        for n in names
    )
    with right:
        words = {"step": t("gradients.steps"), "value": t("gradients.of_product"), "name": " "}
        page_parts.chart(gradient_charts.course(products, words), products, "slope-products")


def run_away() -> None:
    """What relu, which has no ceiling, makes of a recurrence, and what tanh does."""
    from textgen.interpret.gradient_flow import run_free

    st.subheader(t("gradients.relu"), anchor=False)
    norm = st.slider(t("gradients.scale"), 0.8, 1.5, 1.1, 0.01, key="scale", bind="query-params")
    steps = st.slider(t("gradients.steps"), 10, 300, 100, 10, key="run", bind="query-params")
    found = {name: run_free(name, norm, steps) for name in ("relu", "tanh")}
    rows = pd.concat(
        pd.DataFrame({"step": range(steps + 1), "value": values, "name": name, "kind": ""})
        for name, values in found.items()
    )
    words = {"step": t("gradients.steps"), "value": "|h|", "name": " "}
    page_parts.chart(gradient_charts.course(rows, words), rows, "relu")
    widgets.facts((name, f"|h| {values[-1]:.3g}") for name, values in found.items())


main()
