"""The LSTM that weighs what it writes by an exponential: xLSTM's sLSTM (Beck et al. 2024)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import exp, log, maximum, sigmoid, split, tanh
from textgen.cells.cell import Cell, Observe, unchanged
from textgen.cells.flow import Flow, rest, share
from textgen.cells.latex import Equation, candidate, gate, mix, pre_activation

SMALLEST = 1e-30  # of a gate: neither its logarithm nor that one's slope is infinite


class SLSTM(Cell):
    """State: (h, n, C). 4 U (D + U + 1) parameters, as many as `lstm`.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
    ĩ_t = W_i x_t + U_i h_{t-1} + b_i
    n_t = log(f_t * e^{n_{t-1}} + e^{ĩ_t})     the weight, as a logarithm, of all that was written
    i_t = e^{ĩ_t - n_t}                        and the share of it that this step has
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
    C_t = (1 - i_t) * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
    h_t = o_t * C_t

    The paper keeps the sum c_t = f_t * c_{t-1} + e^{ĩ_t} * C̃_t, its weight and a stabilizer, and
    shows their quotient. C_t is that quotient, the mean of what was written; a weight kept as a
    logarithm needs no stabilizer. The state begins as zeros, as if a 0 of weight 1 had been
    written; in the paper, as if nothing had. One head: U_f and the others join all units with all.
    """

    name = "slstm"
    source = "Beck et al. 2024, arXiv 2405.04517, § 2.2"
    year = 2024
    colour = "#7a3e9d"

    blocks = ("i", "f", "c", "o")
    gates = ("f", "i", "o")
    state_names = ("h", "n", "C")
    forget_gate = "f"
    chrono_signs = {"f": +1}  # not i: its bias weighs all steps alike, and cancels out

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        _, n, C = state
        i, f, c, o = split(pre, 4)
        f = observe("f", sigmoid(f))
        kept = log(maximum(f, SMALLEST)) + n
        apart = maximum(i - kept, kept - i)
        # log(e^kept + e^i), of which no part can become too large
        n = observe("n", maximum(kept, i) + log(1 + exp(-apart)))
        i = observe("i", exp(i - n))
        c = observe("c", tanh(c))
        C = observe("C", (1 - i) * C + i * c)
        o = observe("o", sigmoid(o))
        return observe("h", o * C), n, C

    equations = {
        "forget": (gate("f"),),
        "write": (
            Equation(
                "n",
                rf"\log(f_t \cdot e^{{n_{{t-1}}}} + e^{{{pre_activation('i')[0]}}})",
                rf"\log({{f}} \cdot e^{{{{{{was_n}}}}}} + e^{{{{{pre_activation('i')[1]}}}}})",
            ),
            Equation(
                "i",
                rf"e^{{{pre_activation('i')[0]} - n_t}}",
                rf"e^{{{{{pre_activation('i')[1]} - {{n:()}}}}}}",
            ),
            candidate(),
        ),
        "update": (mix("C", ("(1 - i_t)", "(1 - {i})"), ("i_t", "{i}")),),
        "output": (gate("o"), Equation("h", r"o_t \cdot C_t", r"{o} \cdot {C:()}")),
    }
    flow = Flow(retained=rest("i"), written=share("i"), shown=share("o"), squashed=False)
