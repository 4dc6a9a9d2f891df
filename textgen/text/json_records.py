"""JSON and JSON lines become records: one object or text on each line, a list, or an object that
holds one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from textgen.errors import CorpusError, shown
from textgen.text import columns
from textgen.text.columns import Number, Value
from textgen.text.encodings import decode_as, find_encoding
from textgen.text.files import File
from textgen.text.json_values import in_lines, values_of_file, values_of_lines
from textgen.text.plain_text import lines_of
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

MAX_PATHS = 30  # that are sought to be listed
CONVERSATIONS = ("messages", "conversations", "conversation")
# (where it stands, for messages; the record)
Records = Iterator[tuple[str, Value]]


def read_json(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The texts of a JSON file's records: a `Reader`."""
    encoding = find_encoding(file, config)
    source.encoding, source.kind = encoding, "table"
    unused = Provenance(file.name)
    if in_lines(lines_of(decode_as(file, encoding, config.errors, unused))):
        values: list[Value] | None = None
    else:
        values = values_of_file(file, encoding, config)
        if len(values) == 1:
            values, wanted = records_of(values[0], wanted, file.name)

    def records(said: Provenance) -> Records:
        if values is not None:
            yield from ((f"{file.name}, record {n:,},", v) for n, v in enumerate(values, 1))
        else:
            yield from values_of_lines(
                file, lines_of(decode_as(file, encoding, config.errors, said))
            )

    yield from texts_of(records(source), records(unused), wanted, file.name, config, source)


def texts_of(
    records: Records,
    survey: Records,
    wanted: str | None,
    name: str,
    config: ReadConfig,
    source: Provenance,
) -> Iterator[Part]:
    """The text of each record. survey: the records once more, to find which column is meant."""
    labels = config.label_column
    paths = [""] if wanted == "" else _paths(survey, wanted, name, labels)
    source.columns = tuple(path for path in paths if path)
    met, labelled = False, False
    for where, record in records:
        label = ""
        if isinstance(record, str) and not isinstance(record, Number) and not any(paths):
            texts: list[str | None] = [record]
        elif isinstance(record, Mapping) and all(paths):
            reached = [columns.reach(cast(Value, record), path) for path in paths]
            met = met or any(value is not None for value in reached)
            texts = [
                columns.as_text(value, path, where, source)
                for value, path in zip(reached, paths, strict=True)
            ]
            if labels:
                value = columns.reach(cast(Value, record), labels)
                labelled = labelled or value is not None
                label = columns.plain_name(columns.as_text(value, labels, where, source) or "")
        else:
            kind = "an object" if isinstance(record, dict) else shown(record)
            kind = "a list" if isinstance(record, list) else kind
            raise CorpusError(
                f"{where} is {kind}, unlike the others: give objects with a text in each"
            )
        text = "\n".join(one for one in texts if one and not one.isspace())
        if text:
            text, label = (columns.checked(t, where, config.errors, source) for t in (text, label))
            yield Part(text, "record", label)
        else:
            source.drop("rows without text")
    if not met and any(paths) and source.dropped.get("rows without text"):
        raise CorpusError(f"{name} has no text in {', '.join(paths)}: name another column")
    if labels and not labelled:
        raise CorpusError(
            f"{name} has no labels in {shown(labels)}: name another column with --label-by"
        )


def _paths(survey: Records, wanted: str | None, name: str, labels: str = "") -> list[str]:
    """Of each column to read where it lies; [""] where the records are texts themselves.

    labels: a column that is not the text unless it is named.
    """
    names: dict[str, bool] = {}  # whether it holds text
    within: dict[str, None] = {}  # paths to text that lies deeper
    plain: set[str] = set()
    for _, record in survey:
        if not isinstance(record, Mapping):
            return [""]
        for key, value in record.items():
            names[key] = names.get(key, False) or columns.is_textual(value)
            plain.add(columns.plain_name(key))
            if wanted is None and len(within) < MAX_PATHS:
                within.update(dict.fromkeys(columns.paths_to_text(value, key)))
        if wanted is None and names.get(columns.TEXT_COLUMNS[0]):
            return [columns.TEXT_COLUMNS[0]]
    if wanted is None:
        textual = [key for key, is_text in names.items() if is_text and key != labels]
        if not textual and (turns := [key for key in CONVERSATIONS if key in names]):
            return turns[:1]
        inner = [path for path in within if path not in names and path != labels]
        if inner and not textual:
            raise CorpusError(
                f"{name} holds its text within others: write its path after it, as in "
                f":{inner[0]} (paths with text: {columns.listed(inner)})"
            )
        return columns.choose(list(names), [*textual, *inner], None, name) or [""]
    if columns.plain_name(wanted) in plain:
        return [wanted]
    paths = wanted.split("+")
    for path in paths:
        first = columns.plain_name(path).split(".")
        heads = {".".join(first[:count]) for count in range(1, len(first) + 1)}
        if names and first[0] != columns.EACH and not heads & plain:
            columns.no_column(name, path, names)
    return paths


# --- the records that a value holds ---------------------------------------------------------------


def records_of(value: Value, wanted: str | None, name: str) -> tuple[list[Value], str | None]:
    """(the records that one JSON value holds, what of `wanted` is left to find in each)."""
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            raise CorpusError(f"{name} is a list of lists: write it as .csv, or as objects")
        return value, wanted
    if not isinstance(value, dict):
        return [value], wanted
    if wanted is not None and (named := _named_records(value, wanted)) is not None:
        return named
    if (table := _table(value)) is not None or (table := _by_key(value, wanted)) is not None:
        return table, wanted
    head = None if wanted is None else wanted.split("+")[0].split(".")[0]
    if head is not None and columns.plain_name(head) in map(columns.plain_name, value):
        return [value], wanted
    lists = list(_lists(value))
    if wanted is None and (
        texts := [k for k in columns.TEXT_COLUMNS if columns.is_textual(value.get(k))]
    ):
        if lists:
            raise CorpusError(
                f"{name} holds a text and lists ({columns.listed([texts[0], *lists])}): "
                f"write :COLUMN or :LIST.COLUMN after it, as in :{texts[0]}"
            )
        return [value], wanted
    if len(lists) > 1:
        column = wanted or next(iter(columns.paths_to_text(columns.reach(value, lists[0]), "")), "")
        raise CorpusError(
            f"{name} holds several lists ({columns.listed(lists)}): write :LIST.COLUMN after it, "
            f"as in :{lists[0]}{column and '.' + column}"
        )
    if lists and (lists[0] in value or wanted is not None):
        return cast(list[Value], columns.reach(value, lists[0])), wanted
    if (
        wanted is None
        and all(isinstance(inner, str) for inner in value.values())
        and len(value) > 3
    ):
        raise CorpusError(
            f"{name} is one object of {len(value):,} texts: write them as a list, or name one, :KEY"
        )
    return [value], wanted


def _named_records(value: dict[str, Value], wanted: str) -> tuple[list[Value], str | None] | None:
    """As `records_of`, of the list that `wanted` names or leads through; None without one."""
    wanted = columns.plain_name(wanted)
    for key, inner in value.items():
        head = columns.plain_name(key)
        rest = wanted.removeprefix(head + ".") if wanted.startswith(head + ".") else None
        if wanted == head and _is_records(inner):
            records = cast(list[Value], inner)
            return records, "" if isinstance(records[0], str) else None
        if rest is not None and _is_records(inner):
            return cast(list[Value], inner), rest
        if rest is not None and isinstance(inner, dict):
            return _named_records(inner, rest)
    return None


def _lists(value: dict[str, Value]) -> Iterator[str]:
    """The paths of the lists of records in an object and in objects within."""
    for key, inner in value.items():
        if _is_records(inner):
            yield key
        elif isinstance(inner, dict):
            yield from (f"{key}.{path}" for path in _lists(inner))


def _by_key(value: dict[str, Value], wanted: str | None) -> list[Value] | None:
    """The records of an object that holds one under each key, all with the same fields."""
    records = [inner for inner in value.values() if isinstance(inner, dict)]
    if len(records) < max(2, len(value)) or any(set(r) != set(records[0]) for r in records):
        return None
    names = wanted.split("+") if wanted else columns.TEXT_COLUMNS
    if not any(name.split(".")[0] in records[0] for name in names):
        return None
    return cast(list[Value], records)


def _is_records(value: Value) -> bool:
    """Whether it is a list of objects that are no turns of a conversation, or of texts."""
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(item, dict) for item in value):
        return not all({"role", "content"} <= {*cast(dict, item)} for item in value)
    return all(isinstance(item, str) and not isinstance(item, Number) for item in value)


def _table(value: dict[str, Value]) -> list[Value] | None:
    """The rows of a table written column by column, or with its columns named apart (pandas)."""
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(rows, list):
        if all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return [dict(zip(map(str, names), cast(list, row), strict=True)) for row in rows]
        return None
    parts = list(value.values())
    if parts and all(isinstance(part, dict) and part for part in parts):
        keys = list(cast(dict, parts[0]))
        if all(list(cast(dict, part)) == keys for part in parts) and all(map(str.isdigit, keys)):
            return [{name: cast(dict, value[name])[key] for name in value} for key in keys]
    if len(parts) > 1 and all(isinstance(part, list) for part in parts):
        lists = cast(list[list[Value]], parts)
        plain = all(not isinstance(item, dict | list) for part in lists for item in part)
        if plain and len({len(part) for part in lists}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    return None
