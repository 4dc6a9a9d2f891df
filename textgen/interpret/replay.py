"""Reads a text again, a token at a time, with every value of every layer in view and in reach.

One kind of edit does for all: a value v goes on as keep * v + add. With keep 1 and add 0 nothing
changes; with keep 0 the value is replaced by add.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from textgen.array_ops import log_softmax
from textgen.arrays import Array, Arrays, State
from textgen.errors import ConfigError, GenerationError, shown
from textgen.network import Network


@dataclasses.dataclass(frozen=True)
class Override:
    """Replaces the value `name` of a layer, and everything that follows from it.

    token: None for every token, those of an answer too. unit: None for all units.
    value: a number, or, for all units, one for each.
    """

    layer: int
    name: str
    token: int | None
    unit: int | None
    value: float | tuple[float, ...]


@functools.lru_cache(maxsize=16)  # few models are examined at a time
def replay(network: Network) -> Replay:
    """What reads again with `network`."""
    return Replay(network)


class Replay:
    """Reads again with one model.

    P places: the values of all layers, layer by layer, in the order in which they are computed.
    Shapes: x [T, B, D]; keep and add [T, P, B, U], where T and B may also be 1. answers and weights
    [n, N]: N ways to go on after x, and what the log-probability of each of their ids counts.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.size = network.config.hidden_size
        self.names = network.cell.value_names()
        self.state_names = network.cell.state_names
        self.places = len(self.names) * len(network.layers)
        self.top = self.place(len(network.layers) - 1, "h")

    # --- what goes in -------------------------------------------------------------------------

    def inputs(self, ids: Sequence[int]) -> np.ndarray:
        """The embeddings of ids: [T, 1, D]. Raises `GenerationError` for ids that cannot be."""
        return np.asarray(self.network.embed(self.checked(ids)))[:, None]

    def checked(self, ids: Sequence[int]) -> np.ndarray:
        """ids as an array. Raises `GenerationError` for none, and for ids that cannot be."""
        known = self.network.vocab_size
        array = np.asarray(ids, np.int32)
        if not len(array):
            raise GenerationError("there is nothing to read: give at least one token")
        if array.min() < 0 or array.max() >= known:
            wrong = next(i for i in array.tolist() if not 0 <= i < known)
            raise GenerationError(
                f"token {wrong} is none of the model's {known}: encode with its own tokenizer"
            )
        return array

    def place(self, layer: int, name: str) -> int:
        """Where the value `name` of a layer stands. Raises `ConfigError` when there is none."""
        self.network.check_layer(layer)
        if name not in self.names:
            raise ConfigError(
                f"{shown(name)} is no value of a {self.network.config.cell}: "
                f"choose one of {', '.join(self.names)}"
            )
        return layer * len(self.names) + self.names.index(name)

    def edits(
        self, length: int, overrides: Sequence[Override] = (), tokens: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(keep, add) of one text, for `length` tokens, of which the first `tokens` may be named.

        Raises `ConfigError` for what is no override, and for one of what is not there.
        """
        if not isinstance(overrides, Sequence) or not all(
            isinstance(one, Override) for one in overrides
        ):
            raise ConfigError(f"overrides is {shown(overrides)}: give a list of Override")
        keep = np.ones((length, self.places, 1, self.size), np.float32)
        add = np.zeros_like(keep)
        tokens = length if tokens is None else tokens
        for one in overrides:
            place = self.place(one.layer, one.name)
            for what, index, end in (
                ("token", one.token, tokens),
                ("unit", one.unit, self.size),
            ):
                if index is not None and not 0 <= index < end:
                    raise ConfigError(f"{what} is {index}: give one from 0 to {end - 1}, or None")
            if np.shape(one.value) not in ((), () if one.unit is not None else (self.size,)):
                raise ConfigError(
                    f"value has shape {np.shape(one.value)}: give a number, or one for each "
                    f"of all {self.size} units"
                )
            if not _finite(one.value):
                raise ConfigError(f"value is {shown(one.value)}: give finite numbers")
            token = slice(None) if one.token is None else one.token
            unit = slice(None) if one.unit is None else one.unit
            keep[token, place, 0, unit] = 0.0
            add[token, place, 0, unit] = one.value
        for layer, silent in self.network.silent.items():
            for name in self.state_names:
                for edit in (keep, add):
                    edit[:, self.place(layer, name), 0, list(silent)] = 0.0
        return keep, add

    # --- what comes out -----------------------------------------------------------------------

    def values(self, x: Array, keep: Array, add: Array) -> tuple[Array, Array]:
        """(values [T, P, B, U], log-probabilities [T, B, V] of the token after each)."""
        _, values = self.read(x, self._start(x), keep, add, 0, range(self.places))
        logits = self.network.read_out(values[:, self.top])
        return values, log_softmax(logits)

    def score(
        self,
        x: Array,
        answers: Array,
        weights: Array,
        keep: Array,
        add: Array,
        start: State | None = None,
    ) -> Array:
        """The weighted sum of the log-probabilities of the answers after x: [B]. start: the state
        that x goes on from, None for one that knows nothing."""
        state, _ = self.read(x, self._start(x) if start is None else start, keep, add, 0)
        texts, number = x.shape[1], answers.shape[1]

        def joined(part: Array) -> Array:
            """[..., N or 1, B or 1, W] -> [..., N B, W]: every text goes on in every way."""
            outer = part.shape[:-3]
            full = np.broadcast_to(part, (*outer, number, texts, part.shape[-1]))
            return np.reshape(full, (*outer, number * texts, part.shape[-1]))

        state = tuple(tuple(joined(part[None]) for part in layer) for layer in state)
        more = joined(self.network.embed(answers)[:, :, None])
        keep, add = (joined(e[:, :, None]) for e in (keep, add))
        _, outputs = self.read(more, state, keep, add, len(x), [self.top])
        # each id is predicted from what came before it; after the last none is
        hidden = np.concatenate([state[-1][0][None], outputs[:-1, 0]], axis=0)
        logprobs = log_softmax(self.network.read_out(hidden))
        chosen = np.take_along_axis(logprobs, np.repeat(answers, texts, axis=1)[..., None], -1)
        of_each = np.reshape(chosen, (-1, number, texts))
        return np.sum(of_each * weights[:, :, None], axis=(0, 1))

    def _start(self, x: Array) -> State:
        return self.network.initial_state(x.shape[1])

    def read(
        self,
        x: Array,
        state: State,
        keep: Array,
        add: Array,
        first: int,
        wanted: Sequence[int] = (),
    ) -> tuple[State, Array]:
        """(state after x, the values at the places `wanted` [T, len(wanted), B, U]).

        The first token of x is number `first` of keep and add, whose last holds for all after it.
        """
        last = len(keep) - 1
        record = np.empty((len(x), len(wanted), x.shape[1], self.size), np.float32)
        for t, x_t in enumerate(x):
            number = min(first + t, last)
            state, values = self.step(x_t, state, keep[number], add[number])
            for k, place in enumerate(wanted):
                record[t, k] = values[place]
        return state, record if wanted else None

    def step(self, x: Array, state: State, keeps: Array, adds: Array) -> tuple[State, list[Array]]:
        """One token: x [B, D], keeps and adds of P -> (the state after it, values of P [B, U])."""
        values: list[Array] = []

        def edit(name: str, value: Array) -> Array:
            values.append(keeps[len(values)] * value + adds[len(values)])
            return values[-1]

        new: list[Arrays] = []
        for weights, start in zip(self.network.layers, state, strict=True):
            new.append(self.network.cell.step(weights, x, start, edit))
            x = new[-1][0]
        return tuple(new), values


def _finite(value: object) -> bool:
    """Whether it is a number, or numbers, that float32 can hold."""
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.asarray(value, np.float32)).all())
    except (TypeError, ValueError):
        return False
