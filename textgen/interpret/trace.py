"""What every unit does at every token."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from textgen.arrays import State
from textgen.interpret.replay import Override, replay
from textgen.network import Network

Values = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Trace:
    """layers: for each the values [T, U] at each token, by the names of the cell's equations.

    logprobs: natural log of the probability of each next token, after each token [T, V].
    state: after the last token, of one text, as the model takes it.
    error: the largest difference of h to what the layers put out where the model writes; nan with
        overrides.
    """

    layers: list[Values]
    logprobs: np.ndarray
    state: State
    error: float


def trace(network: Network, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """Read ids [T], which begin with the tokenizer's `start_id` where a document begins.

    Raises `GenerationError` for ids that are not the model's, `ConfigError` for an override of
    what is not there.
    """
    traced = read(network, ids, overrides)
    if overrides:
        return traced
    return dataclasses.replace(traced, error=difference(network, ids, traced.layers))


def read(network: Network, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """`trace`, with its error left out."""
    programs = replay(network)
    x = programs.inputs(ids)
    observed, logprobs = programs.values(x, *programs.edits(len(x), overrides))
    values = observed[:, :, 0]
    layers = [
        {name: values[:, programs.place(layer, name)] for name in programs.names}
        for layer in range(len(network.layers))
    ]
    state = tuple(tuple(layer[name][-1:] for name in network.cell.state_names) for layer in layers)
    return Trace(layers, logprobs[:, 0], state, math.nan)


def difference(network: Network, ids: Sequence[int], layers: Sequence[Values]) -> float:
    """The largest one between h of `layers` and what the layers put out where the model writes."""
    x: np.ndarray = network.embed(np.asarray(ids, np.int32))[:, None]
    largest = 0.0
    for weights, start, values in zip(
        network.layers, network.initial_state(1), layers, strict=True
    ):
        x, _ = network.read_layer(weights, x, start)
        largest = max(largest, float(np.abs(x[:, 0] - values["h"]).max()))
    return largest
