"""What counting alone predicts: interpolated Witten-Bell smoothing.

After a history h of n - 1 tokens, that was met c(h) times and went on in T(h) different ways,

    p_n(x | h) = (c(h, x) + T(h) p_{n-1}(x | h')) / (c(h) + T(h))

where h' is h without its first token, and p_0 is uniform. A history never met says nothing: p_n =
p_{n-1}. What followed h and is not counted (`NGrams.rest`) is handed down with T(h).
(Witten & Bell 1991; Chen & Goodman 1999, section 2.6.)
"""

from __future__ import annotations

import numpy as np

from textgen.ngrams.counts import NGrams


def nats(counts: NGrams, ids: np.ndarray) -> np.ndarray:
    """-ln p of each of ids [T], an id of -1 being none that was counted, for n = 1, 2, ..., N:
    float64 [N, T]."""
    histories = counts.histories(np.concatenate([[-1], ids[:-1]]))
    p = np.full(len(ids), 1.0 / counts.size)
    found = []
    for n, history in enumerate(histories, 1):
        known = history >= 0
        at = np.where(known, history, 0)
        if known.any():
            met, rest, kinds = (c[n - 1][at] for c in (counts.met, counts.rest, counts.kinds))
            after = (counts.times(n, history, ids) + (kinds + rest) * p) / (met + kinds)
            p = np.where(known, after, p)
        found.append(-np.log(p))
    return np.array(found)


def probabilities(counts: NGrams, before: np.ndarray) -> np.ndarray:
    """p of each of the vocabulary after the ids `before` [T], by the longest n-grams: float64
    [V]."""
    p = np.full(counts.size, 1.0 / counts.size)
    for n, history in enumerate(counts.histories(np.append(-1, before))[:, -1:], 1):
        if history < 0:
            break
        met, rest, kinds = (c[n - 1][history] for c in (counts.met, counts.rest, counts.kinds))
        _, token, count = counts.after(n, history)
        p *= (kinds + rest) / (met + kinds)
        p[token] += count / (met + kinds)
    return p
