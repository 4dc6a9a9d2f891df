"""Counts of n-grams: how often each run of n tokens stands in a text, for all n up to an order.

They are the nodes of a trie. Level n holds the n-grams sorted by their history, which is the node
of their first n - 1 tokens, and then by their last token: so what followed a history lies side by
side, and any of it is found by a binary search. Node -1 is one that was not counted.

V vocabulary, N order, K n-grams of a level, T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.errors import ConfigError, CorpusError

HIGHEST_ORDER = 12  # counts beyond are nearly all 1, and take memory
COUNTED_AT_MOST = 4  # possible n-grams for each token of the text: memory for more would be wasted


class Level:
    """The n-grams of one n. token [K]: the last of each. count [K]: how often each was met. Of each
    history: followers, how many n-grams have it; begin, where they begin; counted, how often all of
    them together were met."""

    def __init__(
        self, token: np.ndarray, count: np.ndarray, followers: np.ndarray, size: int
    ) -> None:
        """size: of the vocabulary."""
        self.token, self.count, self.followers = (
            part.astype(np.int32) for part in (token, count, followers)
        )
        history = np.repeat(np.arange(len(followers)), self.followers)
        self.keys = history * size + self.token
        self.begin = np.cumsum(self.followers) - self.followers
        self.counted = np.bincount(history, self.count, len(followers)).astype(np.int64)

    def __len__(self) -> int:
        return len(self.token)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The nodes of keys, history * V + token, of any shape; -1 where one is not counted."""
        if not len(self.keys):
            return np.full(keys.shape, -1)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)


class NGrams:
    """The counts of a text. levels[n - 1] holds the n-grams. Of each history of n - 1 tokens,
    met[n - 1]: how often it was met; rest[n - 1]: how often without an n-gram that has it here, as
    that was left out or the text ended; kinds[n - 1]: in how many ways it went on, the rest being
    one each."""

    def __init__(self, size: int, levels: Sequence[Level]) -> None:
        """size: of the vocabulary."""
        self.size, self.levels = size, levels
        self.met: list[np.ndarray] = [levels[0].counted, *(level.count for level in levels[:-1])]
        both = list(zip(self.met, levels, strict=True))
        self.rest = [met - level.counted for met, level in both]
        self.kinds = [level.followers + met - level.counted for met, level in both]

    @classmethod
    def count(cls, ids: np.ndarray, size: int, order: int, most: int | None = None) -> NGrams:
        """Count the ids of a text [T]. most: of n-grams in all, beyond the single tokens. Each n
        takes at most half of what the shorter ones have left, the last all of it; the rarest are
        left out.

        Raises `ConfigError` for an order out of range and `CorpusError` for an empty text.
        """
        if not 1 <= order <= HIGHEST_ORDER:
            raise ConfigError(f"order is {order}: give a whole number from 1 to {HIGHEST_ORDER}")
        if not len(ids):
            raise CorpusError("the text to count n-grams in is empty: give some text")
        levels: list[Level] = []
        # of each history; small types, as a text is long
        ends, node = np.arange(len(ids), dtype=np.int32), np.zeros(len(ids), np.int64)
        histories, left = 1, most
        for n in range(1, order + 1):
            keys, place, count = _distinct(node * size + ids[ends], histories * size)
            stays = np.ones(len(keys), bool)
            if left is not None and n > 1:
                stays = count >= _fewest(count, left if n == order else left // 2)
                left -= int(stays.sum())
            history, token = np.divmod(keys[stays], size)
            followers = np.bincount(history, minlength=histories)
            levels.append(Level(token, count[stays], followers, size))
            # go on with those that stay and have a token behind them
            node = np.where(stays, np.cumsum(stays) - 1, -1)[place]
            goes_on = (node >= 0) & (ends + 1 < len(ids))
            ends, node, histories = ends[goes_on] + 1, node[goes_on], len(levels[-1])
            del keys, place, count, goes_on  # as long as the text: before the next are made
        return cls(size, levels)

    def __len__(self) -> int:
        return sum(map(len, self.levels))

    @property
    def order(self) -> int:
        return len(self.levels)

    def times(self, n: int, history: np.ndarray, token: np.ndarray) -> np.ndarray:
        """How often each token was met after its history, a node of n - 1 tokens or -1: [T]."""
        level = self.levels[n - 1]
        node = level.find(np.where((history >= 0) & (token >= 0), history * self.size + token, -1))
        return np.where(node >= 0, level.count[node], 0) if len(level) else np.zeros_like(node)

    def histories(self, ids: np.ndarray) -> np.ndarray:
        """What the n-grams know after each of ids [..., T]: the node of the last n - 1 tokens, for
        n = 1, 2, ..., N: [N, ..., T]. An id of -1 is no token."""
        found = np.full((len(self.levels), *ids.shape), -1)
        found[0] = 0
        for n, level in enumerate(self.levels[:-1], 1):
            before = np.full(ids.shape, 0 if n == 1 else -1)
            before[..., 1:] = found[n - 1, ..., :-1]
            known = (before >= 0) & (ids >= 0)
            found[n] = level.find(np.where(known, before * self.size + ids, -1))
        return found

    def after(self, n: int, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All that followed each of B histories of n - 1 tokens, one after the other: (the place of
        its history among `nodes` [B], the token, how often)."""
        level = self.levels[n - 1]
        if len(nodes) == 1:  # a text alone, where each step counts
            begin = level.begin[nodes[0]]
            one = slice(begin, begin + level.followers[nodes[0]])
            return np.zeros(one.stop - one.start, np.int64), level.token[one], level.count[one]
        followers = level.followers[nodes]
        place = np.repeat(np.arange(len(nodes)), followers)
        ends = np.cumsum(followers)
        within = np.arange(len(place)) - (ends - followers)[place]
        at = level.begin[nodes][place] + within
        return place, level.token[at], level.count[at]


def _distinct(keys: np.ndarray, bound: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`np.unique` of keys [T] below `bound`: (the distinct ones, the place of each key among them,
    how often each occurs). Where there are few that could occur they are not sorted, but counted,
    which takes a tenth of the time."""
    if bound > COUNTED_AT_MOST * len(keys):
        return np.unique(keys, return_inverse=True, return_counts=True)
    count = np.bincount(keys, minlength=bound)
    there = count > 0
    place = np.cumsum(there, dtype=np.int32) - np.int32(1)
    distinct = np.flatnonzero(there)
    return distinct, place[keys], count[distinct]


def _fewest(count: np.ndarray, most: int) -> int:
    """How often an n-gram must have been met, so that at most `most` stay."""
    return int(np.sort(count)[::-1][most]) + 1 if len(count) > most else 1
