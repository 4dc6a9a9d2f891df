"""The recurrences, by name: one file each, which reads as the equations of its cell.

Symbols are the lesson's: x_t input, h_t output, C_t cell state, σ the logistic function. Shapes:
x_t [B, D], h_t and C_t [B, U], with B batch, D input size, U hidden_size; T is time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgen.cells.recurrence import Recurrence

# name -> class, found in the module of that name; the classes need TensorFlow, the names do not
CELLS = {
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "peephole": "PeepholeLSTM",
    "coupled": "CoupledLSTM",
    "mingru": "MinGRU",
    "minlstm": "MinLSTM",
}


def cell_class(name: str) -> type[Recurrence]:
    """The class `name` of `CELLS`."""
    found: type[Recurrence] = getattr(importlib.import_module(f"textgen.cells.{name}"), CELLS[name])
    return found


def make_cell(name: str, hidden_size: int, **settings: Any) -> Recurrence:
    """The layer `name` of `CELLS`; `settings` are those of `Recurrence`."""
    return cell_class(name)(hidden_size, **settings)
