"""Text of a given length that says nothing of the fact: sentences, and noise between them."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from textgen.data import noise

AMPLE = 500  # characters
POOL = 12_000  # characters of noise of each kind


class Filler:
    """Draws filler. The same seeds give the same text.

    kinds: of noise, see `noise.pool`. only_noise: nothing else; otherwise noise stands among the
    sentences, more of it in one text than in another.
    """

    def __init__(
        self, sentences: Sequence[str], kinds: Sequence[str] = (), only_noise: bool = False
    ) -> None:
        self.sentences, self.only_noise = sentences, only_noise
        words = " ".join(sentences).split()
        self.noise = [noise.pool(kind, POOL, words) for kind in kinds]
        self.by_length: dict[int, list[str]] = {}
        for sentence in sentences:
            self.by_length.setdefault(len(sentence), []).append(sentence)
        # with more room than this any sentence may come next
        self.ample = max(AMPLE, 3 * max(self.by_length))
        self.gaps = gaps(self.by_length, self.ample)

    def fill(self, rng: random.Random, length: int) -> str:
        """Sentences and noise with a space, or a line's end, before, between and after them:
        `length` characters in all."""
        parts: list[str] = []
        left = max(length - 1, 0)  # the space after the last
        share, space = 0.0, " "
        if self.noise:
            share = 1.0 if self.only_noise else rng.choice([0.0, 0.0, 0.3, 1.0])
            space = rng.choice([" ", " ", "\n"])
        while left:
            if left > 1 and share and rng.random() < share:
                size = min(left - 1, rng.randint(1, rng.choice([12, 60, POOL // 2])))
                at = rng.randrange(POOL - size)
                parts.append(rng.choice(self.noise)[at : at + size])
                left -= 1 + size
                continue
            if left in self.gaps:  # no sentences fit: stay a little short
                left -= 1
                continue
            fitting = self.by_length.get(left - 1)
            if fitting and (left < 40 or rng.random() < 0.1):
                parts.append(rng.choice(fitting))
                break
            sentence = rng.choice(self.sentences)
            rest = left - 1 - len(sentence)
            if rest >= 0 and (left > self.ample or rest not in self.gaps):
                parts.append(sentence)
                left = rest
        return "".join(f"{space}{part}" for part in parts) + space


def gaps(lengths: Collection[int], room: int) -> frozenset[int]:
    """Room, up to `room`, that sentences of these lengths, a space before each, cannot fill."""
    filled = [True]
    for space in range(1, room + 1):
        filled.append(any(n < space and filled[space - 1 - n] for n in lengths))
    return frozenset(space for space, is_filled in enumerate(filled) if not is_filled)
