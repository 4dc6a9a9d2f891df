"""Why a gradient vanishes, explodes or survives: a product with one factor for each step.

Bengio et al. 1994; Pascanu et al. 2013, arXiv 1211.5063, section 2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from textgen.cells import make_cell
from textgen.cells.array_functions import ACTIVATIONS
from textgen.interpret.trace import Values


def powers(factor: float, steps: int) -> np.ndarray:
    """factor^0 ... factor^steps: [steps + 1]."""
    return np.power(float(factor), np.arange(steps + 1))


def slope(activation: str, a: np.ndarray) -> np.ndarray:
    """The derivative of "tanh", "sigmoid" or "relu" at a: at most 1, 1/4 and 1."""
    if activation == "relu":
        return (a > 0).astype(float)
    y = np.asarray(ACTIVATIONS[activation](np.asarray(a, np.float64)))
    return 1 - y**2 if activation == "tanh" else y * (1 - y)


def run_free(
    activation: str, norm: float, steps: int, hidden_size: int = 64, seed: int = 1
) -> np.ndarray:
    """|h_0| ... |h_steps| of the rnn cell that hears nothing: h_t = activation(U h_{t-1}).

    U is the identity, times `norm`: so the cell begins with relu (Le et al. 2015). h_0 has positive
    parts and the length 1.
    """
    cell = make_cell("rnn", activation)
    weights = {name: np.zeros(s) for name, s in cell.weight_shapes(1, hidden_size).items()}
    weights["recurrent_kernel"] = norm * np.eye(hidden_size)
    h = np.abs(np.random.default_rng(seed).normal(size=(1, hidden_size)))
    h /= np.linalg.norm(h)
    lengths = [1.0]
    for _ in range(steps):
        (h,) = cell.step(weights, np.zeros((1, 1)), (h,))
        lengths.append(float(np.linalg.norm(h)))
    return np.array(lengths)


def along(keep: np.ndarray, end: np.ndarray) -> np.ndarray:
    """What of a gradient comes back by the way of the state alone: [T, U].

    keep [T, U]: the share of the old state that survives each token. end [U]: the gradient with
    respect to the state after the last token. On this way a step back from C_t to C_{t-1} only
    multiplies by the forget gate f_t (Hochreiter & Schmidhuber 1997; Gers et al. 2000).
    """
    later = np.ones_like(keep, dtype=np.float64)
    later[:-1] = np.cumprod(np.asarray(keep, np.float64)[:0:-1], 0)[::-1]
    return end * later


@dataclasses.dataclass(frozen=True)
class WaysBack:
    """Lengths of an answer's gradient with respect to the state after each token, each [T].

    part: of the state, the one that is carried along: C where the cell has one, else h.
    whole: of the gradient with respect to it. alone: of what comes back along it alone, multiplied
    by nothing but what the gates let stay. output: with respect to h, where that is another part.
    """

    part: str
    whole: np.ndarray
    alone: np.ndarray
    output: np.ndarray | None


def ways_back(gradient: Values, keep: np.ndarray) -> WaysBack:
    """gradient: of a layer, by the parts of its state (`Gradients.layers`). keep [T, U]: the share
    of the old state that survives each token."""
    part = carried_part(gradient)
    whole = gradient[part]
    output = norms(gradient["h"]) if part != "h" else None
    return WaysBack(part, norms(whole), norms(along(keep, whole[-1])), output)


def carried_part(values: Iterable[str]) -> str:
    """The part of a state that is carried along: C where there is one, else h."""
    return "C" if "C" in values else "h"


def norms(gradient: np.ndarray) -> np.ndarray:
    """The length of a gradient [T, U] at each token: [T]."""
    # relative to the largest: the square of what float64 just holds would be lost
    largest = abs(gradient).max(axis=1, keepdims=True)
    relative = gradient / np.where(largest > 0, largest, 1)
    return np.asarray(largest[:, 0] * np.linalg.norm(relative, axis=1))
