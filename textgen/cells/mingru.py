"""The GRU without h_{t-1} in its gates (Feng et al. 2024, arXiv 2410.01201, section 3.1)."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split


class MinGRU(Recurrence):
    """State: (h,). 2 U (D + 1) parameters, and no product left in the loop over time.

    z_t = σ(W_z x_t + b_z)          how much to write
    h̃_t = W_h x_t + b_h
    h_t = (1 - z_t) * h_{t-1} + z_t * h̃_t
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("z", "h")
    GATES: ClassVar[tuple[str, ...]] = ("z",)
    CHRONO: ClassVar[dict[str, int]] = {"z": -1}
    RECURRENT: ClassVar[bool] = False

    @staticmethod
    def kept(values: Values) -> Any:
        return 1 - values["z"]

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        (h,) = state
        z, c = split(z, 2)
        z = see("z", sigmoid(z))
        c = see("c", c)
        return (see("h", (1 - z) * h + z * c),)
