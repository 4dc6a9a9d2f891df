"""The recurrences, by name. Symbols are the lesson's: x_t input, h_t output, C_t cell state.

Shapes: x_t [batch, input_size]; h_t and C_t [batch, hidden_size]. Every entry of `CELLS` builds a
Keras recurrent layer that returns its whole sequence of h_t and its final state, so that state can
be carried from one window of text to the next. On a GPU `lstm` and `gru` take Keras's cuDNN path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textgen import backend


def rnn(hidden_size: int, activation: str = "tanh") -> Any:
    """h_t = tanh(W_x x_t + W_h h_{t-1} + b)   (Elman 1990). State: (h,)."""
    return backend.keras.layers.SimpleRNN(
        hidden_size, activation=activation, return_sequences=True, return_state=True
    )


def lstm(hidden_size: int, activation: str = "tanh") -> Any:
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000. State: (h, C).

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)       what of C to forget
    i_t = σ(W_i x_t + U_i h_{t-1} + b_i)       what to write
    C̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)    the candidate
    C_t = f_t * C_{t-1} + i_t * C̃_t
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)       what to show
    h_t = o_t * tanh(C_t)
    """
    return backend.keras.layers.LSTM(
        hidden_size, activation=activation, return_sequences=True, return_state=True
    )


def gru(hidden_size: int, activation: str = "tanh") -> Any:
    """Cho et al. 2014, in the form cuDNN computes (reset after the product). State: (h,).

    z_t = σ(W_z x_t + U_z h_{t-1} + b_z)       how much of h to keep
    r_t = σ(W_r x_t + U_r h_{t-1} + b_r)       how much of h the candidate sees
    h̃_t = tanh(W_h x_t + b_h + r_t * (U_h h_{t-1} + b'_h))
    h_t = z_t * h_{t-1} + (1 - z_t) * h̃_t
    """
    return backend.keras.layers.GRU(
        hidden_size, activation=activation, return_sequences=True, return_state=True
    )


CELLS: dict[str, Callable[..., Any]] = {"rnn": rnn, "lstm": lstm, "gru": gru}
CELL_NAMES = tuple(CELLS)
