"""What counting alone achieves: an n-gram model of characters, the baseline of every evaluation.

Interpolated Witten-Bell smoothing (Witten & Bell 1991; Chen & Goodman 1999, section 2.6): after a
history h of n - 1 characters, that was seen c(h) times with T(h) different characters after it,

    p_n(x | h) = (c(h, x) + T(h) p_{n-1}(x | h')) / (c(h) + T(h))

where h' is h without its first character, and p_0 is uniform. A history never seen says nothing:
p_n = p_{n-1}. Characters that the training text lacks share one place in the vocabulary.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from textgen.errors import ConfigError, CorpusError

HIGHEST_ORDER = 12  # counts beyond are nearly all 1, and take memory


@dataclasses.dataclass(frozen=True)
class _Counts:
    """The n-grams of one n. keys: sorted, history * V + character, where a history is known by its
    place among the keys of n - 1. count: of each key. history, kinds: of each history, c(h) and
    T(h)."""

    keys: np.ndarray
    count: np.ndarray
    history: np.ndarray
    kinds: np.ndarray


class NGram:
    """Counts of a text for all n up to `order`.

    Raises `ConfigError` for an order out of range and `CorpusError` for an empty text.
    """

    def __init__(self, text: str, order: int = 5) -> None:
        if not 1 <= order <= HIGHEST_ORDER:
            raise ConfigError(f"order is {order}: give a whole number from 1 to {HIGHEST_ORDER}")
        if not text:
            raise CorpusError("the text to count n-grams in is empty: give some text")
        self.order = order
        self._characters = np.unique(_code_points(text))
        self.size = len(self._characters) + 1  # the last place is the unknown's
        ids = self._encode(text)
        place = np.zeros(len(ids) + 1, np.int64)  # of the history before each character
        histories = 1
        self._counts: list[_Counts] = []
        for n in range(1, order + 1):
            known = slice(n - 1, None)  # the first characters have no history so long
            keys, inverse, count = np.unique(
                place[:-1][known] * self.size + ids[known],
                return_inverse=True,
                return_counts=True,
            )
            of = keys // self.size
            self._counts.append(
                _Counts(
                    keys,
                    count,
                    np.bincount(of, count, histories).astype(np.int64),
                    np.bincount(of, minlength=histories),
                )
            )
            place = np.concatenate([np.zeros(n, np.int64), inverse])
            histories = len(keys)

    def nats(self, text: str) -> np.ndarray:
        """-ln p of every character of `text` for n = 1, 2, ..., order: float64 [order, length]."""
        ids = self._encode(text)
        place = np.zeros(len(ids) + 1, np.int64)  # -1: a history never seen
        p = np.full(len(ids), 1.0 / self.size)
        nats: list[np.ndarray] = []
        for counts in self._counts:
            before = place[:-1]
            if not len(counts.keys):  # the counted text is shorter than this
                nats.append(nats[-1])
                continue
            key = before * self.size + ids
            at = np.minimum(np.searchsorted(counts.keys, key), len(counts.keys) - 1)
            seen = (before >= 0) & (counts.keys[at] == key)
            times = np.where(seen, counts.count[at], 0)
            history, kinds = counts.history[before], counts.kinds[before]
            known = (before >= 0) & (history > 0)
            p = np.where(known, (times + kinds * p) / np.where(known, history + kinds, 1), p)
            nats.append(-np.log(p))
            place = np.concatenate([[-1], np.where(seen, at, -1)])
        return np.array(nats)

    def unknown(self, text: str) -> int:
        """How many characters of `text` were never counted."""
        return int((self._encode(text) == self.size - 1).sum())

    def _encode(self, text: str) -> np.ndarray:
        codes = _code_points(text)
        at = np.minimum(np.searchsorted(self._characters, codes), len(self._characters) - 1)
        return np.where(self._characters[at] == codes, at, len(self._characters)).astype(np.int64)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
