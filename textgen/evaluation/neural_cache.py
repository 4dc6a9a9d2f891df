"""A model that looks its recent past up: the continuous neural cache.

Each token is predicted before it goes into the cache, so the figure is a fair one for the text; but
it uses more than the weights that were trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from textgen.array_ops import pick
from textgen.errors import ConfigError
from textgen.evaluation.batch_reader import Reader
from textgen.generation.generator import Generator

WEIGHED = 256  # tokens predicted between two choices of share and sharpness
SHARES = (0.02, 0.05, 0.1, 0.2, 0.35)  # of the cache in the prediction
SHARPNESS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the weights, per unit of the keys' own spread


def cache_nats(generator: Generator, ids: Sequence[int], size: int) -> np.ndarray:
    """-ln p of each of N ids [N], with a continuous cache of the last `size` tokens.

    p(x) = (1 - share) p_model(x) + share * sum of w_i over those cached tokens i that x followed,
    w = softmax(sharpness * h_t h_i) over the cache (Grave, Joulin & Usunier 2017). There, share and
    sharpness are found on a validation text. Here each stretch of `WEIGHED` tokens takes those that
    were best on the stretches before it, so that nothing is left to choose and nothing is known in
    advance.
    """
    if size < 1:
        raise ConfigError(f"cache is {size}: give at least 1 token to look back on")
    reader, targets = Reader(generator.network), np.asarray(ids)
    inputs = [generator.tokenizer.start_id, *ids[:-1]]
    grid = list(itertools.product(SHARPNESS, SHARES))
    losses = np.zeros(len(grid) + 1)  # the last: without a cache
    keys = np.zeros((0, generator.config.hidden_size), np.float32)
    followers, spread = targets[:0], 0.0
    parts: list[np.ndarray] = []
    for at, hidden, by_model in _stretches(reader, inputs, targets):
        part = targets[at : at + len(by_model)]
        window = np.concatenate([keys, hidden])
        follows = np.concatenate([followers, part])
        cached, spread = _cache(hidden, window, follows, part, len(keys), size, spread)
        mixed = [(1 - share) * by_model + share * cached[sharp] for sharp, share in grid]
        nats = -np.log(np.maximum(np.array([*mixed, by_model], np.float64), 1e-30))
        parts.append(nats[int(losses.argmin())] if losses.any() else nats[-1])
        losses += nats.sum(1)
        keys, followers = window[-size:], follows[-size:]
    return np.concatenate(parts)


def _stretches(
    reader: Reader, inputs: Sequence[int], targets: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(place, h of the last layer [T, U], p(target) [T]) of each stretch of a text."""
    at = 0
    for hidden in reader.course(inputs):
        logprobs = reader.next_logprobs(hidden)
        by_model = np.exp(pick(logprobs, targets[at : at + len(hidden)]))
        for k in range(0, len(hidden), WEIGHED):
            yield at + k, hidden[k : k + WEIGHED], by_model[k : k + WEIGHED]
        at += len(hidden)


def _cache(
    hidden: np.ndarray,
    window: np.ndarray,
    follows: np.ndarray,
    part: np.ndarray,
    before: int,
    size: int,
    spread: float,
) -> tuple[dict[float, np.ndarray], float]:
    """(p_cache(target) [T] for each sharpness, spread of the products); keys older than `size`
    tokens do not count.

    window [before + T, U] ends with the stretch itself, of which token t sees the keys above its
    own. The products are measured in units of `spread`, that of the stretch before; the first takes
    that of itself.
    """
    scores = hidden @ window.T
    age = np.arange(before, before + len(hidden))[:, None] - np.arange(len(window))
    allowed = (age >= 1) & (age <= size)
    this_spread = max(float(scores[allowed].std()), 1e-6) if allowed.any() else 1.0
    same = follows == part[:, None]
    cached = {}
    for sharp in SHARPNESS:
        raised = np.where(allowed, scores * (sharp / (spread or this_spread)), -np.inf)
        raised -= np.maximum(raised.max(1, keepdims=True), -1e30)
        weights = np.exp(raised)
        total = np.maximum(weights.sum(1), 1e-30)
        cached[sharp] = (weights * same).sum(1) / total
    return cached, this_spread
