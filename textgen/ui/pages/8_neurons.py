"""Neurons: which units hold the fact, where else they fire, and what happens without them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, fact_word, ids_before_blank
from textgen.errors import TextgenError
from textgen.ui import address, cached, page_parts, passages, units, widgets
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
    widgets.header("neurons")
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
    """The best units, where else they fire, and what happens without them or with another's."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(model)
        part = choose_part(model)
    ranked = np.argsort(-abs(cached.effects(model, document, layer)), kind="stable")
    coloured(model, document, layer, part, ranked)
    elsewhere(model, document, layer)
    st.fragment(silence)(model, task, document, layer, ranked)
    st.fragment(transplanted)(model, task, document)
    read_off(model, task, document, layer)


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
        [page_parts.scale_of(model, part, values)],
        key="units",
        title=t("neurons.best", n=len(units), part=part),
        caption=page_parts.origin(model, tokens),
        value_word=part,
        row_word=t("step.unit"),
        pinned=page_parts.pinned(len(tokens), len(ranked), int(units[0])),
        on_pin=page_parts.pin,
        brush=chosen_span(model, document, len(tokens)),
        on_span=brushed,
        marks=page_parts.marks(model, document),
        rest=document.answer + document.ending,
    )
    rows = pd.DataFrame(values, columns=units).assign(text=tokens)
    page_parts.downloads(rows, "units", [model])
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
            ", ".join(map(str, units[:SHOWN_UNITS])),
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
    page_parts.downloads(rows, "elsewhere", [model])


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
    left, right = st.columns(2, gap="large")
    with left:
        page_parts.answers(
            model,
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
        page_parts.chart(neuron_charts.without(rows, words), rows, "without", [model])
    verdict = spread(without[0], without[1], document.answer)
    page_parts.claim(
        t("neurons.claim_spread"),
        verdict.verdict,
        t("neurons.spread", unit=names[0], before=verdict.before, after=verdict.after),
    )


def transplanted(model: Model, task: Task, document: Document) -> None:
    """Another's state, or a part of it, handed over in the middle of the filler."""
    from textgen.interpret.verdicts import MOSTLY

    st.subheader(t("neurons.transplant"), anchor=False)
    tokens = len(ids_before_blank(model.tokenizer, document))
    names: tuple[str, ...] = model.network.cell.state_names
    donor, at, handed, kinds = choose_transplant(model, task, document, tokens, names)
    before = cached.answers(model, task, document)
    after = cached.answers_transplanted(model, task, document, donor, at, kinds[handed])
    one, many = st.columns(2, gap="large")
    with one:
        page_parts.answers(
            model,
            "transplant",
            before,
            after,
            t("neurons.after"),
            cached.answers_without_fact(model, task, document),
        )
    left = tokens - at
    distance, variant = page_parts.distance(), page_parts.variant()
    with many, st.spinner(t("neurons.pairs")):
        flips = {
            kind: cached.flips(model, task, distance, variant, left, parts)
            for kind, parts in kinds.items()
        }
        rows = pd.DataFrame([{"parts": kind} | vars(flip) for kind, flip in flips.items()])
        words = {
            "parts": t("neurons.handed"),
            "share": t("neurons.flipped"),
            "unmoved": t("neurons.unmoved"),
        }
        page_parts.chart(neuron_charts.flips(rows, MOSTLY, words), rows, "flips", [model])
    part = names[-1]
    verdict = flips[part]
    page_parts.claim(
        t("neurons.claim_transplant", part=part),
        verdict.verdict,
        t(
            "neurons.turned",
            share=verdict.share,
            low=verdict.low,
            high=verdict.high,
            n=verdict.n,
            left=left,
            limit=MOSTLY,
        ),
    )


def choose_transplant(
    model: Model, task: Task, document: Document, tokens: int, names: tuple[str, ...]
) -> tuple[Document, int, str, dict[str, tuple[str, ...]]]:
    """(the donor, after which token it hands over, what, what there is to hand over by name)."""
    wholes = [names] if len(names) > 1 else []
    kinds = {" + ".join(parts): parts for parts in [*wholes, *((name,) for name in names[::-1])]}
    others = [fact for fact in task.facts if task.answer_to(fact) != document.answer]
    if state.get("donor") not in others:
        state.pop("donor", None)
    first = fact_end(model.tokenizer, document) + 1
    middle = (first - 1 + tokens) // 2
    if not first <= state.get("at", middle) < tokens:
        state.pop("at", None)
    columns = st.columns([2, 3, 2], vertical_alignment="bottom", gap="medium")
    fact = columns[0].selectbox(t("neurons.donor"), others, key="donor", bind="query-params")
    at = columns[1].slider(
        t("neurons.at"), first, tokens - 1, middle, key="at", bind="query-params"
    )
    with columns[2]:
        handed = widgets.one_of(t("neurons.handed"), list(kinds), names[-1], "handed")
    return page_parts.document_with(task, fact), at, handed, kinds


def read_off(model: Model, task: Task, document: Document, layer: int) -> None:
    """A linear probe for the answer on each part of the state, all along the document."""
    from textgen.interpret.verdicts import MOSTLY

    st.subheader(t("neurons.stored"), anchor=False)
    distance, variant = page_parts.distance(), page_parts.variant()
    with st.spinner(t("neurons.probing")):
        readable = cached.readable(model, task, distance, variant, layer)
    rows = pd.DataFrame(
        [
            (left, share, part)
            for part, course in readable.accuracy.items()
            for left, share in course.items()
        ],
        columns=["left", "accuracy", "part"],
    )
    last = len(ids_before_blank(model.tokenizer, document)) - 1
    fact = last - fact_end(model.tokenizer, document)  # tokens before the blank
    words = {
        "left": t("gradients.distance"),
        "accuracy": t("neurons.readable"),
        "part": t("neurons.part"),
        "chance": t("remember.chance"),
        "fact_end": t("parts.fact_end"),
    }
    chance = 1 / len(task.answers)
    page_parts.chart(neuron_charts.readable(rows, fact, chance, words), rows, "stored", [model])
    part = model.network.cell.carried
    page_parts.claim(
        t("neurons.claim_stored", part=part),
        readable.verdict(part, fact),
        t(
            "neurons.least",
            least=readable.least(part, fact),
            last=readable.accuracy[part][0],
            n=readable.n,
            limit=MOSTLY,
        ),
    )


main()
