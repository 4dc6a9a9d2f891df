"""A wave as a text: its height at each moment is one of 64 letters, so a model learns it by the
command that every text is learned by.

`python -m textgen.data.wave` writes it; `make models` trains the models in waves/ on that.
"""

from __future__ import annotations

import string

import numpy as np

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


if __name__ == "__main__":
    print(spell(heights(0, LENGTH)), end="")
