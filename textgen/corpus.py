"""Texts become a corpus: files, folders, tables and Hugging Face datasets, decoded and in NFC.

file, folder, table or dataset -> _texts() -> _clean() -> _cut() -> Corpus -> split()
"""

from __future__ import annotations

import codecs
import contextlib
import glob
import itertools
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textgen.errors import ConfigError, CorpusError
from textgen.nfc import nfc

SAMPLE_BY = ("line", "paragraph", "document")
TEXT_FILES = (".txt", ".md")  # what a folder is searched for
TABLES = {".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
TEXT_COLUMNS = ("text", "document", "content")
MAX_CHARACTERS = 200_000_000  # of a table or dataset; the rows after it are left out
PATIENCE = 60.0  # seconds without news after which a dataset counts as unreachable

Row = Mapping[str, Any]


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
    given = [source] if isinstance(source, str | Path) else list(source)
    if not given:
        raise CorpusError("no text was given: name a file, a folder or hf:DATASET")
    documents: list[str] = []
    sources: list[Source] = []
    for item in given:
        before = len(documents)
        for text, origin in _texts(str(item), sources):
            documents += _cut(_clean(text), sample_by, torn=origin == "row")
        if len(documents) == before:
            raise CorpusError(f"{item} holds no text, only blanks: give a file with some text")
    return Corpus(tuple(documents), tuple(sources), sample_by)


def _texts(item: str, sources: list[Source]) -> Iterator[tuple[str, str]]:
    """(text, "file" or "row") of one thing a user named; appends to `sources` what was read."""
    if item.startswith("hf:"):
        yield from _capped(_dataset_texts(item), Source(item, "utf-8"), sources)
        return
    path, column = _path_and_column(item)
    if not os.path.exists(path):  # unlike Path.exists, calm about names that are far too long
        raise CorpusError(f"no such file or folder: {item[:200]!r}: check the path")
    if path.is_dir():
        for file in _files_in(path):
            data = _read(file)
            if data.strip():  # an empty file among others is no mistake
                text, encoding = decode(data, str(file))
                sources.append(Source(f"{path.name}/{file.relative_to(path).as_posix()}", encoding))
                yield text, "file"
        return
    if path.stat().st_size == 0:
        raise CorpusError(f"{item} is empty: give a file with some text")
    if path.suffix.lower() in TABLES:
        encoding = _table_encoding(path)
        yield from _capped(
            _table_texts(path, column, encoding), Source(path.name, encoding), sources
        )
    else:
        text, encoding = decode(_read(path), item)
        sources.append(Source(path.name, encoding))
        yield text, "file"


def _path_and_column(item: str) -> tuple[Path, str | None]:
    stem, colon, column = item.rpartition(":")
    if colon and Path(stem).suffix.lower() in TABLES and not os.path.exists(item):
        return Path(stem), column or None
    return Path(item), None


def _files_in(folder: Path) -> list[Path]:
    files = [
        path
        for path in sorted(folder.rglob("*"), key=Path.as_posix)
        if path.suffix.lower() in TEXT_FILES and path.is_file()
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
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
        if _is_binary(text if encoding.startswith("utf-16") else data):
            break
        return text.removeprefix("\ufeff"), encoding
    if b"\0" in data[:65536] or _is_binary(data):
        raise CorpusError(f"{name} is not text but binary data: give a plain text file (UTF-8)")
    raise CorpusError(f"{name} is not in UTF-8, UTF-16 or CP949 (EUC-KR): save it as UTF-8")


def _is_binary(content: str | bytes) -> bool:
    data = content.encode() if isinstance(content, str) else content
    return b"\0" in data or 10 * len(data.translate(None, CONTROLS)) < 9 * len(data)


def _clean(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text)


def _cut(text: str, sample_by: str, *, torn: bool) -> list[str]:
    """The documents of a cleaned text; `torn`: the text is itself one piece of something."""
    if sample_by == "line":
        parts = text.split("\n")
    elif sample_by == "paragraph":
        parts = [part.strip("\n") for part in re.split(r"\n(?:[^\S\n]*\n)+", text)]
    else:
        parts = [text.strip("\n") if torn else text]
    return [part for part in parts if part and not part.isspace()]


# --- rows: tables and Hugging Face datasets -----------------------------------------------------


def _capped(
    texts: Generator[str, None, None], source: Source, sources: list[Source]
) -> Iterator[tuple[str, str]]:
    left, truncated = MAX_CHARACTERS, False
    with contextlib.closing(texts):
        for text in texts:
            truncated = len(text) > left
            yield text[:left], "row"
            left -= len(text)
            if truncated:
                break
    sources.append(Source(source.name, source.encoding, truncated))


def _table_encoding(path: Path) -> str:
    if path.suffix.lower() == ".parquet":
        return "utf-8"
    head = _read(path, 1 << 22)
    return decode(head, str(path), final=len(head) < 1 << 22)[1]


def _table_texts(path: Path, column: str | None, encoding: str) -> Generator[str, None, None]:
    import datasets

    suffix = path.suffix.lower()
    options: dict[str, Any] = {}
    if suffix != ".parquet":
        options["encoding"] = "utf-16" if encoding.startswith("utf-16") else encoding
    if TABLES[suffix] == "csv":
        options |= {"keep_default_na": False, "na_values": [""]}  # "NA" and "null" are words
    if suffix == ".tsv":
        options |= {"sep": "\t", "quoting": 3}  # a lone quotation mark is text there, not syntax
    files: dict[str, Any] = {
        "data_files": glob.escape(str(path)),
        "split": "train",
        "streaming": True,
    }
    try:
        with _quiet():
            rows = datasets.load_dataset(TABLES[suffix], **files, **options)
            yield from _column_texts(rows, column, str(path))
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError(f"cannot read {path} ({_brief(error)}): check the file") from None


def _dataset_texts(item: str) -> Generator[str, None, None]:
    candidates, split, column = parse_hf(item)

    def rows() -> Iterator[Row]:
        import datasets

        _reach_hub()
        for number, (name, config) in enumerate(candidates, 1):
            try:
                yield from datasets.load_dataset(name, config, split=split, streaming=True)
                return
            except datasets.exceptions.DatasetNotFoundError:
                if number == len(candidates):
                    raise

    name = item.removeprefix("hf:")
    try:
        with _quiet(), contextlib.closing(_in_background(rows)) as arriving:
            yield from _column_texts(arriving, column, item)
        return
    except CorpusError:
        raise
    except FileNotFoundError:
        trouble = "is not on the Hugging Face Hub, or not public: check its name"
    except OSError:  # no connection, or none any more; TimeoutError is one too
        trouble = "is out of reach: connect to the internet"
    except Exception as error:
        trouble = f"cannot be read ({_brief(error)}): check its config and split"
    raise CorpusError(f"dataset {name} {trouble} or give a local file")


def parse_hf(item: str) -> tuple[list[tuple[str, str | None]], str, str | None]:
    """([(name, config), ...] to try in order, split, column) of "hf:NAME[/CONFIG]:SPLIT:COLUMN"."""
    path, *rest = item.removeprefix("hf:").split(":")
    parts = path.split("/")
    if not all(parts) or len(parts) > 3 or len(rest) > 2 or any(c.isspace() for c in path):
        raise CorpusError(f"{item!r} names no dataset: write hf:NAME[/CONFIG][:SPLIT][:COLUMN]")
    split, column = (*rest, "", "")[:2]
    candidates: list[tuple[str, str | None]] = [(path, None)]
    if len(parts) == 2:  # owner/name, or the name of an old dataset without owner and a config
        candidates.append((parts[0], parts[1]))
    elif len(parts) == 3:
        candidates = [("/".join(parts[:2]), parts[2])]
    return candidates, split or "train", column or None


def _column_texts(rows: Iterable[Row], column: str | None, name: str) -> Generator[str, None, None]:
    """The texts of one column; which columns hold text is read off the first rows."""
    rest = iter(rows)
    head = list(itertools.islice(rest, 100))
    if not head:
        return
    values = {key: [r[key] for r in head if r.get(key) is not None] for key in head[0]}
    textual = [k for k, v in values.items() if v and all(isinstance(value, str) for value in v)]
    if column is None:
        usual = [key for key in TEXT_COLUMNS if key in textual]
        column = usual[0] if usual else textual[0] if len(textual) == 1 else None
    if column not in textual:
        fault = f"has no text column {column!r}" if column else "leaves open which column is meant"
        known = ", ".join(textual) or "none"
        raise CorpusError(f"{name} {fault}: write :COLUMN after it (columns with text: {known})")
    for row in itertools.chain(head, rest):
        if row.get(column) is not None:
            yield str(row[column])


def _reach_hub() -> None:
    """Raise `OSError` at once where the Hub is out of reach; `datasets` would retry for long."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=5)
    except Exception as error:
        raise OSError("the Hub does not answer") from error


def _in_background(make: Callable[[], Iterable[Row]]) -> Generator[Row, None, None]:
    """The rows of `make()`, fetched in a thread so that a dead connection cannot hang us."""
    batches: queue.Queue[list[Row] | BaseException | None] = queue.Queue(maxsize=8)
    stopped = threading.Event()

    def put(batch: list[Row] | BaseException | None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                return batches.put(batch, timeout=0.2)

    def work() -> None:
        batch: list[Row] = []
        try:
            sent = time.monotonic()
            for row in make():
                batch.append(row)
                if stopped.is_set():
                    return
                if len(batch) == 256 or time.monotonic() - sent > 1:
                    put(batch)
                    batch, sent = [], time.monotonic()
            put(batch)
            put(None)
        except BaseException as error:
            put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            try:
                batch = batches.get(timeout=PATIENCE)
            except queue.Empty:
                raise TimeoutError("no row for long") from None
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield from batch
    finally:
        stopped.set()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no log lines of `datasets` and the Hub's client."""
    import datasets
    import huggingface_hub

    loggers = (datasets.utils.logging, huggingface_hub.utils.logging)
    before = [logger.get_verbosity() for logger in loggers]
    bars = datasets.is_progress_bar_enabled()
    try:
        datasets.disable_progress_bars()
        for logger in loggers:
            logger.set_verbosity(logger.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()


def _brief(error: Exception) -> str:
    """One short line of an error of someone else's."""
    return " ".join(str(error.__cause__ or error).split())[:160] or type(error).__name__
