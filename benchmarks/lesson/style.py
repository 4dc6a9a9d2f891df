"""What the figures of the lesson have in common: size, colours, names, numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textgen.cells import CELLS

Found = Mapping[str, Any]
Say = Callable[[str, str], str]  # (English, Korean) -> that of the figure's language

WIDTH = 760
RED, BLUE, GREEN = "#c8453b", "#1f6fb4", "#2e8b57"


def colour(cell: str) -> str:
    return CELLS[cell].colour


def name_of(cell: str) -> str:
    return {"mingru": "minGRU", "peephole": "peephole", "coupled": "coupled"}.get(
        cell, cell.upper()
    )


def number(value: float) -> str:
    """With three decimals; what would be nothing but zeros, as a power of ten."""
    if value and abs(value) < 5e-4:
        mantissa, exponent = f"{value:.0e}".split("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa}×10{power}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−")
