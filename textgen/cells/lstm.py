"""Long short-term memory (Hochreiter & Schmidhuber 1997), with forget gate (Gers et al. 2000)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split, tanh


class LSTM(Recurrence):
    """State: (h, C). 4 U (D + U + 1) parameters, four times those of `rnn`.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)       what of C to forget
    i_t = σ(W_i x_t + U_i h_{t-1} + b_i)       what to write
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)    the candidate
    C_t = f_t * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)       what to show
    h_t = o_t * tanh(C_t)
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("i", "f", "c", "o")
    STATE: ClassVar[tuple[str, ...]] = ("h", "C")
    GATES: ClassVar[tuple[str, ...]] = ("f", "i", "o")
    CHRONO: ClassVar[dict[str, int]] = {"f": +1, "i": -1}
    KERAS: ClassVar[str] = "LSTM"

    @staticmethod
    def kept(values: Values) -> Any:
        return values["f"]

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        _, C = state
        i, f, c, o = split(z, 4)
        f = see("f", sigmoid(f))
        i = see("i", sigmoid(i))
        c = see("c", tanh(c))
        C = see("C", f * C + i * c)
        o = see("o", sigmoid(o))
        return see("h", o * tanh(C)), C
