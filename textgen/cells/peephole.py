"""The LSTM whose gates read the cell state (Gers & Schmidhuber 2000)."""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import sigmoid, split, tanh
from textgen.cells.cell import Observe, Values, Weights, unchanged
from textgen.cells.latex import gate
from textgen.cells.lstm import LSTM


class PeepholeLSTM(LSTM):
    """State: (h, C). An LSTM and 3 U parameters more: one weight per unit and gate.

    f_t = σ(W_f x_t + U_f h_{t-1} + v_f * C_{t-1} + b_f)
    i_t = σ(W_i x_t + U_i h_{t-1} + v_i * C_{t-1} + b_i)
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
    C_t = f_t * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + v_o * C_t + b_o)     o reads the new cell state
    h_t = o_t * tanh(C_t)
    """

    name = "peephole"
    source = "Gers & Schmidhuber 2000, Recurrent Nets that Time and Count"
    year = 2000
    colour = "#009e73"

    extra_weights = {"peephole": 3}  # v_i, v_f, v_o
    keras_layer = ""  # none has peepholes

    def update(
        self, pre: Array, state: Arrays, extra: Arrays = (), observe: Observe = unchanged
    ) -> Arrays:
        _, C = state
        v_i, v_f, v_o = (extra[0][k] for k in range(3))
        i, f, c, o = split(pre, 4)
        f = observe("f", sigmoid(f + v_f * C))
        i = observe("i", sigmoid(i + v_i * C))
        c = observe("c", tanh(c))
        C = observe("C", f * C + i * c)
        o = observe("o", sigmoid(o + v_o * C))
        return observe("h", o * tanh(C)), C

    def summands(
        self, weights: Weights, x: Array, before: Values, values: Values
    ) -> dict[str, dict[str, Array]]:
        """With a summand "C" of each gate, from its peephole."""
        parts = super().summands(weights, x, before, values)
        v_i, v_f, v_o = (weights["peephole"][k] for k in range(3))
        parts["i"]["C"] = v_i * before["C"]
        parts["f"]["C"] = v_f * before["C"]
        parts["o"]["C"] = v_o * values["C"]
        return parts

    equations = LSTM.equations | {
        "forget": (gate("f", "C_{t-1}"),),
        "write": (gate("i", "C_{t-1}"), *LSTM.equations["write"][1:]),
        "output": (gate("o", "C_t"), *LSTM.equations["output"][1:]),
    }
