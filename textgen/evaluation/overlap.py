"""Whether a text stands in the one that a model was trained on: then it was not held out."""

from __future__ import annotations

import numpy as np

STRETCH, STRETCHES = 60, 40  # characters that nobody writes twice by chance; how many are looked up
TOLD = 0.2  # as large a share is worth a word


def share_known(text: str, training_text: str) -> float:
    """The share of `STRETCHES` stretches, spread evenly over `text`, that stand to the letter in
    `training_text`; 0 for a text of less than one."""
    last = len(text) - STRETCH
    if last < 0:
        return 0.0
    begins = sorted({int(at) for at in np.linspace(0, last, STRETCHES)})
    return sum(text[at : at + STRETCH] in training_text for at in begins) / len(begins)
