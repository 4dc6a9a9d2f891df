"""Embedding -> recurrent layers -> logits, with the state handed in and out.

B batch, T time, V vocabulary, H hidden_size. A state is a tuple with, for each layer, a tuple of
arrays [B, H], named by its cell's `STATE`: (h,), or (h, C) for the LSTMs. Whatever the type of the
products, weights, states and logits are float32.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

from textgen.backend import cores, keras, on_gpu, ops, tf
from textgen.cells import make_cell
from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.options import check

State = tuple[tuple[Any, ...], ...]
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
            vocab_size, config.embedding_size, dtype=dtype,
            embeddings_initializer=keras.initializers.RandomUniform(-scale, scale),
        )  # fmt: skip
        settings = {name: getattr(config, name) for name in ("activation", "forget_bias", "chrono")}
        self.recurrent = [
            make_cell(config.cell, config.hidden_size, dtype=dtype, **settings)
            for _ in range(config.num_layers)
        ]
        self.dropout = keras.layers.Dropout(config.dropout, dtype=dtype)
        self.head = None if config.tie_weights else keras.layers.Dense(vocab_size, dtype=dtype)
        self.head_bias = None
        if config.tie_weights:
            self.head_bias = self.add_weight(shape=(vocab_size,), initializer="zeros", name="bias")

    def call(
        self, ids: Any, state: State | None = None, training: bool = False
    ) -> tuple[Any, State]:
        """ids [B, T] -> (logits [B, T, V], state after the last token)."""
        if state is None:
            state = self.initial_state(ops.shape(ids)[0])
        parts = side_by_side(ids.shape[0])
        if parts == 1:
            return self._read(ids, state, training)
        size = ids.shape[0] // parts

        def read(k: int) -> tuple[Any, State]:
            rows = slice(k * size, (k + 1) * size)
            ids_k, state_k = keras.tree.map_structure(lambda part: part[rows], (ids, state))
            return self._read(ids_k, state_k, training)

        return keras.tree.map_structure(
            lambda *part: ops.concatenate(part), *(read(k) for k in range(parts))
        )

    def _read(self, ids: Any, state: State, training: bool) -> tuple[Any, State]:
        # time-major inside, so that a step is one block of memory; transposed as floats (exact
        # below 2^24), because TensorFlow complains of whole numbers on some processors
        ids = ops.cast(ops.transpose(ops.cast(ids, "float32")), "int32")
        x = self.dropout(self.embedding(ids), training=training)
        states: list[tuple[Any, ...]] = []
        for layer, start in zip(self.recurrent, state, strict=True):
            x, end = layer(x, start)
            x = self.dropout(x, training=training)
            states.append(end)
        return self._logits(ops.swapaxes(x, 0, 1)), tuple(states)

    def step(self, ids: Any, state: State) -> tuple[Any, State]:
        """One token: ids [B] -> (logits [B, V], state). Equals `call` on T = 1."""
        state = self.advance(ids, state)
        return self.logits(state), state

    def advance(self, ids: Any, state: State) -> State:
        """The state after one token, ids [B]."""
        x = self.embedding(ids)
        states: list[tuple[Any, ...]] = []
        for layer, start in zip(self.recurrent, state, strict=True):
            states.append(layer.step(x, start))
            x = states[-1][0]
        return tuple(states)

    def logits(self, state: State) -> Any:
        """What the state says of the next token: [B, V]."""
        return self._logits(state[-1][0])

    def initial_state(self, batch_size: Any) -> State:
        """A state that knows nothing: zeros."""
        return tuple(layer.initial_state(batch_size) for layer in self.recurrent)

    def _logits(self, hidden: Any) -> Any:
        if self.head is not None:
            return ops.cast(self.head(hidden), "float32")
        table = ops.cast(self.embedding.embeddings, hidden.dtype)
        read = ops.cast(ops.matmul(hidden, ops.transpose(table)), "float32")
        return read + ops.cast(self.head_bias, "float32")  # Keras hands a weight out as bfloat16

    def named_weights(self) -> dict[str, Any]:
        """Every weight by the name it bears in `model.safetensors`."""
        named = {"embedding.embeddings": self.embedding.embeddings}
        for index, layer in enumerate(self.recurrent):
            named |= {f"recurrent.{index}.{w.name}": w for w in layer.weights}
        if self.head is not None:
            named |= {f"head.{w.name}": w for w in self.head.weights}
        else:
            named["head.bias"] = self.head_bias
        return named


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
    check(config)
    if config.tie_weights and config.embedding_size != config.hidden_size:
        raise ConfigError(
            f"embedding_size is {config.embedding_size} and hidden_size {config.hidden_size}: "
            "tie_weights needs them equal"
        )
    if config.cell != "rnn" and config.activation != "tanh":
        raise ConfigError(
            f"activation is {config.activation!r} with cell {config.cell!r}: "
            "only the rnn cell takes another activation than tanh"
        )
    model = LanguageModel(config, vocab_size, dtype)
    model(ops.zeros((1, 1), dtype="int32"))  # the first call makes the weights
    return model
