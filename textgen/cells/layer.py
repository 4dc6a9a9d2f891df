"""A cell as a trainable layer: its weights, their first values, and the way over time."""

from __future__ import annotations

from typing import Any

from textgen.arrays import Array, Arrays, DType
from textgen.backend import keras, on_gpu, ops, tf
from textgen.cells.cell import Cell
from textgen.cells.products import product, rows
from textgen.cells.scan import scan, taken


class RecurrentLayer(keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A cell over time-major input, with its state handed in and out.

    Weights, state and everything element by element are float32 (of a float64 layer float64),
    whatever the type of the products.

    hidden_size: U.
    forget_bias: the first bias of the forget gate, in a cell that has one.
    chrono: the longest time to remember over, in steps; 0 leaves `forget_bias`. Each unit draws the
        time after which it is to forget from 1 to chrono - 1.
    settings: Keras's own, such as dtype.
    """

    def __init__(
        self,
        cell: Cell,
        hidden_size: int,
        forget_bias: float = 1.0,
        chrono: int = 0,
        **settings: object,
    ) -> None:
        super().__init__(autocast=False, **settings)  # the state stays float32
        self.cell = cell
        self.hidden_size = hidden_size
        self.forget_bias, self.chrono = forget_bias, chrono

    # --- weights ------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights, for input [..., D]."""
        if self._on_cudnn():
            self._build_keras(input_shape[-1])
            return
        first = {
            "kernel": "glorot_uniform",
            "recurrent_kernel": self.cell.first_recurrent,
            "bias": self._first_bias,
        }
        shapes = self.cell.weight_shapes(input_shape[-1], self.hidden_size)
        for name, shape in shapes.items():
            # float32 whoever asks, a model that casts all its own weights too
            self.add_weight(
                shape=shape, initializer=first.get(name, "zeros"), name=name, autocast=False
            )

    def _on_cudnn(self) -> bool:
        return bool(self.cell.keras_layer) and on_gpu()

    def _build_keras(self, input_size: int) -> None:
        """The Keras layer whose weights have the names and shapes of the cell's."""
        self.keras_layer = getattr(keras.layers, self.cell.keras_layer)(
            self.hidden_size,
            bias_initializer=self._first_bias,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            **self.cell.keras_settings,
        )
        self.keras_layer.build((None, None, input_size))

    def _first_bias(self, shape: tuple[int, ...], dtype: DType = None) -> Array:
        times = None
        if self.chrono:
            longest = max(self.chrono - 1.0, 1.0)
            times = keras.initializers.RandomUniform(1.0, longest)((self.hidden_size,))
        bias = self.cell.first_bias(self.hidden_size, self.forget_bias, times)
        return ops.convert_to_tensor(bias, dtype)

    def named_weights(self) -> dict[str, Array]:
        """The weights by their names, as Keras variables."""
        return {weight.name: weight for weight in self.weights}

    def _tensors(self) -> dict[str, Array]:
        return {name: tf.convert_to_tensor(w) for name, w in self.named_weights().items()}

    # --- over time ----------------------------------------------------------------------------

    def call(self, x: Array, state: Arrays) -> tuple[Array, Arrays]:
        """x [T, B, D], state of [B, U] each -> (h_1 ... h_T [T, B, U], state after the last)."""
        if self._on_cudnn():
            hidden, *end = self.keras_layer(
                ops.swapaxes(x, 0, 1), initial_state=[ops.cast(part, x.dtype) for part in state]
            )
            return ops.swapaxes(hidden, 0, 1), tuple(ops.cast(part, "float32") for part in end)
        weights = self._tensors()
        a = product(x, ops.cast(weights["kernel"], x.dtype))
        return scan(self.cell, a, weights, state)

    def look_up(self, vectors: Array, ids: Array, state: Arrays) -> tuple[Array, Arrays]:
        """What `call` returns for the vectors [V, D] of ids [T, B].

        Each vector is multiplied by the kernel once, not as often as its token occurs: of a text in
        96 letters that saves most of three large products a step.
        """
        if self._on_cudnn():
            return self.call(rows(vectors, ids), state)
        weights = self._tensors()
        table = product(vectors, ops.cast(weights["kernel"], vectors.dtype))
        a = rows(ops.cast(table, taken(table.dtype)), ids)
        return scan(self.cell, a, weights, state, table.dtype)

    def initial_state(self, batch_size: int | Array) -> Arrays:
        """A state that knows nothing: zeros."""
        return tuple(ops.zeros((batch_size, self.hidden_size)) for _ in self.cell.state_names)
