"""A wave as a text, its height at each moment one of 64 letters, and how models go on with it.

The models in waves/ have learned it by the command that every text is learned by: `make models`
writes the wave, by `python -m textgen.ui.wave`, and trains them.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.ui import models, page_parts, widgets
from textgen.ui.charts import curves
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model

PERIODS = (20, 47)  # steps; they meet again after 940
LENGTH = 20_000  # of the text that is trained on
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+-"


def heights(start: int, length: int) -> np.ndarray:
    """The wave from -1 to 1 at `length` moments [T]."""
    t = np.arange(start, start + length)
    first, second = (np.sin(2 * np.pi * t / period) for period in PERIODS)
    return np.asarray(0.6 * first + 0.4 * second)


def spell(wave: np.ndarray) -> str:
    """The letter of the level nearest to each height."""
    levels = np.rint((wave + 1) / 2 * (len(LETTERS) - 1)).astype(int)
    return "".join(LETTERS[level] for level in levels)


def levels(text: str) -> np.ndarray:
    """The level of each letter, 0 to 63; a character that is none counts as the middle."""
    known = {letter: level for level, letter in enumerate(LETTERS)}
    return np.array([known.get(letter, len(LETTERS) // 2) for letter in text])


# --- on the page ----------------------------------------------------------------------------------

CELLS = ("RNN", "LSTM")
FIRST_MOMENT = LENGTH + 333  # after the end of the text that was trained on
GIVEN, CONTINUED = 200, 400  # letters
NOTHING_LEARNED = 13.6  # levels by which who always names the mean height is off


def loaded() -> dict[str, Model]:
    """The models that have learned the wave."""
    return {cell: models.load(shipped.WAVES / cell.lower()) for cell in CELLS}


def continued(model: Model, given: int) -> np.ndarray:
    """The levels [CONTINUED] with which a model goes on after the last `given` letters."""
    prompt = spell(heights(FIRST_MOMENT + GIVEN - given, given))
    written = model.generate(prompt, max_new_tokens=CONTINUED, temperature=0.0, engine="numpy")
    return levels(written.text)


def true_levels() -> np.ndarray:
    """What would be right."""
    return levels(spell(heights(FIRST_MOMENT + GIVEN, CONTINUED)))


def off_by(course: np.ndarray) -> float:
    """By how many levels a course [CONTINUED] is off on average."""
    return float(abs(course - true_levels()).mean())


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
    origin = page_parts.measured(compared.values(), f"{given} + {CONTINUED}")
    page_parts.chart(curves.wave(rows, words), rows, "wave", origin)
    off = (t("wave.off", name=name, levels=off_by(courses[name])) for name in compared)
    widgets.line([t("wave.grey"), *off])


if __name__ == "__main__":
    print(spell(heights(0, LENGTH)), end="")
