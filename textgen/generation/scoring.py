"""How likely a model finds a text, token by token. Ids only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from textgen import array_ops
from textgen.network import Network

WINDOW = 256  # tokens whose logits are held at a time


def logprobs(network: Network, ids: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of (log-probability, rank) of ids[1:], natural, the state carried from end to end.

    Rank 1 is the likeliest token.
    """
    for targets, logits in windows(network, ids):
        of_targets = np.take_along_axis(logits, targets[:, None], -1)
        ranks = 1 + (logits > of_targets).sum(-1)
        yield of_targets[:, 0] - array_ops.logsumexp(logits), ranks


def windows(network: Network, ids: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of (the tokens ids[1:] [T], the logits [T, V] that the model has for them)."""
    state = network.initial_state(1)
    for begin in range(0, len(ids) - 1, WINDOW):
        part = np.array(ids[begin : begin + WINDOW + 1], np.int32)
        hidden, state = network.read(part[:-1, None], state)
        yield part[1:], network.read_out(hidden[:, 0])
