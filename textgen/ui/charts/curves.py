"""Plots. Colours come from the theme."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from textgen.cells import CELLS


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


# Okabe & Ito's colours, told apart by every eye; a model keeps its colour on all charts
COLOURS = ["#0072b2", "#e69f00", "#d55e00", "#009e73", "#56b4e9", "#cc79a7", "#8c8c8c", "#b8a800"]
OTHERS = ["#332288", "#aa4499", "#44aa99", "#999933", "#882255", "#117733"]  # Tol's, of no cell
DASHES = [[1, 0], [2, 3], [8, 4], [10, 3, 2, 3]]
LABEL = 110  # pixels, wide enough for the word of a level: two levels may be close to each other
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke"]


def cell_colours() -> dict[str, str]:
    """The colour of each cell under the name that it bears on charts; IRNN is the rnn with relu."""
    return {name.upper(): cell.colour for name, cell in CELLS.items()} | {"IRNN": COLOURS[-1]}


# below this a bar has no number: 0% over 0% would say no more than the missing bars do
SHOWN_SHARE = 0.005


def ink() -> str:
    """The colour of words within a chart, to be read on the ground of the theme."""
    return "#a8a8a0" if st.context.theme.type == "dark" else "#6b6b64"


def model_colours(labels: Sequence[str]) -> dict[str, str]:
    """The colour of each model: that of its cell, on every page; of a model of another name, one
    that no cell bears."""
    known = cell_colours()
    others = [label for label in labels if label not in known]
    own = dict(zip(others, itertools.cycle(OTHERS), strict=False))
    return {label: known.get(label) or own[label] for label in labels}


def shares(rows: pd.DataFrame, title: str) -> alt.LayerChart:
    """The probability of each answer, the right one in colour, and, as a tick, what it is without
    the fact. rows: answer, share, right, without (nan where that is not known)."""
    base = alt.Chart(rows).encode(
        y=alt.Y("answer:N", title=None, sort=None, axis=alt.Axis(labelLimit=90, ticks=False)),
        x=alt.X("share:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1.25])),
        tooltip=[
            alt.Tooltip("answer:N", title=" "),
            alt.Tooltip("share:Q", title=title, format=".1%"),
        ],
    )
    colour = alt.condition(alt.datum.right, alt.value(COLOURS[0]), alt.value("#9a9a94"))
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=colour)
    numbers = (
        base.transform_filter(alt.datum.share >= SHOWN_SHARE)
        .mark_text(align="left", dx=4, fontSize=11, color=ink())
        .encode(text=alt.Text("share:Q", format=".0%"))
    )
    ticks = base.transform_filter("isValid(datum.without)").mark_tick(
        color=ink(), thickness=2, size=14
    )
    # no axis in any layer: Vega-Lite fails where it merges one with none
    marked = ticks.encode(x=alt.X("without:Q", title=None, axis=None))
    layer = [bars, marked, numbers]
    return alt.LayerChart(layer=layer, height={"step": 20}).configure_view(stroke=None)


def recall_curve(
    rows: pd.DataFrame,
    horizons: dict[str, int],
    chances: Collection[float],
    words: dict[str, str],
    colours: dict[str, str],
) -> alt.LayerChart:
    """Right answers against distance, one colour and mark for each model, one dash for each
    control; 95 % bands where nothing was done to the document, a line up at each horizon, and one
    across for who guesses.

    rows: model, control, distance, accuracy, low, high, n. horizons: model -> characters.
    chances: of the tasks that the models are asked.
    words: model, control, distance, right, chance, horizon. colours: model -> colour.
    """
    names, controls = (list(dict.fromkeys(rows[column])) for column in ("model", "control"))
    across = _distances(rows, words["distance"])
    colour = alt.Color(
        "model:N",
        title=None,
        scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
        legend=alt.Legend(orient="top", symbolOpacity=1, columns=4),
    )
    base = alt.Chart(rows).encode(
        x=across,
        y=alt.Y(
            "accuracy:Q",
            title=words["right"],
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%"),
        ),
        color=colour,
        tooltip=[
            alt.Tooltip("model:N", title=words["model"]),
            alt.Tooltip("control:N", title=words["control"]),
            alt.Tooltip("distance:Q", title=words["distance"]),
            alt.Tooltip("accuracy:Q", title=words["right"], format=".1%"),
            alt.Tooltip("low:Q", title="95 % ≥", format=".1%"),
            alt.Tooltip("high:Q", title="95 % ≤", format=".1%"),
            alt.Tooltip("n:Q", title="N"),
        ],
    )
    marks = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=alt.Shape(
            "model:N",
            scale=alt.Scale(
                domain=names, range=[SHAPES[k % len(SHAPES)] for k in range(len(names))]
            ),
        )
    )
    lines = base.mark_line().encode(
        strokeDash=alt.StrokeDash(
            "control:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=controls, range=DASHES[: len(controls)]),
            legend=alt.Legend(orient="top", labelLimit=300, symbolType="stroke", symbolSize=700)
            if len(controls) > 1
            else None,
        )
    )
    band = base.transform_filter(alt.datum.control == controls[0]).mark_area(opacity=0.16)
    band = band.encode(y="low:Q", y2="high:Q")
    levels = [
        part
        for k, chance in enumerate(sorted(set(chances)))
        for part in _level(chance, f"{words['chance']} {chance:.0%}", LABEL * k)
    ]
    reach = _uprights(horizons, words).encode(x=across, color=colour)
    return alt.LayerChart(layer=[band, reach, *levels, lines, marks], height=320)


def _level(height: float, label: str, left: int = 0) -> tuple[alt.Chart, alt.Chart]:
    """A dashed line at a height, and its label, so many pixels from the left."""
    level = alt.Chart(pd.DataFrame({"y": [height], "word": [label]})).encode(y="y:Q")
    line = level.mark_rule(strokeDash=[4, 4], color=ink())
    return line, level.mark_text(align="left", dx=4, dy=-7, color=ink()).encode(
        text="word:N", x=alt.value(left)
    )


def _uprights(horizons: dict[str, int], words: dict[str, str]) -> alt.Chart:
    """A line up at the horizon of each model that has one."""
    reached = [
        {"model": model, "distance": distance} for model, distance in horizons.items() if distance
    ]
    lines = alt.Chart(pd.DataFrame(reached, columns=["model", "distance"]))
    return lines.mark_rule(strokeWidth=2, opacity=0.7).encode(
        tooltip=[
            alt.Tooltip("model:N", title=words["model"]),
            alt.Tooltip("distance:Q", title=words["horizon"]),
        ]
    )


def recall_over_time(rows: pd.DataFrame, words: dict[str, str]) -> alt.LayerChart:
    """The same curve after each look of a training, the latest the darkest.

    rows: seconds, distance, accuracy. words: distance, right, seconds.
    """
    base = alt.Chart(rows).encode(
        x=_distances(rows, words["distance"]),
        y=alt.Y(
            "accuracy:Q",
            title=words["right"],
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%"),
        ),
        color=alt.Color(
            "seconds:Q", title=words["seconds"], scale=alt.Scale(scheme="cividis", reverse=True)
        ),
        detail="seconds:Q",
        tooltip=[
            alt.Tooltip("seconds:Q", title=words["seconds"], format=".0f"),
            alt.Tooltip("distance:Q", title=words["distance"]),
            alt.Tooltip("accuracy:Q", title=words["right"], format=".0%"),
        ],
    )
    return alt.LayerChart(
        layer=[base.mark_line(), base.mark_point(filled=True, size=50, opacity=1)], height=280
    )


def _distances(rows: pd.DataFrame, title: str) -> alt.X:
    values = sorted(map(int, set(rows["distance"])))
    return alt.X(
        "distance:Q",
        title=title,
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=values, format=",d", labelOverlap=True),
    )


def context_curve(rows: pd.DataFrame, words: dict[str, str]) -> alt.LayerChart:
    """Bits per token against how many tokens the model may look back on, with its 95 % band.

    rows: context, bits, low, high. words: context, bits.
    """
    base = alt.Chart(rows).encode(
        x=alt.X("context:Q", title=words["context"], scale=alt.Scale(type="log", nice=False)),
        y=alt.Y("bits:Q", title=words["bits"], scale=alt.Scale(zero=False, padding=10)),
        tooltip=[
            alt.Tooltip("context:Q", title=words["context"]),
            alt.Tooltip("bits:Q", title=words["bits"], format=".3f"),
            alt.Tooltip("low:Q", title="95 % ≥", format=".3f"),
            alt.Tooltip("high:Q", title="95 % ≤", format=".3f"),
        ],
    )
    band = base.mark_area(opacity=0.16, color=COLOURS[0]).encode(y="low:Q", y2="high:Q")
    line = base.mark_line(color=COLOURS[0])
    marks = base.mark_point(filled=True, size=50, opacity=1, color=COLOURS[0])
    return alt.LayerChart(layer=[band, line, marks], height=280)


def wave(rows: pd.DataFrame, words: dict[str, str]) -> alt.LayerChart:
    """A true wave, and how models go on with it. rows: moment, level, who. words: moment, level,
    true."""
    names = [who for who in dict.fromkeys(rows["who"]) if who != words["true"]]
    colours = model_colours(names)
    base = alt.Chart(rows).encode(
        x=alt.X("moment:Q", title=words["moment"], scale=alt.Scale(nice=False)),
        y=alt.Y("level:Q", title=words["level"], scale=alt.Scale(domain=[0, 63])),
    )
    is_true = alt.datum.who == words["true"]
    true = base.transform_filter(is_true).mark_line(color="#9a9a94", strokeWidth=6, opacity=0.55)
    theirs = (
        base.transform_filter(~is_true)
        .mark_line(strokeWidth=1.8)
        .encode(
            color=alt.Color(
                "who:N",
                title=None,
                scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
                legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3),
            ),
            strokeDash=alt.StrokeDash(
                "who:N", scale=alt.Scale(domain=names, range=[[1, 0], [7, 4]]), legend=None
            ),
        )
    )
    return alt.LayerChart(layer=[true, theirs], height=300)
