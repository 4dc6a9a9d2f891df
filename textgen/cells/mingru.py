"""The GRU without h_{t-1} in its gates (Feng et al. 2024, arXiv 2410.01201, section 3.1)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import sigmoid, split
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, rest, share
from textgen.cells.latex import Equation, gate, mix


class MinGRU(Cell):
    """State: (h,). 2 U (D + 1) parameters, and no product left in the loop over time.

    z_t = σ(W_z x_t + b_z)          how much to write
    h̃_t = W_h x_t + b_h
    h_t = (1 - z_t) * h_{t-1} + z_t * h̃_t
    """

    name = "mingru"
    source = "Feng et al. 2024, arXiv 2410.01201, § 3.1"
    year = 2024
    colour = "#cc79a7"

    blocks = ("z", "c")
    gates = ("z",)
    recurrent = False
    chrono_signs = {"z": -1}

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        (h,) = state
        z, c = split(pre, 2)
        z = observe("z", sigmoid(z))
        c = observe("c", c)
        return (observe("h", (1 - z) * h + z * c),)

    equations = {
        "update_gate_and_candidate": (
            gate("z", recurrent=False),
            Equation("c", "W_h x_t + b_h", "{c_x} {c_b:+}"),
        ),
        "update": (mix("h", ("(1 - z_t)", "(1 - {z})"), ("z_t", "{z}")),),
    }
    flow = Flow(retained=rest("z"), written=share("z"))
