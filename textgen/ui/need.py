"""The unit of a model that goes through the pages: the one that the answer needs most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.ui import cached, widgets
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array


def facts_in_order(task: Task) -> list[str]:
    """The facts of a task, first those that the lesson tells, whatever its own language: two of the
    first group and one of each other, such as Korea, Japan and America."""
    first, *others = (list(group) for group in task.pairs.values())
    told = [*first[:2], *(fact for group in others for fact in group[:1])]
    return list(dict.fromkeys([*told, *task.facts]))


def units_by_need(model: Model, task: Task | None, document: Document, layer: int) -> Array:
    """The units of a layer [U], first the one whose memory the answer needs most: whose forgetting
    (`interpret.forgetting`) hurts it most against the answer of the lesson's first other fact; of a
    text of one's own, against nothing.

    By this measure, and no other, every page chooses its unit: what is changed is the memory of one
    unit, and what is seen is the answer. So the unit goes from page to page, and where facts are
    laid over each other it tells at least these two apart.
    """
    facts = [] if task is None else facts_in_order(task)
    others = (task.answer_to(fact) for fact in facts) if task else ()
    foil = next((answer for answer in others if answer != document.answer), "")
    return np.argsort(-cached.forgetting(model, document, foil, layer), kind="stable")


def note_need(model: Model) -> None:
    """By what the units are ranked."""
    by = "silence" if model.network.cell.forgets_by is None else "forget"
    widgets.line([t(f"parts.need_{by}")])
