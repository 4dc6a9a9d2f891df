"""How varied a sample is, how much of it repeats itself, and how much of it is copied."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from textgen.evaluation.copying import SHORTEST, CopyMeter, covered
from textgen.text.nfc import nfc
from textgen.text.stretches import window_hashes


@dataclasses.dataclass(frozen=True)
class Variety:
    """How varied a sample is.

    copied: the share of its characters in spans of the training text; longest_copy: the length of
    the longest, longest_text: that span. All three are None where the training text is not at hand.
    distinct: the share of different runs of 1, 2 and 3 words. repetition: see the function.
    """

    name: str
    characters: int
    copied: float | None
    longest_copy: int | None
    longest_text: str | None
    distinct: tuple[float, float, float]
    repetition: float


def variety(name: str, sample: str, meter: CopyMeter | None, shortest: int) -> Variety:
    """How varied a sample is, and how much of it is copied."""
    sample, words = nfc(sample), sample.split()
    spans = meter.spans(sample) if meter else []
    longest = max(spans, key=lambda s: s.length, default=None)
    return Variety(
        name,
        len(sample),
        float((covered(spans, len(sample)) > 0).mean()) if meter and sample else None,
        (longest.length if longest else 0) if meter else None,
        sample[longest.begin : longest.end] if longest else None,
        (distinct(words, 1), distinct(words, 2), distinct(words, 3)),
        repetition(sample, shortest),
    )


def distinct(units: Sequence[object], n: int) -> float:
    """distinct-n (Li et al. 2016): different n-grams of a sequence over all its n-grams."""
    grams = [tuple(units[i : i + n]) for i in range(len(units) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 1.0


def repetition(text: str, size: int = SHORTEST) -> float:
    """The share of characters in spans of at least `size` that stood in the text before.

    It catches a model that goes round in circles, which distinct-n sees only when they are small.
    """
    hashes = window_hashes(text, size)
    _, first = np.unique(hashes, return_index=True)
    again = np.ones(len(hashes), bool)
    again[first] = False
    marked = np.zeros(len(text) + 1, np.int64)
    np.add.at(marked, np.flatnonzero(again), 1)
    np.add.at(marked, np.flatnonzero(again) + size, -1)
    return float((np.cumsum(marked[:-1]) > 0).mean()) if text else 0.0
