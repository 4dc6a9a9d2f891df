"""How a table is written: what parts its cells and how they are quoted, found from its beginning.

Every way that may be meant is tried on all rows of it. One that fits is taken; two that fit and
differ are refused: none is guessed.
"""

from __future__ import annotations

import dataclasses
import itertools
import re

from textgen.errors import CorpusError, shown
from textgen.text import columns
from textgen.text.dialect import Dialect, Misquoted, misfit, misquoted

SEPARATORS = (",", "\t", ";", "|")
ODD_SEPARATORS = "^~:¦§\x1f\x01/#"  # seen, too; read when named


@dataclasses.dataclass
class Survey:
    """What a table looks like in a dialect. fault: the first row that does not fit, in words."""

    dialect: Dialect
    first: list[str] = dataclasses.field(default_factory=list)
    rows: int = 0
    fault: str | None = None
    unclosed: bool = False  # the fault is a quotation mark without its other one
    textual: set[int] = dataclasses.field(default_factory=set)  # columns, without the first row
    figures: set[int] = dataclasses.field(default_factory=set)  # columns with a number somewhere


@dataclasses.dataclass(frozen=True)
class Head:
    """The lines a table begins with. name: of the table, for messages. skipped: lines before
    them. cut: whether the table goes on."""

    lines: list[str]
    name: str
    suffix: str
    skipped: int
    cut: bool


def find_dialect(head: Head, separator: str | None = None) -> Survey:
    """How a table is written. separator: one that is named.

    Raises `CorpusError` where two ways fit and differ, and where none does.
    """
    if not head.lines:
        raise CorpusError(f"{head.name} holds no text, only blanks: give a file with some text")
    surveys = [_best_quoting(head, one) for one in _separators(head, separator)]
    fitting = [survey for survey in surveys if survey.fault is None]
    if not fitting:
        raise CorpusError(max(surveys, key=lambda survey: survey.rows).fault or "")
    wide = [survey for survey in fitting if len(survey.first) > 1]
    if len(wide) > 1:
        seen = " and with ".join(shown(survey.dialect.separator) for survey in wide)
        raise CorpusError(
            f"{head.name} reads with {seen} between its cells: "
            "add --separator with the one that is meant"
        )
    survey = (wide or fitting)[0]
    if len(survey.first) == 1 and separator is None:
        _refuse_hidden_separator(head, survey)
        _refuse_doubtful_marks(head, survey)
    return survey


def _separators(head: Head, named: str | None) -> list[str]:
    """Those that may be meant, by the first line."""
    if named:
        return [named]
    bare = re.sub('"[^"]*"', "", head.lines[0])
    return [one for one in SEPARATORS if one in bare] or ["\t" if head.suffix == ".tsv" else ","]


def _best_quoting(head: Head, separator: str) -> Survey:
    """Of the ways to quote, the one that fits. Two that fit and differ are a fault."""
    standard = _survey(head, Dialect(separator))
    if not any('"' in line for line in head.lines):
        return standard
    spaced = re.compile(f'(?:^|{re.escape(separator)}) +"')
    if separator != " " and any(map(spaced.search, head.lines)):
        survey = _survey(head, Dialect(separator, "spaced"))
        if survey.fault is None:
            return survey
    if _reads_with_backslashes(head, separator):
        return Survey(Dialect(separator), rows=standard.rows, fault=_backslashes(head))
    none = _survey(head, Dialect(separator, "none"))
    if none.fault is not None:
        return standard
    quoted = _quoted_cells(head, separator)
    if standard.fault is not None:
        return none if separator == "\t" or not (quoted or standard.unclosed) else standard
    if standard.rows < none.rows:
        are_rows = _inner_lines_are_rows(head, standard)
        if are_rows and separator == "\t":
            return none
        if are_rows is not False:
            standard.fault = (
                f"{head.name} has quotation marks that reach over lines of which each may be a row "
                "of its own: mend them (a mark that is text is written twice)"
            )
    elif separator == "\t" and not _marks_are_syntax(quoted, none):
        return none
    return standard


def _inner_lines_are_rows(head: Head, survey: Survey) -> bool | None:
    """Whether the lines in which a quoted cell goes on are rows themselves, of which a mark that
    was not meant makes a text. All of them have as many cells as a row; None: cannot be told.

    They are none where every row begins with a mark, and where a column holds figures and they
    have none there; they are where they have figures, too.
    """
    separator = survey.dialect.separator
    if head.lines[0].startswith('"'):
        return False
    if len(survey.first) == 1:
        return None if separator == "\t" else False
    begins = {line for line, _ in survey.dialect.records(head.lines)}
    inner = [line for number, line in enumerate(head.lines, 1) if number not in begins]
    rows = [cells for _, cells in Dialect(separator, "none").records(inner)]
    for place in survey.figures - survey.textual:
        textual = {columns.is_textual(cells[place]) for cells in rows}
        if len(textual) == 1:
            return not textual.pop()
    return None


def _survey(head: Head, dialect: Dialect) -> Survey:
    survey = Survey(dialect)
    line = 0
    try:
        for line, cells in dialect.records(head.lines):
            if not survey.rows:
                survey.first = cells
            elif len(cells) != len(survey.first):
                width = len(survey.first)
                survey.fault = misfit(head.name, line + head.skipped, len(cells), width)
                if survey.rows == 1 and len(cells) > width:
                    survey.fault += ", or take out what stands above the header"
                return survey
            else:
                for place, cell in enumerate(cells):
                    if place not in survey.textual and cell.strip():
                        textual = columns.is_textual(cell)
                        (survey.textual if textual else survey.figures).add(place)
            survey.rows += 1
    except Misquoted as error:
        if not (head.cut and error.unclosed):
            survey.fault = misquoted(head.name, head.skipped, error)
            survey.unclosed = error.unclosed
    return survey


def _reads_with_backslashes(head: Head, separator: str) -> bool:
    """Whether quotation marks in cells are written \\", as far as can be seen. Such a table is
    refused: what its other backslashes mean is anyone's guess."""
    if not any('\\"' in line for line in head.lines):
        return False
    return _survey(head, Dialect(separator, "backslash")).fault is None


def _backslashes(head: Head) -> str:
    line = next(number for number, line in enumerate(head.lines, 1) if '\\"' in line)
    return (
        f'{head.name} writes a quotation mark as \\" in line {line + head.skipped:,}: '
        'write it twice ("") and other backslashes as what they stand for'
    )


def _quoted_cells(head: Head, separator: str) -> dict[int, list[str]]:
    """By column, what stands between marks that begin and end a cell."""
    quoted: dict[int, list[str]] = {}
    for _, cells in Dialect(separator, "none").records(head.lines):
        for place, cell in enumerate(cells):
            if len(cell) > 1 and cell[0] == cell[-1] == '"':
                quoted.setdefault(place, []).append(cell[1:-1])
    return quoted


def _marks_are_syntax(quoted: dict[int, list[str]], none: Survey) -> bool:
    """Whether cells were quoted by a program, which quotes all of a column or those that need it,
    and not by people who wrote a quotation."""
    return any(
        len(cells) >= none.rows - 1 or any(not cell or '""' in cell for cell in cells)
        for cells in quoted.values()
    )


def _refuse_hidden_separator(head: Head, survey: Survey) -> None:
    """A table of one column whose rows all hold as many of some sign may be one of several."""
    rows = [line for line in head.lines[1:1000] if line.strip()]
    for sign in (*SEPARATORS, *ODD_SEPARATORS):
        counts = {line.count(sign) for line in rows}
        if (
            sign != survey.dialect.separator
            and len(rows) > 1
            and len(counts) == 1
            and 0 not in counts
        ):
            raise CorpusError(
                f"{head.name} has {shown(sign)} in each of its rows, which may part cells: "
                f"add --separator {shown(sign)}, or --separator comma if it does not"
            )


def _refuse_doubtful_marks(head: Head, survey: Survey) -> None:
    """Marks around a cell are text where it needs none; whether it does depends on what parts
    cells, and in a table of one column nothing is parted."""
    if survey.dialect.quoting != "none":
        return
    for cell in itertools.chain(*_quoted_cells(head, survey.dialect.separator).values()):
        if sign := next((one for one in SEPARATORS if one in cell), None):
            raise CorpusError(
                f"{head.name} has quotation marks around {shown(cell[:40])}, which are text unless "
                f"{shown(sign)} parts cells: add --separator {shown(sign)} if they are not text, "
                f"or --separator {shown(survey.dialect.separator)} if they are"
            )
