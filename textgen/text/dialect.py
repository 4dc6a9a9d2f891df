"""One way to write a table: what parts and quotes its cells, and what is said of a row that does
not fit."""

from __future__ import annotations

import csv
import dataclasses
import functools
from collections.abc import Iterable, Iterator

LARGEST_CELL = 1 << 27  # characters


@functools.cache
def allow_large_cells() -> None:
    """Let Python's csv, which has one limit for a process, read cells up to `LARGEST_CELL`."""
    csv.field_size_limit(max(LARGEST_CELL, csv.field_size_limit()))


class Misquoted(ValueError):
    """(the line in which the row begins, what the parser says)."""

    def __init__(self, line: int, error: str) -> None:
        super().__init__(error)
        self.line, self.error = line, error

    @property
    def unclosed(self) -> bool:
        """Whether a quotation mark has no other one that closes it."""
        return "unexpected end" in self.error


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How a table is written. quoting: "standard" (RFC 4180), "spaced" (the same with blanks before
    a cell), "backslash" (a quotation mark in a cell is \\"), "none" (quotation marks are text).
    """

    separator: str
    quoting: str = "standard"

    def records(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """(line it begins in, cells) of each row that is not blank. Raises `Misquoted`."""
        allow_large_cells()
        backslash = self.quoting == "backslash"
        reader = csv.reader(
            lines,
            delimiter=self.separator,
            quoting=csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            doublequote=not backslash,
            escapechar="\\" if backslash else None,
            skipinitialspace=self.quoting == "spaced",
            strict=True,
        )
        line = 1
        try:
            for cells in reader:
                if cells and not (len(cells) == 1 and cells[0].isspace()):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise Misquoted(line, str(error)) from None


def misfit(name: str, line: int, cells: int, width: int) -> str:
    """What is said of a row that has not as many cells as the first one, its `width`."""
    return (
        f"{name} has {cells} cells in line {line:,} and {width} in its first row: "
        "mend the row (a cell with a separator in it wants quotation marks around it)"
    )


def misquoted(name: str, skipped: int, error: Misquoted) -> str:
    """What is said of a row whose quotation marks do not fit. skipped: lines before the table."""
    line = f"line {error.line + skipped:,}"
    if error.unclosed:
        return f"{name} opens a quotation mark in the row of {line} that is never closed: close it"
    if "new-line" in error.error:
        return (
            f"{name} has a carriage return within a cell in the row of {line}: take it out, "
            "or put quotation marks around the cell"
        )
    what = "quotes a cell wrongly"
    if "field larger" in error.error:
        what = f"holds a cell of more than {LARGEST_CELL:,} characters, or opens a quotation mark"
    return f'{name} {what} in the row of {line}: mend it (a mark within a cell is written "")'
