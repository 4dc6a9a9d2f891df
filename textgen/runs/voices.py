"""The voices of a run: for each label the state that a text begins in, beside the weights.

voices.safetensors    states [labels, layers, parts of a state, U]; the labels and the hash of the
                      weights that they belong to are noted in its header
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from textgen.errors import RunError
from textgen.log import logger
from textgen.network import Network
from textgen.runs.array_file import LARGEST_VALUE, read_arrays, read_note, write_arrays

VOICES = "voices.safetensors"
STATES = "states"  # the name of its array
# labels, and characters of one; more are those of a column of texts, or of a file that is not ours
MOST_LABELS, LONGEST_LABEL = 1000, 100


def write_voices(folder: Path, voices: Mapping[str, np.ndarray], weights: str) -> None:
    """Write the state [layers, parts, U] of each label. weights: the hash of those they belong to.
    Raises `RunError` when the disk is full."""
    note = json.dumps({"labels": [*voices], "weights": weights}, ensure_ascii=False)
    write_arrays(folder / VOICES, {STATES: np.stack([*voices.values()])}, note)


def labels_of(folder: Path) -> list[str]:
    """The labels whose voices a run has; none for a file that is not ours."""
    try:
        labels = json.loads(read_note(folder / VOICES))["labels"]
    except (RunError, ValueError, TypeError, LookupError, RecursionError):
        return []
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []


def read_voices(folder: Path, network: Network, weights: str) -> dict[str, np.ndarray]:
    """The state [layers, parts, U] of each label of a run; none where it has none, and where they
    belong to other weights than those of this hash, which is said.

    Raises `RunError` for a file that is not ours.
    """
    path = folder / VOICES
    if not path.is_file():
        return {}
    one = network.state_shape
    foreign = RunError(f"{path} does not fit the model: restore it, or take it away")

    def check_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
        if [*shapes] != [STATES] or shapes[STATES][1:] != one:
            raise foreign

    arrays, note = read_arrays(path, check_shapes)
    states = arrays[STATES]
    try:
        said = json.loads(note)
        labels, own = said["labels"], said["weights"]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise foreign from error
    named = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not named or not len({*labels}) == len(labels) == len(states):
        raise foreign
    if states.dtype != np.float32 or not (np.abs(states) <= LARGEST_VALUE).all():
        raise foreign
    if own != weights:
        logger.warning(f"note: {path} belongs to other weights, and is left out: train on")
        return {}
    return dict(zip(labels, states, strict=True))
