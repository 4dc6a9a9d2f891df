"""Which column of a table or dataset holds the text, and how its values become text."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn, cast

from textgen.errors import CorpusError, shown
from textgen.guesses import guesses
from textgen.text.nfc import nfc
from textgen.text.source import Provenance

# taken without being asked for, the first before the others
TEXT_COLUMNS = ("text", "document", "content", "message", "body", "본문", "내용", "텍스트", "문장")
# of a list of turns: what was said is under one of these
SAID = ("content", "value", "text", "message")
_UNFIT = re.compile("[\ud800-\udfff\0]")
_FIGURES = re.compile(
    r"\s*(?:[-+]?[\d.,:/ ]+(?:[eE][-+]?\d+)?%?|true|false|yes|no|null|none|nan|n/?a|"
    r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[-+][\d:]+)?)?\s*",
    re.IGNORECASE,
)

EACH = "*"  # in a path: each value of an object
SOUGHT = 100  # items of a list or object in which text is sought
# What JSON and Parquet hold
Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]


class Number(str):
    """A number as it was written: 00007, 1.50, 1e3."""


def is_textual(value: object) -> bool:
    """Whether it is text, and not a figure, a date or a truth written out."""
    if not isinstance(value, str) or isinstance(value, Number):
        return False
    return _FIGURES.fullmatch(value) is None


def plain_name(name: str) -> str:
    """A column's name as it is compared: in NFC, without blanks around it."""
    return nfc(name).strip("\ufeff \t\r\n")


def choose(
    names: Sequence[str], textual: Iterable[str], wanted: str | None, name: str
) -> list[str]:
    """The columns to read. names: of all columns; textual: of those that hold text; wanted:
    "COLUMN" or "A+B" as the user named it; name: of the table. Raises `CorpusError`."""
    textual = list(textual)
    if wanted is not None:
        return named(names, wanted, name)
    by_name = {plain_name(one).casefold(): one for one in reversed(textual)}
    usual = [by_name[one] for one in TEXT_COLUMNS if one in by_name]
    if usual:
        return usual[:1]
    if len(textual) == 1:
        return textual
    if textual:
        remedy = f"write :COLUMN after it (columns with text: {listed(textual)})"
        raise CorpusError(f"{name} leaves open which column is meant: {remedy}")
    if names:
        raise CorpusError(
            f"{name} has no column of text, only {listed(names)}: "
            "name the one to read, :COLUMN after it, or give another file"
        )
    return []


def named(names: Sequence[str], wanted: str, name: str) -> list[str]:
    """The columns that "COLUMN" or "A+B" names. Raises `CorpusError`."""
    try:
        return [one_of(names, wanted, name)]
    except CorpusError:
        parts = wanted.split("+")
        if len(parts) == 1:
            raise
    return [one_of(names, part, name) for part in parts]


def one_of(names: Sequence[str], wanted: str, name: str) -> str:
    """The column that is called `wanted`. Raises `CorpusError`."""
    found = _called(names, wanted, name)
    if found is None:
        no_column(name, wanted, names)
    return found


def labelling(names: Sequence[str], wanted: str, name: str) -> str:
    """The column of labels that is called `wanted`. Raises `CorpusError`."""
    found = _called(names, wanted, name)
    if found is None:
        # the nearest, else one that is not called like a text
        others = [one for one in names if plain_name(one).casefold() not in TEXT_COLUMNS]
        near = listed([*guesses(wanted, names), *others, *names][:1])
        near = f"'{near}'" if " " in near else near
        raise CorpusError(
            f"{name} has no column {shown(wanted)}: name one of its columns, such as "
            f"--label-by {near} ({listed(names)})"
        )
    return found


def _called(names: Sequence[str], wanted: str, name: str) -> str | None:
    """Raises `CorpusError` where several are called so."""
    for form in (str, plain_name, lambda text: plain_name(text).casefold()):
        alike = [one for one in names if form(one) == form(wanted)]
        if len(alike) > 1:
            raise CorpusError(f"{name} has {len(alike)} columns {wanted!r}: rename one of them")
        if alike:
            return alike[0]
    return None


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first twenty of them."""
    shown_names = [one if len(one) <= 40 else f"{one[:37]}..." for one in names if one.strip()]
    more = f" and {len(shown_names) - 20} more" if len(shown_names) > 20 else ""
    return (", ".join(shown_names[:20]) + more).replace("\n", " ") or "none has a name"


# --- values ---------------------------------------------------------------------------------------


def reach(value: Value, path: str) -> Value:
    """What lies at "data.text" within; of a list, what lies there in each of its items; at "a.*.b",
    in each value of the object a. None where there is nothing."""
    if not path:
        return value
    if isinstance(value, list):
        reached = [reach(item, path) for item in value]
        return [item for item in reached if item is not None] or None
    if not isinstance(value, Mapping):
        return None
    for key in value:
        if plain_name(key) == plain_name(path):
            return value[key]
    if path == EACH or path.startswith(EACH + "."):
        return reach(list(value.values()), path[len(EACH) + 1 :])
    for key in value:
        if plain_name(path).startswith(plain_name(key) + "."):
            return reach(value[key], plain_name(path).removeprefix(plain_name(key) + "."))
    return None


def paths_to_text(value: Value, path: str) -> Iterator[str]:
    """Where `reach` finds texts within a value that lies at `path`, some of them repeatedly."""
    if isinstance(value, list):
        rich = _is_rich_text(value)
        for item in value[:SOUGHT]:
            if rich or is_textual(item):
                yield path
            elif isinstance(item, dict | list):
                yield from paths_to_text(item, path)
    elif isinstance(value, dict):
        by_id = _is_by_id(value)
        for key, inner in itertools.islice(value.items(), SOUGHT):
            place = f"{path}.{EACH if by_id else key}".lstrip(".")
            if is_textual(inner):
                yield place
            elif isinstance(inner, dict | list):
                yield from paths_to_text(inner, place)


def _is_by_id(value: dict[str, Value]) -> bool:
    """Whether its keys number or name objects that are alike, and not what they hold."""
    inner = [one for one in value.values() if isinstance(one, dict)]
    if not inner or len(inner) < len(value):
        return False
    numbered = all(re.search(r"\d", key) for key in value)
    return numbered or (len(inner) > 1 and all({*one} == {*inner[0]} for one in inner))


def as_text(value: Value, column: str, where: str, source: Provenance) -> str | None:
    """A value as text, a list joined by newlines; None for nothing. where: "a.jsonl, line 3".

    Raises `CorpusError` for an object that does not say which of its values is meant.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if math.isfinite(value) else None  # NaN stands for nothing
    if isinstance(value, list):
        if _is_rich_text(value):
            parts = [one if isinstance(one, str) else cast(dict, one)["text"] for one in value]
            return "".join(map(str, parts))
        texts = [as_text(_said(item, source), column, where, source) for item in value]
        return "\n".join(text for text in texts if text) or None
    if isinstance(value, Mapping):
        keys = listed(map(str, value))
        raise CorpusError(f"{where} holds an object in {column!r}: write :{column}.KEY ({keys})")
    raise CorpusError(f"{where} holds {type(value).__name__} in {column!r}: name a column of text")


def _is_rich_text(value: list[Value]) -> bool:
    """Whether a list is one text, parts of it marked as links or bold (Telegram)."""
    marked = [item for item in value if isinstance(item, dict)]
    return 0 < len(marked) < len(value) and all(
        isinstance(item, str) or (isinstance(item, dict) and {"type", "text"} <= {*item})
        for item in value
    )


def _said(item: Value, source: Provenance) -> Value:
    """Of a turn in a conversation what was said; of any other value itself."""
    if not isinstance(item, dict):
        return item
    for key in SAID:
        if key in item:
            source.drop("other keys of list items", len(item) - 1)
            return item[key]
    if item.get("type") in ("image", "image_url", "audio", "file"):
        source.drop(f"items of type {item['type']}")
        return None
    return item


def checked(text: str, where: str, errors: str, source: Provenance) -> str:
    """`text`, if UTF-8 can hold it and no NUL is in it. Raises `CorpusError`."""
    if (unfit := _UNFIT.search(text)) is None:
        return text
    if errors == "replace":
        source.drop("characters replaced", len(_UNFIT.findall(text)))
        return _UNFIT.sub("\ufffd", text)
    what = "a NUL" if unfit[0] == "\0" else f"half a character (U+{ord(unfit[0]):04X})"
    raise CorpusError(f"{where} holds {what}: mend it, or add --errors replace")


def no_column(name: str, wanted: str, names: Iterable[str]) -> NoReturn:
    """Raise `CorpusError`: the table `name` has columns `names`, and not the one that is wanted."""
    raise CorpusError(
        f"{name} has no column {shown(wanted)}: write one of its columns after the colon "
        f"({listed(names)})"
    )
