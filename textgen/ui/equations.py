"""The equations of a cell with the numbers of one unit put in, in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping

from textgen.cells.cell import Cell
from textgen.cells.latex import Equation

LONGEST = 42  # characters of LaTeX that fit a phone together with the result
ACTIVATIONS = {"tanh": r"\tanh", "sigmoid": r"\sigma", "relu": r"\mathrm{relu}"}


class Number(float):
    """Four places after the point, one more than a result has, so that they add up to it; "+"
    always with its sign, "()" in brackets when negative."""

    def __format__(self, spec: str) -> str:
        if spec == "+":
            return f"{float(self):+.4f}"
        text = f"{float(self):.4f}"
        return f"({text})" if spec == "()" and self < 0 else text


def left_side(cell: Cell, value: str) -> str:
    """The symbol of a value, in LaTeX."""
    return rf"\tilde {cell.carried}_t" if value == "c" else f"{value}_t"


def lines(
    cell: Cell, equation: Equation, values: Mapping[str, float], replaced: bool = False
) -> list[str]:
    """An equation of the cell in symbols, then in numbers, which are rounded; of a value that was
    replaced, the number alone.

    values: what the places of the equation name (see `textgen.cells.latex`).
    """
    function = ACTIVATIONS[cell.activation]
    result = f"{values[equation.value]:.3f}"
    numbers = {name: Number(value) for name, value in values.items()}
    right = equation.symbols.replace(r"\varphi", function)
    put_in = equation.numbers.replace(r"\varphi", function).format(**numbers)
    first = f"{left_side(cell, equation.value)} = {right}"
    if replaced:
        return [first, rf"\rightarrow\; {result}"]
    if len(put_in) > LONGEST:
        return [first, rf"\approx {put_in}", rf"\approx {result}"]
    return [first, rf"\approx {put_in} \approx {result}"]
