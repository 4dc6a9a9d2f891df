"""How likely a model finds a text, token by token. Ids only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from textgen import array_ops
from textgen.network import Network
from textgen.ngrams.mixture import LEAST, Mixture, doubts

WINDOW = 256  # tokens whose logits are held at a time


class Scored(NamedTuple):
    """Tokens of a text [T]. logprobs: natural; ranks: 1 is the likeliest; of_network: the logprobs
    that the network alone gives, of a model with n-grams others."""

    logprobs: np.ndarray
    ranks: np.ndarray
    of_network: np.ndarray


def scored(
    network: Network, ids: Sequence[int], mixture: Mixture | None = None
) -> Iterator[Scored]:
    """Windows of ids[1:], the state carried from end to end."""
    for targets, logits, of_network in windows(network, ids, mixture):
        of_targets = np.take_along_axis(logits, targets[:, None], -1)
        ranks = 1 + (logits > of_targets).sum(-1)
        logprobs = _logprobs(logits, targets)
        alone = logprobs if mixture is None else _logprobs(of_network, targets)
        yield Scored(logprobs, ranks, alone)


def of_ngrams(network: Network, ids: Sequence[int], mixture: Mixture) -> np.ndarray:
    """What of the probability of each of ids[1:] is that of the n-grams, not the network: from 0 to
    1 [T]."""
    targets, histories = np.asarray(ids[1:]), mixture.counts.histories(np.asarray(ids[:-1]))
    own, likeliest = np.zeros((2, len(targets)))
    begin = 0
    for of_window, logits, _ in windows(network, ids):  # [T, V] of one window at a time
        p, here = array_ops.softmax(logits), slice(begin, begin + len(of_window))
        own[here], likeliest[here] = array_ops.pick(p, of_window), p.max(-1)
        begin += len(of_window)
    both = mixture.predicted(own, doubts(likeliest), histories, targets)
    return np.asarray(1 - both.of_network / np.maximum(both.p, LEAST))


def _logprobs(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.asarray(array_ops.pick(logits, targets) - array_ops.logsumexp(logits))


def windows(
    network: Network, ids: Sequence[int], mixture: Mixture | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Windows of (the tokens ids[1:] [T], the logits [T, V] that the model has for them, those of
    the network alone)."""
    state = network.initial_state(1)
    histories = None if mixture is None else mixture.counts.histories(np.asarray(ids[:-1]))
    for begin in range(0, len(ids) - 1, WINDOW):
        part = np.array(ids[begin : begin + WINDOW + 1], np.int32)
        hidden, state = network.read(part[:-1, None], state)
        logits = of_network = network.read_out(hidden[:, 0])
        if mixture is not None and histories is not None:
            logits = mixture.logprobs(logits, histories[:, begin : begin + WINDOW])
        yield part[1:], logits, of_network
