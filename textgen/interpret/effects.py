"""Experiments on a reading model: take a token away, silence a unit, swap a state."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from textgen.arrays import State
from textgen.errors import ConfigError
from textgen.interpret.goals import Goal, value, weighted
from textgen.interpret.replay import Override, replay
from textgen.interpret.trace import read
from textgen.network import Network

TEXTS_AT_ONCE = 256


def occlusion(network: Network, ids: Sequence[int], goal: Goal) -> np.ndarray:
    """What each token does for the goal [T]: the goal as it is, minus without that token.

    Its place is taken by the mean of all embeddings. Positive: the token speaks for the answer.
    Raises as `trace` does.
    """
    program = replay(network)
    x, answers, edits = program.inputs(ids), weighted(program, goal), program.edits(1)
    nothing = np.asarray(network.embeddings).mean(0)
    without = []
    for at in range(0, len(x), TEXTS_AT_ONCE):
        tokens = np.arange(at, min(at + TEXTS_AT_ONCE, len(x)))
        rows = np.repeat(x, len(tokens), 1)
        rows[tokens, tokens - at] = nothing
        without.append(program.score(rows, *answers, *edits))
    return value(network, ids, goal) - np.concatenate(without)


def ablation(network: Network, ids: Sequence[int], goal: Goal, layer: int) -> np.ndarray:
    """What each unit of a layer does for the goal [U]: as it is, minus with its state held at zero.

    From the first token to the end of the answer. Raises as `trace` does.
    """
    names = replay(network).state_names
    return _unit_by_unit(network, ids, goal, [(layer, name, 0.0) for name in names])


def forgetting(network: Network, ids: Sequence[int], goal: Goal, layer: int) -> np.ndarray:
    """What it does to the goal that a unit of a layer forgets [U]: as it is, minus with the gate
    that retains its old state shut, from the first token to the end of the answer.

    Of a cell without such a gate, what `ablation` gives. Raises as `trace` does.
    """
    shut = network.cell.forgets_by
    if shut is None:
        return ablation(network, ids, goal, layer)
    return _unit_by_unit(network, ids, goal, [(layer, *shut)])


def _unit_by_unit(
    network: Network, ids: Sequence[int], goal: Goal, replaced: Sequence[tuple[int, str, float]]
) -> np.ndarray:
    """The goal as it is, minus with values of one unit replaced at every token, for each unit [U].
    replaced: (layer, name, value)."""
    program = replay(network)
    x, answers = program.inputs(ids), weighted(program, goal)
    keep, add = (np.repeat(edit, program.size, 2) for edit in program.edits(1))
    one_each = np.eye(program.size, dtype=np.float32)
    for layer, name, put in replaced:
        keep[0, program.place(layer, name)] -= one_each
        add[0, program.place(layer, name)] += put * one_each
    without = program.score(np.repeat(x, program.size, 1), *answers, keep, add)
    return value(network, ids, goal) - without


def silenced(network: Network, ids: Sequence[int], layer: int, units: Collection[int]) -> State:
    """The state at the end of ids, with the state of these units of a layer held at zero all the
    way. Raises as `trace` does."""
    names = replay(network).state_names
    return read(
        network, ids, [Override(layer, n, None, u, 0.0) for n in names for u in units]
    ).state


def transplant(
    network: Network,
    ids_a: Sequence[int],
    ids_b: Sequence[int],
    at: int,
    parts: Collection[str],
) -> State:
    """The state at the end of a, read on from b's `parts` ("h", "C") of the state.

    It is handed over, in all layers, after `at` tokens of a, and where b has as many tokens left as
    a has. Raises `ConfigError` where there is no such place or part, and as `trace` does.
    """
    names = replay(network).state_names
    if not set(parts) <= set(names):
        raise ConfigError(
            f"parts are {list(parts)}: the state of a {network.config.cell} has {', '.join(names)}"
        )
    there = len(ids_b) - (len(ids_a) - at)
    if not 1 <= at <= len(ids_a) or there < 1:
        raise ConfigError(
            f"at is {at} of {len(ids_a)} tokens and {there} of the other {len(ids_b)}: "
            "give a place after the first token of both"
        )
    receiver, donor = read(network, ids_a), read(network, ids_b)
    return read(
        network,
        ids_a,
        [
            Override(layer, name, at - 1, None, tuple(values[name][token].tolist()))
            for name in names
            for token, given in [(there - 1, donor) if name in parts else (at - 1, receiver)]
            for layer, values in enumerate(given.layers)
        ],
    ).state
