"""The kinds of processor that speeds and qualities within minutes are told apart by."""

from __future__ import annotations

import platform
from pathlib import Path

from textgen import backend

# by what multiplies bfloat16: tiles (AMX), vectors (AVX-512), nothing
TILES, VECTORS, NONE = "amx", "avx512_bf16", "float32"
WORDS = {
    TILES: "with AMX and bfloat16",
    VECTORS: "with bfloat16 but no AMX",
    NONE: "without bfloat16",
}


def kind() -> str:
    """That of this machine."""
    if backend.has_amx():
        return TILES
    return VECTORS if backend.has_bfloat16() else NONE


def kind_of(machine: str) -> str:
    """That of a machine in the words of `machine`."""
    return next(kind for kind, words in WORDS.items() if words in machine)


def name() -> str:
    """That of this machine, such as "AMD EPYC"; its architecture where it has none."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine() -> str:
    """Cores, name, architecture and kind of this machine, in words."""
    return f"{backend.cores()} cores of {name()}, {platform.machine()} {WORDS[kind()]} in hardware"
