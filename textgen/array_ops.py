"""The functions that sampling and reading are written in, for arrays of NumPy and of TensorFlow.

`ops = ops_for(x)` are those for arrays like x, under the names that Keras and NumPy share: code
that calls them runs on both. TensorFlow is not imported here: whoever holds one of its arrays has
imported it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from textgen import backend
from textgen.arrays import Array, DType


def ops_for(x: Array) -> ModuleType:
    """Keras's functions where `x` is an array of TensorFlow; NumPy's, and those that it lacks."""
    return sys.modules[__name__] if isinstance(x, np.ndarray | np.generic) else backend.ops


def __getattr__(name: str) -> Any:
    function = getattr(np, name)
    globals()[name] = function  # found at once from now on: a token takes thirty of them
    return function


def cast(x: Array, dtype: DType) -> np.ndarray:
    """x as numbers of this type."""
    return np.asarray(x, dtype)


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Probabilities in the ratios e^x."""
    raised = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis, keepdims=True))


def logsumexp(x: np.ndarray, axis: int = -1, keepdims: bool = False) -> np.ndarray:
    """ln of the sum of e^x."""
    most = x.max(axis, keepdims=True)
    total = most + np.log(np.exp(x - most).sum(axis, keepdims=True))
    return np.asarray(total if keepdims else total.squeeze(axis))


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """ln of `softmax`, also where that is too small to be written down."""
    return np.asarray(x - logsumexp(x, axis, keepdims=True))


def pick(x: Array, places: Array) -> Array:
    """Of each row of x [B, N] the value at its place: [B], for either kind of array."""
    if isinstance(x, np.ndarray):
        return x[np.arange(len(x)), places]
    return backend.ops.take_along_axis(x, places[:, None], axis=-1)[:, 0]


def top_k(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(the k largest along the last axis, largest first, and their places)."""
    places = np.argpartition(x, x.shape[-1] - k, axis=-1)[..., x.shape[-1] - k :]
    places.sort(axis=-1)  # of equal ones the first counts as the larger
    values = np.take_along_axis(x, places, -1)
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.take_along_axis(values, order, -1), np.take_along_axis(places, order, -1)


def scatter(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros [shape], to which values [N] are added at their indices [N, axes]."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(indices.T), values)
    return out
