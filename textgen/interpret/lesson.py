"""What every part of the lesson reads and looks at: one document, and one unit of the model."""

from __future__ import annotations

import random

import numpy as np

from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task
from textgen.evaluation.recall_probe import Scorer, by_answer
from textgen.generation.generator import Generator
from textgen.interpret.effects import forgetting
from textgen.interpret.goals import at_blank
from textgen.interpret.verdicts import Verdict, answered

DISTANCE = 150  # characters from fact to answer, in the document of the lesson


def lesson_document(task: Task, fact: str, distance: int = DISTANCE) -> Document:
    """The document of the lesson: always the same filler and wording."""
    return Writer(task, ("filler",)).write(random.Random("1"), fact, distance)


def telling_fact(model: Generator, task: Task) -> str:
    """The first fact of which a model shows that it remembers it, in `lesson_document`: it knows
    the answer, and would not have said it without the fact. The first of all where it shows none.
    """
    documents = [lesson_document(task, fact) for fact in task.facts]
    scorer = Scorer(model, task)
    without = scorer.answers(documents[0], "removed")
    for document, shares in zip(documents, scorer.shares(documents), strict=True):
        found = answered(by_answer(task, shares), without, document.answer)
        if found.verdict is Verdict.HOLDS:
            return document.fact
    return task.facts[0]


def facts_in_order(task: Task) -> list[str]:
    """The facts of a task, first those that the lesson tells, whatever its own language: two of the
    first group and one of each other, such as Korea, Japan and America."""
    first, *others = (list(group) for group in task.pairs.values())
    told = [*first[:2], *(fact for group in others for fact in group[:1])]
    return list(dict.fromkeys([*told, *task.facts]))


def units_by_need(
    model: Generator, task: Task | None, document: Document, layer: int, last: int | None = None
) -> np.ndarray:
    """The units of a layer [U], first the one whose memory the answer needs most: whose
    `forgetting`, over the `last` tokens or all, hurts it most against the answer of the lesson's
    first other fact; of a text without a task, against nothing.

    By this measure, and no other, the lesson and every page choose their unit: what is changed is
    the memory of one unit, and what is seen is the answer. So the unit goes from page to page, and
    where facts are laid over each other it tells at least these two apart.
    """
    others = (task.answer_to(fact) for fact in facts_in_order(task)) if task else ()
    foil = next((answer for answer in others if answer != document.answer), "")
    asked = at_blank(model.tokenizer, document, foil)
    return np.argsort(-forgetting(model.network, *asked, layer, last), kind="stable")
