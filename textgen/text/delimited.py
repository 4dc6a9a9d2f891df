"""CSV, TSV and their kin, read strictly: how a table is written is found and said, and a row that
does not fit is refused with its line."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator

from textgen.errors import ConfigError, CorpusError, shown
from textgen.text import columns
from textgen.text.dialect import Dialect, Misquoted, misfit, misquoted
from textgen.text.encodings import decode_as, find_encoding
from textgen.text.files import File
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

SEPARATORS = (",", "\t", ";", "|")
ODD_SEPARATORS = "^~:¦§\x1f\x01/#"  # seen, too; read when named
NAMED = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "\\t": "\t"}
SURVEYED = 1 << 26  # characters from which it is found how a table is written
# What stands above a column and not in it
HEADINGS = {
    *columns.TEXT_COLUMNS,
    *("id", "no", "index", "label", "title", "name", "date", "user", "sentence", "review"),
    *("comment", "lyrics", "line", "quote", "question", "answer", "source", "target"),
    *("번호", "제목", "이름", "날짜", "작성자", "댓글", "리뷰", "가사", "질문", "답변", "글"),
}


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


def read_delimited(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The text of a table's columns: a `Reader`."""
    asked = _asked(config.separator)
    encoding = find_encoding(file, config)
    source.encoding, source.kind = encoding, "table"
    unused = Provenance(file.name)  # of a reading that gives no text
    end = _line_end(decode_as(file, encoding, config.errors, unused))
    blocks = decode_as(file, encoding, config.errors, unused)
    head, separator = _head(file, lines_ended(blocks, end, file.name))
    survey = find_dialect(head, asked or separator)
    names = _names(survey, wanted, config, file)
    has_header = names == survey.first
    if has_header and survey.rows == 1:
        return
    textual = _textual(survey, names, wanted)
    labels: int | None = None  # the place of their column
    if config.label_column:
        label = columns.one_of(names, config.label_column, file.name)
        textual, labels = [name for name in textual if name != label], names.index(label)
    chosen = columns.choose(names, textual, wanted, file.name)
    source.separator = survey.dialect.separator if len(names) > 1 else None
    source.columns = tuple(map(columns.plain_name, chosen))
    places = [names.index(name) for name in chosen]

    lines = lines_ended(decode_as(file, encoding, config.errors, source), end, file.name)
    rest = itertools.islice(lines, head.skipped, None)
    records = strict_records(rest, survey.dialect, len(names), head.skipped, file.name)
    for line, cells in itertools.islice(records, int(has_header), None):
        if has_header and cells == survey.first and _names_columns(cells):
            source.drop("header rows repeated")
            continue
        text = "\n".join(cell for cell in (cells[place] for place in places) if cell.strip())
        if text:
            where = f"{file.name}, line {line:,},"
            label = "" if labels is None else columns.plain_name(cells[labels])
            text, label = (columns.checked(t, where, config.errors, source) for t in (text, label))
            yield Part(text, "record", label)
        else:
            source.drop("rows without text")


def _line_end(blocks: Iterable[str]) -> str:
    """What ends the first line, and so every line; the other one is part of a cell."""
    for block in blocks:
        if (end := re.search("[\r\n]", block)) is not None:
            return "\r" if end[0] == "\r" and block[end.end() : end.end() + 1] != "\n" else "\n"
    return "\n"


def lines_ended(blocks: Iterable[str], end: str, name: str) -> Iterator[str]:
    """Lines with their ends, where nothing but `end` ends one.

    Raises `CorpusError` where the last one ends in a carriage return, which a parser of CSV would
    let pass for an end.
    """
    rest = ""
    for block in blocks:
        *lines, rest = (rest + block).split(end)
        yield from (line + end for line in lines)
    if rest.endswith("\r"):
        raise CorpusError(
            f"{name} ends its last line with a carriage return and its first with a newline: "
            "end all lines alike, or put quotation marks around a cell with either in it"
        )
    if rest:
        yield rest


def _head(file: File, lines: Iterator[str]) -> tuple[Head, str | None]:
    """(how the table begins; the separator that a first line names, as Excel has it: sep=;)."""
    head: list[str] = []
    read = 0
    for line in lines:
        head.append(line)
        read += len(line)
        if read >= SURVEYED:
            break
    skipped, separator = 0, None
    if head and (named := re.fullmatch(r'"?sep=(.|\\t)"?[\r\n]*', head[0], re.IGNORECASE)):
        skipped, separator = 1, named[1].replace("\\t", "\t")
    while skipped < len(head) and not head[skipped].strip():
        skipped += 1
    return Head(head[skipped:], file.name, file.suffix, skipped, read >= SURVEYED), separator


def strict_records(
    lines: Iterable[str], dialect: Dialect, width: int, skipped: int, name: str
) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row. Raises `CorpusError` at the first that has not `width` cells."""
    line = 0
    try:
        for line, cells in dialect.records(lines):
            if len(cells) != width:
                raise CorpusError(misfit(name, line + skipped, len(cells), width))
            yield line + skipped, cells
    except Misquoted as error:
        raise CorpusError(misquoted(name, skipped, error)) from None


# --- how it is written ----------------------------------------------------------------------------


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


# --- its header -----------------------------------------------------------------------------------


def _names(survey: Survey, wanted: str | None, config: ReadConfig, file: File) -> list[str]:
    """The columns' names: the first row, or 1, 2, ... Raises `CorpusError` where it is in doubt
    whether the first row is one of names."""
    first = survey.first
    numbers = [str(number) for number in range(1, len(first) + 1)]
    if config.header != "auto":
        return first if config.header == "yes" else numbers
    if wanted is not None:
        columns.named(first, wanted, file.name)
        return first
    if config.label_column:
        columns.one_of(first, config.label_column, file.name)
        return first
    if all(not cell.strip() or columns.is_textual(cell) for cell in first):
        above_figures = survey.figures - survey.textual
        if any(columns.is_textual(first[place]) for place in above_figures):
            return first
        if _names_columns(first):
            return first
    raise CorpusError(
        f"{file.name} leaves open whether its first row ({shown(first[0][:40])}) names columns: "
        "add --header yes or --header no"
    )


def _names_columns(cells: list[str]) -> bool:
    """Whether one of them is what often stands above a column and not in it."""
    return not HEADINGS.isdisjoint(columns.plain_name(cell).casefold() for cell in cells)


def _textual(survey: Survey, names: list[str], wanted: str | None) -> list[str]:
    """The columns that hold text; of one column it is not asked."""
    if len(names) == 1 and wanted is None:
        return names
    return [
        name
        for place, name in enumerate(names)
        if place in survey.textual
        or (names != survey.first and columns.is_textual(survey.first[place]))
    ]


def _asked(separator: str) -> str | None:
    """Raises `ConfigError`."""
    if separator == "auto":
        return None
    separator = NAMED.get(separator.lower(), separator)
    if len(separator) != 1 or separator in '"\r\n':
        raise ConfigError(f"separator is {shown(separator)}: give auto, tab or one character")
    return separator
