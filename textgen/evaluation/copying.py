"""The copy meter: what of a sample stands verbatim in the text that the model was trained on.

A model of a small text that writes well may only remember. So what it wrote is searched for spans
of at least `shortest` characters that the training text has too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from textgen.config import EvaluateConfig
from textgen.errors import ConfigError
from textgen.text.nfc import nfc
from textgen.text.stretches import Stretches, window_hashes

SHORTEST = EvaluateConfig.shortest


@dataclasses.dataclass(frozen=True)
class Span:
    """sample[begin:end] stands in the training text, and could be made longer at neither end."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """In characters."""
        return self.end - self.begin


class CopyMeter:
    """Looks samples up in one training text. Raises `ConfigError` when `shortest` is below 1."""

    def __init__(self, training_text: str, shortest: int = SHORTEST) -> None:
        if shortest < 1:
            raise ConfigError(f"shortest is {shortest}: give at least 1 character")
        self.shortest = shortest
        self._stretches = Stretches(training_text, shortest)
        self._text = self._stretches.text

    def spans(self, sample: str) -> list[Span]:
        """The longest copied spans of a sample in NFC, in its order; they may overlap."""
        sample = nfc(sample)
        spans: list[Span] = []
        may_begin = self._stretches.may_hold(window_hashes(sample, self.shortest))
        for begin in map(int, np.flatnonzero(may_begin)):
            end = spans[-1].end if spans else 0
            # a span that begins later must reach further
            shortest = max(self.shortest, end - begin + 1)
            if begin + shortest > len(sample):
                break
            place = self._text.find(sample[begin : begin + shortest])
            if place >= 0:
                spans.append(Span(begin, self._reach(sample, begin, shortest, place)))
        return spans

    def _reach(self, sample: str, begin: int, length: int, place: int) -> int:
        """The end of the longest copied span from `begin`, whose first `length` characters were
        first met at `place`: a longer span stands there or later, never before."""
        text = self._text
        while place >= 0:
            longest = min(len(sample) - begin, len(text) - place)
            while length < longest and sample[begin + length] == text[place + length]:
                length += 1
            if begin + length == len(sample):
                break
            place = text.find(sample[begin : begin + length + 1], place + 1)
        return begin + length


def covered(spans: Sequence[Span], length: int) -> np.ndarray:
    """For each of `length` characters the longest span it stands in, 0 where it is in none."""
    longest = np.zeros(length, np.int64)
    for span in spans:
        part = longest[span.begin : span.end]
        np.maximum(part, span.length, out=part)
    return longest
