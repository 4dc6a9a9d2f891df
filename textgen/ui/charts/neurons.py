"""Charts of the page Units: without the best units, after a transplant, and read off a state."""

from __future__ import annotations

import altair as alt
import pandas as pd

from textgen.ui.charts.curves import COLOURS, SHAPES, ink

SHARE = alt.Axis(format="%")
WHOLE = alt.Scale(domain=[0, 1])


def without(rows: pd.DataFrame, words: dict[str, str]) -> alt.LayerChart:
    """The probability of the right answer against how many of the best units are silent.

    rows: number, share. words: number, share.
    """
    base = alt.Chart(rows).encode(
        x=alt.X(
            "number:Q",
            title=words["number"],
            scale=alt.Scale(type="symlog", nice=False),
            axis=alt.Axis(values=rows["number"].tolist()),
        ),
        y=alt.Y("share:Q", title=words["share"], axis=SHARE, scale=WHOLE),
        tooltip=[
            alt.Tooltip("number:Q", title=words["number"]),
            alt.Tooltip("share:Q", title=words["share"], format=".1%"),
        ],
    )
    marks = base.mark_point(filled=True, size=55, opacity=1, color=COLOURS[0])
    return alt.LayerChart(layer=[base.mark_line(color=COLOURS[0]), marks], height=230)


def flips(rows: pd.DataFrame, least: float, words: dict[str, str]) -> alt.LayerChart:
    """How often the donor's answer comes out, by what was handed over, with 95 % intervals.

    rows: parts, share, low, high, unmoved, n. words: parts, share, unmoved.
    """
    base = alt.Chart(rows).encode(
        y=alt.Y("parts:N", title=None, sort=None, axis=alt.Axis(ticks=False, labelFontSize=13)),
        tooltip=[
            alt.Tooltip("parts:N", title=words["parts"]),
            alt.Tooltip("share:Q", title=words["share"], format=".0%"),
            alt.Tooltip("low:Q", title="95 % ≥", format=".0%"),
            alt.Tooltip("high:Q", title="95 % ≤", format=".0%"),
            alt.Tooltip("unmoved:Q", title=words["unmoved"], format=".0%"),
            alt.Tooltip("n:Q", title="N"),
        ],
    )
    across = alt.X(
        "share:Q",
        title=words["share"],
        scale=alt.Scale(domain=[0, 1.1]),
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    bars = base.mark_bar(size=18, cornerRadiusEnd=2, color=COLOURS[0], opacity=0.85).encode(
        x=across
    )
    reach = base.mark_rule(color=ink(), strokeWidth=2).encode(x="low:Q", x2="high:Q")
    numbers = base.mark_text(align="left", dx=6, color=ink(), fontSize=12).encode(
        x="high:Q", text=alt.Text("share:Q", format=".0%")
    )
    limit = alt.Chart(pd.DataFrame({"share": [least]})).mark_rule(color=ink(), strokeDash=[4, 4])
    return alt.LayerChart(
        layer=[bars, reach, numbers, limit.encode(x="share:Q")], height={"step": 34}
    )


def moved(rows: pd.DataFrame, at: int, words: dict[str, str]) -> alt.LayerChart:
    """How far the prediction moves, by where each part of the state was handed over.

    rows: at, moved, parts. at: the place that is looked at. words: at, moved, parts.
    """
    parts = list(dict.fromkeys(rows["parts"]))
    base = alt.Chart(rows).encode(
        x=alt.X("at:Q", title=words["at"], scale=alt.Scale(nice=False)),
        y=alt.Y("moved:Q", title=words["moved"], axis=SHARE, scale=WHOLE),
        color=alt.Color(
            "parts:N",
            title=None,
            scale=alt.Scale(domain=parts, range=COLOURS),
            legend=alt.Legend(orient="top", symbolOpacity=1) if len(parts) > 1 else None,
        ),
        tooltip=[
            alt.Tooltip("parts:N", title=words["parts"]),
            alt.Tooltip("at:Q", title=words["at"]),
            alt.Tooltip("moved:Q", title=words["moved"], format=".0%"),
        ],
    )
    marks = base.mark_point(filled=True, size=50, opacity=1).encode(
        shape=alt.Shape("parts:N", scale=alt.Scale(domain=parts, range=SHAPES[: len(parts)]))
    )
    here = alt.Chart(pd.DataFrame({"at": [at]})).mark_rule(color=ink(), strokeDash=[3, 3])
    layers = [here.encode(x="at:Q"), base.mark_line(), marks]
    return alt.LayerChart(layer=layers, height=230)


def readable(rows: pd.DataFrame, fact: int, chance: float, words: dict[str, str]) -> alt.LayerChart:
    """How often a probe finds the answer in each part of the state, token by token.

    rows: left, accuracy, part. fact: where it ends, in tokens before the blank. words: left,
    accuracy, part, chance, fact_end.
    """
    parts = list(dict.fromkeys(rows["part"]))
    base = alt.Chart(rows).encode(
        x=alt.X("left:Q", title=words["left"], scale=alt.Scale(reverse=True, nice=False)),
        y=alt.Y("accuracy:Q", title=words["accuracy"], axis=SHARE, scale=WHOLE),
        color=alt.Color(
            "part:N",
            title=None,
            scale=alt.Scale(domain=parts, range=COLOURS),
            legend=alt.Legend(orient="top", symbolOpacity=1),
        ),
        tooltip=[
            alt.Tooltip("part:N", title=words["part"]),
            alt.Tooltip("left:Q", title=words["left"]),
            alt.Tooltip("accuracy:Q", title=words["accuracy"], format=".0%"),
        ],
    )
    marks = base.mark_point(filled=True, size=50, opacity=1).encode(
        shape=alt.Shape("part:N", scale=alt.Scale(domain=parts, range=SHAPES[: len(parts)]))
    )
    level = alt.Chart(pd.DataFrame({"y": [chance], "word": [words["chance"]]})).encode(y="y:Q")
    rule = level.mark_rule(strokeDash=[4, 4], color=ink())
    word = level.mark_text(align="right", dx=-4, dy=-7, color=ink()).encode(
        text="word:N", x=alt.value("width")
    )
    there = alt.Chart(pd.DataFrame({"left": [fact], "word": [words["fact_end"]]})).encode(
        x="left:Q"
    )
    line = there.mark_rule(strokeDash=[4, 4], color=ink())
    name = there.mark_text(align="left", dx=5, color=ink(), baseline="top").encode(
        text="word:N", y=alt.value(4)
    )
    return alt.LayerChart(layer=[rule, word, line, name, base.mark_line(), marks], height=280)
