"""The LSTM without h_{t-1} in its gates (Feng et al. 2024, arXiv 2410.01201, section 3.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.backend import tf
from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split

SMALLEST = -80.0


class MinLSTM(Recurrence):
    """State: (h,). 3 U (D + 1) parameters, and no product left in the loop over time.

    f_t = σ(W_f x_t + b_f)
    i_t = σ(W_i x_t + b_i)
    h̃_t = W_h x_t + b_h
    h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * h̃_t
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("f", "i", "h")
    GATES: ClassVar[tuple[str, ...]] = ("f", "i")
    CHRONO: ClassVar[dict[str, int]] = {"f": +1, "i": -1}
    RECURRENT: ClassVar[bool] = False

    @staticmethod
    def kept(values: Values) -> Any:
        return values["f"] / (values["f"] + values["i"])

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        (h,) = state
        f, i, c = split(z, 3)
        # no gate smaller than float32 can divide by
        f = see("f", sigmoid(tf.maximum(f, SMALLEST)))
        i = see("i", sigmoid(tf.maximum(i, SMALLEST)))
        c = see("c", c)
        return (see("h", (f * h + i * c) / (f + i)),)
