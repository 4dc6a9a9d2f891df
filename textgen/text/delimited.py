"""CSV, TSV and their kin, read strictly: how a table is written is found and said, and a row that
does not fit is refused with its line."""

from __future__ import annotations

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
from textgen.text.table_survey import Head, Survey, find_dialect

NAMED = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "\\t": "\t"}
SURVEYED = 1 << 26  # characters from which it is found how a table is written
# What stands above a column and not in it
HEADINGS = {
    *columns.TEXT_COLUMNS,
    *("id", "no", "index", "label", "title", "name", "date", "user", "sentence", "review"),
    *("comment", "lyrics", "line", "quote", "question", "answer", "source", "target"),
    *("번호", "제목", "이름", "날짜", "작성자", "댓글", "리뷰", "가사", "질문", "답변", "글"),
}


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
        label = columns.labelling(names, config.label_column, file.name)
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
        columns.labelling(first, config.label_column, file.name)
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
