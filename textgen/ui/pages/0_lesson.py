"""The lesson in one picture: a fact flows along the state of an LSTM, and fades from an RNN's."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from textgen.arrays import Array
from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_word, question_start
from textgen.data.typed_documents import typed
from textgen.errors import TextgenError
from textgen.evaluation.recall_probe import by_answer
from textgen.interpret.lesson import facts_in_order
from textgen.interpret.verdicts import Answered, answered
from textgen.ui import answers, cached, figures, models, page_parts, stations, wave, widgets
from textgen.ui.charts.curves import cell_colours
from textgen.ui.components.fact_flow import Caption, Lane, fact_flow
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.interpret.fact_course import FactCourse

KEEPS, FORGETS = "LSTM", "RNN"
BLANK = "___"
RIBBONS = 6  # units of each model
OFFERED = 3  # facts


def main() -> None:
    if st.query_params.get("station") == "wave":
        st.title(t("wave.title"), anchor=False)
        wave.show()
        return
    st.title(t("lesson.headline"), anchor=False)
    st.html(f'<p class="tg-intro">{html.escape(t("lesson.intro"))}</p>')
    task = page_parts.shipped_task()
    try:
        folders = stations.folders_of(task)
        if {KEEPS, FORGETS} <= folders.keys():
            fact = choose_fact(task)
            place = st.container()
            with place, st.spinner(t("remember.measuring", name=f"{KEEPS}, {FORGETS}")):
                flow(task, fact, {name: models.load(folders[name]) for name in (KEEPS, FORGETS)})
            stations.path(task, fact)
        else:
            st.info(t("parts.no_model", task=widgets.plain(task.path.name)))
    except TextgenError as error:
        widgets.error(error)


def choose_fact(task: Task) -> str:
    """One of a few facts of the lesson's sentence."""
    offered = facts_in_order(task)[:OFFERED]
    return str(widgets.one_of(t("remember.fact"), offered, offered[0], "fact"))


def sentence(task: Task, fact: str) -> Document:
    """The lesson's sentence with a fact, and where its question begins."""
    opening, question = t("lesson.text", fact=fact), t("lesson.question")
    document = typed(task, opening + question, BLANK)
    return dataclasses.replace(document, question_begin=len(opening))


def flow(task: Task, fact: str, compared: dict[str, Model]) -> None:
    """The picture, with a lane for each model."""
    document = sentence(task, fact)
    others = [sentence(task, other) for other in task.facts]
    courses = {
        name: cached.fact_course(model, task, document, others) for name, model in compared.items()
    }
    keeper = compared[KEEPS]
    tokens = page_parts.tokens(keeper, document)
    without = {
        name: cached.answers_without_fact(model, task, document) for name, model in compared.items()
    }
    lanes = [
        lane(name, model, task, document, courses[name], without[name])
        for name, model in compared.items()
    ]
    fact_flow(
        ["", *tokens[1:]],
        fact_word(keeper.tokenizer, document),
        document.answer,
        document.ending,
        lanes,
        captions(task, document, compared, courses, without),
        {name: t(f"flow.{name}") for name in WORDS_OF_FIGURE},
        key=f"flow {fact}",
    )
    widgets.line([*map(figures.whose, compared.values()), t("flow.how")])


WORDS_OF_FIGURE = ("play", "pause", "back", "step", "tour", "place", "now", "see", "summary")


def lane(
    name: str,
    model: Model,
    task: Task,
    document: Document,
    course: FactCourse,
    without: dict[str, float],
) -> Lane:
    """The units of a model that tell the fact best, where it is told and at the blank, and what it
    would answer, with the fact and without it."""
    says = [said(task, shares, without, document.answer) for shares in course.shares]
    size = abs(course.told)
    _, told = fact_word(model.tokenizer, document)
    top = np.sort(np.argsort(-size[told] - size[-1])[:RIBBONS])
    part = model.network.cell.carried
    return Lane(
        name,
        cell_colours()[name],
        t(f"flow.lane_{part}", name=name),
        size[:, top] / size[:, top].max(),
        [
            f"{answers.in_words(one)} · {answers.base(one.answer, without)}"
            if token >= told
            else t("flow.untold")
            for token, one in enumerate(says)
        ],
        course.shares[:, task.answers.index(document.answer)],
    )


def said(task: Task, shares: Array, without: dict[str, float], right: str) -> Answered:
    """What a model answers with these shares of the answers."""
    return answered(by_answer(task, shares), without, right)


def captions(
    task: Task,
    document: Document,
    compared: dict[str, Model],
    courses: dict[str, FactCourse],
    without: dict[str, dict[str, float]],
) -> list[Caption]:
    """The stops of the tour, with what was measured at them."""
    tokenizer = compared[KEEPS].tokenizer
    _, told = fact_word(tokenizer, document)
    question = question_start(tokenizer, document)
    middle, last = question - 1, len(courses[KEEPS].told) - 1  # all the filler has been read

    def left(name: str, token: int) -> float:
        """Of what told the fact when its word had been read, how much there is after a token."""
        size = np.linalg.norm(courses[name].told, axis=1)
        return float(size[token] / size[told])

    right = float(courses[FORGETS].shares[middle, task.answers.index(document.answer)])

    def answer(name: str) -> str:
        one = said(task, courses[name].shares[last], without[name], document.answer)
        told = t("flow.answers", name=name, answer=one.answer, share=one.share)
        return f"{told} {t(f'flow.{one.why}', share=one.without)}"

    return [
        Caption(told, t("flow.told", fact=document.fact)),
        Caption(middle, t("flow.kept", share=left(KEEPS, middle), number=middle - told)),
        Caption(middle, t("flow.faded", right=right, number=middle - told)),
        Caption(last, answer(KEEPS)),
        Caption(last, f"{answer(FORGETS)} {t('flow.onwards')}"),
    ]


main()
