"""Gradients: how much of the answer's gradient comes back over the tokens, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.token_positions import fact_end
from textgen.errors import TextgenError
from textgen.ui import cached, figures, page_parts, passages, widgets
from textgen.ui.charts import gradients as gradient_charts
from textgen.ui.charts.curves import model_colours
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model

FIRST_CELLS = ("RNN", "LSTM", "GRU")
PLAIN, GATED = "RNN", "LSTM"  # the cells of the two claims
REPEATED = (0.9, 1.0, 1.1)
SECTIONS = ("measured", "products", "slopes")  # two of them are named as the stations there
AT_FIRST = 500  # characters; over fewer a plain recurrence may still bring some of it back


def main() -> None:
    widgets.header("gradients", own=passages.own_text_asked())
    # a station that is about the mathematics has it before all else
    asked = st.query_params.get("station")
    places = {name: st.container() for name in sorted(SECTIONS, key=lambda name: name != asked)}
    # what is plain mathematics waits for no model, and runs again alone
    left, right = places["products"].columns(2, gap="large")
    with left:
        st.fragment(repeated)()
    with right:
        st.fragment(run_away)()
    with places["slopes"]:
        st.fragment(activations)()
    page_parts.how(t("gradients.how"), t("gradients.source"))
    with places["measured"]:
        try:
            measured()
        except TextgenError as error:
            widgets.error(error)


# --- measured -------------------------------------------------------------------------------------


def measured() -> None:
    """The gradient of log p(answer) with respect to the state after each token."""
    if passages.own_text():
        trained = passages.choose_models()
        if not trained:
            return
        first = next(iter(trained.values()))
        document, _ = passages.choose_goal(first, passages.choose_text(first))
    else:
        task, document = page_parts.choose_document(AT_FIRST)
        trained = page_parts.choose_models(task, FIRST_CELLS)
        if not trained:
            return
    words = {
        "step": t("gradients.distance"),
        "value": t("gradients.norm"),
        "name": t("option.cell"),
    }
    drawn = {"trained": trained}
    if st.toggle(t("remember.twins"), key="twins", bind="query-params"):
        drawn["untrained"] = {name: cached.untrained(model) for name, model in trained.items()}
    colours = model_colours(list(trained))
    with st.container(key="figure gradients"):
        place = st.empty()
    frames: list[pd.DataFrame] = []
    for kind, compared in drawn.items():  # the first look at each takes a second
        for name, model in compared.items():
            label = t(f"gradients.{kind}")
            with st.spinner(t("remember.measuring", name=f"{name}, {label}")):
                frames.append(course(model, document, name, label))
        rows = pd.concat(frames)
        chart = gradient_charts.course(rows, words, colours=colours, reverse=True, height=400)
        place.altair_chart(chart, key=f"gradients {kind}")
    read = [model for compared in drawn.values() for model in compared.values()]
    figures.saved(rows, "gradients", figures.origin(document, *read))
    if PLAIN in trained and not passages.is_own(document):
        vanishes(trained[PLAIN], cached.untrained(trained[PLAIN]), document)
    ways_back(trained, document)


def course(model: Model, document: Document, name: str, kind: str) -> pd.DataFrame:
    """Lengths of the gradient with respect to the part of the state that is carried along, by
    tokens before the answer."""
    from textgen.interpret.gradient_flow import carried_part, norms

    layer = cached.gradients(model, document).layers[-1]
    part = carried_part(layer)
    values = norms(layer[part])
    steps = np.arange(len(values))[::-1]
    return pd.DataFrame({"step": steps, "value": values, "name": name, "kind": kind, "part": part})


def vanishes(trained: Model, untrained: Model, document: Document) -> None:
    """What is left of the gradient at the fact: judged on the trained model, and measured on the
    untrained one beside it."""
    from textgen.interpret.gradient_flow import carried_part, norms
    from textgen.interpret.verdicts import VANISHED, Vanishes, share_left

    fact = fact_end(trained.tokenizer, document)
    h = cached.trace_document(untrained, document).layers[-1]["h"][fact:]
    shares = []
    for model in (trained, untrained):
        layer = cached.gradients(model, document).layers[-1]
        shares.append(share_left(norms(layer[carried_part(layer)]), fact))
    verdict = Vanishes(*shares)
    page_parts.claim(
        t("gradients.claim_vanishes"),
        verdict.verdict,
        t(
            "gradients.left",
            trained=left(verdict.trained),
            untrained=left(verdict.untrained),
            limit=VANISHED,
            steps=len(h) - 1,
            slope=float(np.mean(1 - h**2)),
        ),
    )


def left(share: float) -> str:
    """A share in words: one of 0 was too small for float64 to hold."""
    return widgets.power(share) if share else t("gradients.underflow")


def ways_back(trained: dict[str, Model], document: Document) -> None:
    """In a gated cell: along the state alone a gradient meets nothing but what the gates keep."""
    from textgen.interpret.gradient_flow import ways_back
    from textgen.interpret.verdicts import VANISHED, SurvivesAlongState, share_left

    gated = [name for name, model in trained.items() if model.network.cell.flow]
    if not gated:
        page_parts.replay_error(cached.trace_document(next(iter(trained.values())), document))
        return
    st.subheader(t("gradients.ways"), anchor=False)
    name = choose_gated(gated)
    model = trained[name]
    trace = cached.trace_document(model, document)
    keep = np.asarray(model.network.cell.retained(trace.layers[-1]))
    ways = ways_back(cached.gradients(model, document).layers[-1], keep)
    courses = {
        t("gradients.whole", part=ways.part): ways.whole,
        t("gradients.along", part=ways.part): ways.alone,
    }
    if ways.output is not None:
        courses[t("gradients.whole", part="h")] = ways.output
    steps = np.arange(len(ways.whole))[::-1]
    rows = pd.concat(
        pd.DataFrame({"step": steps, "value": values, "name": way, "kind": ""})
        for way, values in courses.items()
    )
    words = {"step": t("gradients.distance"), "value": t("gradients.norm"), "name": " "}
    chart = gradient_charts.course(rows, words, reverse=True, columns=1)
    figures.chart(chart, rows, "ways", figures.origin(document, model))
    if name == GATED:
        fact = fact_end(model.tokenizer, document)
        verdict = SurvivesAlongState(share_left(ways.whole, fact), share_left(ways.alone, fact))
        page_parts.claim(
            t("gradients.claim_survives"),
            verdict.verdict,
            t("gradients.borne", whole=verdict.whole, alone=verdict.alone, limit=VANISHED),
        )
    page_parts.replay_error(trace)


def choose_gated(names: list[str]) -> str:
    """One of the gated cells; no question where there is but one."""
    first = GATED if GATED in names else names[0]
    if len(names) == 1:
        return first
    return widgets.one_of(t("option.cell"), names, first, "way", label_visibility="collapsed")


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
    figures.chart(gradient_charts.course(rows, words), rows, "factors")
    widgets.facts((widgets.raised(f, steps), widgets.number(powers(f, steps)[-1])) for f in factors)


def activations() -> None:
    """The activations, and the derivative that every step through one multiplies by."""
    from textgen.cells.array_functions import ACTIVATIONS
    from textgen.interpret.gradient_flow import powers, slope

    st.subheader(t("gradients.slopes"), anchor=False)
    at = st.slider(t("gradients.at"), -4.0, 4.0, 0.5, 0.1, key="a", bind="query-params")
    a = np.linspace(-5, 5, 201)
    names = {name: t(f"activation.{name}") for name in ("tanh", "sigmoid", "relu")}
    here = {name: float(slope(name, np.array([at]))[0]) for name in names}
    value, derivative, product = st.columns(3, gap="medium")
    for place, key, function in (
        (value, "value", lambda name, x: np.asarray(ACTIVATIONS[name](x))),
        (derivative, "derivative", slope),
    ):
        rows = pd.concat(
            pd.DataFrame({"a": a, "value": function(name, a), "name": word})
            for name, word in names.items()
        )
        with place:
            figure = gradient_charts.over_a(rows, at, {"a": "a", "value": t(f"gradients.{key}")})
            figures.chart(figure, rows, f"{key}-of-a")
    steps = pd.concat(
        pd.DataFrame({"step": range(51), "value": powers(share, 50), "name": names[n], "kind": ""})
        for n, share in here.items()
    )
    with product:
        words = {"step": t("gradients.steps"), "value": t("gradients.of_product"), "name": " "}
        figures.chart(gradient_charts.course(steps, words), steps, "slope-products")
    widgets.facts(
        (t("gradients.slope_at", name=names[name], a=f"{at:.1f}"), f"{share:.2f}")
        for name, share in here.items()
    )


def run_away() -> None:
    """What relu, which has no ceiling, makes of a recurrence, and what tanh does."""
    from textgen.interpret.gradient_flow import run_free

    st.subheader(t("gradients.relu"), anchor=False)
    norm = st.slider(t("gradients.scale"), 0.8, 1.5, 1.1, 0.01, key="scale", bind="query-params")
    steps = st.slider(t("gradients.steps"), 10, 300, 100, 10, key="run", bind="query-params")
    lengths = {t(f"activation.{name}"): run_free(name, norm, steps) for name in ("relu", "tanh")}
    rows = pd.concat(
        pd.DataFrame({"step": range(steps + 1), "value": values, "name": name, "kind": ""})
        for name, values in lengths.items()
    )
    words = {"step": t("gradients.steps"), "value": "|h|", "name": " "}
    figures.chart(gradient_charts.course(rows, words), rows, "relu")
    widgets.facts((name, f"|h| {widgets.number(values[-1])}") for name, values in lengths.items())


main()
