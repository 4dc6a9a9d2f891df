"""Parquet becomes records, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textgen.errors import CorpusError
from textgen.text import columns
from textgen.text.files import File
from textgen.text.json_records import Records, texts_of
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

ROWS = 256  # read at once
LARGEST_GROUP = 1 << 32  # bytes that a group of rows may say it unpacks to


def read_parquet(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The texts of a Parquet file's columns: a `Reader`."""
    import pyarrow
    import pyarrow.parquet as parquet

    source.encoding, source.kind = "utf-8", "table"
    if file.packing:
        raise CorpusError(f"{file.name} is packed twice: unpack it, Parquet is packed itself")
    try:
        table = parquet.ParquetFile(file.path)
        sizes = [table.metadata.row_group(n).total_byte_size for n in range(table.num_row_groups)]
        if max(sizes, default=0) > LARGEST_GROUP:
            raise CorpusError(
                f"{file.name} unpacks {max(sizes) >> 20:,} MiB at once: "
                "write it with smaller row groups"
            )
        names = table.schema_arrow.names
        if len(set(names)) < len(names):
            raise CorpusError(f"{file.name} has two columns of one name: rename one")
        paths = wanted
        if wanted is None:
            textual = [
                field.name
                for field in table.schema_arrow
                if _holds_text(field.type) and field.name != config.label_column
            ]
            paths = columns.choose(names, textual, None, file.name)[0]
        yield from texts_of(
            _records(table, names, paths or "", config.label_column, file),
            iter([(file.name, dict.fromkeys(names))]),
            paths,
            file.name,
            config,
            source,
        )
    except (pyarrow.ArrowException, OSError) as error:
        brief = " ".join(str(error).split())[:120]
        raise CorpusError(f"cannot read {file.name} ({brief}): check the file") from None


def _holds_text(kind: object) -> bool:
    return str(kind).removeprefix("dictionary<values=").startswith(("string", "large_string"))


def _records(
    table: parquet.ParquetFile, names: list[str], paths: str, labels: str, file: File
) -> Records:
    """The rows, of their columns only those that are asked for."""
    plain = {columns.plain_name(name): name for name in names}
    wanted = [
        name
        for known, name in plain.items()
        for path in (paths, *paths.split("+"), labels)
        if columns.plain_name(path) == known or columns.plain_name(path).startswith(f"{known}.")
    ]
    number = 0
    for batch in table.iter_batches(ROWS, columns=list(dict.fromkeys(wanted)) or None):
        for record in batch.to_pylist():
            number += 1
            yield f"{file.name}, row {number:,},", record
