"""Gates: every unit at every token, sorted; which gates are stuck, and how long units remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_task import Document, Task
from textgen.errors import TextgenError
from textgen.ui import page_parts, widgets
from textgen.ui.cached import looks
from textgen.ui.charts import gates as gate_charts
from textgen.ui.components.token_figure import Scale, token_figure
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator
    from textgen.interpret import Trace

state = st.session_state
SORTS = ("effect", "peak", "time")
MOST_OF = 0.5  # the share of the effect that must lie with the units that keep


def main() -> None:
    widgets.header("gates")
    try:
        chosen = page_parts.choose()
        if chosen is not None:
            look(*chosen)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("gates.how"), t("gates.source"))


def look(generator: Generator, task: Task, document: Document) -> None:
    ids = looks.blank(generator, document)
    read = looks.trace(generator, ids)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(generator)
        values = read.layers[layer]
        name = choose_value(generator, values)
        effects = looks.effects(generator, document, layer)
        order = choose_order(generator, values, name, effects)
    pinned = page_parts.pinned(default=str(page_parts.keepers(generator, task, document, layer)[0]))
    heat_map(generator, document, read, layer, name, order, pinned)
    one_unit(generator, document, read, layer, pinned.row)
    page_parts.replay_error(read)
    if page_parts.gates_of(generator):
        keeping(generator, document, values, effects, pinned.row)
    else:
        widgets.line([t("gates.none", cell=generator.config.cell)])


def choose_value(generator: Generator, values: dict[str, np.ndarray]) -> str:
    """The gates of the cell, then what they work on."""
    gates = page_parts.gates_of(generator)
    names = [*gates, *(name for name in values if name not in gates)]
    if state.get("value") not in names:
        state.pop("value", None)
    return str(
        st.segmented_control(
            t("gates.value"),
            names,
            default=names[0],
            required=True,
            key="value",
            bind="query-params",
            format_func=lambda name: page_parts.symbol(generator, name),
        )
    )


def choose_order(
    generator: Generator, values: dict[str, np.ndarray], name: str, effects: np.ndarray
) -> np.ndarray:
    """The units, first come first."""
    sorts = SORTS if page_parts.gates_of(generator) else SORTS[:2]
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
        return np.argsort(-looks.time_scales(generator, values), kind="stable")
    return np.argsort(-abs(effects), kind="stable")


def heat_map(
    generator: Generator,
    document: Document,
    read: Trace,
    layer: int,
    name: str,
    order: np.ndarray,
    pinned: page_parts.Pin,
) -> None:
    found = read.layers[layer][name]
    tokens = looks.texts(generator, document)
    token_figure(
        tokens,
        found[:, order].T,
        [str(unit) for unit in order],
        [page_parts.scale_of(generator, name, found)],
        key="heat-map",
        title=t("gates.map", name=page_parts.symbol(generator, name)),
        caption=page_parts.origin(generator, tokens),
        value_word=page_parts.symbol(generator, name),
        row_word=t("step.unit"),
        pinned=pinned,
        on_pin=page_parts.pin,
        marks=page_parts.marks(generator, document),
        rest=document.answer + document.ending,
    )
    page_parts.downloads(
        pd.DataFrame(found[:, order], columns=order).assign(text=tokens), f"gates-{name}", generator
    )


def one_unit(
    generator: Generator, document: Document, read: Trace, layer: int, unit: str | None
) -> None:
    """All values of the pinned unit, one below the other."""
    if unit is None:
        return
    values = {name: found[:, int(unit)] for name, found in read.layers[layer].items()}
    gates = page_parts.gates_of(generator)
    rest = np.concatenate([v for name, v in values.items() if name not in gates])
    end = min(page_parts.most(rest), page_parts.SATURATED)
    scales: list[Scale] = [Scale("signed", t("gates.signed", most=end), end)]
    if gates:
        scales = [page_parts.scale_of(generator, gates[0], rest), *scales]
    tokens = looks.texts(generator, document)
    token_figure(
        tokens,
        np.stack(list(values.values())),
        [page_parts.symbol(generator, name) for name in values],
        scales,
        scale_of=[0 if name in gates else len(scales) - 1 for name in values],
        key="one-unit",
        title=t("gates.one", unit=unit),
        caption=page_parts.origin(generator, tokens),
        value_word="",
        strip=False,
        pinned=page_parts.Pin(None, page_parts.pinned().token),
        on_pin=lambda pin: page_parts.pin(page_parts.Pin(unit, pin.token)),
        marks=page_parts.marks(generator, document),
    )
    page_parts.downloads(pd.DataFrame({"text": tokens} | values), f"unit-{unit}", generator)


def keeping(
    generator: Generator,
    document: Document,
    values: dict[str, np.ndarray],
    effects: np.ndarray,
    unit: str | None,
) -> None:
    """Which gates are stuck, how long units remember, and whether the answer lies with those that
    do."""
    from textgen.interpret import saturation

    left, right = st.columns(2, gap="large")
    points = []
    for gate in page_parts.gates_of(generator):
        below, above = saturation(values[gate])
        units = [str(k) for k in range(len(below))]
        points.append(pd.DataFrame({"unit": units, "gate": gate, "left": below, "right": above}))
    stuck = pd.concat(points)
    words = {name: t(f"gates.{name}") for name in ("left", "right", "gate", "time", "effect")}
    words["unit"] = t("step.unit")
    with left:
        st.subheader(t("gates.saturation"), anchor=False)
        page_parts.chart(gate_charts.saturation(stuck, unit, words), stuck, "saturation", generator)
    steps = len(next(iter(values.values()))) - 1 - looks.told_at(generator, document)
    kept = pd.DataFrame(
        {"unit": units, "time": looks.time_scales(generator, values), "effect": abs(effects)}
    )
    words["distance"] = t("gates.distance", tokens=steps)
    with right:
        st.subheader(t("gates.times"), anchor=False)
        page_parts.chart(
            gate_charts.times(kept, steps, unit, words), kept, "time-scales", generator
        )
    long = kept["time"] >= steps
    share = float(kept["effect"][long].sum() / kept["effect"].sum())
    page_parts.claim(
        t("gates.claim"),
        share > MOST_OF,
        t("gates.found", long=int(long.sum()), units=len(kept), tokens=steps, share=share),
    )


main()
