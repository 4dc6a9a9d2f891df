"""A cell that the package does not have: all that it takes to add one.

The update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017): a GRU without its reset gate.
"""

from textgen.cells.array_functions import sigmoid, split, tanh
from textgen.cells.cell import Cell, unchanged
from textgen.cells.flow import Flow, rest, share
from textgen.cells.latex import candidate, gate, mix


class UGRNN(Cell):
    """State: (h,). 2 U (D + U + 1) parameters.

    g_t = σ(W_g x_t + U_g h_{t-1} + b_g)       how much of h to keep
    h̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)    the candidate
    h_t = g_t * h_{t-1} + (1 - g_t) * h̃_t
    """

    name = "ugrnn"
    source = "Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913"
    year = 2017
    colour = "#7b3294"

    blocks = ("g", "c")
    gates = ("g",)
    forget_gate = "g"
    chrono_signs = {"g": +1}

    def update(self, pre, state, extra=(), observe=unchanged):
        (h,) = state
        g, c = split(pre, 2)
        g = observe("g", sigmoid(g))
        c = observe("c", tanh(c))
        return (observe("h", g * h + (1 - g) * c),)

    equations = {
        "forget": (gate("g"),),
        "propose": (candidate(),),  # a heading of its own
        "update": (mix("h", ("g_t", "{g}"), ("(1 - g_t)", "(1 - {g})")),),
    }
    flow = Flow(retained=share("g"), written=rest("g"))
