"""Evidence: which tokens the answer hangs on, by gradient and by taking each away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, question_start
from textgen.errors import TextgenError
from textgen.ui import answers, cached, figures, page_parts, passages, widgets
from textgen.ui.components.token_figure import Scale, token_figure
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array

state = st.session_state
FIRST_CELLS = ("RNN", "LSTM")
LIGHTEST, STRONGEST = 0.01, 10.0  # nats of a tint, for all models
NULL = 0.99  # of the tokens that say nothing of the fact, the share that is not to be tinted
ABREAST = 2  # models


def main() -> None:
    widgets.header("evidence", own=passages.own_text_asked())
    try:
        if passages.own_text():
            look_at_own_text()
            page_parts.how(t("evidence.how"), t("evidence.source"))
            return
        task, document = page_parts.choose_document()
        left, right = st.columns([2, 7], gap="medium")
        with left:
            foil = choose_foil(task, document)
        with right:
            compared = page_parts.choose_models(task, FIRST_CELLS)
        if compared:
            compare(compared, document, foil, task)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("evidence.how"), t("evidence.source"))


def look_at_own_text() -> None:
    """Any text under any models: what the answer hangs on, against the foil."""
    compared = passages.choose_models()
    if compared:
        first = next(iter(compared.values()))
        document, foil = passages.choose_goal(first, passages.choose_text(first))
        compare(compared, document, foil)


def choose_foil(task: Task, document: Document) -> str:
    """The answer that the right one is weighed against."""
    others = [answer for answer in task.answers if answer != document.answer]
    if state.get("foil") not in others:
        state.pop("foil", None)
    return str(st.selectbox(t("evidence.foil"), others, key="foil", bind="query-params"))


def compare(
    compared: dict[str, Model], document: Document, foil: str, task: Task | None = None
) -> None:
    """The same text under each model, coloured on one scale; two models beside each other.

    task: whose document it is. Another story with the same fact then says by its filler what noise
    is.
    """
    other = None if task is None else page_parts.other_story(task, document.fact)
    frames, traces = [], []
    for start in range(0, len(compared), ABREAST):
        columns = st.columns(ABREAST, gap="large")
        for (name, model), column in zip(
            list(compared.items())[start : start + ABREAST], columns, strict=False
        ):
            with column:
                st.subheader(name, anchor=False)
                tell_answer(model, task, document)
                with st.spinner(t("remember.measuring", name=name)):
                    measures = {
                        "gradient": cached.saliency(model, document, foil),
                        "occlusion": cached.occlusion(model, document, foil),
                    }
                    traces.append(cached.trace_document(model, document))
                tokens = page_parts.tokens(model, document)
                noise = (
                    {kind: 0.0 for kind in measures}
                    if other is None
                    else noise_of(model, other, foil)
                )
                for kind, values in measures.items():
                    strip(name, model, document, tokens, kind, values, noise[kind])
                if other is not None:
                    widgets.line([t("evidence.noise", share=NULL, **noise)])
                if passages.is_own(document):
                    widgets.line([t("parts.no_fact")])
                    if (block := cached.block_of(model, document)) > 1:
                        widgets.line([t("evidence.blocks", n=block)])
                else:
                    judge(name, model, document, tokens, measures["occlusion"])
            texts = {"model": name, "token": range(len(tokens)), "text": tokens}
            frames.append(pd.DataFrame(texts | measures))
    origin = figures.origin(document, *compared.values())
    figures.downloads(pd.concat(frames), "evidence", origin)
    page_parts.replay_error(*traces)


def tell_answer(model: Model, task: Task | None, document: Document) -> None:
    """What the model says at the blank, where it can be judged."""
    from textgen.interpret.verdicts import answered

    without = answers.untold(model, task, document)
    if task is None or without is None:
        return
    found = answered(cached.answers(model, task, document), without, document.answer)
    widgets.line([answers.in_words(found), answers.base(found.answer, without)])


def noise_of(model: Model, other: Document, foil: str) -> dict[str, float]:
    """Of each measure, the size that `NULL` of the tokens do not reach which say nothing of the
    fact: those between the fact and the question, in a story that is not the one shown."""
    tokenizer = model.tokenizer
    between = slice(fact_end(tokenizer, other) + 1, question_start(tokenizer, other))
    measures = {
        "gradient": cached.saliency(model, other, foil),
        "occlusion": cached.occlusion(model, other, foil),
    }
    return {
        kind: float(np.quantile(abs(values[between]), NULL)) for kind, values in measures.items()
    }


def strip(
    name: str,
    model: Model,
    document: Document,
    tokens: list[str],
    kind: str,
    values: Array,
    noise: float,
) -> None:
    """Blue where a token speaks for the answer, orange where against it; none up to the noise."""
    scale = Scale("log", t("evidence.supports"), STRONGEST, LIGHTEST, noise)
    title = t(f"evidence.{kind}")
    token_figure(
        tokens,
        values[None],
        [title],
        [scale],
        key=f"{kind}-{name}",
        title=title,
        caption=figures.origin(document, model),
        value_word=t("evidence.nats"),
        pinned=page_parts.pinned(len(tokens)),
        on_pin=page_parts.pin_token,
        rest=document.answer + document.ending,
        matrix=False,
        legend=kind == "gradient",
    )


def judge(name: str, model: Model, document: Document, tokens: list[str], occlusion: Array) -> None:
    """Does the answer hang on the sentence with the fact?"""
    from textgen.interpret.verdicts import hangs_on_fact

    tokenizer = model.tokenizer
    verdict = hangs_on_fact(
        occlusion, fact_end(tokenizer, document), question_start(tokenizer, document)
    )
    page_parts.claim(
        t("evidence.claim", name=name),
        verdict.verdict,
        t(
            "evidence.measured",
            text=tokens[verdict.token].replace(" ", "␣"),
            token=verdict.token,
            nats=verdict.nats,
            fact_end=verdict.fact_end,
            chance=verdict.chance,
        ),
    )


main()
