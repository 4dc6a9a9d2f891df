"""Gates: every unit at every token, sorted; which gates are stuck, and how long units remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end
from textgen.errors import TextgenError
from textgen.interpret.lesson import facts_in_order
from textgen.ui import cached, figures, page_parts, passages, widgets
from textgen.ui.charts import gates as gate_charts
from textgen.ui.components.token_figure import Scale, token_figure
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.interpret import Trace

SORTS = ("need", "peak", "time")
SHOWN = ("few", "all")
FEW = 5  # units
OVERLAID = 3  # facts


def main() -> None:
    widgets.header("gates")
    try:
        chosen = page_parts.choose()
        if chosen is not None:
            look(*chosen)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("gates.how"), t("gates.source"))


def look(model: Model, task: Task | None, document: Document) -> None:
    """Every unit at every token, one unit in full, and what the gates keep."""
    trace = cached.trace_document(model, document)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(model)
        values = trace.layers[layer]
        name = choose_value(model, values)
        ranked = cached.units_by_need(model, task, document, layer)
        order = choose_order(model, values, name, ranked)
        few = widgets.worded(
            st.segmented_control,
            t("gates.shown"),
            SHOWN,
            "units",
            lambda s: t(f"gates.{s}"),
            required=True,
        )
    pinned = page_parts.pinned(len(values[name]), len(order), int(ranked[0]))
    if few == "few":
        kept = {*ranked[:FEW].tolist(), *([int(pinned.row)] if pinned.row else [])}
        order = np.array([unit for unit in order if unit in kept])
    beside = passages.choose_beside(model)
    forgets_by = model.network.cell.forgets_by
    if task is not None and forgets_by == (name, 0.0):
        st.caption(t("gates.see_gate", gate=name))
    heat_map(model, document, trace, layer, name, order, pinned)
    page_parts.note_need(model)
    if len(values[name]) > cached.LATE and passages.is_own(document):
        widgets.line([t("parts.late", n=cached.LATE)])
    if beside is not None:
        other = cached.trace_document(beside, document)
        heat_map(beside, document, other, layer, name, order, pinned, "-beside")
    one_unit(model, document, trace, layer, pinned)
    if task is not None and pinned.row is not None:
        overlaid(model, task, document, layer, int(pinned.row))
    page_parts.replay_error(trace)
    is_long = passages.is_own(document) and len(values[name]) > cached.LATE
    if not page_parts.gates_of(model):
        widgets.line([t("gates.none", cell=model.config.cell)])
    # of a long text it takes seconds to silence every unit
    elif not is_long or st.toggle(t("gates.keeping"), key="keeping", bind="query-params"):
        keeping(model, document, values, cached.effects(model, document, layer), pinned.row)


def choose_value(model: Model, values: dict[str, Array]) -> str:
    """The gates of the cell, then what they work on."""
    gates = page_parts.gates_of(model)
    names = [*gates, *(name for name in values if name not in gates)]
    return widgets.one_of(
        t("gates.value"),
        names,
        names[0],
        "value",
        format_func=lambda name: figures.symbol(model, name),
    )


def choose_order(model: Model, values: dict[str, Array], name: str, ranked: Array) -> Array:
    """The units, in the order of the chosen sort, at first that of `units_by_need`."""
    sorts = SORTS if page_parts.gates_of(model) else SORTS[:2]
    by = widgets.worded(
        st.segmented_control,
        t("gates.sort"),
        sorts,
        "sort",
        lambda s: t(f"gates_sort.{s}"),
        required=True,
    )
    if by == "peak":
        return np.argsort(abs(values[name]).argmax(0), kind="stable")
    if by == "time":
        return np.argsort(-page_parts.time_scales(model, values), kind="stable")
    return ranked


def heat_map(
    model: Model,
    document: Document,
    trace: Trace,
    layer: int,
    name: str,
    order: Array,
    pinned: page_parts.Pin,
    mark: str = "",
) -> None:
    """One value of all units, a row each. mark: what sets a second map apart."""
    values = trace.layers[layer][name]
    tokens = page_parts.tokens(model, document)
    symbol, number = figures.symbol(model, name), len(order)
    title = t("gates.map", name=symbol)
    if number < model.config.hidden_size:
        title = t("gates.map_few", name=symbol, n=number)
    token_figure(
        tokens,
        values[:, order].T,
        [str(unit) for unit in order],
        [figures.scale_of(model, name, values)],
        key=f"heat-map{mark}",
        title=f"{title} · {model.name}",
        caption=figures.origin(document, model),
        value_word=symbol,
        row_word=t("step.unit"),
        pinned=pinned,
        on_pin=page_parts.pin,
        marks=figures.marks(model, document),
        rest=document.answer + document.ending,
    )
    rows = pd.DataFrame(values[:, order], columns=order).assign(text=tokens)
    figures.downloads(rows, f"gates-{name}{mark}", figures.origin(document, model))


def one_unit(
    model: Model, document: Document, trace: Trace, layer: int, pinned: page_parts.Pin
) -> None:
    """All values of the pinned unit, one below the other."""
    unit = pinned.row
    if unit is None:
        return
    if not passages.is_own(document):
        st.caption(t("gates.see"))
    values = {name: course[:, int(unit)] for name, course in trace.layers[layer].items()}
    gates = page_parts.gates_of(model)
    ungated = np.concatenate([v for name, v in values.items() if name not in gates])
    end = min(figures.scale_end(ungated), figures.SATURATED)
    scales: list[Scale] = [Scale("signed", t("gates.signed", limit=end), end)]
    if gates:
        scales = [figures.scale_of(model, gates[0], ungated), *scales]
    tokens = page_parts.tokens(model, document)
    token_figure(
        tokens,
        np.stack(list(values.values())),
        [figures.symbol(model, name) for name in values],
        scales,
        scale_of=[0 if name in gates else len(scales) - 1 for name in values],
        key="one-unit",
        title=t("gates.one", unit=unit),
        caption=figures.origin(document, model),
        value_word="",
        strip=False,
        pinned=page_parts.Pin(None, pinned.token),
        on_pin=lambda pin: page_parts.pin(page_parts.Pin(unit, pin.token)),
        marks=figures.marks(model, document),
    )
    rows = pd.DataFrame({"text": tokens} | values)
    figures.downloads(rows, f"unit-{unit}", figures.origin(document, model))


def overlaid(model: Model, task: Task, document: Document, layer: int, unit: int) -> None:
    """The state of a unit in texts that differ in the fact alone, one line each."""
    others = [page_parts.document_with(task, fact) for fact in facts_in_order(task)]
    alike = cached.of_one_length(model, task, document, others)[: OVERLAID - 1]
    parts = model.network.cell.state_names[::-1]  # what is carried first, then what is shown
    rows = pd.concat(
        pd.DataFrame({"fact": text.fact, "part": part, "value": values[part][:, unit]})
        .rename_axis("token")
        .reset_index()
        for text in (document, *alike)
        for values in [cached.trace_document(model, text).layers[layer]]
        for part in parts
    )
    st.subheader(t("gates.overlaid", unit=unit), anchor=False)
    st.caption(t("gates.overlaid_see"))
    told = fact_end(model.tokenizer, document)
    words = {"token": t("figure.token"), "fact": t("remember.fact"), "told": t("parts.fact_end")}
    for part in parts:
        figure = gate_charts.overlaid(rows[rows["part"] == part], part, told, words)
        origin = figures.origin(document, model)
        figures.chart(figure, rows[rows["part"] == part], f"overlaid-{part}", origin)


def keeping(
    model: Model,
    document: Document,
    values: dict[str, Array],
    effects: Array,
    unit: str | None,
) -> None:
    """Which gates are stuck, how long units remember, and whether the answer lies with those that
    do."""
    from textgen.interpret import saturation
    from textgen.interpret.verdicts import DEVIATIONS, Verdict, kept_by_gates

    origin = figures.origin(document, model)
    left, right = st.columns(2, gap="large")
    units = [str(k) for k in range(len(effects))]
    points = []
    for gate in page_parts.gates_of(model):
        below, above = saturation(values[gate])
        points.append(pd.DataFrame({"unit": units, "gate": gate, "left": below, "right": above}))
    stuck = pd.concat(points)
    words = {name: t(f"gates.{name}") for name in ("left", "right", "gate", "time", "effect")}
    words["unit"] = t("step.unit")
    with left:
        st.subheader(t("gates.saturation"), anchor=False)
        figure = gate_charts.saturation(stuck, unit, words)
        figures.chart(figure, stuck, "saturation", origin)
    times = page_parts.time_scales(model, values)
    tokens = len(next(iter(values.values()))) - 1
    if not passages.is_own(document):
        tokens -= fact_end(model.tokenizer, document)
    rows = pd.DataFrame({"unit": units, "time": times, "effect": abs(effects)})
    begin = "gates.beginning" if passages.is_own(document) else "gates.distance"
    words["distance"] = t(begin, tokens=tokens)
    with right:
        st.subheader(t("gates.times"), anchor=False)
        figure = gate_charts.times(rows, tokens, unit, words)
        figures.chart(figure, rows, "time-scales", origin)
        widgets.line([t("gates.silenced")])
    if passages.is_own(document):
        widgets.line([t("parts.no_fact")])
        return
    verdict = kept_by_gates(times, effects, tokens)
    page_parts.claim(
        t("gates.claim"),
        verdict.verdict,
        t(
            "gates.measured",
            keeping=verdict.keeping,
            units=verdict.units,
            tokens=verdict.tokens,
            share=verdict.share,
            chance=verdict.chance,
            low=max(verdict.chance - DEVIATIONS * verdict.deviation, 0),
            high=min(verdict.chance + DEVIATIONS * verdict.deviation, 1),
        ),
    )
    if verdict.verdict is Verdict.FAILS:
        widgets.line([t("gates.fails_means")])


main()
