"""Reports of the commands: lines of text and tables, laid out by rich.

Columns are measured in cells of the terminal, of which a Korean syllable fills two. No value is
cut, however narrow the terminal. Without a terminal there is neither bold type nor wrapping, and no
blank at the end of a line, so that other programs can read a report.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Report: TypeAlias = "Sequence[str | Table]"
# of each control character but the ends of lines and tabs, its picture: ESC is ␛
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
PICTURES |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0x2426)
_UNWRAPPED = 100_000  # cells of a line where there is no terminal


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> Table:
    """A table. Its first `words` columns stand to the left, those of numbers to the right."""
    grid = _grid(header=True)
    for place, name in enumerate(head):
        grid.add_column(name, justify="left" if place < words else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    return grid


def long_table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """The text of `table`, for thousands of rows: rich takes 0.3 ms for each, this a hundredth."""
    from rich.cells import cell_len

    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        blanks = [" " * (width - cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
        cells = [
            cell + blank if place < words else blank + cell
            for place, (cell, blank) in enumerate(zip(row, blanks, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Names, and beside each a text that a terminal wraps between words."""
    grid = _grid(header=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def show(report: Report) -> None:
    """Print a report on stdout."""
    if sys.stdout.isatty():
        _print(report, _console(file=sys.stdout))
    else:
        print(as_text(report))
    sys.stdout.flush()


def as_text(report: Report) -> str:
    """A report as lines of plain text."""
    file = io.StringIO()
    _print(report, _console(file=file, width=_UNWRAPPED, force_terminal=False, color_system=None))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def harmless(text: str) -> str:
    """What a model wrote, as it is printed: a terminal would do what control characters tell it to,
    and is shown their pictures. Another program gets the text as it is."""
    terminal = sys.stdout is not None and sys.stdout.isatty()  # None: the shell closed it
    return text.translate(PICTURES) if terminal else text


def _grid(header: bool) -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header)


def _console(**settings: object) -> Console:
    from rich.console import Console

    # "[" is a bracket, ":" a colon
    return Console(markup=False, emoji=False, highlight=False, **settings)  # type: ignore[arg-type]


def _print(report: Report, console: Console) -> None:
    from rich.measure import Measurement

    screen = console.width
    for part in report:
        console.width = screen
        if not isinstance(part, str):  # what is wider than the screen is left to it to break
            unlimited = console.options.update(max_width=_UNWRAPPED)
            console.width = max(screen, Measurement.get(console, unlimited, part).minimum)
        console.print(part)
