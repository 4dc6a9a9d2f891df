"""The text of a corpus too large for memory, piece by piece: that of `load_corpus`, read once.

file, folder, table or dataset -> texts() -> cut() -> pieces()

It differs from `load_corpus` where a file is odd: lines or paragraphs longer than a block, where
those are the documents, are torn; blanks that fill its first block are left out; and a file that
stops being UTF-8 after letters beyond ASCII is refused, with the place, not tried in CP949.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import hashlib
import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from textgen.errors import CorpusError
from textgen.text.corpus import BOMS, Source, blank, clean, cut, is_binary, items_of, refusal, texts
from textgen.text.nfc import nfc

BLOCK = 1 << 20  # bytes of a file read at once; characters of a piece
AROUND = 32  # characters beside a place that NFC may look at
TRIED = 1000  # places tried for one to tear a line at


@dataclass(frozen=True)
class Piece:
    """Some text, and at which of its characters documents begin."""

    text: str
    starts: list[int]


def pieces(
    source: str | Path | Sequence[str | Path], sample_by: str, sources: list[Source]
) -> Generator[Piece, None, None]:
    """`load_corpus(source, sample_by).text`, in order; appends to `sources` what was read.

    A piece has about `BLOCK` characters, and more where a row of a table has. Raises `CorpusError`.
    """
    separator = "\n" if sample_by == "line" else "\n\n"
    parts: list[str] = []
    starts: list[int] = []
    length, first = 0, True
    for item in items_of(source):
        found = False
        for text, begins in _documents(item, sample_by, sources):
            found = True
            if begins:
                if not first:
                    parts.append(separator)
                    length += len(separator)
                starts.append(length)
            first = False
            parts.append(text)
            length += len(text)
            if length >= BLOCK:
                yield Piece("".join(parts), starts)
                parts, starts, length = [], [], 0
        if not found:
            raise blank(item)
    if parts:
        yield Piece("".join(parts), starts)


def digest_of(source: str | Path | Sequence[str | Path], sample_by: str) -> str:
    """The SHA-256 of the text of `source`. Raises `CorpusError`."""
    found = hashlib.sha256()
    with contextlib.closing(pieces(source, sample_by, [])) as read:
        for piece in read:
            found.update(piece.text.encode())
    return found.hexdigest()


def _documents(item: str, sample_by: str, sources: list[Source]) -> Iterator[tuple[str, bool]]:
    """(text, whether a document begins with it)."""
    read = functools.partial(_blocks, by_paragraph=sample_by == "paragraph")
    begun = False
    for text, origin in texts(item, sources, read):
        if origin == "row":
            yield from ((part, True) for part in cut(clean(text), sample_by, torn=True))
        elif sample_by != "document":
            yield from ((part, True) for part in cut(nfc(text), sample_by, torn=False))
        else:
            begun = begun and origin == "more"
            if begun or not text.isspace():
                yield nfc(text), not begun
                begun = True


# --- a file in blocks -----------------------------------------------------------------------------


def _blocks(
    path: Path, name: str, *, by_paragraph: bool
) -> Generator[tuple[str, str], None, str | None]:
    """A file read in blocks, each cut at the end of a line: a `ReadFile`."""
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    decoder = _Decoder(name)
    rest, kind, bare = "", "file", True
    try:
        with path.open("rb") as file:
            while data := file.read(BLOCK):
                text = lines.decode(decoder.decode(data))
                bare = bare and (not text or text.isspace())
                rest += text
                end = _end(rest, by_paragraph)
                if end:
                    yield rest[:end], kind
                    rest, kind = rest[end:], "more"
        rest += lines.decode(decoder.decode(b"", final=True), final=True)
    except OSError as error:
        raise CorpusError(f"cannot read {path} ({error.strerror}): check the file") from None
    if rest:
        yield rest, kind
    return None if bare and not rest.strip() else decoder.encoding


class _Decoder:
    """Bytes to text, block by block. A byte order mark names the encoding; else it is UTF-8, or
    CP949 where the first bytes beyond ASCII are no UTF-8."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.encoding: str | None = None
        self._read = 0  # bytes, before the block
        self._plain = True  # nothing but ASCII until now

    def decode(self, data: bytes, final: bool = False) -> str:
        """Raises `CorpusError`."""
        begin, size = self.encoding is None, len(data)
        if begin:
            marked = (encoding for encoding, mark in BOMS.items() if data.startswith(mark))
            self._become(next(marked, "utf-8"))
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            pending = self._decoder.getstate()[0]
            if not (self._plain and self.encoding == "utf-8"):
                place = self._read - len(pending) + error.start
                raise CorpusError(
                    f"{self.name} is {self.encoding} up to byte {place:,}, where it is not: "
                    "save it as UTF-8"
                ) from None
            self._become("cp949")
            data = pending + data
            try:
                text = self._decoder.decode(data, final)
            except UnicodeDecodeError:
                raise refusal(data, self.name) from None
        if is_binary(text if str(self.encoding).startswith("utf-16") else data):
            raise refusal(data, self.name)
        self._read += size
        self._plain = self._plain and text.isascii()
        return text.removeprefix("\ufeff").removeprefix("\ufeff") if begin else text

    def _become(self, encoding: str) -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()


def _end(text: str, by_paragraph: bool) -> int:
    """Where to cut: after the last paragraph, else the last line; in a line without end, where
    NFC leaves the two parts as they are in the whole, after a space if there is one near."""
    end = (text.rfind("\n\n") + 2 if by_paragraph and "\n\n" in text else 0) or (
        text.rfind("\n") + 1
    )
    if end or len(text) < max(BLOCK // 4, AROUND):
        return end
    last = len(text) - AROUND
    places = range(last, max(last - TRIED, 0), -1)
    spaces = (i for i in places if text[i - 1].isspace())
    for i in (*spaces, *places):
        left, right = text[i - AROUND : i], text[i : i + AROUND]
        if nfc(left + right) == nfc(left) + nfc(right):
            return i
    return max(last, 0)
