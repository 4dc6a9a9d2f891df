"""What every unit does at every token."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from textgen.cells import CELLS, cell_class
from textgen.interpret.replay import Override, replay
from textgen.model import LanguageModel, State

Values = dict[str, np.ndarray]

# cell -> the names of its gates
GATES: dict[str, tuple[str, ...]] = {cell: cell_class(cell).GATES for cell in CELLS}

# cell -> from its values to the share [T, U] of the old state that survives each token; the cells
# that have no such share are not in it
KEEP: dict[str, Callable[[Values], Any]] = {
    cell: cell_class(cell).kept for cell in CELLS if GATES[cell]
}


@dataclasses.dataclass(frozen=True)
class Trace:
    """layers: for each the values [T, U] at each token, by name.

    logprobs: natural log of the probability of each next token, after each token [T, V].
    state: after the last token, of one row, as the model takes it.
    error: the largest difference of h to the trained layers' own output; nan with overrides.
    """

    layers: list[Values]
    logprobs: np.ndarray
    state: State
    error: float


def trace(model: LanguageModel, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """Read ids [T], which begin with the tokenizer's `start_id` where a document begins.

    Raises `GenerationError` for ids that are not the model's, `ConfigError` for an override of
    what is not there.
    """
    found = read(model, ids, overrides)
    if overrides:
        return found
    return dataclasses.replace(found, error=difference(model, ids, found.layers))


def read(model: LanguageModel, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """`trace`, with its error left out."""
    own = replay(model)
    x = own.inputs(ids)
    seen, logprobs = own.values(x, *own.edits(len(x), overrides))
    values = seen.numpy()[:, :, 0]
    layers = [
        {name: values[:, own.place(layer, name)] for name in own.names}
        for layer in range(len(model.recurrent))
    ]
    state = tuple(tuple(layer[name][-1:] for name in own.state_names) for layer in layers)
    return Trace(layers, logprobs.numpy()[:, 0], state, math.nan)


def difference(model: LanguageModel, ids: Sequence[int], layers: Sequence[Values]) -> float:
    """The largest one between h of `layers` and what the trained layers make of ids."""
    x: Any = replay(model).inputs(ids)
    found = 0.0
    for layer, values in zip(model.recurrent, layers, strict=True):
        x, _ = layer(x, layer.initial_state(1))
        found = max(found, float(np.abs(np.asarray(x)[:, 0] - values["h"]).max()))
    return found
