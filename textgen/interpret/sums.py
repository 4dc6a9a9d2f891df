"""What a gate adds up before its σ: one sum for each block of weights, part by part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.interpret.trace import Trace
from textgen.model import LanguageModel

PEEPHOLES = ("i", "f", "o")  # blocks that see the cell state, in the order of their weights


def sums(
    model: LanguageModel, ids: Sequence[int], found: Trace, layer: int, token: int
) -> dict[str, dict[str, np.ndarray]]:
    """The parts [U] of the sum behind each value of a layer at a token of `found`, the trace of
    `ids`: those of "x" W x_t, of "h" U h_{t-1}, of "b" the bias; of "b'" the second bias of a gru
    and of "C" the peephole v * C, where there is one.

    σ of a gate's whole sum is its value (see the equations of each cell in `textgen.cells`).
    """
    own, values = model.recurrent[layer], found.layers[layer]
    if layer:
        x = found.layers[layer - 1]["h"][token]
    else:
        x = np.asarray(model.embedding.embeddings)[ids[token]]
    before = {name: v[token - 1] if token else np.zeros_like(v[0]) for name, v in values.items()}
    parts = {"x": x @ np.asarray(own.kernel), "b": np.asarray(own.input_bias())}
    if own.RECURRENT:
        parts["h"] = before["h"] @ np.asarray(own.recurrent_kernel)
    if own.recurrent_bias() is not None:
        parts["b'"] = np.asarray(own.recurrent_bias())
    found_sums: dict[str, dict[str, np.ndarray]] = {}
    for k, block in enumerate(own.BLOCKS):
        # the block of the candidate bears the name of what it becomes in a cell without C
        name = "c" if block == "h" and "c" in values else block
        columns = slice(k * own.hidden_size, (k + 1) * own.hidden_size)
        found_sums[name] = {part: sum_[columns] for part, sum_ in parts.items()}
    for weights in own.extra():
        for name, weight in zip(PEEPHOLES, np.asarray(weights), strict=True):
            C = values["C"][token] if name == "o" else before["C"]
            found_sums[name]["C"] = weight * C
    return found_sums


def unit_values(
    model: LanguageModel, ids: Sequence[int], found: Trace, layer: int, unit: int, token: int
) -> dict[str, float]:
    """All that the equations of one unit name at a token: its values, its values one token before
    ("was_C"), and the parts of its sums ("f_x", "f_h", "f_b"; "c_b2" for the b' of a gru)."""
    values: dict[str, float] = {}
    for name, course in found.layers[layer].items():
        values[name] = float(course[token, unit])
        values[f"was_{name}"] = float(course[token - 1, unit]) if token else 0.0
    for name, parts in sums(model, ids, found, layer, token).items():
        for part, column in parts.items():
            values[f"{name}_{part}".replace("'", "2")] = float(column[unit])
    return values
