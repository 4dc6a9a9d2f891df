"""Transplant: whose fact a state tells that is handed to another, and how long C and h keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, ids_before_blank
from textgen.errors import TextgenError
from textgen.ui import cached, page_parts, widgets
from textgen.ui.charts import neurons as neuron_charts
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model

state = st.session_state


def main() -> None:
    widgets.header("transplant")
    try:
        if (chosen := page_parts.choose_of_task()) is not None:
            model, task, document = chosen
            layer = page_parts.choose_layer(model)
            st.fragment(transplanted)(model, task, document)
            read_off(model, task, document, layer)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("transplant.how"), t("transplant.source"))


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
        page_parts.answers(
            model,
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
        page_parts.chart(neuron_charts.flips(rows, MOSTLY, words), rows, "flips", [model])
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
    fact = columns[0].selectbox(t("transplant.donor"), others, key="donor", bind="query-params")
    at = columns[1].slider(
        t("transplant.at"), first, tokens - 1, middle, key="at", bind="query-params"
    )
    with columns[2]:
        handed = widgets.one_of(t("transplant.handed"), list(kinds), names[-1], "handed")
    return page_parts.document_with(task, fact), at, handed, kinds


def read_off(model: Model, task: Task, document: Document, layer: int) -> None:
    """A linear probe for the answer on each part of the state, all along the document."""
    from textgen.interpret.verdicts import MOSTLY

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
    page_parts.chart(neuron_charts.readable(rows, fact, chance, words), rows, "stored", [model])
    part = model.network.cell.carried
    page_parts.claim(
        t("transplant.claim_stored", part=part),
        readable.verdict(part, fact),
        t(
            "transplant.least",
            least=readable.least(part, fact),
            last=readable.accuracy[part][0],
            n=readable.n,
            limit=MOSTLY,
        ),
    )


main()
