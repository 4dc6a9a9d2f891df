"""The LSTM without h_{t-1} in its gates (Feng et al. 2024, arXiv 2410.01201, section 3.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.cells.recurrence import Arrays, Recurrence, sigmoid, softplus, split


class MinLSTM(Recurrence):
    """State: (h,). 3 U (D + 1) parameters, and no product left in the loop over time.

    f_t = σ(W_f x_t + b_f)
    i_t = σ(W_i x_t + b_i)
    h̃_t = W_h x_t + b_h
    h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * h̃_t

    The share f / (f + i) is computed as σ(ln f - ln i): gates may be as small as they like.
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("f", "i", "h")
    CHRONO: ClassVar[dict[str, int]] = {"f": +1, "i": -1}
    RECURRENT: ClassVar[bool] = False

    def update(self, z: Any, state: Arrays, *extra: Any) -> Arrays:
        (h,) = state
        f, i, candidate = split(z, 3)
        keep = sigmoid(softplus(-i) - softplus(-f))  # ln σ(x) = -softplus(-x)
        return (keep * h + (1 - keep) * candidate,)
