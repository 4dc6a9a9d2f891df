"""What a cell declares, and what follows from it for every cell.

A cell is pure equations: it imports neither TensorFlow nor Keras, holds no weights, and computes
with arrays of NumPy or TensorFlow alike. `textgen.cells.layer` makes a trainable layer of it.

Symbols are the lesson's: x_t input, h_t output, C_t cell state, c the candidate (written h̃_t or
C̃_t), σ the logistic function, * element by element. Shapes: B batch, D input size, U hidden size,
G the number of blocks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

import numpy as np

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import split
from textgen.cells.flow import Flow
from textgen.cells.latex import Equation

Values: TypeAlias = Mapping[str, Array]  # what the equations name, by name
Weights: TypeAlias = Mapping[str, Array]  # by their names in a run folder
Observe: TypeAlias = Callable[[str, Array], Array]


def unchanged(name: str, value: Array) -> Array:
    """The value as it is: what `update` calls where nothing observes it."""
    return value


@dataclasses.dataclass(frozen=True)
class Cell:
    """A recurrence: from x_t and the state before to the state after.

    Weights: kernel [D, G U] for x_t, recurrent_kernel [U, G U] for h_{t-1}, bias [G U]. Each is G
    blocks side by side, in the order of `blocks` and in Keras's layout, so that weights can be
    exchanged. A block bears the name of the value that is computed from it.

    activation: of the cell that takes one, one of its `activations`.
    """

    activation: str = "tanh"

    # --- what a cell declares -----------------------------------------------------------------

    name: ClassVar[str]
    source: ClassVar[str]  # the paper
    year: ClassVar[int]  # of the paper; cells are listed by it
    colour: ClassVar[str]  # on every chart

    blocks: ClassVar[tuple[str, ...]]
    gates: ClassVar[tuple[str, ...]] = ()  # the values that lie between 0 and 1
    state_names: ClassVar[tuple[str, ...]] = ("h",)  # the first part is the output h_t
    activations: ClassVar[tuple[str, ...]] = ("tanh",)

    recurrent: ClassVar[bool] = True  # False: no product with h_{t-1}
    second_bias: ClassVar[bool] = False  # True: that product has a bias of its own, bias [2, G U]
    joined: ClassVar[int | None] = None  # blocks of what `join` returns, where it does more than +
    extra_weights: ClassVar[dict[str, int]] = {}  # name -> n, of weights [n, U], zero at first

    forget_gate: ClassVar[str] = ""  # the block whose bias begins at `forget_bias`
    # the blocks whose bias `chrono` sets: +1 keeps the old state, -1 lets the new one in
    chrono_signs: ClassVar[dict[str, int]] = {}

    keras_layer: ClassVar[str] = ""  # Keras's own of the same weights, which runs on cuDNN
    keras_settings: ClassVar[dict[str, object]] = {}

    # by heading, in the order of the lesson; the catalogues of the app have words for headings
    equations: ClassVar[dict[str, tuple[Equation, ...]]]
    flow: ClassVar[Flow | None] = None  # None: the state is written anew at every step

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        """The state after a step, its parts [B, U] in the order of `state_names`.

        Element by element only: the products have been taken.

        pre: the pre-activations [B, G U], as `join` returns them. extra: the `extra_weights`.
        observe(name, value): called with every value that the equations name, in their order; what
        it returns takes the value's place, so it can record, and it can interfere.
        """
        raise NotImplementedError

    def join(self, a: Array, p: Array) -> Array:
        """The pre-activations, from a = W x_t + b and p = U h_{t-1} (+ b'), both [B, G U]."""
        return a + p

    def unjoin(self, d_pre: Array) -> tuple[Array, Array]:
        """The gradients with respect to a and p [B, G U], from that of what `join` returns."""
        return d_pre, d_pre

    @property
    def carried(self) -> str:
        """The part of the state that carries what is remembered: C where there is one, else h."""
        return self.state_names[-1]

    @property
    def first_recurrent(self) -> str:
        """How recurrent_kernel begins, as Keras calls it: so that each block keeps lengths."""
        return "orthogonal"

    @property
    def shows_tanh(self) -> bool:
        """Whether h_t is a share of tanh(C_t)."""
        return self.flow is not None and self.flow.shown is not None and self.flow.squashed

    @property
    def forgets_by(self) -> tuple[str, float] | None:
        """(the gate that retains the old state, its value at which nothing of it is retained);
        None where no gate does."""
        if self.flow is None:
            return None
        retained = self.flow.retained
        shares = {name: 0.5 for name in self.gates}
        for gate in retained.gates:
            for end in (0.0, 1.0):
                if retained.of(shares | {gate: end}) == 0:
                    return gate, end
        return None

    # --- weights ------------------------------------------------------------------------------

    def weight_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """The shape of each weight by its name, in the order in which they are stored."""
        width = len(self.blocks) * hidden_size
        shapes: dict[str, tuple[int, ...]] = {"kernel": (input_size, width)}
        if self.recurrent:
            shapes["recurrent_kernel"] = (hidden_size, width)
        shapes["bias"] = (2, width) if self.second_bias else (width,)
        return shapes | {name: (n, hidden_size) for name, n in self.extra_weights.items()}

    def parameters(self, input_size: int, hidden_size: int) -> int:
        """How many numbers its weights are."""
        return sum(map(math.prod, self.weight_shapes(input_size, hidden_size).values()))

    def first_bias(
        self, hidden_size: int, forget_bias: float = 0.0, times: Array | None = None
    ) -> np.ndarray:
        """The bias that training begins with: zeros, but for gates that begin open or shut.

        forget_bias: of the forget gate (Gers et al. 2000, Jozefowicz et al. 2015).
        times [U]: after how many steps each unit is to forget. Given, the gates begin at plus or
        minus ln times, and forget_bias does not count (Tallec & Ollivier 2018).
        """
        if times is None:
            firsts: dict[str, Array] = {self.forget_gate: forget_bias}
        else:
            firsts = {block: sign * np.log(times) for block, sign in self.chrono_signs.items()}
        blocks = np.zeros((len(self.blocks), hidden_size), np.float32)
        for k, block in enumerate(self.blocks):
            blocks[k] = firsts.get(block, 0.0)
        bias = blocks.reshape(-1)
        return np.stack([bias, np.zeros_like(bias)]) if self.second_bias else bias

    def biases(self, weights: Weights) -> Arrays:
        """(b,), or (b, b') of the cell whose product with h_{t-1} has a bias of its own."""
        bias = weights["bias"]
        return (bias[0], bias[1]) if self.second_bias else (bias,)

    def extra(self, weights: Weights) -> Arrays:
        """The weights that `update` reads besides the pre-activations."""
        return tuple(weights[name] for name in self.extra_weights)

    # --- one step -----------------------------------------------------------------------------

    def step(
        self, weights: Weights, x: Array, state: Arrays, observe: Observe = unchanged
    ) -> Arrays:
        """One token: x [B, D] -> the state after it. `observe` is that of `update`."""
        return self.advance(weights, self.project(weights, x), state, observe)

    def project(self, weights: Weights, x: Array) -> Array:
        """W x_t + b, of one token or of many at once: x [..., D] -> [..., G U]."""
        return x @ weights["kernel"] + self.biases(weights)[0]

    def advance(
        self, weights: Weights, a: Array, state: Arrays, observe: Observe = unchanged
    ) -> Arrays:
        """The state after a token, from a = W x_t + b [B, G U], as `project` returns it."""
        _, *second = self.biases(weights)
        if self.recurrent:
            a = self.join(a, sum(second, state[0] @ weights["recurrent_kernel"]))
        return self.update(a, state, self.extra(weights), observe)

    def value_names(self) -> tuple[str, ...]:
        """What the equations name, in the order in which they compute it."""
        names: list[str] = []

        def note(name: str, value: Array) -> Array:
            names.append(name)
            return value

        zeros = {name: np.zeros(shape) for name, shape in self.weight_shapes(1, 1).items()}
        self.step(zeros, np.zeros((1, 1)), (np.zeros((1, 1)),) * len(self.state_names), note)
        return tuple(names)

    def summands(
        self, weights: Weights, x: Array, before: Values, values: Values
    ) -> dict[str, dict[str, Array]]:
        """Each pre-activation taken apart: block -> summand -> array [..., U].

        Summands: "x" W x_t, "h" U h_{t-1}, "b" the bias, "b'" the second bias; a cell with other
        ones adds them. before, values: what the equations name, at t - 1 and at t.
        """
        whole = {"x": x @ weights["kernel"]}
        if self.recurrent:
            whole["h"] = before["h"] @ weights["recurrent_kernel"]
        whole |= zip(("b", "b'"), self.biases(weights), strict=False)
        parts = {name: split(array, len(self.blocks)) for name, array in whole.items()}
        return {
            block: {name: blocks[k] for name, blocks in parts.items()}
            for k, block in enumerate(self.blocks)
        }

    def retained(self, values: Values) -> Array | None:
        """The share of the old state that a step retains; None where it is written anew."""
        return None if self.flow is None else self.flow.retained.of(values)
