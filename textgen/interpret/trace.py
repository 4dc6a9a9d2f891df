"""What every unit does at every token."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from textgen.arrays import Array, State
from textgen.interpret.replay import Override, replay
from textgen.model import LanguageModel

Values = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Trace:
    """layers: for each the values [T, U] at each token, by the names of the cell's equations.

    logprobs: natural log of the probability of each next token, after each token [T, V].
    state: after the last token, of one text, as the model takes it.
    error: the largest difference of h to the trained layers' output; nan with overrides.
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
    traced = read(model, ids, overrides)
    if overrides:
        return traced
    return dataclasses.replace(traced, error=difference(model, ids, traced.layers))


def read(model: LanguageModel, ids: Sequence[int], overrides: Sequence[Override] = ()) -> Trace:
    """`trace`, with its error left out."""
    programs = replay(model)
    x = programs.inputs(ids)
    observed, logprobs = programs.values(x, *programs.edits(len(x), overrides))
    values = observed.numpy()[:, :, 0]
    layers = [
        {name: values[:, programs.place(layer, name)] for name in programs.names}
        for layer in range(len(model.recurrent))
    ]
    state = tuple(tuple(layer[name][-1:] for name in model.cell.state_names) for layer in layers)
    return Trace(layers, logprobs.numpy()[:, 0], state, math.nan)


def difference(model: LanguageModel, ids: Sequence[int], layers: Sequence[Values]) -> float:
    """The largest one between h of `layers` and what the trained layers make of ids."""
    x: Array = replay(model).inputs(ids)
    largest = 0.0
    for layer, values in zip(model.recurrent, layers, strict=True):
        x, _ = layer(x, layer.initial_state(1))
        largest = max(largest, float(np.abs(np.asarray(x)[:, 0] - values["h"]).max()))
    return largest
