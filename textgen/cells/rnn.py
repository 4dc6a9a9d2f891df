"""The plain recurrence (Elman 1990): h_t = f(W x_t + U h_{t-1} + b)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import ACTIVATIONS
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.latex import Equation


class RNN(Cell):
    """f is `activation`: tanh, relu or sigmoid. State: (h,). U (D + U + 1) parameters."""

    name = "rnn"
    source = "Elman 1990, Finding Structure in Time"
    year = 1990
    colour = "#0072b2"

    blocks = ("h",)
    activations = tuple(ACTIVATIONS)

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        return (observe("h", ACTIVATIONS[self.activation](pre)),)

    @property
    def first_recurrent(self) -> str:
        """With relu the identity, which at first keeps h as it is (Le et al. 2015)."""
        return "identity" if self.activation == "relu" else "orthogonal"

    equations = {
        "anew": (
            Equation("h", r"\varphi(W x_t + U h_{t-1} + b)", r"\varphi({h_x} {h_h:+} {h_b:+})"),
        )
    }
