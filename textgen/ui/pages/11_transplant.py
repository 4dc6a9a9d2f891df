"""Transplant: whose fact a state tells that is handed to another, and how long C and h keep it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, ids_before_blank
from textgen.errors import GenerationError, TextgenError
from textgen.ui import answers, cached, figures, page_parts, passages, widgets
from textgen.ui.charts import neurons as neuron_charts
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array

state = st.session_state
PLACES = 12  # at which the parts of the state are handed over, in one figure


def main() -> None:
    widgets.header("transplant", own=passages.own_text_asked())
    own = passages.own_text()
    try:
        if own:
            look_at_own_texts()
        elif (chosen := page_parts.choose_of_task()) is not None:
            model, task, document = chosen
            layer = page_parts.choose_layer(model)
            st.fragment(transplanted)(model, task, document)
            read_off(model, task, document, layer)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("transplant.own_how") if own else t("transplant.how"), t("transplant.source"))


def transplanted(model: Model, task: Task, document: Document) -> None:
    """Another's state, or a part of it, handed over in the middle of the filler."""
    from textgen.interpret.verdicts import MOSTLY

    tokens = len(ids_before_blank(model.tokenizer, document))
    names: tuple[str, ...] = model.network.cell.state_names
    donor, at, handed, kinds = choose_transplant(model, task, document, tokens, names)
    before = cached.answers(model, task, document)
    after = cached.answers_transplanted(model, task, document, donor, at, kinds[handed])
    one, many = st.columns(2, gap="large")
    with one:
        answers.chart(
            figures.origin(document, model),
            "transplant",
            before,
            after,
            t("transplant.after"),
            cached.answers_without_fact(model, task, document),
        )
    left = tokens - at
    distance, variant = page_parts.distance(), page_parts.variant()
    with many, st.spinner(t("transplant.pairs")):
        flips = {
            kind: cached.flips(model, task, distance, variant, left, parts)
            for kind, parts in kinds.items()
        }
        rows = pd.DataFrame([{"parts": kind} | vars(flip) for kind, flip in flips.items()])
        words = {
            "parts": t("transplant.handed"),
            "share": t("transplant.flipped"),
            "unmoved": t("transplant.unmoved"),
        }
        origin = figures.measured([model], f"N = {flips[names[-1]].n}", 1)
        figures.chart(neuron_charts.flips(rows, MOSTLY, words), rows, "flips", origin)
    part = names[-1]
    verdict = flips[part]
    page_parts.claim(
        t("transplant.claim", part=part),
        verdict.verdict,
        t(
            "transplant.turned",
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
    kinds = kinds_of(names)
    others = [fact for fact in task.facts if task.answer_to(fact) != document.answer]
    if state.get("donor") not in others:
        state.pop("donor", None)
    first = fact_end(model.tokenizer, document) + 1
    middle = (first - 1 + tokens) // 2
    if not first <= state.get("at", middle) < tokens:
        state.pop("at", None)
    columns = st.columns([2, 3, 2], vertical_alignment="bottom", gap="medium")
    fact = columns[0].selectbox(t("transplant.donor"), others, key="donor", bind="query-params")
    at = columns[1].slider(
        t("transplant.at"), first, tokens - 1, middle, key="at", bind="query-params"
    )
    with columns[2]:
        handed = widgets.one_of(t("transplant.handed"), list(kinds), names[-1], "handed")
    return page_parts.document_with(task, fact), at, handed, kinds


def kinds_of(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What there is to hand over of a state, by name: all of it, and each part alone."""
    wholes = [names] if len(names) > 1 else []
    return {" + ".join(parts): parts for parts in [*wholes, *((name,) for name in names[::-1])]}


def read_off(model: Model, task: Task, document: Document, layer: int) -> None:
    """A linear probe for the answer on each part of the state, all along the document."""
    from textgen.interpret.verdicts import SURE

    st.subheader(t("transplant.stored"), anchor=False)
    distance, variant = page_parts.distance(), page_parts.variant()
    with st.spinner(t("transplant.probing")):
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
        "accuracy": t("transplant.readable"),
        "part": t("neurons.part"),
        "chance": t("remember.chance"),
        "fact_end": t("parts.fact_end"),
    }
    chance = 1 / len(task.answers)
    origin = figures.measured([model], f"N = {readable.n}", 1)
    figures.chart(neuron_charts.readable(rows, fact, chance, words), rows, "stored", origin)
    part = model.network.cell.carried
    measured = t(
        "transplant.least",
        least=readable.least(part, fact),
        last=readable.accuracy[part][0],
        n=readable.n,
        chance=chance,
        limit=SURE,
    )
    for other in readable.accuracy:
        if other != part:
            measured += " " + t("transplant.beside", part=other, least=readable.least(other, fact))
    page_parts.claim(
        t("transplant.claim_stored", part=part), readable.verdict(part, fact, chance), measured
    )


# --- two texts of one's own -----------------------------------------------------------------------


def look_at_own_texts() -> None:
    """Any model on any two texts: what comes next after the one, read on from the other's state."""
    model = passages.choose_model()
    text = passages.choose_text(model)
    donor = st.text_area(
        t("transplant.donor_text"),
        t("transplant.donor_example"),
        height=96,
        max_chars=passages.CHARACTERS,
        key="donor_text",
        bind="query-params",
    )
    if not donor:
        raise GenerationError(t("parts.empty"))
    passages.note_unknown(model, text + donor)
    read, given = (passages.trace(model, one) for one in (text, donor))
    kinds = kinds_of(model.network.cell.state_names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = choose_place(model, text, donor)
        handed = widgets.one_of(t("transplant.handed"), list(kinds), next(iter(kinds)), "handed")
    show_handover(model, text, donor, at)
    places = places_of(at, len(read.logprobs), len(given.logprobs))
    before, of_donor = (np.exp(trace.logprobs[-1]) for trace in (read, given))
    after = {
        kind: cached.predictions_transplanted(model, text, donor, places, parts)
        for kind, parts in kinds.items()
    }
    here = after[handed][places.index(at)]
    tokens = t("parts.tokens", n=f"{len(read.logprobs)}, {len(given.logprobs)}")
    origin = figures.measured([model], tokens)
    one, many = st.columns(2, gap="large")
    with one:
        every = (passages.likeliest(model, s, len(s)) for s in (before, here, of_donor))
        shares, changed, theirs = every
        answers.chart(
            f"{origin} · {handed}, {at}",
            "transplant",
            shares,
            changed,
            t("transplant.after"),
            theirs,
            t("transplant.of_donor"),
        )
    rows = pd.DataFrame(
        [
            {"at": place, "moved": apart(before, shares), "parts": kind}
            for kind, of_kind in after.items()
            for place, shares in zip(places, of_kind, strict=True)
        ]
    )
    words = {
        "at": t("transplant.at"),
        "moved": t("transplant.moved"),
        "parts": t("transplant.handed"),
    }
    with many:
        figures.chart(neuron_charts.moved(rows, at, words), rows, "moved", origin)
    own, other = apart(before, here), apart(of_donor, here)
    widgets.line([t("transplant.apart", own=own, other=other), t("transplant.no_fact")])
    page_parts.replay_error(read, given)


def choose_place(model: Model, text: str, donor: str) -> int:
    """After which token of the text the donor's state is handed over: at first where the rest of
    both is the same."""
    ids, given = (model.tokenizer.encode(one) for one in (text, donor))
    low, high = max(1, 1 + len(ids) - len(given)), 1 + len(ids)
    alike = zip(reversed(ids), reversed(given), strict=False)
    same = next((k for k, (a, b) in enumerate(alike) if a != b), min(len(ids), len(given)))
    if not low <= state.get("place", low) <= high:
        state.pop("place", None)
    if low == high:
        return high
    first = max(high - same, low)
    return st.slider(t("transplant.at"), low, high, first, key="place", bind="query-params")


def places_of(at: int, tokens: int, given: int) -> list[int]:
    """Some places, evenly, and the one that is looked at."""
    low = max(1, 1 + tokens - given)
    return sorted({at, *np.linspace(low, tokens, PLACES).astype(int).tolist()})


def show_handover(model: Model, text: str, donor: str, at: int) -> None:
    """What the state is that is handed over, and what is read on from it."""
    ids, given = (model.tokenizer.encode(one) for one in (text, donor))
    # cut from the texts, which still have the letters that the model's tokens do not know
    heard = donor[: len(model.tokenizer.decode(given[: len(given) - (1 + len(ids) - at)]))]
    rest = text[len(model.tokenizer.decode(ids[: at - 1])) :]
    st.html(
        f'<div class="tg-document"><mark>{html.escape(heard)}</mark>'
        f"<span>{html.escape(rest)}</span>"
        '<span class="tg-blank">?</span></div>'
    )


def apart(first: Array, second: Array) -> float:
    """How much of the probability [V] lies elsewhere: half the sum of all differences."""
    return float(abs(first - second).sum() / 2)


main()
