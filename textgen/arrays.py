"""The names under which arrays, and datasets of them, appear in signatures.

`Array` is an array of numbers of NumPy or of TensorFlow: code that is annotated with it works on
both. TensorFlow ships no types that a checker could hold it to, so the alias says it to people;
docstrings give the shape.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Array: TypeAlias = Any
Arrays: TypeAlias = tuple[Array, ...]
State: TypeAlias = tuple[Arrays, ...]  # for each layer, the parts of its state
DType: TypeAlias = Any  # the type of its numbers
Dataset: TypeAlias = Any  # a `tf.data.Dataset`


def cut(state: State, rows: slice) -> State:
    """The state of some of the texts of a batch."""
    return tuple(tuple(part[rows] for part in layer) for layer in state)
