"""The model that is trained: embedding -> recurrent layers -> logits, in Keras.

B batch, T time, V vocabulary, U hidden_size. A state is a tuple with, for each layer, a tuple of
arrays [B, U], named by the cell's `state_names`: (h,), or (h, C) for the LSTMs. Whatever the type
of the products, weights, states and logits are float32.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import numpy as np

from textgen.arrays import Array, State
from textgen.backend import cores, keras, on_gpu, ops, tf
from textgen.cells import make_cell
from textgen.cells.layer import RecurrentLayer
from textgen.config import ModelConfig
from textgen.cross_entropy import cross_entropy
from textgen.network import Network, check_model

FEWEST = 8  # rows that are worth a core of their own


class LanguageModel(keras.Model):
    """Predicts the next token from the tokens so far, of which it keeps only its state."""

    def __init__(self, config: ModelConfig, vocab_size: int, dtype: str = "float32") -> None:
        super().__init__(name="language_model", dtype=dtype)
        self.config = config
        self.vocab_size = vocab_size
        scale = config.embedding_scale
        if config.tie_weights:  # so that what is read out with them begins as small as elsewhere
            scale /= math.sqrt(config.embedding_size)
        self.embedding = keras.layers.Embedding(
            vocab_size,
            config.embedding_size,
            dtype=dtype,
            embeddings_initializer=keras.initializers.RandomUniform(-scale, scale),
        )
        self.cell = make_cell(config.cell, config.activation)
        self.recurrent = [
            RecurrentLayer(
                self.cell, config.hidden_size, config.forget_bias, config.chrono, dtype=dtype
            )
            for _ in range(config.num_layers)
        ]
        self.dropout = keras.layers.Dropout(config.dropout, dtype=dtype)
        self.head = self.head_bias = None
        if config.tie_weights:
            self.head_bias = self.add_weight(shape=(vocab_size,), initializer="zeros", name="bias")
        else:
            self.head = keras.layers.Dense(vocab_size, dtype=dtype)
            self.head.build((None, config.hidden_size))

    def call(
        self, ids: Array, state: State | None = None, training: bool = False
    ) -> tuple[Array, State]:
        """ids [B, T] -> (logits [B, T, V], state after the last token)."""

        def read(state: State, ids: Array) -> tuple[Array, State]:
            hidden, state = self._read(ids, state, training)
            return self._logits(ops.swapaxes(hidden, 0, 1)), state

        return self._side_by_side(read, state, ids)

    def nats(
        self, ids: Array, targets: Array, state: State | None = None, training: bool = False
    ) -> tuple[Array, State]:
        """ids, targets [B, T] -> (-ln p of each target [B, T], state after the last token).

        The cross-entropy of `call`'s logits, in a fraction of its time where V is large.
        """

        def read(state: State, ids: Array, targets: Array) -> tuple[Array, State]:
            hidden, state = self._read(ids, state, training)
            scores = self._scores(ops.reshape(hidden, (-1, self.config.hidden_size)))
            nats = cross_entropy(scores, self._read_out()[1], ops.reshape(_turned(targets), (-1,)))
            return ops.transpose(ops.reshape(nats, ops.shape(hidden)[:2])), state

        return self._side_by_side(read, state, ids, targets)

    def _side_by_side(
        self, read: Callable[..., tuple[Array, State]], state: State | None, *arrays: Array
    ) -> tuple[Array, State]:
        """What `read(state, *arrays)` returns, each core reading its share of the rows."""
        ids = arrays[0]
        if state is None:
            state = self.initial_state(ops.shape(ids)[0])
        parts = side_by_side(ids.shape[0])
        if parts == 1:
            return read(state, *arrays)
        size = ids.shape[0] // parts

        def share(k: int) -> tuple[Array, State]:
            rows = slice(k * size, (k + 1) * size)
            return read(*keras.tree.map_structure(lambda part: part[rows], (state, *arrays)))

        return keras.tree.map_structure(
            lambda *part: ops.concatenate(part), *(share(k) for k in range(parts))
        )

    def _read(self, ids: Array, state: State, training: bool) -> tuple[Array, State]:
        """(what is read out, time-major so that a step is one block of memory [T, B, U], state)."""
        ids = _turned(ids)
        first = self.recurrent[0]
        if self._looks_up(ids, training):
            vectors = ops.cast(self.embedding.embeddings, self.compute_dtype)
            x, end = first.look_up(vectors, ids, state[0])
        else:
            x, end = first(self.dropout(self.embedding(ids), training=training), state[0])
        x, ends = self.dropout(x, training=training), [end]
        for layer, start in zip(self.recurrent[1:], state[1:], strict=True):
            x, end = layer(x, start)
            x = self.dropout(x, training=training)
            ends.append(end)
        return x, tuple(ends)

    def _looks_up(self, ids: Array, training: bool) -> bool:
        """Whether the first layer multiplies each vector of the vocabulary once, not each token's.

        Dropout drops other numbers of a vector at each place, so that each needs its own product.
        """
        if not ids.shape.is_fully_defined() or (training and self.config.dropout):
            return False
        return 2 * self.vocab_size <= int(ids.shape.num_elements())

    def initial_state(self, batch_size: Array) -> State:
        """A state that knows nothing: zeros."""
        return tuple(layer.initial_state(batch_size) for layer in self.recurrent)

    def _logits(self, hidden: Array) -> Array:
        return ops.cast(self._scores(hidden), "float32") + self._read_out()[1]

    def _scores(self, hidden: Array) -> Array:
        """The logits without their bias, in the type of `hidden`."""
        return ops.matmul(hidden, ops.cast(self._read_out()[0], hidden.dtype))

    def _read_out(self) -> tuple[Array, Array]:
        """(kernel [U, V], bias [V] in float32); in a call, Keras hands weights out in its type."""
        if self.head is not None:
            kernel, bias = self.head.kernel, self.head.bias
        else:
            kernel, bias = ops.transpose(self.embedding.embeddings), self.head_bias
        return kernel, ops.cast(bias, "float32")

    def named_weights(self) -> dict[str, Array]:
        """Every weight by the name it bears in `model.safetensors`."""
        named = {"embedding.embeddings": self.embedding.embeddings}
        for index, layer in enumerate(self.recurrent):
            named |= {f"recurrent.{index}.{name}": w for name, w in layer.named_weights().items()}
        if self.head is not None:
            named |= {f"head.{w.name}": w for w in self.head.weights}
        else:
            named["head.bias"] = self.head_bias
        return named

    def network(self) -> Network:
        """The equations with the weights as they are now, as arrays of NumPy."""
        weights = {name: np.asarray(w).copy() for name, w in self.named_weights().items()}
        return Network(self.config, self.vocab_size, weights)


def _turned(ids: Array) -> Array:
    """[B, T] -> [T, B]. As floats (exact below 2^24), because TensorFlow complains of whole numbers
    on some processors."""
    return ops.cast(ops.transpose(ops.cast(ids, "float32")), "int32")


def side_by_side(batch_size: int | None) -> int:
    """How many parts a batch is read in at the same time.

    A step is too little work for several cores, and rows do not meet: so each core takes its share
    of them. Only in a traced graph do the parts run at the same time.
    """
    if batch_size is None or tf.executing_eagerly() or on_gpu():
        return 1
    return shares(batch_size)


def shares(batch_size: int) -> int:
    """The most equal shares of a batch, up to one for each core, that are worth a core."""
    return next(n for n in range(cores(), 0, -1) if batch_size % (n * FEWEST) == 0 or n == 1)


def settle_threads(batch_size: int) -> None:
    """Let each operation have the cores that sharing out the batch leaves it: threads that several
    operations pull at get in each other's way. Without effect once TensorFlow has begun to run.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(cores() // shares(batch_size))


def build_model(config: ModelConfig, vocab_size: int, dtype: str = "float32") -> LanguageModel:
    """A model with fresh weights; `dtype` is a Keras policy, such as "mixed_bfloat16".

    Raises `ConfigError` for settings outside their range.
    """
    check_model(config)
    model = LanguageModel(config, vocab_size, dtype)
    model(ops.zeros((1, 1), dtype="int32"))  # the first call makes the weights
    return model


def trainable(network: Network, dtype: str = "float32") -> LanguageModel:
    """A model that begins with the weights of `network`."""
    model = build_model(network.config, network.vocab_size, dtype)
    for name, weight in model.named_weights().items():
        weight.assign(network.weights[name])
    return model
