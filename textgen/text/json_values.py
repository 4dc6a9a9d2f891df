"""JSON as it is written, value by value: one to a line, or the values of a whole file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

from textgen.errors import CorpusError, shown
from textgen.text.columns import Number, Value
from textgen.text.encodings import decode_as
from textgen.text.files import File
from textgen.text.read_config import ReadConfig
from textgen.text.source import Provenance

LARGEST_VALUE = 1 << 29  # characters of JSON that is not in lines


class _Malformed(ValueError):
    """What is wrong with a value, in words."""


def parse(text: str) -> Value:
    """One JSON value; numbers as they are written. Raises `_Malformed`."""
    try:
        return cast(Value, _decoder().decode(text))
    except json.JSONDecodeError as error:
        raise _Malformed(f"{error.msg.lower()} in column {error.colno:,}") from None
    except RecursionError:
        raise _Malformed("values nested too deeply") from None


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=Number,
        parse_float=Number,
        parse_constant=lambda _: None,  # NaN is what pandas writes for nothing
    )


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Malformed(f"the key {shown(twice)} twice in one object")
    return value


def in_lines(lines: Iterator[str]) -> bool:
    """Whether the first line that is not blank is a whole record, and not a list of all of them."""
    for line in lines:
        if line.strip():
            try:
                first = parse(line)
            except _Malformed:
                return line.lstrip()[:1] == "{" and _goes_on(lines)
            return not isinstance(first, list) and (isinstance(first, str) or _goes_on(lines))
    return False


def _goes_on(lines: Iterator[str]) -> bool:
    """Whether the next line that is not blank is a whole record."""
    line = next(filter(str.strip, lines), "")
    try:
        return not line.isspace() and parse(line) is not None
    except _Malformed:
        return False


def values_of_lines(file: File, lines: Iterator[str]) -> Iterator[tuple[str, Value]]:
    """(where it stands, for messages; the value) of each line that is not blank. Raises
    `CorpusError`."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{file.name}, line {number:,},"
            try:
                yield where, parse(line.strip())
            except _Malformed as error:
                raise CorpusError(
                    f"{where} is no JSON ({error}): mend it, or take the line out"
                ) from None


def values_of_file(file: File, encoding: str, config: ReadConfig) -> list[Value]:
    """All values of a file that are not one to a line. Raises `CorpusError`."""
    parts, length = [], 0
    for block in decode_as(file, encoding, config.errors, Provenance(file.name)):
        parts.append(block)
        length += len(block)
        if length > LARGEST_VALUE:
            raise CorpusError(f"{file.name} is too large for one JSON value: write JSON lines")
    text = "".join(parts)
    values: list[Value] = []
    place, decoder = 0, _decoder()
    try:
        place = _next(text, 0)
        while place < len(text):
            value, place = decoder.raw_decode(text, place)
            values.append(value)
            place = _next(text, place)
    except json.JSONDecodeError as error:
        raise CorpusError(
            f"{file.name}, line {error.lineno:,}, is no JSON ({error.msg.lower()}): mend it"
        ) from None
    except _Malformed as error:
        raise CorpusError(f"{file.name} is no JSON to read ({error}): mend it") from None
    except RecursionError:
        raise CorpusError(f"{file.name} nests its values too deeply: give simpler JSON") from None
    return values


def _next(text: str, place: int) -> int:
    """Where the next value begins."""
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
