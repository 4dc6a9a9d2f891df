"""What is added up before a cell's σ or tanh: its pre-activations, summand by summand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.cells.latex import place
from textgen.interpret.trace import Trace
from textgen.network import Network


def sums(
    network: Network, ids: Sequence[int], traced: Trace, layer: int, token: int
) -> dict[str, dict[str, np.ndarray]]:
    """The summands [U] of each pre-activation of a layer at a token: value -> summand -> array.

    traced: the trace of `ids`. Summands: "x" W x_t, "h" U h_{t-1}, "b" the bias, and what else the
    cell has (`Cell.summands`). σ of a gate's whole sum is the gate.
    """
    courses = traced.layers[layer]
    x = traced.layers[layer - 1]["h"][token] if layer else network.embeddings[ids[token]]
    values = {name: course[token] for name, course in courses.items()}
    before = _before(network, traced, layer, token)
    weights = network.layers[layer]
    return network.cell.summands(weights, x, before, values)


def unit_values(
    network: Network, ids: Sequence[int], traced: Trace, layer: int, unit: int, token: int
) -> dict[str, float]:
    """All that the equations of one unit name at a token: its values, its values one token before
    ("was_C"), and the summands of its pre-activations ("f_x", "f_h", "f_b"; "c_b2" for the b' of a
    gru)."""
    values: dict[str, float] = {}
    before = _before(network, traced, layer, token)
    for name, course in traced.layers[layer].items():
        values[name] = float(course[token, unit])
        values[f"was_{name}"] = float(before[name][unit])
    for name, parts in sums(network, ids, traced, layer, token).items():
        for part, column in parts.items():
            values[place(name, part)] = float(column[unit])
    return values


def _before(network: Network, traced: Trace, layer: int, token: int) -> dict[str, np.ndarray]:
    """The values [U] of a layer one token before. Before the first token stands the state that a
    text begins in, and nothing else."""
    courses = traced.layers[layer]
    if token:
        return {name: course[token - 1] for name, course in courses.items()}
    names, parts = network.cell.state_names, network.initial_state(1)[layer]
    first = {name: part[0] for name, part in zip(names, parts, strict=True)}
    return {name: first.get(name, np.zeros_like(course[0])) for name, course in courses.items()}
