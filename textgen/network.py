"""A trained model as equations: token -> embedding -> cells -> logits, with its state in the open.

It computes with arrays of NumPy, at once, or of TensorFlow, compiled: whichever its weights are. To
train one, see `textgen.model`.

B batch, T time, V vocabulary, U hidden_size, D embedding_size. A state is a tuple with, for each
layer, a tuple of arrays [B, U], named by the cell's `state_names`: (h,), or (h, C) for the LSTMs.
Weights, states and logits are float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np

from textgen.array_ops import ops_for
from textgen.arrays import Array, Arrays, State
from textgen.backend import settle_blas
from textgen.cells import CELLS, make_cell
from textgen.config import ModelConfig
from textgen.errors import ConfigError, shown
from textgen.options import check, plain_number


def check_model(config: ModelConfig) -> None:
    """Raise `ConfigError` for settings outside their range, or that do not go together."""
    check(config)
    if config.tie_weights and config.embedding_size != config.hidden_size:
        raise ConfigError(
            f"embedding_size is {config.embedding_size} and hidden_size {config.hidden_size}: "
            "tie_weights needs them equal"
        )
    activations = CELLS[config.cell].activations
    if config.activation not in activations:
        raise ConfigError(
            f"activation is {config.activation!r} with cell {config.cell!r}: "
            f"that cell takes {' or '.join(activations)}"
        )


def weight_shapes(config: ModelConfig, vocab_size: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of a model, by its name in `model.safetensors`."""
    cell, size = make_cell(config.cell, config.activation), config.hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "embedding.embeddings": (vocab_size, config.embedding_size)
    }
    for k in range(config.num_layers):
        of_layer = cell.weight_shapes(size if k else config.embedding_size, size)
        shapes |= {f"recurrent.{k}.{name}": shape for name, shape in of_layer.items()}
    if not config.tie_weights:
        shapes["head.kernel"] = (size, vocab_size)
    return shapes | {"head.bias": (vocab_size,)}


class Network:
    """Predicts the next token from the tokens so far, of which it keeps only its state.

    weights: by their names in `model.safetensors`, of the shapes that `weight_shapes` gives.
    """

    def __init__(self, config: ModelConfig, vocab_size: int, weights: Mapping[str, Array]) -> None:
        settle_blas()
        self.config, self.vocab_size, self.weights = config, vocab_size, weights
        # layer -> units whose state is held at zero: see `interpret.without_units`
        self.silent: Mapping[int, frozenset[int]] = {}
        # what a text begins with where that is not zeros: a voice [layers, parts of a state, U]
        self.first: np.ndarray | None = None
        self.cell = make_cell(config.cell, config.activation)
        self.embeddings = weights["embedding.embeddings"]
        self.layers = [
            {
                name: weights[f"recurrent.{k}.{name}"]
                for name in self.cell.weight_shapes(config.embedding_size, config.hidden_size)
            }
            for k in range(config.num_layers)
        ]
        tied = config.tie_weights
        self.kernel = self.ops.transpose(self.embeddings) if tied else weights["head.kernel"]
        self.bias = weights["head.bias"]

    @property
    def ops(self) -> ModuleType:
        """The functions for its arrays."""
        return ops_for(self.embeddings)

    def check_layer(self, layer: object) -> None:
        """Raise `ConfigError` for what is no layer of the model."""
        layers = len(self.layers)
        if plain_number(layer) not in range(layers):
            raise ConfigError(f"layer is {shown(layer)}: the model has layers 0 to {layers - 1}")

    @property
    def num_parameters(self) -> int:
        """Numbers in all weights together."""
        return sum(math.prod(weight.shape) for weight in self.weights.values())

    @property
    def state_shape(self) -> tuple[int, int, int]:
        """Of the state of one text: layers, parts of a layer's state, U."""
        return len(self.layers), len(self.cell.state_names), self.config.hidden_size

    def initial_state(self, batch_size: int) -> State:
        """A state that knows nothing, zeros, or that of the voice in which texts begin."""
        shape = (batch_size, self.config.hidden_size)
        if self.first is not None:
            nothing = self.ops.zeros(shape, "float32")
            return tuple(tuple(nothing + part for part in layer) for layer in self.first)
        return tuple(
            tuple(self.ops.zeros(shape, "float32") for _ in self.cell.state_names)
            for _ in self.layers
        )

    def joined(self, states: Sequence[State]) -> State:
        """The state of a batch, from those of its texts."""
        return tuple(
            tuple(self.ops.concatenate(parts) for parts in zip(*layers, strict=True))
            for layers in zip(*states, strict=True)
        )

    def embed(self, ids: Array) -> Array:
        """The vectors of ids: [...] -> [..., D]."""
        return self.ops.take(self.embeddings, ids, axis=0)

    def step(self, ids: Array, state: State) -> tuple[Array, State]:
        """One token: ids [B] -> (logits [B, V] of the next one, state)."""
        state = self.advance(ids, state)
        return self.logits(state), state

    def advance(self, ids: Array, state: State) -> State:
        """The state after one token, ids [B]."""
        x = self.embed(ids)
        states: list[Arrays] = []
        for weights, start in zip(self.layers, state, strict=True):
            states.append(self.cell.step(weights, x, start))
            x = states[-1][0]
        return tuple(states)

    def logits(self, state: State) -> Array:
        """What the state says of the next token: [B, V]."""
        return self.read_out(state[-1][0])

    def read_out(self, hidden: Array) -> Array:
        """The logits [..., V] of what the top layer puts out [..., U]."""
        return hidden @ self.kernel + self.bias

    def read(self, ids: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Many tokens of B texts: ids [T, B] -> (h of the top layer after each [T, B, U], state
        after the last). With weights of NumPy only.

        Layer by layer: what the tokens bring to one is a single product, taken before its loop.
        """
        x = self.embed(ids)
        ends: list[Arrays] = []
        for weights, start in zip(self.layers, state, strict=True):
            x, end = self.read_layer(weights, x, start)
            ends.append(end)
        return x, tuple(ends)

    def read_layer(
        self, weights: Mapping[str, Array], x: np.ndarray, state: Arrays
    ) -> tuple[np.ndarray, Arrays]:
        """One layer: x [T, B, D] -> (h_1 ... h_T [T, B, U], state after the last)."""
        hidden = np.empty((*x.shape[:-1], self.config.hidden_size), np.float32)
        for t, a in enumerate(self.cell.project(weights, x)):
            state = self.cell.advance(weights, a, state)
            hidden[t] = state[0]
        return hidden, state
