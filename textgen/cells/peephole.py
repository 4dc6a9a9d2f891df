"""The LSTM whose gates look at the cell state (Gers & Schmidhuber 2000)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split, tanh


class PeepholeLSTM(Recurrence):
    """State: (h, C). An LSTM and 3 U parameters more: one weight per unit and gate.

    f_t = σ(W_f x_t + U_f h_{t-1} + v_f * C_{t-1} + b_f)
    i_t = σ(W_i x_t + U_i h_{t-1} + v_i * C_{t-1} + b_i)
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
    C_t = f_t * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + v_o * C_t + b_o)     o sees the new cell state
    h_t = o_t * tanh(C_t)
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("i", "f", "c", "o")
    STATE: ClassVar[tuple[str, ...]] = ("h", "C")
    GATES: ClassVar[tuple[str, ...]] = ("f", "i", "o")
    CHRONO: ClassVar[dict[str, int]] = {"f": +1, "i": -1}

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.peephole = self.add_weight(
            shape=(3, self.hidden_size), initializer="zeros", name="peephole"
        )

    def extra(self) -> Arrays:
        return (self.peephole,)

    @staticmethod
    def kept(values: Values) -> Any:
        return values["f"]

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        _, C = state
        v_i, v_f, v_o = extra[0][0], extra[0][1], extra[0][2]
        i, f, c, o = split(z, 4)
        f = see("f", sigmoid(f + v_f * C))
        i = see("i", sigmoid(i + v_i * C))
        c = see("c", tanh(c))
        C = see("C", f * C + i * c)
        o = see("o", sigmoid(o + v_o * C))
        return see("h", o * tanh(C)), C
