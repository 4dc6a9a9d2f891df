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
            share = self._weight(n, node, doubt[rows]) / self.counts.met[n - 1][node]
            p[rows] *= (1 - share * level.kept[node])[:, None]
            place, token, count = self.counts.after(n, node)
            p[rows[place], token] += share[place] * count
        return np.log(np.maximum(p, LEAST)).astype(np.float32)

    def predicted(
        self, p: np.ndarray, doubt: np.ndarray, histories: np.ndarray, tokens: np.ndarray
    ) -> Predicted:
        """Of T tokens, from what the network gives them [T], its doubt there [T], and what the
        n-grams know before them [N, T]."""
        p = p.astype(np.float64)
        of_network = p
        for n, history in enumerate(histories, 1):
            known = history >= 0
            seen = _Seen(self.counts, n, history[known], tokens[known])
            weight = self._weight(n, history[known], doubt[known])
            p, of_network = p.copy(), of_network.copy()
            p[known] = weight * seen.share + (1 - weight * seen.kept) * p[known]
            of_network[known] *= 1 - weight * seen.kept
        return Predicted(np.maximum(p, LEAST), of_network)

    def _weight(self, n: int, history: np.ndarray, doubt: np.ndarray) -> np.ndarray:
        return _sigmoid(self._of_history[n - 1][history] + self.terms[n - 1, 3] * doubt)


class _Seen:
    """Of T tokens after histories of n - 1 tokens that were met: share, c(h, x) / c(h); kept, k(h);
    each [T]."""

    def __init__(self, counts: NGrams, n: int, history: np.ndarray, tokens: np.ndarray) -> None:
        met = counts.met[n - 1][history]
        self.share = counts.times(n, history, tokens) / met
        self.kept = counts.levels[n - 1].kept[history] / met


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
    levels = [
        (
            known := history >= 0,
            _terms(counts, n, history[known], doubt[known]),
            _Seen(counts, n, history[known], tokens[known]),
        )
        for n, history in enumerate(histories, 1)
    ]

    def gradient(terms: np.ndarray) -> np.ndarray:
        """Of the mean of -ln p, by going down through the levels again."""
        below, weights, now = [], [], p.astype(np.float64)
        for (known, parts, seen), own in zip(levels, terms, strict=True):
            weight = _sigmoid(parts @ own)
            below.append(now[known])
            weights.append(weight)
            now = now.copy()
            now[known] = weight * seen.share + (1 - weight * seen.kept) * now[known]
        slope, found = -1 / np.maximum(now, LEAST) / len(now), np.empty_like(terms)
        for n in reversed(range(len(levels))):
            known, parts, seen = levels[n]
            weight = weights[n]
            by_weight = slope[known] * (seen.share - seen.kept * below[n])
            found[n] = parts.T @ (by_weight * weight * (1 - weight))
            slope[known] *= 1 - weight * seen.kept
        return found + DECAY * terms

    terms = np.zeros((counts.order, TERMS))
    mean, square = np.zeros_like(terms), np.zeros_like(terms)
    for step in range(1, STEPS + 1):
        slope = gradient(terms)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        terms -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return terms


def _terms(counts: NGrams, n: int, history: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """What a weight is made of, of histories that were met [B]: [B, F]."""
    met, kinds = counts.met[n - 1][history], counts.kinds[n - 1][history]
    return np.stack([np.ones(len(doubt)), np.log(met), np.log(kinds), doubt], -1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # which no x makes too large
