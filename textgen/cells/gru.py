"""The gated recurrent unit (Cho et al. 2014), as cuDNN computes it: reset after the product."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import concat, sigmoid, split, tanh
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, rest, share
from textgen.cells.latex import Equation, gate, mix


class GRU(Cell):
    """State: (h,). 3 U (D + U + 2) parameters: the product with h_{t-1} has a bias b' of its own.

    z_t = σ(W_z x_t + b_z + U_z h_{t-1} + b'_z)       how much of h to keep
    r_t = σ(W_r x_t + b_r + U_r h_{t-1} + b'_r)       how much of h the candidate reads
    h̃_t = tanh(W_h x_t + b_h + r_t * (U_h h_{t-1} + b'_h))
    h_t = z_t * h_{t-1} + (1 - z_t) * h̃_t
    """

    name = "gru"
    source = "Cho et al. 2014, arXiv 1406.1078"
    year = 2014
    colour = "#d55e00"

    blocks = ("z", "r", "c")
    gates = ("z", "r")
    chrono_signs = {"z": +1}
    second_bias = True
    joined = 4
    keras_layer = "GRU"

    def join(self, a: Array, p: Array) -> Array:
        """Sums for the gates; of the candidate a and p apart, since r stands between them."""
        a_z, a_r, a_c = split(a, 3)
        p_z, p_r, p_c = split(p, 3)
        return concat([a_z + p_z, a_r + p_r, a_c, p_c])

    def unjoin(self, d_pre: Array) -> tuple[Array, Array]:
        z, r, a, p = split(d_pre, 4)
        return concat([z, r, a]), concat([z, r, p])

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        (h,) = state
        z, r, a, p = split(pre, 4)
        z = observe("z", sigmoid(z))
        r = observe("r", sigmoid(r))
        c = observe("c", tanh(a + r * p))
        return (observe("h", z * h + (1 - z) * c),)

    equations = {
        "reset": (gate("r", biases=2),),
        "candidate": (
            Equation(
                "c",
                r"\tanh(W_h x_t + b_h + r_t \cdot (U_h h_{t-1} + b'_h))",
                r"\tanh({c_x} {c_b:+} + {r} \cdot ({c_h} {c_b2:+}))",
            ),
        ),
        "update_gate": (gate("z", biases=2),),
        "update": (mix("h", ("z_t", "{z}"), ("(1 - z_t)", "(1 - {z})")),),
    }
    flow = Flow(retained=share("z"), written=rest("z"))
