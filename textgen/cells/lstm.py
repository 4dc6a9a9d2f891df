"""Long short-term memory (Hochreiter & Schmidhuber 1997), with forget gate (Gers et al. 2000)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import sigmoid, split, tanh
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, share
from textgen.cells.latex import Equation, candidate, gate, mix


class LSTM(Cell):
    """State: (h, C). 4 U (D + U + 1) parameters, four times those of `rnn`.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)       what of C to forget
    i_t = σ(W_i x_t + U_i h_{t-1} + b_i)       what to write
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)    the candidate
    C_t = f_t * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)       what to show
    h_t = o_t * tanh(C_t)
    """

    name = "lstm"
    source = (
        "Hochreiter & Schmidhuber 1997, Long Short-Term Memory; "
        "Gers, Schmidhuber & Cummins 2000, Learning to Forget"
    )
    year = 1997
    colour = "#e69f00"

    blocks = ("i", "f", "c", "o")
    gates = ("f", "i", "o")
    state_names = ("h", "C")
    forget_gate = "f"
    chrono_signs = {"f": +1, "i": -1}
    keras_layer = "LSTM"
    keras_settings = {"unit_forget_bias": False}

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        _, C = state
        i, f, c, o = split(pre, 4)
        f = observe("f", sigmoid(f))
        i = observe("i", sigmoid(i))
        c = observe("c", tanh(c))
        C = observe("C", f * C + i * c)
        o = observe("o", sigmoid(o))
        return observe("h", o * tanh(C)), C

    equations = {
        "forget": (gate("f"),),
        "write": (gate("i"), candidate()),
        "update": (mix("C", ("f_t", "{f}"), ("i_t", "{i}")),),
        "output": (gate("o"), Equation("h", r"o_t \cdot \tanh(C_t)", r"{o} \cdot \tanh({C})")),
    }
    flow = Flow(retained=share("f"), written=share("i"), shown=share("o"))
