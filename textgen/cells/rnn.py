"""The plain recurrence (Elman 1990): h_t = f(W x_t + U h_{t-1} + b)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.backend import keras
from textgen.cells.recurrence import Arrays, Recurrence, See, plain


class RNN(Recurrence):
    """f is `activation`: tanh, relu or sigmoid. State: (h,). U (D + U + 1) parameters.

    With relu, U begins as the identity, which at first keeps h as it is (Le et al. 2015).
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("h",)

    def first_recurrent(self) -> str:
        return "identity" if self.activation == "relu" else "orthogonal"

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        return (see("h", keras.activations.get(self.activation)(z)),)
