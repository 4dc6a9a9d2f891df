"""Experiments on a reading model: take a token away, silence a unit, swap a state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from textgen.arrays import State
from textgen.backend import cores
from textgen.errors import ConfigError, shown
from textgen.evaluation.batch_reader import Reader
from textgen.interpret.goals import Goal, value, weighted
from textgen.interpret.replay import replay
from textgen.interpret.trace import read
from textgen.network import Network

TEXTS_AT_ONCE = 128
# without a token each: fewer, since a batch begins at the first of them and so reads less the later
# it begins; three batches of a long text keep two cores as busy as each other
WITHOUT_AT_ONCE = 40
LONG, BLOCKS = 400, 120  # tokens that are taken away one by one; blocks of a longer text


def occlusion(network: Network, ids: Sequence[int], goal: Goal, block: int = 1) -> np.ndarray:
    """What each token does for the goal [T]: the goal as it is, minus without that token.

    Its place is taken by the mean of all embeddings. Positive: the token speaks for the answer.
    block: how many tokens are taken away together, which then all have what they do together.
    Raises as `trace` does.
    """
    program = replay(network)
    x, answers, edits = program.inputs(ids), weighted(program, goal), program.edits(1)
    nothing = np.asarray(network.embeddings).mean(0)
    number = -(-len(x) // block)
    # all texts are alike before the first token that one of them is without
    starts = [network.initial_state(1)]
    firsts = range(0, number, WITHOUT_AT_ONCE)
    for at in firsts[:-1]:
        stretch = x[at * block : (at + WITHOUT_AT_ONCE) * block]
        starts.append(program.read(stretch, starts[-1], *edits, first=0)[0])

    def without(at: int, start: State) -> np.ndarray:
        blocks = range(at, min(at + WITHOUT_AT_ONCE, number))
        rows = np.repeat(x[at * block :], len(blocks), 1)
        for row in range(len(blocks)):
            rows[row * block : (row + 1) * block, row] = nothing
        return np.asarray(program.score(rows, *answers, *edits, _repeated(start, len(blocks))))

    scores = np.concatenate(_on_all_cores(without, firsts, starts))
    return value(network, ids, goal) - np.repeat(scores, block)[: len(x)]


def block_of(tokens: int) -> int:
    """How many tokens `occlusion` is to take away together, so that a long text takes seconds."""
    return 1 if tokens <= LONG else -(-tokens // BLOCKS)


def ablation(
    network: Network, ids: Sequence[int], goal: Goal, layer: int, last: int | None = None
) -> np.ndarray:
    """What each unit of a layer does for the goal [U]: as it is, minus with its state held at zero.

    From the first token, or over the `last` ones, to the end of the answer. Raises as `trace` does.
    """
    names = replay(network).state_names
    return _unit_by_unit(network, ids, goal, [(layer, name, 0.0) for name in names], last)


def forgetting(
    network: Network, ids: Sequence[int], goal: Goal, layer: int, last: int | None = None
) -> np.ndarray:
    """What it does to the goal that a unit of a layer forgets [U]: as it is, minus with the gate
    that retains its old state shut, from the first token, or over the `last` ones, to the end of
    the answer.

    Of a cell without such a gate, what `ablation` gives. Raises as `trace` does.
    """
    shut = network.cell.forgets_by
    if shut is None:
        return ablation(network, ids, goal, layer, last)
    return _unit_by_unit(network, ids, goal, [(layer, *shut)], last)


def _unit_by_unit(
    network: Network,
    ids: Sequence[int],
    goal: Goal,
    replaced: Sequence[tuple[int, str, float]],
    last: int | None,
) -> np.ndarray:
    """The goal as it is, minus with values of one unit replaced at every token, or the `last`
    ones, for each unit [U]. replaced: (layer, name, value)."""
    program = replay(network)
    x, answers = program.inputs(ids), weighted(program, goal)
    same = program.edits(1)
    begin = 0 if last is None else max(len(x) - last, 0)
    start, _ = program.read(x[:begin], network.initial_state(1), *same, first=0)

    def without(first: int) -> np.ndarray:
        units = np.arange(first, min(first + TEXTS_AT_ONCE, program.size))
        keep, add = (np.repeat(edit, len(units), 2) for edit in same)
        one_each = np.eye(program.size, dtype=np.float32)[units]
        for layer, name, put in replaced:
            keep[0, program.place(layer, name)] *= 1 - one_each
            add[0, program.place(layer, name)] += put * one_each
        rows = np.repeat(x[begin:], len(units), 1)
        return np.asarray(program.score(rows, *answers, keep, add, _repeated(start, len(units))))

    scores = _on_all_cores(without, range(0, program.size, TEXTS_AT_ONCE))
    return value(network, ids, goal) - np.concatenate(scores)


def _repeated(state: State, rows: int) -> State:
    """The state of one text as that of so many."""
    return tuple(tuple(np.repeat(part, rows, 0) for part in layer) for layer in state)


def _on_all_cores(work: Callable[..., np.ndarray], *parts: Iterable[Any]) -> list[np.ndarray]:
    """What `work` returns for each part of the rows; NumPy lets another thread go on meanwhile."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, *parts))


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
    return transplants(network, ids_a, ids_b, [at], parts)


def transplants(
    network: Network,
    ids_a: Sequence[int],
    ids_b: Sequence[int],
    places: Sequence[int],
    parts: Collection[str],
) -> State:
    """`transplant` after each of `places`: the states [B, U], of which each is as of one text."""
    names = network.cell.state_names
    if not isinstance(parts, Collection) or not all(part in names for part in parts):
        raise ConfigError(
            f"parts are {shown(parts)}: the state of a {network.config.cell} has {', '.join(names)}"
        )
    later = len(ids_b) - len(ids_a)
    for at in places:
        if not (1 <= at <= len(ids_a) and at + later >= 1):
            raise ConfigError(
                f"at is {at} of {len(ids_a)} tokens and {at + later} of the other {len(ids_b)}: "
                "give a place after the first token of both"
            )
    receiver, donor = read(network, ids_a).layers, read(network, ids_b).layers
    last = np.array(places) - 1  # token before each place
    start = tuple(
        tuple(
            donated[name][last + later] if name in parts else received[name][last] for name in names
        )
        for received, donated in zip(receiver, donor, strict=True)
    )
    return Reader(network).read([ids_a[at:] for at in places], start)
