"""The course of a race. A cell keeps its colour and its mark on all charts."""

from __future__ import annotations

import itertools

import altair as alt
import pandas as pd

from textgen.ui.charts.curves import SHAPES, cell_colours


def course(rows: pd.DataFrame, across: str, words: dict[str, str]) -> alt.LayerChart:
    """Bits per character of held-out text against `across`, which is "seconds" or "step"; those
    of the training text faint beside them.

    rows: cell, seconds, step, training, held_out. words: seconds, step, bits, training, cell.
    """
    colours = cell_colours()
    names = [name for name in colours if name in set(rows["cell"])]
    marks = dict(zip(colours, itertools.cycle(SHAPES), strict=False))
    base = alt.Chart(rows).encode(
        x=alt.X(f"{across}:Q", title=words[across], scale=alt.Scale(nice=False)),
        color=alt.Color(
            "cell:N",
            title=None,
            scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
            legend=alt.Legend(orient="top", symbolOpacity=1, symbolSize=70),
        ),
        tooltip=[
            alt.Tooltip("cell:N", title=words["cell"]),
            alt.Tooltip("seconds:Q", title=words["seconds"], format=".1f"),
            alt.Tooltip("step:Q", title=words["step"], format=",d"),
            alt.Tooltip("held_out:Q", title=words["bits"], format=".3f"),
            alt.Tooltip("training:Q", title=words["training"], format=".3f"),
        ],
    )
    bits = alt.Scale(zero=False, padding=10)
    training = base.mark_line(opacity=0.35, strokeWidth=1.5).encode(
        y=alt.Y("training:Q", title=words["bits"], scale=bits)
    )
    held_out = base.transform_filter("isValid(datum.held_out)").encode(
        y=alt.Y("held_out:Q", title=words["bits"], scale=bits)
    )
    points = held_out.mark_point(filled=True, size=32, opacity=1).encode(
        shape=alt.Shape(
            "cell:N", title=None, scale=alt.Scale(domain=names, range=[marks[n] for n in names])
        )
    )
    return alt.LayerChart(layer=[training, held_out.mark_line(), points], height=260)
