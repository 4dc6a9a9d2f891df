"""The recurrent cells: a file of pure equations for each, found by its name.

A file put into this folder is a cell of the package; a cell from elsewhere joins by `register`.
Either way settings, command line, training, interpretation and pages find it in `CELLS`.
One that is incomplete, or whose name is taken, is refused.

`layer`, `scan` and `products`, which need TensorFlow, make a trainable layer of a cell.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from textgen.cells.cell import Cell
from textgen.cells.check import check, full_name

NEED_TENSORFLOW = ("layer", "products", "scan")
LESSON = ("rnn", "lstm", "gru")  # listed first; the others follow by their year

CELLS: dict[str, type[Cell]] = {}


def register(cell: type[Cell]) -> type[Cell]:
    """Make a cell known under its name; a decorator too.

    Raises `ValueError` where the name is taken, a field is missing, or an equation cannot be filled
    in.
    """
    check(cell)
    if CELLS.setdefault(cell.name, cell) is not cell:
        raise ValueError(
            f"{full_name(cell)}: there is a cell {cell.name!r} already, "
            f"{full_name(CELLS[cell.name])}: give this one another name"
        )
    return cell


def cells_of(file: ModuleType) -> Iterator[type[Cell]]:
    """The cells that a file defines: those that say their `name` themselves. A class that inherits
    its name is a cell's base or variant, and no cell of its own."""
    for value in vars(file).values():
        if not isinstance(value, type) or not issubclass(value, Cell):
            continue
        if value.__module__ == file.__name__ and "name" in vars(value):
            yield value


def collect() -> None:
    """Register the cells of this folder, and put them into their order."""
    for name in sorted(file.name for file in pkgutil.iter_modules(__path__)):
        if name not in NEED_TENSORFLOW:
            for cell in cells_of(importlib.import_module(f"{__name__}.{name}")):
                register(cell)
    order = sorted(CELLS.values(), key=lambda cell: (cell.name not in LESSON, cell.year, cell.name))
    CELLS.clear()
    CELLS.update((cell.name, cell) for cell in order)


collect()


def make_cell(name: str, activation: str = "tanh") -> Cell:
    """The cell `name` of `CELLS`, with this activation where it takes one."""
    return CELLS[name](activation)
