"""What a model says at the blank, on every page alike: in words with their verdict, in a line with
a bar, and in a chart."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.ui import cached, figures, page_parts
from textgen.ui.charts import step as step_charts
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.interpret.verdicts import Answered

SHOWN = 6  # answers in a chart
OTHER = "#9a9a94"  # the colour of the likeliest other answer


def is_taught(model: Model, task: Task, document: Document) -> bool:
    """Whether the model was trained on the right answer, and on the word that tells the fact."""
    own = page_parts.own_task(task, model)
    words = {*own.names, *own.places.values()}
    told = (document.word or document.fact).lower()
    return document.answer in own.answers and told in {word.lower() for word in words}


def untold(model: Model, task: Task | None, document: Document) -> dict[str, float] | None:
    """The probability of each answer where the fact is not told, by which the model is judged; None
    where it was never taught that, and for a text of one's own."""
    if task is None or not is_taught(model, task, document):
        return None
    return cached.answers_without_fact(model, task, document)


def in_words(found: Answered) -> str:
    """What a model says, judged: ✓ Korean 98%, or ✗ does not know (German 48%)."""
    told = {"answer": found.answer, "share": found.share}
    words = t("answer.sure", **told) if found.sure else t("answer.unsure", **told)
    return f"{page_parts.MARKS[found.verdict.value]} {words}"


def base(answer: str, without: Mapping[str, float]) -> str:
    """How likely an answer is where the fact is not told."""
    return t("answer.base", answer=answer, share=without[answer])


class Row(NamedTuple):
    """Who says it, or when. without: `untold`."""

    label: str
    colour: str
    shares: Mapping[str, float]
    without: Mapping[str, float] | None


def rows(shown: Iterable[Row], right: str, legend: str = "") -> None:
    """A line each: what is said and its verdict, a bar of the right answer and of the likeliest
    other, and a mark at what the right one is where the fact is not told."""
    lines = "".join(line(row, right) for row in shown)
    note = f'<div class="tg-legend">{html.escape(legend)}</div>' if legend else ""
    st.html(f'<ul class="tg-answers">{lines}</ul>{note}')


def line(row: Row, right: str) -> str:
    """HTML of a line of `rows`."""
    from textgen.interpret.verdicts import answered

    label, colour, shares, without = row
    best = max(shares, key=lambda answer: shares[answer])
    told, beside, mark = t("answer.sure", answer=best, share=shares[best]), "", ""
    if right not in shares:
        parts = [(shares[best], colour)]
    else:
        other = max((a for a in shares if a != right), key=lambda answer: shares[answer])
        parts = [(shares[right], colour), (shares[other], OTHER)]
        beside = t("answer.untaught")
    if without is not None:
        told, beside = in_words(answered(shares, without, right)), base(right, without)
        mark = f'<b style="left:{without[right]:.1%}"></b>'
    bar = "".join(f'<i style="width:{share:.1%};background:{fill}"></i>' for share, fill in parts)
    return (
        f'<li><span class="tg-name" style="border-color:{colour}">{html.escape(label)}</span>'
        f'<span class="tg-verdict">{html.escape(told)}</span>'
        f'<span class="tg-bar" aria-hidden="true">{bar}{mark}</span>'
        f"<small>{html.escape(beside)}</small></li>"
    )


def chart(
    origin: str,
    name: str,
    before: dict[str, float],
    after: dict[str, float] | None = None,
    changed: str = "",
    without: dict[str, float] | None = None,
    without_word: str = "",
) -> None:
    """The likeliest answers, as read and, where something was changed, as the word `changed`
    says; beside them those of the same model without the fact, or what else the word says. origin:
    whose they are."""
    words = {
        "before": t("step.before"),
        "after": changed,
        "without": without_word or t("parts.without"),
        "share": t("remember.share"),
    }
    frame = pd.DataFrame({"answer": before.keys(), "before": before.values()})
    if after is not None:
        frame["after"] = after.values()
    if without is not None:
        frame["without"] = without.values()
    shown = list(frame.columns[1:])
    frame = frame.loc[frame[shown].max(axis=1).sort_values(ascending=False).index[:SHOWN]]
    long = frame.melt("answer", shown, "kind", "share").replace({"kind": words})
    figures.chart(step_charts.answers(long, words), long, name, origin)
