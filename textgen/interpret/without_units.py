"""A model that reads and writes with some of its units silent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import numpy as np

from textgen.arrays import Array, Arrays, State
from textgen.errors import ConfigError, shown
from textgen.generation.generator import Generator
from textgen.network import Network
from textgen.options import plain_number

M = TypeVar("M", bound=Generator)


class SilencedNetwork(Network):
    """The network with the state of some units of one layer held at zero, at every token."""

    def __init__(self, network: Network, layer: int, units: Collection[int]) -> None:
        super().__init__(network.config, network.vocab_size, network.weights)
        network.check_layer(layer)
        self.first = network.first
        size, layers = network.config.hidden_size, len(network.layers)
        if isinstance(units, str) or not isinstance(units, Collection):
            raise ConfigError(
                f"units is {shown(units)}: give a list of whole numbers from 0 to {size - 1}"
            )
        if wrong := [unit for unit in units if plain_number(unit) not in range(size)]:
            raise ConfigError(f"unit is {shown(wrong[0])}: give units from 0 to {size - 1}")
        if units:
            before = network.silent.get(layer, frozenset())
            self.silent = {**network.silent, layer: before | {int(unit) for unit in units}}
        else:
            self.silent = network.silent
        keeps = [np.ones(size, np.float32) for _ in range(layers)]
        for k, silent in self.silent.items():
            keeps[k][list(silent)] = 0.0
        self.keeps = [keep if k in self.silent else None for k, keep in enumerate(keeps)]

    def initial_state(self, batch_size: int) -> State:
        return tuple(
            layer if keep is None else tuple(part * keep for part in layer)
            for layer, keep in zip(super().initial_state(batch_size), self.keeps, strict=True)
        )

    def advance(self, ids: Array, state: State) -> State:
        x, states = self.embed(ids), []
        for weights, start, keep in zip(self.layers, state, self.keeps, strict=True):
            a = self.cell.project(weights, x)
            states.append(self._silent(weights, a, start, keep))
            x = states[-1][0]
        return tuple(states)

    def read_layer(
        self, weights: Mapping[str, Array], x: np.ndarray, state: Arrays
    ) -> tuple[np.ndarray, Arrays]:
        (keep,) = (k for w, k in zip(self.layers, self.keeps, strict=True) if w is weights)
        hidden = np.empty((*x.shape[:-1], self.config.hidden_size), np.float32)
        for t, a in enumerate(self.cell.project(weights, x)):
            state = self._silent(weights, a, state, keep)
            hidden[t] = state[0]
        return hidden, state

    def _silent(
        self, weights: Mapping[str, Array], a: Array, state: Arrays, keep: Array | None
    ) -> Arrays:
        """The state after a token, the kept units of it."""
        if keep is None:
            return self.cell.advance(weights, a, state)
        names = self.cell.state_names

        def observe(name: str, value: Array) -> Array:
            return value * keep if name in names else value

        return self.cell.advance(weights, a, state, observe)


def without_units(model: M, units: Collection[int], layer: int = 0) -> M:
    """The model with the state of these units of a layer held at zero while it reads and writes;
    units that were silent already stay so. Of a model with n-grams it is the network alone.

    It writes with NumPy, whatever the length. Raises `ConfigError` for a layer or a unit that is
    not there.
    """
    return model.without_ngrams().over(SilencedNetwork(model.network, layer, units))
