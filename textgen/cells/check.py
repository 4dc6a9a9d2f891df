"""Whether a cell says all that it must, asked when it joins and not when a page shows it."""

from __future__ import annotations

import numpy as np

from textgen.cells.cell import Cell
from textgen.cells.latex import Equation, place

# what `Cell` declares and gives no value
REQUIRED = [field for field in Cell.__annotations__ if not hasattr(Cell, field)]


class _Filler:
    """Stands in a place for any number, whatever comes behind the colon."""

    def __format__(self, spec: str) -> str:
        return "0"


def check(kind: type[Cell]) -> None:
    """Raise `ValueError`, in one line that names the class, where it lacks a field or an equation
    cannot be filled in."""
    where = full_name(kind)
    missing = [field for field in REQUIRED if not hasattr(kind, field)]
    if kind.update is Cell.update:
        missing.append("update")
    if missing:
        raise ValueError(f"the cell {where} lacks {', '.join(missing)}")
    cell = kind(kind.activations[0])
    values = cell.value_names()
    fillers = dict.fromkeys(known_places(cell), _Filler())
    for heading, equations in cell.equations.items():
        for equation in equations:
            problem = problem_of(equation, values, fillers)
            if problem:
                raise ValueError(
                    f"the equation of {equation.value!r} under {heading!r} of the cell {where} "
                    f"{problem}"
                )


def full_name(kind: type[Cell]) -> str:
    """The file, as a module, and the class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def known_places(cell: Cell) -> list[str]:
    """All that the places of the cell's equations can name."""
    zero = np.zeros((1, 1))
    weights = {name: np.zeros(shape) for name, shape in cell.weight_shapes(1, 1).items()}
    values = dict.fromkeys(cell.value_names(), zero)
    summands = cell.summands(weights, zero, values, values)
    return [
        *values,
        *(f"was_{name}" for name in values),
        *(place(block, summand) for block, parts in summands.items() for summand in parts),
    ]


def problem_of(
    equation: Equation, values: tuple[str, ...], fillers: dict[str, _Filler]
) -> str | None:
    """What is wrong with an equation; None where nothing is."""
    if equation.value not in values:
        return f"is of a value that `update` does not observe: it observes {', '.join(values)}"
    try:
        equation.numbers.format(**fillers)
    except (LookupError, ValueError, AttributeError) as error:
        return (
            f"cannot be filled in ({error}): its numbers are {equation.numbers!r}, where a place "
            f"is one of {', '.join(fillers)}, and braces of LaTeX are doubled"
        )
    return None
