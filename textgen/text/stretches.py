"""Which stretches of a text stand in another: looked up by a hash of every window of one size.

A hash is a polynomial in the characters of a window, modulo 2**64 (Karp & Rabin 1987). What it
finds is looked up once more in the text itself, so that nothing hangs on two windows having the
same hash.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.text.nfc import nfc

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it vanishes modulo 2**64


class Stretches:
    """The stretches of `size` characters of a text in NFC, at least 1."""

    def __init__(self, text: str, size: int) -> None:
        self.text, self.size = nfc(text), size
        self._hashes = np.unique(window_hashes(self.text, size))

    def holds(self, stretches: Sequence[str]) -> np.ndarray:
        """Which of N stretches, each of `size` characters, stand in the text: bool [N]."""
        if not stretches:
            return np.zeros(0, bool)
        every = window_hashes("".join(stretches), self.size)[:: self.size]
        known = self.may_hold(every)
        for place in map(int, np.flatnonzero(known)):
            known[place] = stretches[place] in self.text
        return known

    def may_hold(self, hashes: np.ndarray) -> np.ndarray:
        """Which windows with these hashes, all but surely, stand in the text: bool [N]."""
        if not len(self._hashes):
            return np.zeros(len(hashes), bool)
        at = np.searchsorted(self._hashes, hashes)
        return self._hashes[np.minimum(at, len(self._hashes) - 1)] == hashes


def window_hashes(text: str, size: int) -> np.ndarray:
    """uint64 [len(text) - size + 1]: a polynomial in the characters of every window.

    Of two windows behind one another, the hash of both is that of the first, times a power of the
    base, plus that of the second. So windows of 1, 2, 4 ... characters are enough for any size.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    part, width, base = codes + np.uint64(1), 1, int(_BASE)  # base: to the power of the width
    hashes, length, power = np.zeros(len(codes) + 1, np.uint64), 0, 1
    while size:
        if size & 1:
            length += width
            windows = max(len(codes) - length + 1, 0)
            hashes = part[:windows] * np.uint64(power) + hashes[width : width + windows]
            power = power * base % 2**64
        size >>= 1
        windows = max(len(codes) - 2 * width + 1, 0)
        part = part[:windows] * np.uint64(base) + part[width : width + windows]
        width, base = 2 * width, base * base % 2**64
    return hashes
