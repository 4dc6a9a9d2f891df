"""Which reader takes what, and all that a user may name as one stream of text in NFC."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from textgen.errors import CorpusError
from textgen.text import files
from textgen.text.delimited import read_delimited
from textgen.text.documents import read_docx, read_epub, read_hwpx
from textgen.text.files import File, file_of
from textgen.text.hub import read_dataset
from textgen.text.json_records import read_json
from textgen.text.markup import read_html
from textgen.text.nfc import nfc
from textgen.text.parquet import read_parquet
from textgen.text.pdf import read_pdf
from textgen.text.plain_text import read_text
from textgen.text.read_config import OF_FILES, ReadConfig
from textgen.text.source import Part, Provenance
from textgen.text.subtitles import read_subtitles

# A file, the columns that were named, how to read and what to say of it -> its text, in order. It
# raises `CorpusError` for what it cannot read as it stands, and counts all that it leaves out.
Reader = Callable[[File, str | None, ReadConfig, Provenance], Iterator[Part]]

TABLES: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".parquet": read_parquet,
}
READERS: dict[str, Reader] = TABLES | {
    ".srt": read_subtitles,
    ".vtt": read_subtitles,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".docx": read_docx,
    ".hwpx": read_hwpx,
    ".epub": read_epub,
    ".pdf": read_pdf,
}
REMEDIES = {
    ".csv": (".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".sqlite", ".db"),
    ".docx": (".doc", ".odt", ".rtf", ".pages", ".wpd"),
    ".hwpx": (".hwp",),
    ".pdf": (".ppt", ".pptx", ".odp", ".key", ".ps", ".djvu"),
    ".epub": (".mobi", ".azw", ".azw3", ".fb2"),
    ".srt": (".ass", ".ssa", ".smi", ".sub", ".ttml"),
    ".txt": (".eml", ".mbox", ".msg", ".pst", ".chm", ".ipynb"),
}
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".txz", ".7z", ".rar", ".lz4", ".br", ".egg", ".alz")
# Marks that cannot be seen and say nothing between letters; in Thai, Khmer and their like a blank
# without width parts words
_UNSEEN = re.compile(
    "\ufeff|\u2060|(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
    "(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])"
)
_LIKE_A_NAME = re.compile(
    r"(?:[^\s]+\.[A-Za-z]\w{0,7}|[^\s]*[/\\][^\s]*|.+\.(?:txt|md|csv|tsv|jsonl?|parquet))(?::[^\s]+)?"
)
_NAMES = {"\ufeff": "U+FEFF within", "\u2060": "U+2060", "\u200b": "U+200B (no width)"}


def read_item(
    item: str, config: ReadConfig, sources: list[Provenance], most: int | None = None
) -> Iterator[Part]:
    """The text of one thing a user named; appends to `sources` what was read.

    most: characters of its records, at most. Raises `CorpusError`.
    """
    if item.startswith("hf:"):
        source = Provenance(item)
        yield from _part_by_part(read_dataset(item, config, source), source, sources, config, most)
        return
    path, wanted = _path_and_columns(item)
    if path.is_dir():
        if wanted is not None:
            raise CorpusError(f"{path} is a folder, without columns: name a file in it")
        yield from _read_folder(path, config, sources)
        return
    file = file_of(path, str(path))
    if files.is_stream(str(path)):
        stream = files.spool(str(path))
        file = File(
            stream, "standard input" if str(path) in files.STANDARD_INPUT else str(path), ""
        )
    elif not path.is_file():
        raise CorpusError(f"{path} is neither a file nor a folder: give one of them")
    if not file.head(1):
        raise CorpusError(f"{item} is empty: give a file with some text")
    source = Provenance(file.path.name if file.name == str(path) and file.suffix else file.name)
    reader = _reader_of(file, wanted)
    yield from _part_by_part(reader(file, wanted, config, source), source, sources, config, most)


def must_be_there(item: str) -> None:
    """Raise `CorpusError` for a name that nothing has; of a dataset only reading tells."""
    if not item.startswith("hf:"):
        _path_and_columns(item)


def _read_folder(folder: Path, config: ReadConfig, sources: list[Provenance]) -> Iterator[Part]:
    paths, left_out = files.files_in(folder)
    if not paths:
        rest = ", ".join(f"{count:,} {what}" for what, count in sorted(left_out.items()))
        raise CorpusError(
            f"{folder} holds no .txt or .md file{f', only {rest}' if rest else ''}: "
            "give a folder with text files, or name other files one by one"
        )
    for path in paths:
        source = Provenance(f"{folder.name}/{path.relative_to(folder).as_posix()}")
        parts = read_text(file_of(path), None, config, source)
        yield from _part_by_part(parts, source, sources, config, None)
    if left_out:
        sources.append(Provenance(folder.name, kind="folder", dropped=left_out))


def _part_by_part(
    parts: Iterator[Part],
    source: Provenance,
    sources: list[Provenance],
    config: ReadConfig,
    most: int | None,
) -> Iterator[Part]:
    """The parts, cleaned; of records as many as `most` characters. Blank files are no source."""
    left, blank = math.inf if most is None else most, True
    of_file = _bare_name(source.name) if config.label_by == OF_FILES else ""
    try:
        for text, kind, label in parts:
            text = clean(text, source)
            blank = blank and (not text or text.isspace())
            if kind == "record":
                source.truncated = len(text) > left
                text = text[: int(min(left, len(text)))]
                left -= len(text)
            yield Part(text, kind, label or of_file)
            if source.truncated:
                break
    finally:
        if hasattr(parts, "close"):
            with contextlib.suppress(RuntimeError):
                parts.close()
    if not blank:
        sources.append(source)


def clean(text: str, source: Provenance) -> str:
    """A text in NFC, its lines ended by a newline, without marks that cannot be seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(mark in text for mark in _NAMES):
        marks = _UNSEEN.findall(text)
        for mark, name in _NAMES.items():
            source.drop(name, marks.count(mark))
        text = _UNSEEN.sub("", text)
    return nfc(text)


def _bare_name(name: str) -> str:
    """The name of a file without its folders and its ends: "letters" of a/letters.txt.gz."""
    path = Path(name)
    return nfc(Path(path.stem).stem if path.suffix.lower() in files.PACKED else path.stem)


def _path_and_columns(item: str) -> tuple[Path, str | None]:
    """(a path that is there, the columns that are named after it). Raises `CorpusError`."""
    if files.is_stream(item):
        return Path(item), None
    if (path := files.find(item)) is not None:
        return path, None
    for colon in (place for place in reversed(range(len(item))) if item[place] == ":"):
        stem, wanted = item[:colon], item[colon + 1 :]
        path = Path(stem) if files.is_stream(stem) else files.find(stem)
        if path is not None:
            return path, wanted or None
    raise files.missing(item)


def _reader_of(file: File, wanted: str | None) -> Reader:
    """Raises `CorpusError` for what has none."""
    suffix = file.suffix
    if suffix in ARCHIVES:
        raise CorpusError(f"{file.name} is an archive: unpack it, and give the file that is meant")
    for remedy, suffixes in REMEDIES.items():
        if suffix in suffixes:
            raise CorpusError(f"{file.name} is not read: save it as {remedy} with its program")
    if wanted is None or suffix in TABLES:
        return READERS.get(suffix, read_text)
    if suffix in READERS:
        raise CorpusError(f"{file.name} has no columns: leave :{wanted[:40]} out")
    return (
        read_json if file.head(1000).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{[" else read_delimited
    )


def names_a_text(argument: str) -> bool:
    """Whether an argument that may be a text itself names one: a file, a folder, a stream.

    Raises `CorpusError` for what looks like a name, and nothing has it.
    """
    if argument.startswith("hf:") or files.is_stream(argument):
        return True
    try:
        _path_and_columns(argument)
    except CorpusError as missing:
        if _LIKE_A_NAME.fullmatch(argument) or "is it" in str(missing):
            raise CorpusError(f"{missing}; if it is the text itself, add --words") from None
        return False
    return True
