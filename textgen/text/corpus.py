"""Texts become a corpus: files, folders, tables and Hugging Face datasets, decoded and in NFC.

file, folder, table or dataset -> read_item() -> cut() -> Corpus -> split()
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from textgen.errors import ConfigError, CorpusError, shown
from textgen.options import check
from textgen.text.read_config import ReadConfig
from textgen.text.readers import must_be_there, read_item
from textgen.text.source import Provenance, Source

MAX_CHARACTERS = 200_000_000  # of a table or dataset; the records after it are left out
MOST_HELD_OUT = 500_000  # characters of the end, so that judging an epoch takes seconds
LEAST_OF_END = 0.5  # of the share to be held out, where whole documents make it less


@dataclass(frozen=True)
class Corpus:
    """Documents in NFC, none of them blank.

    labels: of each document, "" where it has none; empty where none were asked for.
    """

    documents: tuple[str, ...]
    sources: tuple[Provenance, ...]
    sample_by: str = "document"
    labels: tuple[str, ...] = ()

    @property
    def separator(self) -> str:
        """What stands between two documents in `text`."""
        return separator_of(self.sample_by)

    @cached_property
    def text(self) -> str:
        """All documents, one after the other."""
        return self.separator.join(self.documents)

    def split(self, validation_fraction: float, held_out: str = "end") -> tuple[str, str]:
        """(training text, validation text).

        held_out: "end" cuts `text` in two, and holds out `MOST_HELD_OUT` at most. With several
        documents the cut moves forward to the start of the next one, so that none is torn; where
        less than half would be left of what is to be held out, it stays. "documents" takes whole
        ones at equal distances: with a share of a tenth every tenth, and so a tenth of each file of
        many documents.

        Raises `ConfigError` for a share outside its range, and where it is less than a document.
        """
        if not 0 <= validation_fraction < 1:
            raise ConfigError(
                f"validation_fraction is {validation_fraction}: give a value of at least 0, below 1"
            )
        if held_out == "documents":
            return self._split_documents(validation_fraction)
        lengths = (len(document) + len(self.separator) for document in self.documents)
        cut = cut_of(len(self.text), validation_fraction, itertools.accumulate(lengths, initial=0))
        return self.text[:cut], self.text[cut:]

    def _split_documents(self, validation_fraction: float) -> tuple[str, str]:
        number = len(self.documents)
        # that are held out of the first k; where it grows, the document is one of them
        shares = [int(k * validation_fraction) for k in range(number + 1)]
        if validation_fraction and not shares[-1]:
            raise ConfigError(
                f"held_out is documents, and {validation_fraction:g} of {number:,} is none: hold "
                "out the end, or part the text into more documents with sample_by"
            )
        parts: tuple[list[str], list[str]] = ([], [])
        for document, before, until in zip(self.documents, shares, shares[1:], strict=False):
            parts[until > before].append(document)
        kept, out = (self.separator.join(part) for part in parts)
        return kept, out


def cut_of(characters: int, validation_fraction: float, starts: Iterable[int]) -> int:
    """Where in a text of so many characters the held-out end begins: `Corpus.split` says how.

    starts: of the documents, in their order.
    """
    cut = max(int(characters * (1 - validation_fraction)), characters - MOST_HELD_OUT)
    latest = characters - LEAST_OF_END * (characters - cut)
    return next((start for start in starts if cut <= start <= latest), cut)


def load_corpus(source: Source, config: ReadConfig | None = None) -> Corpus:
    """Read a file, several, a folder (its .txt and .md), a table or a Hugging Face dataset.

    What is read, and how, is told in docs/reading.md. A table has `:COLUMN` after it where the
    column of the text is not plain; a dataset is "hf:NAME[/CONFIG][:SPLIT][:COLUMN]". Each file or
    record is a document, cut further into paragraphs or lines where `config.sample_by` says so.
    Raises `CorpusError`, and `ConfigError` for a setting outside its range.
    """
    config = config or ReadConfig()
    check(config)
    check_names(source)
    documents: list[str] = []
    labels: list[str] = []
    sources: list[Provenance] = []

    def add(text: str, label: str, *, is_record: bool) -> None:
        parts = cut(text, config.sample_by, is_record=is_record)
        documents.extend(parts)
        labels.extend([label] * len(parts))

    for item in items_of(source):
        before = len(documents)
        whole: list[str] = []  # the parts of a file until now
        of_file = ""
        for text, kind, label in read_item(item, config, sources, MAX_CHARACTERS):
            if kind != "more":
                add("".join(whole), of_file, is_record=False)
                whole, of_file = [], label
            if kind == "record":
                add(text, label, is_record=True)
            else:
                whole.append(text)
        add("".join(whole), of_file, is_record=False)
        if len(documents) == before:
            raise blank(item)
    of_each = tuple(labels) if config.label_by else ()
    return Corpus(tuple(documents), tuple(sources), config.sample_by, of_each)


def items_of(source: Source) -> list[str]:
    """What a user named, one by one. Raises `CorpusError` for nothing, and for what is no name."""
    if not isinstance(source, Sequence) or isinstance(source, str | bytes):
        items = [source]
    else:
        items = list(source)
    if not items:
        raise CorpusError("no text was given: name a file, a folder or hf:DATASET")
    for item in items:
        if not isinstance(item, str | Path):
            raise CorpusError(
                f"the text is {shown(item)}: name a file, a folder or hf:DATASET (str or Path)"
            )
    return [str(item) for item in items]


def check_names(source: Source) -> None:
    """Raise `CorpusError` for the first thing that is named and not there, before any is read; of a
    dataset only reading tells."""
    for item in items_of(source):
        must_be_there(item)


def blank(item: str) -> CorpusError:
    """What is said of a source without text."""
    return CorpusError(f"{item} holds no text, only blanks: give a file with some text")


def separator_of(sample_by: str) -> str:
    """What stands between two documents."""
    return "\n" if sample_by == "line" else "\n\n"


def cut(text: str, sample_by: str, *, is_record: bool) -> list[str]:
    """The documents of a text: a file's, or that of one record of something."""
    if sample_by == "line":
        parts = text.split("\n")
    elif sample_by == "paragraph":
        parts = [part.strip("\n") for part in re.split(r"\n(?:[^\S\n]*\n)+", text)]
    else:
        parts = [text.strip("\n") if is_record else text]
    return [part for part in parts if part and not part.isspace()]
