"""Charts of the page Gates: which gates are stuck, and how long units remember."""

from __future__ import annotations

import altair as alt
import pandas as pd

from textgen.ui.charts.curves import COLOURS, DASHES, SHAPES, ink

HEIGHT = 300
LONGEST = 1e5  # tokens; a unit that keeps even longer stands at the edge


def overlaid(rows: pd.DataFrame, part: str, told: int, words: dict[str, str]) -> alt.LayerChart:
    """A part of a unit's state over the tokens, a line for each fact, and where the fact is told.

    rows: token, fact, value. words: token, fact, told.
    """
    facts = list(dict.fromkeys(rows["fact"]))
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            x=alt.X("token:Q", title=words["token"], scale=alt.Scale(nice=False)),
            y=alt.Y("value:Q", title=part, axis=alt.Axis(minExtent=40, titleAngle=0)),
            color=alt.Color(
                "fact:N",
                title=None,
                scale=alt.Scale(domain=facts, range=COLOURS[: len(facts)]),
                legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3),
            ),
            strokeDash=alt.StrokeDash(
                "fact:N", scale=alt.Scale(domain=facts, range=DASHES[: len(facts)]), legend=None
            ),
            tooltip=[
                alt.Tooltip("token:Q", title=words["token"]),
                alt.Tooltip("fact:N", title=words["fact"]),
                alt.Tooltip("value:Q", title=part, format="+.3f"),
            ],
        )
    )
    here = alt.Chart(pd.DataFrame({"token": [told], "word": [words["told"]]})).encode(x="token:Q")
    rule = here.mark_rule(color=ink(), strokeDash=[3, 3])
    # above the plot, where no line is
    said = here.mark_text(color=ink(), align="left").encode(text="word:N", y=alt.value(-7))
    return alt.LayerChart(layer=[rule, lines, said], height=230)


def saturation(rows: pd.DataFrame, unit: str | None, words: dict[str, str]) -> alt.LayerChart:
    """How often each gate of each unit is nearly closed, and nearly open; `unit` is ringed.

    rows: unit, gate, left, right. words: unit, gate, left, right.
    """
    gates = list(dict.fromkeys(rows["gate"]))
    percent = alt.Axis(format="%")
    base = alt.Chart(rows).encode(
        x=alt.X("right:Q", title=words["right"], axis=percent, scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("left:Q", title=words["left"], axis=percent, scale=alt.Scale(domain=[0, 1])),
        color=alt.Color(
            "gate:N",
            title=None,
            scale=alt.Scale(domain=gates, range=COLOURS[: len(gates)]),
            legend=alt.Legend(orient="top", symbolOpacity=1),
        ),
        shape=alt.Shape(
            "gate:N", title=None, scale=alt.Scale(domain=gates, range=SHAPES[: len(gates)])
        ),
        tooltip=[
            alt.Tooltip("unit:N", title=words["unit"]),
            alt.Tooltip("gate:N", title=words["gate"]),
            alt.Tooltip("left:Q", title=words["left"], format=".0%"),
            alt.Tooltip("right:Q", title=words["right"], format=".0%"),
        ],
    )
    # above it no point can lie: the two shares are of the same tokens
    edge = pd.DataFrame({"right": [0, 1], "left": [1, 0]})
    line = (
        alt.Chart(edge)
        .mark_line(color=ink(), strokeDash=[4, 4], strokeWidth=1)
        .encode(x="right:Q", y="left:Q")
    )
    dots = base.mark_point(filled=True, size=45, opacity=0.65)
    ring = base.transform_filter(alt.datum.unit == unit).mark_point(size=230, strokeWidth=2)
    return alt.LayerChart(layer=[line, dots, ring][: 3 if unit else 2], height=HEIGHT)


def times(
    rows: pd.DataFrame, steps: int, unit: str | None, words: dict[str, str]
) -> alt.LayerChart:
    """What each unit does for the answer against how long it remembers; `unit` is ringed.

    rows: unit, time (tokens), effect (nats). words: unit, time, effect, distance.
    """
    shown = rows.assign(drawn=rows["time"].clip(0.1, LONGEST))
    base = alt.Chart(shown).encode(
        x=alt.X(
            "drawn:Q",
            title=words["time"],
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(format="~s", values=[0.1, 1, 10, 100, 1000, 1e4, 1e5]),
        ),
        y=alt.Y("effect:Q", title=words["effect"]),
        tooltip=[
            alt.Tooltip("unit:N", title=words["unit"]),
            alt.Tooltip("time:Q", title=words["time"], format=",.3~r"),
            alt.Tooltip("effect:Q", title=words["effect"], format=".3f"),
        ],
    )
    here = alt.Chart(pd.DataFrame({"drawn": [max(steps, 1)], "word": [words["distance"]]}))
    rule = here.mark_rule(color=ink(), strokeDash=[4, 4]).encode(x="drawn:Q")
    word = here.mark_text(align="center", color=ink()).encode(
        x="drawn:Q", y=alt.value(-7), text="word:N"
    )
    dots = base.mark_point(filled=True, size=50, opacity=0.7, color=COLOURS[0])
    ring = base.transform_filter(alt.datum.unit == unit).mark_point(
        size=230, strokeWidth=2, color=COLOURS[2]
    )
    return alt.LayerChart(layer=[rule, word, dots, ring][: 4 if unit else 3], height=HEIGHT)
