"""Charts of the page One step: a unit over the tokens, and the answers, before and after."""

from __future__ import annotations

import altair as alt
import pandas as pd

from textgen.ui.charts.curves import COLOURS, SHOWN_SHARE, ink

AFTER = COLOURS[2]
MARGIN = 40  # of the vertical axes, so that a token has one place on both charts


def unit_curve(rows: pd.DataFrame, token: int, words: dict[str, str]) -> alt.LayerChart:
    """The state of a unit after each token, as read and with the gate replaced, and the chosen
    token.

    rows: token, text, value, kind (one of words before, after, beside). words: token, value,
    before, after, and beside where another model stands there.
    """
    kinds = [words[kind] for kind in ("before", "after", "beside") if kind in words]
    drawn = [kind for kind in kinds if kind in set(rows["kind"])]
    base = alt.Chart(rows).encode(
        x=alt.X("token:Q", title=words["token"], scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(minExtent=MARGIN)),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[COLOURS[0], AFTER, ink()][: len(kinds)]),
            legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=3)
            if len(drawn) > 1
            else None,
        ),
        strokeDash=alt.StrokeDash(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 3], [2, 2]][: len(kinds)]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("token:Q", title=words["token"]),
            alt.Tooltip("text:N", title=" "),
            alt.Tooltip("kind:N", title=" "),
            alt.Tooltip("value:Q", title=words["value"], format="+.3f"),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=ink(), opacity=0.5).encode(y="y:Q")
    here = alt.Chart(rows[rows["token"] == token]).encode(x="token:Q")
    rule = here.mark_rule(color=ink(), strokeDash=[3, 3])
    dot = here.mark_point(filled=True, size=70, opacity=1).encode(
        y="value:Q", color=alt.Color("kind:N", legend=None)
    )
    return alt.LayerChart(layer=[zero, rule, base.mark_line(), dot], height=220)


def gate_strip(rows: pd.DataFrame, token: int, words: dict[str, str]) -> alt.LayerChart:
    """The gates of a unit at each token, dark 0, bright 1.

    rows: token, text, gate, value. words: token, gate, value.
    """
    base = alt.Chart(rows).encode(
        x=alt.X("token:Q", title=words["token"], bin="binned", scale=alt.Scale(nice=False)),
        x2="end:Q",
    )
    cells = base.mark_rect().encode(
        y=alt.Y("gate:N", title=None, sort=None, axis=alt.Axis(minExtent=MARGIN)),
        color=alt.Color(
            "value:Q",
            title=words["value"],
            scale=alt.Scale(scheme="cividis", domain=[0, 1]),
            legend=alt.Legend(
                orient="top",
                gradientLength=140,
                gradientThickness=8,
                values=[0, 1],
                titleOrient="left",
            ),
        ),
        tooltip=[
            alt.Tooltip("token:Q", title=words["token"]),
            alt.Tooltip("text:N", title=" "),
            alt.Tooltip("gate:N", title=words["gate"]),
            alt.Tooltip("value:Q", title=words["value"], format=".3f"),
        ],
    )
    here = alt.Chart(pd.DataFrame({"token": [token + 0.5]})).mark_rule(
        color=COLOURS[2], strokeDash=[3, 3], strokeWidth=1.5
    )
    return alt.LayerChart(
        layer=[cells, here.encode(x="token:Q")],
        height={"step": 22},
    )


def answers(rows: pd.DataFrame, words: dict[str, str]) -> alt.LayerChart:
    """The probability of each answer, before, after and without the fact. rows: answer, share,
    kind. words: before, after, without, share."""
    colours = {
        words["before"]: COLOURS[0],
        words["after"]: AFTER,
        words["without"]: "#9a9a94",
    }
    kinds = [kind for kind in colours if kind in set(rows["kind"])]
    base = alt.Chart(rows).encode(
        y=alt.Y("answer:N", title=None, sort=None, axis=alt.Axis(labelLimit=110, ticks=False)),
        yOffset=alt.YOffset("kind:N", sort=kinds),
        x=alt.X("share:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1.2])),
        tooltip=[
            alt.Tooltip("answer:N", title=" "),
            alt.Tooltip("kind:N", title=" "),
            alt.Tooltip("share:Q", title=words["share"], format=".1%"),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
            legend=alt.Legend(orient="top", symbolOpacity=1) if len(kinds) > 1 else None,
        )
    )
    numbers = (
        base.transform_filter(alt.datum.share >= SHOWN_SHARE)
        .mark_text(align="left", dx=4, fontSize=11, color=ink())
        .encode(text=alt.Text("share:Q", format=".0%"))
    )
    height = (4 + 18 * len(kinds)) * rows["answer"].nunique()
    return alt.LayerChart(layer=[bars, numbers], height=height).configure_view(stroke=None)
