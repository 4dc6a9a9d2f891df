"""The LSTM that writes exactly what it forgets (Greff et al. 2017: CIFG)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import sigmoid, split, tanh
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, rest, share
from textgen.cells.latex import Equation, candidate, gate, mix


class CoupledLSTM(Cell):
    """State: (h, C). i = 1 - f, so 3 U (D + U + 1) parameters.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
    C_t = f_t * C_{t-1} + (1 - f_t) * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
    h_t = o_t * tanh(C_t)
    """

    name = "coupled"
    source = "Greff et al. 2017, arXiv 1503.04069 (CIFG)"
    year = 2017
    colour = "#56b4e9"

    blocks = ("f", "c", "o")
    gates = ("f", "o")
    state_names = ("h", "C")
    forget_gate = "f"
    chrono_signs = {"f": +1}

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        _, C = state
        f, c, o = split(pre, 3)
        f = observe("f", sigmoid(f))
        c = observe("c", tanh(c))
        C = observe("C", f * C + (1 - f) * c)
        o = observe("o", sigmoid(o))
        return observe("h", o * tanh(C)), C

    equations = {
        "forget": (gate("f"),),
        "candidate": (candidate(),),
        "update": (mix("C", ("f_t", "{f}"), ("(1 - f_t)", "(1 - {f})")),),
        "output": (gate("o"), Equation("h", r"o_t \cdot \tanh(C_t)", r"{o} \cdot \tanh({C})")),
    }
    flow = Flow(retained=share("f"), written=rest("f"), shown=share("o"))
