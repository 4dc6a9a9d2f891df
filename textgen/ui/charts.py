"""Plots. Colours come from the theme."""

from __future__ import annotations

import altair as alt
import pandas as pd


def loss_curve(rows: pd.DataFrame, epochs_per_step: float, names: dict[str, str]) -> alt.LayerChart:
    """Bits per character against epochs: training as a line, held-out text as a line of points.

    `names` has the words for training, validation, epoch and bits.
    """
    long = pd.concat(
        pd.DataFrame({"epoch": rows["step"] * epochs_per_step, "bits": rows[column], "kind": kind})
        for column, kind in (
            ("bits_per_char", names["training"]),
            ("val_bits_per_char", names["validation"]),
        )
        if column in rows
    ).dropna()
    kinds = [names["training"], names["validation"]]
    base = alt.Chart(long).encode(
        x=alt.X("epoch:Q", title=names["epoch"], scale=alt.Scale(zero=True, nice=False)),
        y=alt.Y("bits:Q", title=names["bits"], scale=alt.Scale(zero=False, padding=12)),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds),
            legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3),
        ),
        strokeDash=alt.StrokeDash(
            "kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [5, 3]]), legend=None
        ),
        tooltip=[
            alt.Tooltip("kind:N", title=" "),
            alt.Tooltip("epoch:Q", title=names["epoch"], format=".2f"),
            alt.Tooltip("bits:Q", title=names["bits"], format=".3f"),
        ],
    )
    dots = base.transform_filter(alt.datum.kind == names["validation"]).mark_point(
        filled=True, size=55, opacity=1
    )
    return alt.LayerChart(layer=[base.mark_line(), dots], height=280)
