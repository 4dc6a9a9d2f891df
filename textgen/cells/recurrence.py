"""What all cells share: weights, their first values, and the way over time.

A cell says two things: `join`, how the product with the input and the product with h_{t-1} meet,
and `update`, what then happens to the state, element by element. Everything else follows: the
whole sequence (`call`), one token (`step`), the gradient (`scan`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from textgen.backend import keras, on_gpu, ops, tf
from textgen.cells.scan import Steps, scan

Arrays = tuple[Any, ...]
Values = dict[str, Any]  # what the equations name, by name
See = Callable[[str, Any], Any]


def plain(name: str, value: Any) -> Any:
    """Nobody looks."""
    return value


class Recurrence(keras.layers.Layer):
    """A recurrent layer over time-major input, with its state handed in and out.

    Weights: kernel [D, G U] for x_t, recurrent_kernel [U, G U] for h_{t-1}, bias [G U], where the
    G blocks are those of `BLOCKS`, side by side. Layout and names are Keras's, so its weights fit.

    hidden_size: U.
    activation: of the cell that takes one (rnn).
    forget_bias: first value of the bias of a block "f" (Gers et al. 2000, Jozefowicz et al. 2015).
    chrono: T, the longest time to remember over; 0 leaves `forget_bias`. The gates' biases begin at
        ln U(1, T - 1), so that a gate first forgets after 1 to T steps (Tallec & Ollivier 2018).
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("h",)
    STATE: ClassVar[tuple[str, ...]] = ("h",)
    # blocks whose bias `chrono` sets, and the sign: +1 keeps the old state, -1 lets the new in
    CHRONO: ClassVar[dict[str, int]] = {}
    RECURRENT: ClassVar[bool] = True  # False: no product with h_{t-1}, p is not there
    JOINED: ClassVar[tuple[str, ...]] = ()  # blocks of z, where `join` does more than add
    GATES: ClassVar[tuple[str, ...]] = ()  # those of the values that lie between 0 and 1
    KERAS: ClassVar[str] = ""  # the Keras layer of the same weights that has a cuDNN path

    def __init__(
        self,
        hidden_size: int,
        activation: str = "tanh",
        forget_bias: float = 1.0,
        chrono: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(autocast=False, **settings)  # the state stays float32
        self.hidden_size = hidden_size
        self.activation = activation
        self.forget_bias, self.chrono = forget_bias, chrono

    # --- what a cell says ---------------------------------------------------------------------

    def join(self, a: Any, p: Any) -> Any:
        """From a = W x_t + b and p = U h_{t-1}, both [B, G U], to what `update` reads."""
        return a + p

    def unjoin(self, dz: Any) -> tuple[Any, Any]:
        """The gradient of `join`: (da, dp) from dz."""
        return dz, dz

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        """The state after a step; its first part is h_t. Element by element only.

        see(name, value) is shown every value that the equations name, in their order ("c" is the
        candidate), and what it returns takes the value's place: so one may look, or interfere.
        """
        raise NotImplementedError

    @staticmethod
    def kept(values: Values) -> Any:
        """The share of the old state that survives a step, from the values seen in it.

        None: the cell has nothing that keeps.
        """
        return None

    def extra(self) -> Arrays:
        """Weights that `update` reads besides z."""
        return ()

    # --- weights ------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        if self.KERAS and on_gpu():
            self._build_keras(input_shape)
            return
        size, width = self.hidden_size, len(self.BLOCKS) * self.hidden_size
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width), initializer="glorot_uniform", name="kernel"
        )
        self.recurrent_kernel = None
        if self.RECURRENT:
            self.recurrent_kernel = self.add_weight(
                shape=(size, width), initializer=self.first_recurrent(), name="recurrent_kernel"
            )
        self.bias = self.add_weight(
            shape=self.bias_shape(), initializer=self.first_bias, name="bias"
        )

    def _build_keras(self, input_shape: Any) -> None:
        settings = {"unit_forget_bias": False} if self.KERAS == "LSTM" else {}
        self.keras_layer = getattr(keras.layers, self.KERAS)(
            self.hidden_size,
            bias_initializer=self.first_bias,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            **settings,
        )
        self.keras_layer.build((None, None, input_shape[-1]))
        cell = self.keras_layer.cell
        self.kernel, self.recurrent_kernel, self.bias = (
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
        )

    def first_recurrent(self) -> str:
        """How recurrent_kernel begins: each block keeps lengths."""
        return "orthogonal"

    def bias_shape(self) -> tuple[int, ...]:
        return (len(self.BLOCKS) * self.hidden_size,)

    def first_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Zeros, but for the blocks that `forget_bias` or `chrono` speak of."""
        age = np.zeros(self.hidden_size)
        if self.chrono:
            draw = keras.initializers.RandomUniform(1.0, max(self.chrono - 1.0, 1.0))
            age = np.log(draw(age.shape))
        bias = np.zeros(shape, np.float32)
        blocks = np.split(
            bias.reshape(-1, len(self.BLOCKS) * self.hidden_size)[0], len(self.BLOCKS)
        )
        for name, block in zip(self.BLOCKS, blocks, strict=True):
            if self.chrono:
                block += self.CHRONO.get(name, 0) * age
            elif name == "f":
                block += self.forget_bias
        return ops.convert_to_tensor(bias, dtype)

    # --- over time ----------------------------------------------------------------------------

    def call(self, x: Any, state: Arrays) -> tuple[Any, Arrays]:
        """x [T, B, D], state of [B, U] each -> (h_1 ... h_T [T, B, U], state after the last)."""
        if self.KERAS and on_gpu():
            hidden, *end = self.keras_layer(
                ops.swapaxes(x, 0, 1), initial_state=[ops.cast(part, x.dtype) for part in state]
            )
            return ops.swapaxes(hidden, 0, 1), tuple(ops.cast(part, "float32") for part in end)
        a = ops.matmul(x, ops.cast(self.kernel, x.dtype))
        second = self.recurrent_bias()
        biases = (self.input_bias(), *(() if second is None else (second,)))
        return scan(self, a, self.recurrent_kernel, biases, state, self.extra())

    def step(self, x: Any, state: Arrays, see: See = plain) -> Arrays:
        """One token: x [B, D] -> the state after it. `see` is that of `update`."""
        z = ops.matmul(x, self.kernel) + self.input_bias()
        if self.RECURRENT:
            p = ops.matmul(state[0], self.recurrent_kernel)
            bias = self.recurrent_bias()
            z = self.join(z, p if bias is None else p + bias)
        return self.update(z, state, *self.extra(), see=see)

    def steps(self, dtype: Any, whole: bool) -> Steps:
        """The compiled loops for one type of input."""
        own: Any = type(self)
        return compiled(own, self.hidden_size, self.activation, dtype.name, whole)

    def input_bias(self) -> Any:
        return self.bias

    def recurrent_bias(self) -> Any | None:
        """A bias [G U] of the product with h_{t-1}, for the cell that has one."""
        return None

    def initial_state(self, batch_size: Any) -> Arrays:
        """A state that knows nothing: zeros."""
        return tuple(ops.zeros((batch_size, self.hidden_size)) for _ in self.STATE)


@functools.cache
def compiled(
    layer: Callable[..., Recurrence], hidden_size: int, activation: str, dtype: str, whole: bool
) -> Steps:
    """Compiled once for all layers alike, in whatever model: the loops hold no weights."""
    return Steps(layer(hidden_size, activation), tf.as_dtype(dtype), whole)


def split(z: Any, number: int) -> list[Any]:
    """The blocks of z [B, number * U]."""
    return list(tf.split(z, number, axis=-1))


sigmoid: Callable[[Any], Any] = tf.sigmoid
tanh: Callable[[Any], Any] = tf.tanh
