"""The functions that a cell's equations are written in, for arrays of NumPy and of TensorFlow.

The array that a function is given decides which library computes. TensorFlow is not imported here:
whoever holds one of its arrays has imported it.
"""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np

from textgen.arrays import Array

FARTHEST = -88.0  # below, e^-x is too large for a float32


def _tensorflow(x: Array) -> ModuleType | None:
    """TensorFlow where `x` is an array of its kind; None where it is NumPy's."""
    return None if isinstance(x, np.ndarray | np.generic) else sys.modules["tensorflow"]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x): a share between 0 and 1."""
    if tf := _tensorflow(x):
        return tf.sigmoid(x)
    return 1 / (1 + np.exp(-np.maximum(x, FARTHEST)))


def tanh(x: Array) -> Array:
    """A number between -1 and 1."""
    return (_tensorflow(x) or np).tanh(x)


def relu(x: Array) -> Array:
    """x where it is positive, else 0."""
    if tf := _tensorflow(x):
        return tf.nn.relu(x)
    return np.maximum(x, 0)


def exp(x: Array) -> Array:
    """e^x."""
    return (_tensorflow(x) or np).exp(x)


def log(x: Array) -> Array:
    """The natural logarithm."""
    if tf := _tensorflow(x):
        return tf.math.log(x)
    return np.log(x)


def maximum(x: Array, least: Array | float) -> Array:
    """x, but nowhere less than `least`."""
    return (_tensorflow(x) or np).maximum(x, least)


def split(x: Array, number: int) -> list[Array]:
    """The `number` equal blocks of x along its last axis: [..., number U] -> number of [..., U]."""
    if tf := _tensorflow(x):
        return list(tf.split(x, number, axis=-1))
    size = x.shape[-1] // number
    return [x[..., k * size : (k + 1) * size] for k in range(number)]


def concat(parts: list[Array]) -> Array:
    """The opposite of `split`: arrays side by side along their last axis."""
    if tf := _tensorflow(parts[0]):
        return tf.concat(parts, -1)
    return np.concatenate(parts, -1)


ACTIVATIONS = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid}
