"""A Keras file, `.keras` or `.h5`: its layers as JSON, and its arrays by their paths. Nothing in it
is executed, and Keras does not see it."""

from __future__ import annotations

import importlib.util
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from textgen.errors import MissingPart, RunError
from textgen.importing import hdf5_apart

LARGEST_FILE, LARGEST_CONFIG = 512 << 20, 8 << 20
PATIENCE = 120.0  # seconds that a file may take to read
PACKED_BY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for any amount of memory
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
REMEDY = "give a .keras or .h5 file that Keras's model.save made"

Arrays = dict[str, np.ndarray]


def read_keras_file(path: Path, data: bytes) -> tuple[dict[str, object], Arrays]:
    """(the JSON of the model, its arrays by their paths). data: what the file holds. Raises
    `RunError` for what is no such file, and `MissingPart` without h5py."""
    if importlib.util.find_spec("h5py") is None:
        raise MissingPart("to read a Keras file needs h5py: pip install 'textgen-recurrent[train]'")
    if data.startswith(HDF5):
        arrays, config = _read_hdf5(path, data)
        if not config and any(name.startswith("attention/") for name in arrays):
            raise RunError(
                f"{path} holds weights of textgenrnn, whose attention averages what its layers say "
                "of the last tokens, read anew for each; textgen has no such model: train anew on "
                "its text, or on what it writes"
            )
        if not config:
            raise RunError(f"{path} holds weights without their model: {REMEDY}")
        return _json(path, config), arrays
    if data.startswith(ZIP):
        return _read_archive(path, data)
    raise RunError(f"{path} is neither HDF5 nor an archive of Keras: {REMEDY}")


def _read_archive(path: Path, data: bytes) -> tuple[dict[str, object], Arrays]:
    """Of a `.keras` file, which is a zip."""

    def part(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
        if archive.getinfo(name).compress_type not in PACKED_BY:
            raise RunError(f"{path}: {name} is packed as Keras packs nothing: {REMEDY}")
        with archive.open(name) as file:
            found = file.read(largest + 1)  # whatever size its header claims
        if len(found) > largest:
            raise RunError(f"{path}: {name} is larger than {largest} bytes: {REMEDY}")
        return found

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            config = part(archive, "config.json", LARGEST_CONFIG)
            weights = part(archive, "model.weights.h5", LARGEST_FILE)
    except (
        *(zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError),
        *(NotImplementedError, RuntimeError, struct.error, zipfile.zlib.error),  # type: ignore[attr-defined]
    ):
        raise RunError(f"{path} is no whole archive of Keras: {REMEDY}") from None
    return _json(path, config), _read_hdf5(path, weights)[0]


def _read_hdf5(path: Path, data: bytes) -> tuple[Arrays, str]:
    """(its arrays, the JSON of its layers). Another process reads it: so it may crash or hang."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", hdf5_apart.__file__],
            input=data,
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        header = json.loads(done.stdout[8 : 8 + int.from_bytes(done.stdout[:8], "little")])
        arrays = safetensors.numpy.load(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError, safetensors.SafetensorError):
        raise RunError(f"{path} holds no HDF5 that can be read: {REMEDY}") from None
    return arrays, header["__metadata__"][hdf5_apart.CONFIG]


def _json(path: Path, text: str | bytes) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RunError(f"{path}: what it says of its layers is no JSON: {REMEDY}")
    return found
