"""What counting alone achieves: an n-gram model of characters, the baseline of every evaluation.

Characters that the training text lacks share one place in the vocabulary.
"""

from __future__ import annotations

import numpy as np

from textgen.ngrams import witten_bell
from textgen.ngrams.counts import NGrams


class NGram:
    """Counts of the characters of a text for all n up to `order`, smoothed by Witten-Bell.

    Raises `ConfigError` for an order out of range and `CorpusError` for an empty text.
    """

    def __init__(self, text: str, order: int = 5) -> None:
        self._characters = np.unique(_code_points(text))
        size = len(self._characters) + 1  # the last place is the unknown's
        self._counts = NGrams.count(self._encode(text), size, order)

    def nats(self, text: str) -> np.ndarray:
        """-ln p of every character of `text` for n = 1, 2, ..., order: float64 [order, length]."""
        return witten_bell.nats(self._counts, self._encode(text))

    def unknown(self, text: str) -> int:
        """How many characters of `text` were never counted."""
        return int((self._encode(text) == len(self._characters)).sum())

    def _encode(self, text: str) -> np.ndarray:
        codes = _code_points(text)
        if not len(self._characters):
            return np.zeros(len(codes), np.int64)
        at = np.minimum(np.searchsorted(self._characters, codes), len(self._characters) - 1)
        return np.where(self._characters[at] == codes, at, len(self._characters)).astype(np.int64)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
