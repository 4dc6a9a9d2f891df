"""The recurrent cells: a file of pure equations for each, found by its name.

A file put into this folder is a cell of the package; a cell from elsewhere joins by `register`.
Either way settings, command line, training, interpretation and pages find it in `CELLS`.

`scan` and `layer`, which need TensorFlow, make a trainable layer of a cell.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from textgen.cells.cell import Cell

NEED_TENSORFLOW = ("scan", "layer")
LESSON = ("rnn", "lstm", "gru")  # listed first; the others follow by their year


def _cells_here() -> Iterator[type[Cell]]:
    """The cells that the files of this folder define."""
    for file in pkgutil.iter_modules(__path__, f"{__name__}."):
        if file.name.rpartition(".")[2] in NEED_TENSORFLOW:
            continue
        for value in vars(importlib.import_module(file.name)).values():
            if isinstance(value, type) and issubclass(value, Cell) and hasattr(value, "name"):
                yield value


def _listed(cell: type[Cell]) -> tuple[bool, int, str]:
    return cell.name not in LESSON, cell.year, cell.name


CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in sorted(set(_cells_here()), key=_listed)}


def register(cell: type[Cell]) -> type[Cell]:
    """Make a cell known under its name; a decorator too.

    Raises `ValueError` where the name is taken.
    """
    if CELLS.setdefault(cell.name, cell) is not cell:
        raise ValueError(f"there is a cell {cell.name!r} already: give this one another name")
    return cell


def make_cell(name: str, activation: str = "tanh") -> Cell:
    """The cell `name` of `CELLS`, with this activation where it takes one."""
    return CELLS[name](activation)
