"""One step: one unit at one token, the equations of its cell with the numbers in them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_task import Document, Task
from textgen.errors import TextgenError
from textgen.ui import equations, page_parts, widgets
from textgen.ui.cached import looks, memory
from textgen.ui.charts import step as step_charts
from textgen.ui.components import cell_picture
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator
    from textgen.interpret import Override, Trace

state = st.session_state
NONE = "none"
HERE, EVERYWHERE = "here", "everywhere"


def main() -> None:
    widgets.header("step")
    try:
        chosen = page_parts.choose()
        if chosen is not None:
            walk(*chosen)
    except TextgenError as error:
        widgets.error(error)


def walk(generator: Generator, task: Task, document: Document) -> None:
    ids = looks.blank(generator, document)
    read = looks.trace(generator, ids)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(generator)
        unit = choose_unit(page_parts.keepers(generator, task, document, layer))
        replace = choose_replacement(generator)
    token = choose_token(generator, document, carried(generator, read, layer)[:, unit])
    edits = replacement(replace, layer, unit, token)
    after = looks.trace(generator, ids, edits) if edits else read
    show_text(generator, ids, token)
    one_step(generator, ids, after, layer, unit, token, replace[0])
    over_tokens(generator, ids, read, after, layer, unit, token)
    show_answers(generator, task, document, read, after)
    claim(generator, read)


# --- what is chosen -------------------------------------------------------------------------------


def choose_unit(ranked: np.ndarray) -> int:
    names = [str(unit) for unit in ranked]
    if state.get("unit") not in names:
        state.pop("unit", None)
    unit = st.selectbox(
        t("step.unit"),
        names,
        key="unit",
        bind="query-params",
        width=130,
        help=t("step.unit_help"),
    )
    return int(unit)


def choose_replacement(generator: Generator) -> tuple[str, float, bool, bool]:
    """(value to replace or `NONE`, by what, at every token, of every unit)."""
    gates = page_parts.gates_of(generator)
    names = [NONE, *(gates or ["h"])]
    if state.get("gate") not in names:
        state.pop("gate", None)
    name = st.segmented_control(
        t("step.replace"),
        names,
        default=NONE,
        required=True,
        key="gate",
        bind="query-params",
        format_func=lambda n: t("step.none") if n == NONE else n,
    )
    if name == NONE:
        return NONE, 0.0, False, False
    value = st.slider(
        t("step.by", name=name),
        0.0 if gates else -1.0,
        1.0,
        0.0,
        0.05,
        key="value",
        bind="query-params",
        width=170,
    )
    always = st.toggle(t("step.always"), key="always", bind="query-params")
    whole = st.toggle(t("step.all_units"), key="whole", bind="query-params")
    return name, value, always, whole


def replacement(
    chosen: tuple[str, float, bool, bool], layer: int, unit: int, token: int
) -> list[Override]:
    from textgen.interpret import Override

    name, value, always, whole = chosen
    if name == NONE:
        return []
    return [Override(layer, name, None if always else token, None if whole else unit, value)]


def choose_token(generator: Generator, document: Document, course: np.ndarray) -> int:
    """At first where the unit [T] changes most, from the word that tells to its sentence's end."""
    last = len(course) - 1
    if not 0 <= state.get("token", 0) <= last:
        state.pop("token", None)
    word = max(document.before[: document.told].rfind(document.fact), 0)
    begin = len(generator.tokenizer.encode(document.before[:word]))
    told = min(looks.told_at(generator, document), last)
    first = begin + 1 + int(np.argmax(abs(np.diff(course[begin : told + 1]))))
    return st.slider(t("step.token"), 0, last, first, key="token", bind="query-params")


def carried(generator: Generator, found: Trace, layer: int) -> np.ndarray:
    """C where the cell has one, else h: [T, U]."""
    return found.layers[layer][equations.PAGES[generator.config.cell].state]


# --- what is shown --------------------------------------------------------------------------------


def show_text(generator: Generator, ids: list[int], token: int) -> None:
    decode = generator.tokenizer.decode
    before, after = decode(ids[1:token]), decode(ids[token + 1 :])
    here = decode([ids[token]]) if token else "↵"
    st.html(
        f'<div class="tg-document tg-reading"><span>{html.escape(before)}</span>'
        f"<mark>{html.escape(here.replace(' ', '␣'))}</mark>"
        f'<span class="tg-unread">{html.escape(after)}</span></div>'
    )


def one_step(
    generator: Generator,
    ids: list[int],
    found: Trace,
    layer: int,
    unit: int,
    token: int,
    replaced: str,
) -> None:
    """The picture of the cell, and its equations with the unit's numbers."""
    page = equations.PAGES[generator.config.cell]
    values = looks.unit_values(generator, ids, found, layer, unit, token)
    course = carried(generator, found, layer)[:, unit]
    left, right = st.columns([6, 7], gap="medium")
    with left, st.container(key="figure cell"):
        cell_picture.show(
            cell_picture.picture(
                page,
                values,
                generator.tokenizer.token(ids[token]),
                float(abs(course).max()),
                {replaced},
                generator.config.activation,
            ),
            key="cell",
        )
        numbers = pd.DataFrame(values.items(), columns=["name", "value"])
        page_parts.downloads(numbers, "cell", drawn="figure cell")
    for stage, lines in page.stages.items():
        with right.container(border=True, gap="xsmall", key=f"stage {stage}"):
            st.caption(f"**{t(f'stage.{stage}')}** · {t(f'stage_what.{stage}')}")
            for equation in lines:
                rows = equations.lines(
                    equation,
                    page.state,
                    generator.config.activation,
                    values,
                    equation.value == replaced,
                )
                st.latex(r"\begin{aligned}&" + r"\\&\;\, ".join(rows) + r"\end{aligned}")


def over_tokens(
    generator: Generator,
    ids: list[int],
    read: Trace,
    after: Trace,
    layer: int,
    unit: int,
    token: int,
) -> None:
    page = equations.PAGES[generator.config.cell]
    words = {
        "token": t("step.token"),
        "value": page.state,
        "before": t("step.before"),
        "after": t("step.after"),
        "gate": t("step.gate"),
    }
    texts = [generator.tokenizer.token(i) for i in ids]
    frame = pd.concat(
        pd.DataFrame(
            {
                "token": range(len(ids)),
                "text": texts,
                "kind": words[kind],
                "value": carried(generator, found, layer)[:, unit],
            }
        )
        for kind, found in ([("before", read)] + ([("after", after)] if after is not read else []))
    )
    st.subheader(t("step.course", unit=unit, state=page.state), anchor=False)
    chart = step_charts.unit_curve(frame, token, words)
    page_parts.chart(chart, frame, f"unit-{unit}", generator)
    gates = page_parts.gates_of(generator)
    if gates:
        strip = pd.concat(
            pd.DataFrame(
                {
                    "token": range(len(ids)),
                    "end": range(1, len(ids) + 1),
                    "text": texts,
                    "gate": gate,
                    "value": after.layers[layer][gate][:, unit],
                }
            )
            for gate in gates
        )
        chart = step_charts.gate_strip(strip, token, words | {"value": t("step.gate")})
        page_parts.chart(chart, strip, "gates", generator)


def show_answers(
    generator: Generator, task: Task, document: Document, read: Trace, after: Trace
) -> None:
    """The probability of each answer at the blank, after the text as read and as changed."""
    scorer = memory.scorer(generator, task)
    shares = [
        dict(zip(task.answers, scorer.shares_of(found.state, [document.ending])[0], strict=True))
        for found in (read, after)
    ]
    st.subheader(t("step.answers"), anchor=False)
    changed = None if after is read else shares[1]
    page_parts.answers(generator, "answers", shares[0], changed, t("step.after"))


def claim(generator: Generator, read: Trace) -> None:
    """The equations are those of the trained layer; where there is an output gate, h = o tanh C."""
    own = [v for v in read.layers if "o" in v]
    gap = max((float(abs(v["h"] - v["o"] * np.tanh(v["C"])).max()) for v in own), default=0.0)
    page_parts.claim(
        t("step.claim_output") if own else t("step.claim_replay"),
        max(gap, read.error) < page_parts.TOLERANCE,
        t("step.gap", gap=gap) * bool(own)
        + t("step.error", error=read.error, tokens=len(read.logprobs)),
    )
    cell = generator.config.cell
    page_parts.how(t("step.how"), source=t(f"source.{cell}"))


main()
