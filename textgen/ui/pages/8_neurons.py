"""Units: which units hold the fact, where else they fire, and what happens without them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_word, ids_before_blank
from textgen.errors import TextgenError
from textgen.ui import address, answers, cached, figures, page_parts, passages, units, widgets
from textgen.ui.charts import neurons as neuron_charts
from textgen.ui.components.token_figure import token_figure
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array

state = st.session_state
SHOWN_UNITS = 12
SILENCED = (0, 1, 2, 4, 8, 16, 32, 64)  # the numbers of units in one figure
THRESHOLD = 0.3  # the least output of a unit that fires
AROUND = 24  # tokens shown on either side of a stretch


def main() -> None:
    widgets.header("neurons", own=passages.own_text_asked())
    own = passages.own_text()
    try:
        if own:
            look_at_own_text()
        elif (chosen := page_parts.choose_of_task()) is not None:
            look(*chosen)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("units.how") if own else t("neurons.how"), t("neurons.source"))


def look_at_own_text() -> None:
    """Any model on any text: what its units do."""
    model = passages.choose_model()
    text = passages.choose_text(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(model)
        part = choose_part(model)
    units.look(model, text, layer, part)


def look(model: Model, task: Task, document: Document) -> None:
    """The best units, where else they fire, and what happens without them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(model)
        part = choose_part(model)
    ranked = cached.units_by_need(model, task, document, layer)
    coloured(model, document, layer, part, ranked)
    page_parts.note_need(model)
    elsewhere(model, document, layer)
    st.fragment(silence)(model, task, document, layer, ranked)


def choose_part(model: Model) -> str:
    """What is carried along, C where there is one, or what is shown of it."""
    names: tuple[str, ...] = model.network.cell.state_names[::-1]
    if len(names) == 1:
        return names[0]
    return widgets.worded(
        st.segmented_control,
        t("neurons.part"),
        names,
        "part",
        lambda s: t(f"neurons_part.{s}"),
        required=True,
    )


# --- the text, coloured by one unit ---------------------------------------------------------------


def coloured(model: Model, document: Document, layer: int, part: str, ranked: Array) -> None:
    """The best units at every token, and the text in the colours of one of them."""
    trace = cached.trace_document(model, document)
    units = ranked[:SHOWN_UNITS]
    values = trace.layers[layer][part][:, units]
    tokens = page_parts.tokens(model, document)
    token_figure(
        tokens,
        values.T,
        [str(unit) for unit in units],
        [figures.scale_of(model, part, values)],
        key="units",
        title=t("neurons.best", n=len(units), part=part),
        caption=figures.origin(document, model),
        value_word=part,
        row_word=t("step.unit"),
        pinned=page_parts.pinned(len(tokens), len(ranked), int(units[0])),
        on_pin=page_parts.pin,
        brush=chosen_span(model, document, len(tokens)),
        on_span=brushed,
        marks=figures.marks(model, document),
        rest=document.answer + document.ending,
    )
    rows = pd.DataFrame(values, columns=units).assign(text=tokens)
    figures.downloads(rows, "units", figures.origin(document, model))
    page_parts.replay_error(trace)


def brushed(first: int, last: int) -> None:
    """Keep the stretch that was dragged over the text."""
    state["span"] = (first, last)


def chosen_span(model: Model, document: Document, tokens: int) -> tuple[int, int]:
    """The first and the last token of the stretch."""
    span = state.get("span")
    if span is None:  # the slider that keeps it in the address stands further down
        span = address.span("span", 0, tokens - 1)
    if span is not None and 0 <= span[0] <= span[1] < tokens:
        return span[0], span[1]
    state.pop("span", None)
    return first_span(model, document, tokens)


def first_span(model: Model, document: Document, tokens: int) -> tuple[int, int]:
    """The last two tokens of the word of the fact: more would fire too few units together."""
    first, last = fact_word(model.tokenizer, document)
    return min(max(first, last - 1), tokens - 1), min(last, tokens - 1)


def elsewhere(model: Model, document: Document, layer: int) -> None:
    """Where in the shipped corpus the units that fire all through the brushed stretch fire too."""
    from textgen.interpret import in_context, matches

    ids = ids_before_blank(model.tokenizer, document)
    st.subheader(t("neurons.elsewhere"), anchor=False)
    low, high = st.slider(
        t("neurons.span"),
        0,
        len(ids) - 1,
        first_span(model, document, len(ids)),
        key="span",
        bind="query-params",
        help=t("neurons.span_help"),
    )
    span = cached.trace(model, ids).layers[layer]["h"][low : high + 1]
    text = cached.corpus(language())
    text_ids, h = cached.outputs(model, text, layer)
    units, best = matches(span, h, THRESHOLD)
    widgets.line(
        [
            f"‘{model.tokenizer.decode(ids[low : high + 1])}’",
            t("neurons.firing", n=len(units)),
            ", ".join(map(str, units[:SHOWN_UNITS])) + (" …" if len(units) > SHOWN_UNITS else ""),
        ]
    )
    rows = pd.DataFrame(
        [
            (match.share, *in_context(model.tokenizer, text, text_ids, match, len(span), AROUND))
            for match in best
        ],
        columns=["share", "before", "match", "after"],
    )
    if rows.empty:
        st.info(t("neurons.nowhere"))
        return
    lines = "".join(
        f"<tr><td>{share:.0%}</td><td>{html.escape(before)}<mark>{html.escape(match)}</mark>"
        f"{html.escape(after)}</td></tr>"
        for share, before, match, after in rows.itertuples(index=False)
    )
    st.html(f'<table class="tg-matches">{lines}</table>')
    origin = figures.measured([model], t("parts.tokens", n=len(text_ids)))
    figures.downloads(rows, "elsewhere", origin)


# --- experiments ----------------------------------------------------------------------------------


def silence(model: Model, task: Task, document: Document, layer: int, ranked: Array) -> None:
    """The answer without some units, and without ever more of the best."""
    from textgen.interpret.verdicts import spread

    names = [str(unit) for unit in ranked]
    if not set(state.get("off", ())) <= set(names):
        state.pop("off", None)
    st.subheader(t("neurons.silence"), anchor=False)
    off = st.multiselect(t("neurons.off"), names, default=names[:1], key="off", bind="query-params")
    without = {
        number: cached.answers_without(model, task, document, layer, ranked[:number].tolist())
        for number in SILENCED
        if number <= len(ranked)
    }
    after = cached.answers_without(model, task, document, layer, [int(unit) for unit in off])
    origin = figures.origin(document, model)
    left, right = st.columns(2, gap="large")
    with left:
        answers.chart(
            origin,
            "silenced",
            without[0],
            after,
            t("neurons.silent"),
            cached.answers_without_fact(model, task, document),
        )
    rows = pd.DataFrame(
        [(number, shares[document.answer]) for number, shares in without.items()],
        columns=["number", "share"],
    )
    words = {"number": t("neurons.number"), "share": t("neurons.right_answer")}
    with right:
        figures.chart(neuron_charts.without(rows, words), rows, "without", origin)
    verdict = spread(without[0], without[1], document.answer)
    page_parts.claim(
        t("neurons.claim_spread"),
        verdict.verdict,
        t("neurons.spread", unit=names[0], before=verdict.before, after=verdict.after),
    )


main()
