"""What outlives the process: all that the next step depends on, in two files by turns.

The newest whole save is never touched. A run killed at any moment goes on from there, and a run
whose loss runs away goes back to there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textgen.arrays import Array
from textgen.backend import keras
from textgen.errors import RunError
from textgen.log import logger
from textgen.runs import array_file, run_folder
from textgen.training.state import RunState

FILES = run_folder.SAVES


@dataclasses.dataclass(frozen=True)
class Save:
    """A save as it was read. arrays: by the names that `arrays_of` gives. path: its file."""

    state: RunState
    arrays: Mapping[str, np.ndarray]
    path: Path


def arrays_of(variables: Sequence[Array]) -> dict[str, np.ndarray]:
    """The values of `variables`, by names that count their places."""
    return {f"variable.{i}": np.asarray(variable) for i, variable in enumerate(variables)}


def names_of(weights: Mapping[str, Array], variables: Sequence[Array]) -> dict[str, str]:
    """The name that `arrays_of` gives to each of the model's weights."""
    places = {id(variable): f"variable.{i}" for i, variable in enumerate(variables)}
    return {name: places[id(weight)] for name, weight in weights.items()}


def write_save(
    folder: Path, state: RunState, arrays: Mapping[str, np.ndarray], weights: Mapping[str, str]
) -> None:
    """Write the save number `state.saves`, over the older of the two. Raises `RunError`.

    weights: which of the arrays each weight of the model is, for who loads the model from the save.
    """
    note = state.to_json() | {run_folder.WEIGHTS_OF_SAVE: dict(weights)}
    array_file.write_arrays(folder / _file_of(state), arrays, json.dumps(note))


def _file_of(state: RunState) -> str:
    return FILES[(state.saves - 1) % 2]


def restore(save: Save, variables: Sequence[Array]) -> None:
    """Give `variables` the values that they were saved with. Raises `RunError` where they are
    others."""
    names = [f"variable.{i}" for i in range(len(variables))]
    shapes = {name: (a.shape, a.dtype.name) for name, a in save.arrays.items()}
    wanted = [(tuple(v.shape), keras.backend.standardize_dtype(v.dtype)) for v in variables]
    if shapes != dict(zip(names, wanted, strict=True)):
        raise _foreign(save.path)
    for name, variable in zip(names, variables, strict=True):
        variable.assign(save.arrays[name])


def read_save(folder: Path, step: int | None = None) -> Save:
    """The newest whole save in `folder`, or that of `step`. Raises `RunError` without one."""
    failures = []
    for path in sorted((folder / name for name in FILES), key=lambda path: -_number(path)):
        try:
            arrays, note = array_file.read_arrays(path)
            state = _state(path, note)
        except RunError as error:
            failures.append(error)
            continue
        if step is not None and state.step != step:
            continue
        (other,) = (folder / name for name in FILES if name != path.name)
        if failures or (other.is_file() and not _number(other)):
            logger.warning(
                f"note: {other} is damaged: going on from {path.name}, at step {state.step}"
            )
        if path.name != _file_of(state):  # renamed by hand: the next save must not go over it
            state.saves += 1
        return Save(state, arrays, path)
    raise (
        failures[0] if failures else RunError(f"{folder} holds no save of step {step}: train anew")
    )


def _number(path: Path) -> int:
    """The number of the save at `path`; 0 for one that cannot be read."""
    try:
        return _state(path, array_file.read_note(path)).saves
    except RunError:
        return 0


def _state(path: Path, note: str) -> RunState:
    """Raises `RunError` unless `note` is one that `write_save` wrote."""
    try:
        return RunState.from_json(note)
    except ValueError as error:
        raise _foreign(path) from error


def _foreign(path: Path) -> RunError:
    return RunError(f"{path} does not fit this run: train anew into another folder")
