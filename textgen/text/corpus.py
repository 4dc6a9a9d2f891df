"""Texts become a corpus: files, folders, tables and Hugging Face datasets, decoded and in NFC.

file, folder, table or dataset -> texts() -> clean() -> cut() -> Corpus -> split()
"""

from __future__ import annotations

import codecs
import contextlib
import math
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from textgen.errors import ConfigError, CorpusError
from textgen.text.nfc import nfc
from textgen.text.tables import TABLES, dataset_texts, table_texts

SAMPLE_BY = ("line", "paragraph", "document")
TEXT_FILES = (".txt", ".md")  # what a folder is searched for
RUN = ("config.json", "model.safetensors")  # what a folder that a model was trained into holds
MAX_CHARACTERS = 200_000_000  # of a table or dataset; the rows after it are left out


@dataclass(frozen=True)
class Source:
    """Where text came from and how its bytes were read."""

    name: str
    encoding: str
    truncated: bool = False  # True: it held more than MAX_CHARACTERS


@dataclass(frozen=True)
class Corpus:
    """Documents in NFC, none of them blank."""

    documents: tuple[str, ...]
    sources: tuple[Source, ...]
    sample_by: str = "document"

    @property
    def separator(self) -> str:
        return "\n" if self.sample_by == "line" else "\n\n"

    @cached_property
    def text(self) -> str:
        return self.separator.join(self.documents)

    def split(self, validation_fraction: float) -> tuple[str, str]:
        """(training text, validation text): the beginning and the end of `text`.

        With several documents the cut moves forward to the start of the next one, so that none is
        torn; where there is none to move to (the last is longer than the held-out share), it stays.
        """
        if not 0 <= validation_fraction < 1:
            raise ConfigError(
                f"validation_fraction is {validation_fraction}: give a value of at least 0, below 1"
            )
        cut = int(len(self.text) * (1 - validation_fraction))
        if cut < len(self.text):
            start = 0
            for document in self.documents:
                if start >= cut:
                    cut = start
                    break
                start += len(document) + len(self.separator)
        return self.text[:cut], self.text[cut:]


def load_corpus(
    source: str | Path | Sequence[str | Path], *, sample_by: str = "document"
) -> Corpus:
    """Read a file, several, a folder (its .txt and .md), a table or a Hugging Face dataset.

    A table is .jsonl, .csv, .tsv or .parquet, with `:COLUMN` after it where the column of the text
    is not plain; a dataset is "hf:NAME[/CONFIG][:SPLIT][:COLUMN]". Each file or row is a document,
    cut further into paragraphs or lines where `sample_by` says so.
    """
    if sample_by not in SAMPLE_BY:
        raise ConfigError(f"sample_by is {sample_by!r}: choose one of {', '.join(SAMPLE_BY)}")
    documents: list[str] = []
    sources: list[Source] = []
    for item in items_of(source):
        before = len(documents)
        for text, origin in texts(item, sources, _whole, MAX_CHARACTERS):
            documents += cut(clean(text), sample_by, torn=origin == "row")
        if len(documents) == before:
            raise blank(item)
    return Corpus(tuple(documents), tuple(sources), sample_by)


def items_of(source: str | Path | Sequence[str | Path]) -> list[str]:
    """What a user named, one by one. Raises `CorpusError` for nothing."""
    items = [source] if isinstance(source, str | Path) else list(source)
    if not items:
        raise CorpusError("no text was given: name a file, a folder or hf:DATASET")
    return [str(item) for item in items]


def blank(item: str) -> CorpusError:
    """What is said of a source without text."""
    return CorpusError(f"{item} holds no text, only blanks: give a file with some text")


# a file, and its name in messages -> (text, "file" or, where that goes on, "more"); at last the
# encoding, None for a blank file
ReadFile = Callable[[Path, str], Generator[tuple[str, str], None, str | None]]


def texts(
    item: str, sources: list[Source], read: ReadFile, most: int | None = None
) -> Iterator[tuple[str, str]]:
    """(text, "file", "more" or "row") of one thing a user named; appends to `sources` what was
    read. most: characters of a table or dataset."""
    if item.startswith("hf:"):
        yield from _rows(dataset_texts(item), Source(item, "utf-8"), sources, most)
        return
    path, column = _path_and_column(item)
    if not os.path.exists(path):  # unlike Path.exists, calm about names that are far too long
        raise CorpusError(f"no such file or folder: {item[:200]!r}: check the path")
    if path.is_dir():
        for file in _files_in(path):
            encoding = yield from read(file, str(file))
            if encoding:  # an empty file among others is no mistake
                name = f"{path.name}/{file.relative_to(path).as_posix()}"
                sources.append(Source(name, encoding))
        return
    if path.stat().st_size == 0:
        raise CorpusError(f"{item} is empty: give a file with some text")
    if path.suffix.lower() in TABLES:
        encoding = _table_encoding(path)
        found = table_texts(path, column, encoding)
        yield from _rows(found, Source(path.name, encoding), sources, most)
    elif encoding := (yield from read(path, item)):
        sources.append(Source(path.name, encoding))


def _whole(path: Path, name: str) -> Generator[tuple[str, str], None, str | None]:
    """A file read at once: a `ReadFile`."""
    data = _read(path)
    if not data.strip():
        return None
    text, encoding = decode(data, name)
    yield text, "file"
    return encoding


def _rows(
    rows: Generator[str, None, None], source: Source, sources: list[Source], most: int | None
) -> Iterator[tuple[str, str]]:
    left, truncated = math.inf if most is None else most, False
    with contextlib.closing(rows):
        for text in rows:
            truncated = len(text) > left
            yield text[: int(left)] if truncated else text, "row"
            left -= len(text)
            if truncated:
                break
    sources.append(Source(source.name, source.encoding, truncated))


def _table_encoding(path: Path) -> str:
    if path.suffix.lower() == ".parquet":
        return "utf-8"
    head = _read(path, 1 << 22)
    return decode(head, str(path), final=len(head) < 1 << 22)[1]


def _path_and_column(item: str) -> tuple[Path, str | None]:
    stem, colon, column = item.rpartition(":")
    if colon and Path(stem).suffix.lower() in TABLES and not os.path.exists(item):
        return Path(stem), column or None
    return Path(item), None


def _files_in(folder: Path) -> list[Path]:
    """Its texts, but not those of runs within: what a model writes is no text to train it on."""
    paths = sorted(folder.rglob("*"), key=Path.as_posix)
    runs = {p.parent for p in paths if p.name == RUN[0] and (p.parent / RUN[1]).is_file()}
    files = [
        path
        for path in paths
        if path.suffix.lower() in TEXT_FILES and path.is_file()
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        if runs.isdisjoint(path.parents)
    ]
    if not files:
        raise CorpusError(f"{folder} holds no .txt or .md file: give a folder with text files")
    return files


def _read(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise CorpusError(f"cannot read {path} ({error.strerror}): check the file") from None


# --- bytes to text ------------------------------------------------------------------------------

BOMS = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def decode(data: bytes, name: str, *, final: bool = True) -> tuple[str, str]:
    """(text, encoding) of a file's bytes; `final=False` where they are only its beginning."""
    # a byte order mark leaves no doubt; cp949 (euc-kr and more) reads nearly all, so it is last
    marked = [encoding for encoding, mark in BOMS.items() if data.startswith(mark)]
    for encoding in marked or ("utf-8", "cp949"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(data, final)
        except UnicodeDecodeError:
            continue
        if is_binary(text if encoding.startswith("utf-16") else data):
            break
        return text.removeprefix("\ufeff"), encoding
    raise refusal(data, name)


def refusal(data: bytes, name: str) -> CorpusError:
    """What is said of bytes that are no text."""
    if b"\0" in data[:65536] or is_binary(data):
        return CorpusError(f"{name} is not text but binary data: give a plain text file (UTF-8)")
    return CorpusError(f"{name} is not in UTF-8, UTF-16 or CP949 (EUC-KR): save it as UTF-8")


def is_binary(content: str | bytes) -> bool:
    """Whether it holds a NUL, or more than a tenth of it are control characters."""
    data = content.encode() if isinstance(content, str) else content
    return b"\0" in data or 10 * len(data.translate(None, CONTROLS)) < 9 * len(data)


def clean(text: str) -> str:
    """A text in NFC, its lines ended by a newline, without a mark at its beginning."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text)


def cut(text: str, sample_by: str, *, torn: bool) -> list[str]:
    """The documents of a cleaned text; `torn`: the text is itself one piece of something."""
    if sample_by == "line":
        parts = text.split("\n")
    elif sample_by == "paragraph":
        parts = [part.strip("\n") for part in re.split(r"\n(?:[^\S\n]*\n)+", text)]
    else:
        parts = [text.strip("\n") if torn else text]
    return [part for part in parts if part and not part.isspace()]
