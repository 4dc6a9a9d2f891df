"""How a model that has learned the wave goes on with it, and how far off it is."""

from __future__ import annotations

import numpy as np

from textgen.data.wave import LENGTH, heights, levels, spell
from textgen.generation.generator import Generator

FIRST_MOMENT = LENGTH + 333  # after the end of the text that was trained on
GIVEN, CONTINUED = 200, 400  # letters
NOTHING_LEARNED = 13.6  # levels by which who always names the mean height is off


def continued(model: Generator, given: int) -> np.ndarray:
    """The levels [CONTINUED] with which a model goes on after the last `given` letters."""
    prompt = spell(heights(FIRST_MOMENT + GIVEN - given, given))
    written = model.generate(prompt, max_new_tokens=CONTINUED, temperature=0.0, engine="numpy")
    return levels(written.text)


def true_levels() -> np.ndarray:
    """What would be right: [CONTINUED]."""
    return levels(spell(heights(FIRST_MOMENT + GIVEN, CONTINUED)))


def off_by(course: np.ndarray) -> float:
    """By how many levels a course [CONTINUED] is off on average."""
    return float(abs(course - true_levels()).mean())
