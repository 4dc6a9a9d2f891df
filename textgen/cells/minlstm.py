"""The LSTM without h_{t-1} in its gates (Feng et al. 2024, arXiv 2410.01201, section 3.2)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import maximum, sigmoid, split
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, part
from textgen.cells.latex import Equation, gate, mix

SMALLEST = -80.0  # pre-activation of a gate: float32 can still divide by its σ, 2e-35


class MinLSTM(Cell):
    """State: (h,). 3 U (D + 1) parameters, and no product left in the loop over time.

    f_t = σ(W_f x_t + b_f)
    i_t = σ(W_i x_t + b_i)
    h̃_t = W_h x_t + b_h
    h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * h̃_t
    """

    name = "minlstm"
    source = "Feng et al. 2024, arXiv 2410.01201, § 3.2"
    year = 2024
    colour = "#8c8c8c"

    blocks = ("f", "i", "c")
    gates = ("f", "i")
    recurrent = False
    forget_gate = "f"
    chrono_signs = {"f": +1, "i": -1}

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        (h,) = state
        f, i, c = split(pre, 3)
        f = observe("f", sigmoid(maximum(f, SMALLEST)))
        i = observe("i", sigmoid(maximum(i, SMALLEST)))
        c = observe("c", c)
        return (observe("h", (f * h + i * c) / (f + i)),)

    equations = {
        "forget": (gate("f", recurrent=False),),
        "write": (
            gate("i", recurrent=False),
            Equation("c", "W_h x_t + b_h", "{c_x} {c_b:+}"),
        ),
        "update": (
            mix(
                "h",
                (r"\frac{f_t}{f_t + i_t}", r"\frac{{{f}}}{{{f} + {i}}}"),
                (r"\frac{i_t}{f_t + i_t}", r"\frac{{{i}}}{{{f} + {i}}}"),
            ),
        ),
    }
    flow = Flow(retained=part("f", "i"), written=part("i", "f"))
