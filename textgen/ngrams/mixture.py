"""A network and n-grams that predict together, as one distribution.

The n-grams are interpolated from the longest history down, as in `witten_bell`, with two changes:
at the bottom, where that has the uniform distribution, stands the network; and how much a history
counts for is learned. After a history h of n - 1 tokens, met c(h) times, that went on in T(h)
different ways,

    p_n(x | h) = w_n c(h, x) / c(h) + (1 - w_n k(h)) p_{n-1}(x | h'),    p_0 = the network
    w_n = sigmoid(a_n + b_n ln c(h) + c_n ln T(h) + d_n ln(1 - max p_0))

where k(h) is the share of what followed h that is counted: 1, but for what was pruned. So p_n sums
to 1 if p_{n-1} does, whatever the weights. A history that was never met leaves p_{n-1} as it is.
The last term is the network's own doubt: who is sure needs no counts. (Jelinek & Mercer 1980, with
a logistic function in place of their buckets.)

B histories, N order, V vocabulary, F = 4 terms of a weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from textgen.array_ops import softmax
from textgen.ngrams.counts import NGrams

TERMS = 4  # of a weight
STEPS, RATE, DECAY = 200, 0.1, 1e-4  # of Adam, by which the weights are learned
LEAST = 1e-300  # of all that is predicted: a probability whose logarithm is finite


class Predicted(NamedTuple):
    """The probability of each of T tokens, and what of it is the network's: [T]."""

    p: np.ndarray
    of_network: np.ndarray


class Mixture:
    """Mixes what a network predicts with `counts`, by the terms [N, F] of the weights.

    fitted: characters at the beginning of what was held out that the terms were learned on.
    """

    def __init__(self, counts: NGrams, terms: np.ndarray, fitted: int = 0) -> None:
        self.counts, self.terms, self.fitted = counts, terms, fitted
        # of each history all of its weight's terms but the network's doubt, so that a step is cheap
        self._of_history = [
            own[0] + own[1] * np.log(met) + own[2] * np.log(kinds)
            for own, met, kinds in zip(terms, counts.met, counts.kinds, strict=True)
        ]

    def logprobs_after(self, logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """ln p of each next token [B, V], from the network's logits [B, V] and the ids before
        [B, L], newest last, -1 where there is none."""
        before = ids[:, -max(self.counts.order - 1, 1) :]
        return self.logprobs(logits, self.counts.histories(before)[..., -1])

    def logprobs(self, logits: np.ndarray, histories: np.ndarray) -> np.ndarray:
        """ln p of each next token [B, V], from the network's logits [B, V] and what the n-grams
        know [N, B]."""
        p = softmax(logits.astype(np.float64))
        doubt = doubts(p.max(-1))
        for n, history in enumerate(histories, 1):
            level = self.counts.levels[n - 1]
            (rows,) = np.nonzero(history >= 0)
            if not len(rows):
                continue
            node = history[rows]
            weight = _sigmoid(self._of_history[n - 1][node] + self.terms[n - 1, 3] * doubt[rows])
            share = weight / self.counts.met[n - 1][node]
            p[rows] *= (1 - share * level.counted[node])[:, None]
            place, token, count = self.counts.after(n, node)
            p[rows[place], token] += share[place] * count
        return np.log(np.maximum(p, LEAST)).astype(np.float32)

    def predicted(
        self, p: np.ndarray, doubt: np.ndarray, histories: np.ndarray, tokens: np.ndarray
    ) -> Predicted:
        """Of T tokens, from what the network gives them [T], its doubt there [T], and what the
        n-grams know before them [N, T]."""
        p = of_network = p.astype(np.float64)
        levels = _levels(self.counts, doubt, histories, tokens)
        for level, own in zip(levels, self.terms, strict=True):
            weight = level.weight(own)
            p, of_network = level.mixed(weight, p), level.handed_on(weight, of_network)
        return Predicted(np.maximum(p, LEAST), of_network)


class _Level:
    """One step of the recursion for T tokens, of which K have a history of n - 1 tokens that was
    met: known [T], which they are; terms [K, F], what their weights are made of; share [K],
    c(h, x) / c(h); counted [K], k(h)."""

    def __init__(
        self, counts: NGrams, n: int, doubt: np.ndarray, history: np.ndarray, tokens: np.ndarray
    ) -> None:
        self.known = history >= 0
        node = history[self.known]
        met, kinds = counts.met[n - 1][node], counts.kinds[n - 1][node]
        self.terms = np.stack(
            [np.ones(len(node)), np.log(met), np.log(kinds), doubt[self.known]], -1
        )
        self.share = counts.times(n, node, tokens[self.known]) / met
        self.counted = counts.levels[n - 1].counted[node] / met

    def weight(self, own: np.ndarray) -> np.ndarray:
        """w_n [K], by the terms of a level [F]."""
        return _sigmoid(self.terms @ own)

    def handed_on(self, weight: np.ndarray, below: np.ndarray) -> np.ndarray:
        """What of p_{n-1} [T] goes into p_n [T]; by the same factor a gradient comes back."""
        left = below.copy()
        left[self.known] *= 1 - weight * self.counted
        return left

    def mixed(self, weight: np.ndarray, below: np.ndarray) -> np.ndarray:
        """p_n [T], from p_{n-1} [T]."""
        p = self.handed_on(weight, below)
        p[self.known] += weight * self.share
        return p


def _levels(
    counts: NGrams, doubt: np.ndarray, histories: np.ndarray, tokens: np.ndarray
) -> list[_Level]:
    return [_Level(counts, n, doubt, h, tokens) for n, h in enumerate(histories, 1)]


def doubts(likeliest: np.ndarray) -> np.ndarray:
    """ln(1 - p) of the likeliest token, of any shape, as a term of the weights."""
    return np.log(1.001 - likeliest)


def fit(
    counts: NGrams, p: np.ndarray, doubt: np.ndarray, histories: np.ndarray, tokens: np.ndarray
) -> np.ndarray:
    """The terms [N, F] that predict T tokens best, of a text that neither the network nor the
    n-grams have seen: by Adam, on -ln p and a little of the terms' squares.

    p, doubt [T]: of the network, of each token and before it. histories [N, T]: before each.
    """
    levels = _levels(counts, doubt, histories, tokens)

    def gradient(terms: np.ndarray) -> np.ndarray:
        """Of the mean of -ln p, by going down through the levels again."""
        weights = [level.weight(own) for level, own in zip(levels, terms, strict=True)]
        mixed = [p.astype(np.float64)]  # p_0, p_1, ..., p_N
        for level, weight in zip(levels, weights, strict=True):
            mixed.append(level.mixed(weight, mixed[-1]))
        slope, found = -1 / np.maximum(mixed[-1], LEAST) / len(p), np.empty_like(terms)
        for n, level in reversed(list(enumerate(levels))):
            weight, below = weights[n], mixed[n][level.known]
            by_weight = slope[level.known] * (level.share - level.counted * below)
            found[n] = level.terms.T @ (by_weight * weight * (1 - weight))
            slope = level.handed_on(weight, slope)
        return found + DECAY * terms

    terms = np.zeros((counts.order, TERMS))
    mean, square = np.zeros_like(terms), np.zeros_like(terms)
    for step in range(1, STEPS + 1):
        slope = gradient(terms)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        terms -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return terms


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # which no x makes too large
