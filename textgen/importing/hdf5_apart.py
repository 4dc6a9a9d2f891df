"""Reads an HDF5 file of a stranger in a process of its own: its library is large, and in C.

Run as a script it takes the file from stdin, and gives safetensors of all arrays, by their paths.
It imports nothing of textgen.
"""

from __future__ import annotations

import io
import sys
from typing import Any

MOST_NUMBERS = 1 << 27  # 512 MB
MEMORY = 4 << 30
CONFIG = "model_config"  # Keras's JSON of the layers, an attribute


def as_safetensors(data: bytes) -> bytes:
    """All arrays of numbers in an HDF5 file, and its JSON of the layers. Links to elsewhere and
    data that lies in other files are passed over; too much is a `ValueError`."""
    import h5py
    import numpy as np
    import safetensors.numpy

    arrays: dict[str, np.ndarray] = {}
    left = MOST_NUMBERS

    def take(path: str, found: Any) -> None:
        nonlocal left
        # its path may lead anywhere: `visititems` follows no link, and this no other file
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            return
        if found.dtype.kind != "f":
            return
        left -= found.size
        if left < 0:
            raise ValueError("too many numbers")
        arrays[path] = np.ascontiguousarray(found[()], dtype=np.float32)

    with h5py.File(io.BytesIO(data), "r") as file:
        config = file.attrs.get(CONFIG, "")
        file.visititems(take)
    if isinstance(config, bytes):
        config = config.decode("utf-8")
    return safetensors.numpy.save(arrays, {CONFIG: str(config)})


def main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.buffer.write(as_safetensors(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
