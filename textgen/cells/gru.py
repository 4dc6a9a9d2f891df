"""The gated recurrent unit (Cho et al. 2014), as cuDNN computes it: reset after the product."""

from __future__ import annotations

from typing import Any, ClassVar

from textgen.backend import tf
from textgen.cells.recurrence import Arrays, Recurrence, See, Values, plain, sigmoid, split, tanh


class GRU(Recurrence):
    """State: (h,). 3 U (D + U + 2) parameters: the product with h_{t-1} has a bias b' of its own.

    z_t = σ(W_z x_t + b_z + U_z h_{t-1} + b'_z)       how much of h to keep
    r_t = σ(W_r x_t + b_r + U_r h_{t-1} + b'_r)       how much of h the candidate sees
    h̃_t = tanh(W_h x_t + b_h + r_t * (U_h h_{t-1} + b'_h))
    h_t = z_t * h_{t-1} + (1 - z_t) * h̃_t
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("z", "r", "h")
    GATES: ClassVar[tuple[str, ...]] = ("z", "r")
    CHRONO: ClassVar[dict[str, int]] = {"z": +1}
    JOINED: ClassVar[tuple[str, ...]] = ("z", "r", "a", "p")
    KERAS: ClassVar[str] = "GRU"

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.hidden_size)

    def input_bias(self) -> Any:
        return self.bias[0]

    def recurrent_bias(self) -> Any:
        return self.bias[1]

    def join(self, a: Any, p: Any) -> Any:
        gates = 2 * self.hidden_size
        return tf.concat([a[:, :gates] + p[:, :gates], a[:, gates:], p[:, gates:]], -1)

    def unjoin(self, dz: Any) -> tuple[Any, Any]:
        gates, size = 2 * self.hidden_size, self.hidden_size
        return dz[:, : gates + size], tf.concat([dz[:, :gates], dz[:, gates + size :]], -1)

    @staticmethod
    def kept(values: Values) -> Any:
        return values["z"]

    def update(self, z: Any, state: Arrays, *extra: Any, see: See = plain) -> Arrays:
        (h,) = state
        z, r, a, p = split(z, 4)
        z = see("z", sigmoid(z))
        r = see("r", sigmoid(r))
        c = see("c", tanh(a + r * p))
        return (see("h", z * h + (1 - z) * c),)
