"""The LSTM that writes exactly what it forgets (Greff et al. 2017: CIFG)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split, tanh


class CoupledLSTM(Recurrence):
    """State: (h, C). i = 1 - f, so 3 U (D + U + 1) parameters.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
    C_t = f_t * C_{t-1} + (1 - f_t) * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
    h_t = o_t * tanh(C_t)
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("f", "c", "o")
    STATE: ClassVar[tuple[str, ...]] = ("h", "C")
    GATES: ClassVar[tuple[str, ...]] = ("f", "o")
    CHRONO: ClassVar[dict[str, int]] = {"f": +1}

    @staticmethod
    def kept(values: Values) -> Any:
        return values["f"]

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        _, C = state
        f, c, o = split(z, 3)
        f = see("f", sigmoid(f))
        c = see("c", tanh(c))
        C = see("C", f * C + (1 - f) * c)
        o = see("o", sigmoid(o))
        return see("h", o * tanh(C)), C
