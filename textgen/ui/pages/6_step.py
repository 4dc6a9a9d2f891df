"""One step: one unit at one token, the equations of its cell with the numbers in them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import ids_before_blank, written_at
from textgen.errors import TextgenError
from textgen.ui import answers, cached, equations, figures, page_parts, passages, unrolled, widgets
from textgen.ui.charts import step as step_charts
from textgen.ui.charts.curves import COLOURS
from textgen.ui.components import cell_picture
from textgen.ui.messages import has, t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.cells.cell import Cell
    from textgen.interpret import Override, Trace

state = st.session_state
NONE = "none"


def main() -> None:
    widgets.header("step")
    try:
        chosen = page_parts.choose()
        if chosen is not None:
            walk(*chosen)
    except TextgenError as error:
        widgets.error(error)


def walk(model: Model, task: Task | None, document: Document) -> None:
    """One unit at one token, and what becomes of it where a gate is replaced."""
    ids = ids_before_blank(model.tokenizer, document)
    trace = cached.trace(model, ids)
    presets(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(model)
        unit = choose_unit(cached.units_by_need(model, task, document, layer))
        replaced, overrides_at = choose_replacement(model, layer, unit)
    token = choose_token(model, document, carried(model, trace, layer)[:, unit])
    overrides = overrides_at(token)
    after = cached.trace(model, ids, overrides) if overrides else trace
    traces = [trace, after] if overrides else [trace]
    said = [shares_after(model, task, document, one) for one in traces]
    show_verdict(model, task, document, said)
    show_text(model, ids, token)
    if st.query_params.get("station") == "unrolled":
        unrolled.show(model, ids, after, token)
    origin = figures.origin(document, model)
    one_step(model, ids, after, layer, unit, token, replaced, origin)
    beside = passages.choose_beside(model)
    over_tokens(model, document, trace, after, layer, unit, token, beside)
    show_answers(model, task, document, said)
    claim(model, trace)


def presets(model: Model) -> None:
    """The experiments of the lesson, a click each."""
    cell = model.network.cell
    experiments = {}
    if cell.forgets_by:
        gate, value = cell.forgets_by
        words = f"step.forget_all_{gate}" if has(f"step.forget_all_{gate}") else "step.forget_all"
        experiments[t(words, gate=gate, value=value)] = (gate, value)
    if cell.flow and cell.flow.shown:
        (gate,) = cell.flow.shown.gates
        experiments[t("step.shut_output", gate=gate)] = (gate, 0.0)
    with st.container(horizontal=True):
        for label, (gate, value) in experiments.items():
            st.button(label, on_click=replace_everywhere, args=(gate, value))
        # before its first run the choice stands in the address alone
        chosen = state.get("gate") or st.query_params.get("gate", NONE)
        if experiments and chosen != NONE:
            st.button(t("step.undo"), type="tertiary", on_click=replace_everywhere, args=(NONE, 0))


def replace_everywhere(gate: str, value: float) -> None:
    """Replace a gate in all units at every token; `NONE` replaces nothing any more."""
    state["gate"] = gate
    state["always"] = state["whole"] = gate != NONE
    state["value"] = float(value)


# --- what is chosen -------------------------------------------------------------------------------


def choose_unit(units: Array) -> int:
    """One of the units, the first at first."""
    names = [str(unit) for unit in units]
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


def choose_replacement(
    model: Model, layer: int, unit: int
) -> tuple[str, Callable[[int], list[Override]]]:
    """(the value to replace, or `NONE`; what replaces it while the page shows a token)."""
    gates = page_parts.gates_of(model)
    names = [NONE, *(gates or ["h"])]
    name = widgets.one_of(
        t("step.replace"),
        names,
        NONE,
        "gate",
        format_func=lambda n: t("step.none") if n == NONE else n,
    )
    if name == NONE:
        return NONE, lambda token: []
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

    def overrides_at(token: int) -> list[Override]:
        from textgen.interpret import Override

        return [Override(layer, name, None if always else token, None if whole else unit, value)]

    return name, overrides_at


def choose_token(model: Model, document: Document, course: Array) -> int:
    """At first where the unit [T] changes most, from the word of the fact to its sentence's end."""
    last = len(course) - 1
    if not 0 <= state.get("token", 0) <= last:
        state.pop("token", None)
    first = written_at(model.tokenizer, document, course)
    return st.slider(t("step.token"), 0, last, first, key="token", bind="query-params")


def carried(model: Model, trace: Trace, layer: int) -> Array:
    """C where the cell has one, else h: [T, U]."""
    return trace.layers[layer][model.network.cell.carried]


# --- what is shown --------------------------------------------------------------------------------


def show_text(model: Model, ids: list[int], token: int) -> None:
    """The document with the token marked, and what follows it paler."""
    decode = model.tokenizer.decode
    before, after = decode(ids[1:token]), decode(ids[token + 1 :])
    here = decode([ids[token]]) if token else "↵"
    st.html(
        f'<div class="tg-document tg-reading" tabindex="0"><span>{html.escape(before)}</span>'
        f"<mark>{html.escape(here.replace(' ', '␣'))}</mark>"
        f'<span class="tg-unread">{html.escape(after)}</span></div>'
    )


def one_step(
    model: Model,
    ids: list[int],
    trace: Trace,
    layer: int,
    unit: int,
    token: int,
    replaced: str,
    origin: str,
) -> None:
    """The picture of the cell, and its equations with the unit's numbers. origin: whose it is."""
    from textgen.interpret.sums import unit_values

    cell = model.network.cell
    values = unit_values(model.network, ids, trace, layer, unit, token)
    course = carried(model, trace, layer)[:, unit]
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="figure cell"):
        cell_picture.show(
            cell_picture.picture(
                cell,
                values,
                model.tokenizer.token(ids[token]),
                float(abs(course).max()),
                {replaced},
            ),
            walk_of(cell, values),
            {name: t(f"step.{name}") for name in ("play", "pause", "back", "on", "see")},
            key="cell",
        )
        numbers = pd.DataFrame(values.items(), columns=["name", "value"])
        place = f"{t('step.layer')} {layer + 1}, {t('step.unit')} {unit}, {t('step.token')} {token}"
        figures.saved(numbers, "cell", f"{origin} · {place}")
    for heading, lines in cell.equations.items():
        with right.container(border=True, gap="xsmall", key=f"stage {heading}"):
            st.caption(in_words(heading))
            for equation in lines:
                rows = equations.lines(cell, equation, values, equation.value == replaced)
                with st.container(key=f"equation {equation.value}"):
                    st.latex(r"\begin{aligned}&" + r"\\&\;\, ".join(rows) + r"\end{aligned}")


def walk_of(cell: Cell, values: Mapping[str, float]) -> list[tuple[str, str]]:
    """Each value in the order of the equations, and what is said of it when its way is lit."""
    walk = []
    for heading, lines in cell.equations.items():
        for equation in lines:
            name = equation.value
            symbol = f"{cell.carried}\u0303" if name == "c" else name
            key = "state" if cell.flow and name == cell.carried else name
            key = f"{key}_{cell.name}" if has(f"step_value.{key}_{cell.name}") else key
            known = has(f"step_value.{key}") and not (name == "h" and cell.flow is None)
            said = t(f"step_value.{key}") if known else stage_words(heading)
            walk.append((name, t("step.walk", what=said, name=symbol, value=values[name])))
    return walk


def stage_words(heading: str) -> str:
    """What the equations under a heading are for."""
    return t(f"stage_what.{heading}") if has(f"stage_what.{heading}") else heading


def in_words(heading: str) -> str:
    """The heading of equations and what they are for; the heading of a cell from elsewhere, for
    which the catalogues have no words, as it is."""
    if not has(f"stage.{heading}"):
        return f"**{widgets.plain(heading)}**"
    return f"**{t(f'stage.{heading}')}** · {t(f'stage_what.{heading}')}"


def over_tokens(
    model: Model,
    document: Document,
    before: Trace,
    after: Trace,
    layer: int,
    unit: int,
    token: int,
    beside: Model | None,
) -> None:
    """What the unit carries, and its gates, over all tokens; the same unit of a model beside."""
    ids = ids_before_blank(model.tokenizer, document)
    state_name = model.network.cell.carried
    words = {
        "token": t("step.token"),
        "value": state_name,
        "before": t("step.before"),
        "after": t("step.after"),
        "gate": t("step.gate"),
    }
    texts = [model.tokenizer.token(i) for i in ids]
    traces = {"before": before} | ({"after": after} if after is not before else {})
    if beside is not None:
        words["beside"] = beside.name
        traces["beside"] = cached.trace(beside, ids)
    frame = pd.concat(
        pd.DataFrame(
            {
                "token": range(len(ids)),
                "text": texts,
                "kind": words[kind],
                "value": carried(model, trace, layer)[:, unit],
            }
        )
        for kind, trace in traces.items()
    )
    st.subheader(t("step.course", unit=unit, state=state_name), anchor=False)
    chart = step_charts.unit_curve(frame, token, words)
    compared = [model] if beside is None else [model, beside]
    figures.chart(chart, frame, f"unit-{unit}", figures.origin(document, *compared))
    gates = page_parts.gates_of(model)
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
        figures.chart(chart, strip, "gates", figures.origin(document, model))


def shares_after(
    model: Model, task: Task | None, document: Document, read: Trace
) -> dict[str, float]:
    """The probability of each answer at the blank, or of each token after a text of one's own."""
    if task is None:
        return passages.next_tokens(model, read, model.tokenizer.vocab_size)
    return cached.answers_after(model, task, read.state, document)


def show_verdict(
    model: Model, task: Task | None, document: Document, said: list[dict[str, float]]
) -> None:
    """What the model says as read and, where a gate is replaced, then: right below what replaces
    it, so that a small screen has both. said: the shares of each."""
    colours = (COLOURS[0], step_charts.AFTER)
    without = answers.untold(model, task, document)
    rows = [
        answers.Row(t(f"step.{kind}"), colour, shares, without)
        for kind, colour, shares in zip(("before", "after"), colours, said, strict=False)
    ]
    answers.rows(rows, document.answer, t("step.bar") if without else "")


def show_answers(
    model: Model, task: Task | None, document: Document, said: list[dict[str, float]]
) -> None:
    """The likeliest answers of `said`, as `show_verdict`."""
    st.subheader(t("step.answers") if task else t("step.next"), anchor=False)
    without = cached.answers_without_fact(model, task, document) if task else None
    origin = figures.origin(document, model)
    shares, *changed = said
    after = changed[0] if changed else None
    answers.chart(origin, "answers", shares, after, t("step.after"), without)


def claim(model: Model, trace: Trace) -> None:
    """The equations are those of the trained layer; where so much of C is shown, h = o tanh C."""
    from textgen.interpret.verdicts import TOLERANCE, equations_hold

    verdict = equations_hold([trace], model.network.cell.shows_tanh)
    error, limit = (widgets.power(size) for size in (verdict.error, TOLERANCE))
    measured = t("step.error", error=error, tokens=len(trace.logprobs), limit=limit)
    if verdict.gap is not None:
        measured = t("step.gap", gap=widgets.power(verdict.gap)) + measured
    sentence = t("step.claim_replay") if verdict.gap is None else t("step.claim_output")
    page_parts.claim(sentence, verdict.verdict, measured)
    page_parts.how(t("step.how"), source=model.network.cell.source)


main()
