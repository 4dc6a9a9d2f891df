"""The wave on the page: how models go on with it, beside the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.evaluation.wave import CONTINUED, GIVEN, continued, off_by, true_levels
from textgen.ui import figures, models, widgets
from textgen.ui.charts import curves
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model

CELLS = ("RNN", "LSTM")


def loaded() -> dict[str, Model]:
    """The models that have learned the wave."""
    return {cell: models.load(shipped.WAVES / cell.lower()) for cell in CELLS}


def show() -> None:
    """The true wave, and how each model goes on with it."""
    given = st.slider(t("wave.given"), 10, GIVEN, GIVEN, 10, key="given", bind="query-params")
    compared = loaded()
    courses = {t("wave.true"): true_levels()} | {
        name: continued(model, given) for name, model in compared.items()
    }
    rows = pd.concat(
        pd.DataFrame({"moment": range(CONTINUED), "level": course, "who": who})
        for who, course in courses.items()
    )
    words = {"moment": t("wave.moment"), "level": t("wave.level"), "true": t("wave.true")}
    origin = figures.measured(compared.values(), f"{given} + {CONTINUED}")
    figures.chart(curves.wave(rows, words), rows, "wave", origin)
    off = (t("wave.off", name=name, levels=off_by(courses[name])) for name in compared)
    widgets.line([t("wave.grey"), *off])
