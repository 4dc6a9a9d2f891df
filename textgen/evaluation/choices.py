"""How probable each of some ways to go on is, measured against the others alone.

The probability of a whole continuation falls with every token of it, so that a model which knows
nothing would find the shortest the likeliest. Here the choice is made where it is made in the text:
at each token at which the ways part, the probability is shared among the tokens with which they go
on, and where there is but one way, nothing is left to choose. A model to which all tokens are alike
gives each of n words that begin differently 1/n, however long they are.

C candidates, given as ids; B texts that each may go on with any of them; L tokens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from textgen.array_ops import log_softmax, softmax


@dataclasses.dataclass(frozen=True)
class Fork:
    """Candidates that are alike up to token `at`, where they part.

    ways: of each token with which they go on, the candidates that do. ended: those that have come
    to their end here.
    """

    at: int
    ways: list[list[int]]
    ended: list[int]


def forks(candidates: Sequence[Sequence[int]]) -> list[Fork]:
    """Every place at which candidates part."""
    found: dict[tuple[int, ...], dict[int | None, list[int]]] = {}
    for k, ids in enumerate(candidates):
        for at in range(len(ids) + 1):
            token = ids[at] if at < len(ids) else None
            found.setdefault(tuple(ids[:at]), {}).setdefault(token, []).append(k)
    return [
        Fork(len(prefix), [members for token, members in ways.items() if token is not None], ended)
        for prefix, ways in found.items()
        if len(ways) > 1
        for ended in [ways.get(None, [])]
    ]


def decisive(candidates: Sequence[Sequence[int]]) -> list[list[int]]:
    """Each candidate up to the last token at which another would go on differently, one token at
    least: what follows tells nothing more."""
    needed = [1] * len(candidates)
    for fork in forks(candidates):
        for k in (k for way in fork.ways for k in way):
            needed[k] = max(needed[k], fork.at + 1)
    return [list(ids[:length]) for ids, length in zip(candidates, needed, strict=True)]


def shared_out(logprobs: np.ndarray, candidates: Sequence[Sequence[int]]) -> np.ndarray:
    """The share of each candidate [B, C], each row of sum 1.

    logprobs [B, C, L]: natural log of the probability of each token of each candidate.
    """
    total = np.zeros(logprobs.shape[:2])
    for fork in forks(candidates):
        options = logprobs[:, [way[0] for way in fork.ways], fork.at].astype(np.float64)
        if fork.ended:  # any other token ends it
            rest = 1 - np.exp(options).sum(1, keepdims=True)
            total[:, fork.ended] += np.log(np.maximum(rest, np.finfo(np.float32).tiny))
        else:
            options = log_softmax(options)
        for k, way in enumerate(fork.ways):
            total[:, way] += options[:, k : k + 1]
    return softmax(total)
