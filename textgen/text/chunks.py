"""The text of a corpus too large for memory, chunk by chunk: that of `load_corpus`, read once.

file, folder, table or dataset -> read_item() -> cut() -> read_chunks()

It differs from `load_corpus` where a file is odd: lines or paragraphs longer than a block, where
those are the documents, are torn, and blanks that fill its first block are left out.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from textgen.options import check
from textgen.text import files
from textgen.text.corpus import blank, check_names, cut, items_of, separator_of
from textgen.text.read_config import ReadConfig
from textgen.text.readers import read_item
from textgen.text.source import Provenance, Source


@dataclass(frozen=True)
class Chunk:
    """Some text, and at which of its characters documents begin."""

    text: str
    starts: list[int]


def read_chunks(
    source: Source, config: ReadConfig, sources: list[Provenance]
) -> Generator[Chunk, None, None]:
    """`load_corpus(source, config).text`, in order; appends to `sources` what was read.

    A chunk has about `files.BLOCK` characters, and more where a record of a table has. Raises
    `CorpusError`.
    """
    check(config)
    check_names(source)
    separator = separator_of(config.sample_by)
    parts: list[str] = []
    starts: list[int] = []
    length, first = 0, True
    for item in items_of(source):
        empty = True
        for text, begins in _documents(item, config, sources):
            empty = False
            if begins:
                if not first:
                    parts.append(separator)
                    length += len(separator)
                starts.append(length)
            first = False
            parts.append(text)
            length += len(text)
            if length >= files.BLOCK:
                yield Chunk("".join(parts), starts)
                parts, starts, length = [], [], 0
        if empty:
            raise blank(item)
    if parts:
        yield Chunk("".join(parts), starts)


def digest_of(source: Source, config: ReadConfig) -> str:
    """The SHA-256 of the text of `source`. Raises `CorpusError`."""
    digest = hashlib.sha256()
    with contextlib.closing(read_chunks(source, config, [])) as chunks:
        for chunk in chunks:
            digest.update(chunk.text.encode())
    return digest.hexdigest()


def _documents(
    item: str, config: ReadConfig, sources: list[Provenance]
) -> Iterator[tuple[str, bool]]:
    """(text, whether a document begins with it)."""
    begun = False
    for text, kind, _ in read_item(item, config, sources):
        if kind == "record":
            yield from ((part, True) for part in cut(text, config.sample_by, is_record=True))
        elif config.sample_by != "document":
            yield from ((part, True) for part in cut(text, config.sample_by, is_record=False))
        else:
            begun = begun and kind == "more"
            if begun or (text and not text.isspace()):
                yield text, not begun
                begun = True
