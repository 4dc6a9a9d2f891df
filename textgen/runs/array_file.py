"""Named arrays in a file, with a note on them: safetensors, of which a digest is kept.

So the weights, the voices and the saves of a training are written, and read with suspicion: the
sizes and shapes that a header claims are looked at before memory is taken, and what is not as it
was written is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from textgen.errors import RunError
from textgen.runs.atomic_files import REMEDY, write_file

LARGEST_FILE, LARGEST_HEADER = 2 << 30, 1 << 20  # bytes
LARGEST_VALUE = 1e6  # training gives none near it; no sum of a step's products overflows
_DIGEST = "sha256"  # of the arrays and the note, which follows it, in the file's header


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], note: str = "") -> None:
    """Write named arrays and a note on them. Raises `RunError` when the disk is full."""
    write_file(path, arrays_as_bytes(arrays, note))


def arrays_as_bytes(arrays: Mapping[str, np.ndarray], note: str = "") -> bytes:
    """The content of the file that `write_arrays` writes: the same arrays, the same bytes."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    # one entry: safetensors writes several in any order
    metadata = {_DIGEST: f"{_digest(contiguous, note)} {note}".rstrip()}
    return safetensors.numpy.save(contiguous, metadata)


def read_arrays(
    path: Path, check_shapes: Callable[[dict[str, tuple[int, ...]]], None] | None = None
) -> tuple[dict[str, np.ndarray], str]:
    """(arrays by name, the note on them). `check_shapes` is given the shapes, and may raise, before
    any array is read. Raises `RunError` unless all is as it was written."""
    if not path.is_file():
        raise RunError(f"{path} is missing: train until the first save, or give another run folder")
    damaged = RunError(f"{path} is not a whole safetensors file: restore it or train again")
    try:
        _refuse_a_long_header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            if check_shapes is not None:
                check_shapes({name: tuple(file.get_slice(name).get_shape()) for name in names})
            arrays = {name: file.get_tensor(name) for name in names}
            recorded, _, note = (file.metadata() or {}).get(_DIGEST, "").partition(" ")
    except (safetensors.SafetensorError, OSError, TypeError, ValueError) as error:
        raise damaged from error
    if recorded and recorded != _digest(arrays, note):
        raise damaged
    return arrays, note


def _refuse_a_long_header(path: Path) -> None:
    """The library would parse one of 100 MB. Raises `RunError` or `OSError`."""
    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > LARGEST_HEADER or path.stat().st_size > LARGEST_FILE:
        raise RunError(f"{path} is too large for a textgen model: {REMEDY}")


def read_note(path: Path) -> str:
    """The note of a file, unchecked: its header alone is read. Raises `RunError`."""
    try:
        _refuse_a_long_header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            return str((file.metadata() or {}).get(_DIGEST, "").partition(" ")[2])
    except (safetensors.SafetensorError, OSError) as error:
        raise RunError(f"{path} is not a whole safetensors file: train again") from error


def _digest(arrays: Mapping[str, np.ndarray], note: str) -> str:
    """SHA-256 of named arrays and the note on them."""
    sha256 = hashlib.sha256(note.encode())
    for name in sorted(arrays):
        array = arrays[name]
        sha256.update(f"{name} {array.dtype} {array.shape}".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()
