"""`textgen trace`: every gate and state while a model reads a text, for one's own tools."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

from textgen.cli.generate import warn_unknown
from textgen.cli.sources import add_text, check_save, text_of
from textgen.errors import ConfigError, MissingPart
from textgen.generation.generator import load
from textgen.interpret.texts import trace_text
from textgen.log import logger
from textgen.runs.atomic_files import write_output

LONGEST = 100_000  # tokens: every value of every unit of each is held in memory
MUCH = 50  # MB that are told of before they are computed


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    add_text(command)
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="states.npz or states.h5"
    )


def run(parsed: argparse.Namespace) -> None:
    write = WRITERS.get(parsed.out.suffix)
    if write is None:
        raise ConfigError(
            f"--out is {parsed.out}: give a name that ends with {' or '.join(WRITERS)}"
        )
    check_save(parsed.out)
    text = text_of(parsed)
    model = load(parsed.run)
    tokens = len(model.tokenizer.encode(text))
    if tokens > LONGEST:
        raise ConfigError(f"the text has {tokens} tokens: give at most {LONGEST}")
    network = model.network
    values = len(network.layers) * len(network.cell.value_names()) * network.config.hidden_size
    size = (tokens + 1) * (values + network.vocab_size) * 4 >> 20  # of float32
    if size > MUCH:
        logger.warning("note: %s tokens make %s MB of values", f"{tokens:,}", f"{size:,}")
    traced = trace_text(model, text)
    arrays = traced.arrays()
    write_output(parsed.out, write(arrays))
    warn_unknown(model.tokenizer, text)
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
    print(f"{parsed.out}: {shapes}")
    print(f"the largest difference to the layers where the model writes: {traced.error:.1e}")


def as_npz(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as NumPy keeps them, compressed."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def as_h5(arrays: dict[str, np.ndarray]) -> bytes:
    """Raises `MissingPart` without h5py, which comes with Keras."""
    try:
        import h5py
    except ImportError as error:
        raise MissingPart(
            "HDF5 needs h5py: pip install 'textgen-recurrent[train]', or ask for .npz"
        ) from error
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        for name, array in arrays.items():
            h5[name] = array.astype(h5py.string_dtype()) if array.dtype.kind == "U" else array
    return file.getvalue()


WRITERS = {".npz": as_npz, ".h5": as_h5}
