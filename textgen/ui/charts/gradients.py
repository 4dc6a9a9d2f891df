"""Charts of the page Gradients: products with a factor for each step, and measured gradients."""

from __future__ import annotations

import json

import altair as alt
import numpy as np
import pandas as pd

from textgen.arrays import Array
from textgen.ui.charts.curves import COLOURS, DASHES, ink
from textgen.ui.widgets import raised

TICKS = 7


def powers_of_ten(values: Array) -> list[float]:
    """Few, evenly spaced, 1 among them, from the least of `values` to the greatest."""
    low, high = int(np.floor(np.log10(values.min()))), int(np.ceil(np.log10(values.max())))
    step = max(1, -(-(high - low) // TICKS))
    return [10.0**k for k in range(low - low % step, high + 1, step)]


def powers_axis(values: Array) -> alt.Axis:
    """`powers_of_ten`, written as such: 1, 10, 10⁻³⁰."""
    ticks = powers_of_ten(values)
    shown = {0: "1", 1: "10"}
    exponents = [round(np.log10(tick)) for tick in ticks]
    # as d3 writes them -> as we do
    words = {f"1e{k:+d}": shown.get(k) or raised(10, k) for k in exponents}
    label = f"{json.dumps(words, ensure_ascii=False)}[format(datum.value, '.0e')]"
    return alt.Axis(values=ticks, labelExpr=label)


def course(
    rows: pd.DataFrame,
    words: dict[str, str],
    *,
    colours: dict[str, str] | None = None,
    reverse: bool = False,
    columns: int = 4,
    height: int = 250,
) -> alt.LayerChart:
    """Lines over steps on a log axis, one colour for each name and one dash for each kind.

    rows: step, value, name, kind. words: step, value, name. colours: name -> colour.
    reverse: steps count backwards, from the right. columns: of the legend.
    """
    names, kinds = (list(dict.fromkeys(rows[column])) for column in ("name", "kind"))
    colours = colours or dict(zip(names, COLOURS, strict=False))
    rows = rows[rows["value"] > 0]  # a log axis has no 0, which float64 has below 1e-323
    base = alt.Chart(rows).encode(
        x=alt.X(
            "step:Q",
            title=words["step"],
            scale=alt.Scale(nice=False, reverse=reverse),
            axis=alt.Axis(format="d", tickCount=8),
        ),
        y=alt.Y(
            "value:Q",
            title=words["value"],
            scale=alt.Scale(type="log", nice=False),
            axis=powers_axis(rows["value"].to_numpy()),
        ),
        color=alt.Color(
            "name:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=names, range=[colours.get(name, ink()) for name in names]),
            legend=alt.Legend(
                orient="top",
                symbolType="stroke",
                symbolStrokeWidth=3,
                columns=columns,
                labelLimit=300,
            ),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=words["name"]),
            alt.Tooltip("kind:N", title=" "),
            alt.Tooltip("step:Q", title=words["step"]),
            alt.Tooltip("value:Q", title=words["value"], format=".3g"),
        ],
    )
    lines = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash(
            "kind:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=kinds, range=DASHES[: len(kinds)]),
            legend=alt.Legend(orient="bottom", symbolType="stroke", symbolSize=500)
            if len(kinds) > 1
            else None,
        )
    )
    one = alt.Chart(pd.DataFrame({"y": [1.0]})).mark_rule(color=ink(), opacity=0.6).encode(y="y:Q")
    return alt.LayerChart(layer=[one, lines], height=height)


SEEN = (-1.2, 2.0)  # the values of activations that are drawn: relu goes on without end


def over_a(rows: pd.DataFrame, at: float, words: dict[str, str]) -> alt.LayerChart:
    """Activations, or their derivatives, over a, with a line and points at the chosen a.

    rows: a, value, name. words: a, value.
    """
    names = list(dict.fromkeys(rows["name"]))
    low, high = SEEN
    ends = [max(low, 1.1 * rows["value"].min()), min(high, 1.1 * rows["value"].max())]
    base = alt.Chart(rows).encode(
        x=alt.X("a:Q", title=words["a"]),
        y=alt.Y("value:Q", title=words["value"], scale=alt.Scale(domain=ends, nice=False)),
        color=alt.Color(
            "name:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=names, range=COLOURS[: len(names)]),
            legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("a:Q", title=words["a"], format=".2f"),
            alt.Tooltip("value:Q", title=words["value"], format=".4f"),
        ],
    )
    nearest = abs(rows["a"] - at)
    points = base.mark_point(filled=True, size=60, opacity=1, clip=True)
    points.data = rows[nearest == nearest.min()]
    here = alt.Chart(pd.DataFrame({"a": [at]})).mark_rule(color=ink(), strokeDash=[3, 3])
    return alt.LayerChart(
        layer=[here.encode(x="a:Q"), base.mark_line(strokeWidth=2, clip=True), points], height=250
    )
