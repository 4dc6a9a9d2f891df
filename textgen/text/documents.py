"""Documents in ZIP archives (.docx, .hwpx, .epub) become their paragraphs, a line for each.

They come from strangers: an archive of too many or too large parts is refused before anything is
unpacked, and XML that declares entities is not read.
"""

from __future__ import annotations

import io
import posixpath
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml.ElementTree import fromstring

from textgen.errors import CorpusError
from textgen.text.files import File
from textgen.text.markup import page_text
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

LARGEST_FILE = 1 << 28  # bytes of the archive
MAX_PARTS = 20_000
LARGEST_PART, LARGEST_RATIO = 1 << 26, 500  # of one part unpacked; to its packed size


class Archive:
    """A ZIP archive whose parts are read within limits."""

    def __init__(self, file: File) -> None:
        self.name = file.name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(file.whole(LARGEST_FILE)))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise self.damaged("is damaged, or no such document") from None
        parts = self._zip.infolist()
        if len(parts) > MAX_PARTS:
            raise self.damaged(f"holds more than {MAX_PARTS:,} parts")
        self.parts = {part.filename: part for part in parts}

    def damaged(self, what: str) -> CorpusError:
        """What is said of an archive that cannot be read. what: is wrong with it."""
        return CorpusError(f"{self.name} {what}: open it in its program and save it as plain text")

    def read(self, part: str) -> bytes:
        """Raises `CorpusError`."""
        info = self.parts.get(part)
        if info is None:
            raise self.damaged(f"has no part {part[:100]!r}")
        if info.file_size > LARGEST_PART or (
            info.file_size > 1 << 20 and info.file_size > LARGEST_RATIO * info.compress_size
        ):
            raise self.damaged(f"unpacks {part[:100]!r} to {info.file_size >> 20:,} MiB")
        if info.flag_bits & 1:
            raise self.damaged("is encrypted")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(LARGEST_PART + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
            raise self.damaged(f"is damaged ({str(error)[:60]})") from None
        if len(data) > LARGEST_PART:
            raise self.damaged(f"unpacks {part[:100]!r} to too much")
        return data

    def xml(self, part: str) -> Element:
        """Raises `CorpusError`."""
        try:
            return fromstring(
                self.read(part),
                forbid_dtd=part.endswith((".rels", ".hpf")) or part.startswith("word/"),
            )
        except (ParseError, ValueError, RecursionError, defusedxml.DefusedXmlException):
            raise self.damaged(f"has XML in {part[:100]!r} that is not read") from None


# --- Word -----------------------------------------------------------------------------------------


def read_docx(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The paragraphs of a .docx, tracked changes accepted: a `Reader`."""
    source.kind, source.encoding = "Word", "utf-8"
    archive = Archive(file)
    lines = _Lines(source)
    try:
        for paragraph in archive.xml(_main_part(archive)):
            lines.word(paragraph)
    except RecursionError:
        raise archive.damaged("nests its paragraphs too deeply") from None
    for part, what in (
        ("footnotes", "footnotes"),
        ("endnotes", "endnotes"),
        ("comments", "comments"),
    ):
        if any(re.fullmatch(rf"word/{part}\d*\.xml", name) for name in archive.parts):
            source.drop(what)
    source.drop(
        "headers and footers",
        sum(bool(re.match("word/(?:header|footer)", p)) for p in archive.parts),
    )
    yield Part(lines.text(), "record")


def _main_part(archive: Archive) -> str:
    """Where a Word document has its text: some programs write word/document2.xml."""
    if "_rels/.rels" in archive.parts:
        for relation in archive.xml("_rels/.rels"):
            target = (relation.get("Target") or "").lstrip("/")
            if (relation.get("Type") or "").endswith("/officeDocument") and target:
                return posixpath.normpath(target)
    return "word/document.xml"


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _Lines:
    """Text gathered into lines."""

    def __init__(self, source: Provenance) -> None:
        self.source = source
        self.lines: list[str] = []
        self.line: list[str] = []

    def end_line(self) -> None:
        if (text := "".join(self.line)).strip():
            self.lines.append(text)
        self.line = []

    def text(self) -> str:
        self.end_line()
        return "\n".join(self.lines)

    def word(self, element: Element) -> None:
        """What a part of a Word document shows."""
        tag = _local(element)
        if tag == "t":
            self.line.append(element.text or "")
        elif tag in ("tab", "br", "cr"):
            self.line.append("\t" if tag == "tab" else "\n")
        elif tag == "noBreakHyphen":
            self.line.append("-")
        elif tag in ("del", "moveFrom"):
            self.source.drop("deleted passages")
        elif tag in ("Fallback", "instrText", "pPr", "rPr", "tblPr", "sectPr", "rt"):
            pass  # what an older Word shows in place of the rest; no text
        elif tag == "drawing" or tag == "pict":
            self.source.drop("pictures and drawings")
            box = [one for one in element.iter() if _local(one) == "txbxContent"]
            if box:
                before, self.line = self.line, []
                for inner in box[:1]:
                    for child in inner:
                        self.word(child)
                self.end_line()
                self.line = before
        else:
            for child in element:
                self.word(child)
            if tag == "p":
                self.end_line()

    def hangul(self, element: Element) -> None:
        """What a part of a HWPX document shows."""
        tag = _local(element)
        if tag == "t":
            self._mixed(element)
        elif tag == "p":
            before, self.line = self.line, []
            for child in element:
                self.hangul(child)
            self.end_line()
            self.line = before
        elif tag in ("header", "footer", "footNote", "endNote", "hiddenComment", "pic", "equation"):
            self.source.drop("headers, notes and pictures")
        else:
            for child in element:
                self.hangul(child)

    def _mixed(self, element: Element) -> None:
        self.line.append(element.text or "")
        for child in element:
            tag = _local(child)
            if tag in ("lineBreak", "tab"):
                self.line.append("\n" if tag == "lineBreak" else "\t")
            elif tag in ("nbSpace", "fwSpace"):
                self.line.append(" ")
            elif tag == "hyphen":
                self.line.append("-")
            else:
                self._mixed(child)
            self.line.append(child.tail or "")


# --- Hangul ---------------------------------------------------------------------------------------


def read_hwpx(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The paragraphs of a .hwpx: a `Reader`."""
    source.kind, source.encoding = "HWPX", "utf-8"
    archive = Archive(file)
    sections = [p for p in archive.parts if re.fullmatch(r"Contents/section\d+\.xml", p, re.I)]
    if not sections:
        raise archive.damaged("has no section of text")
    lines = _Lines(source)
    for part in sorted(sections, key=lambda p: int(re.sub(r"\D", "", p))):
        try:
            for child in archive.xml(part):
                lines.hangul(child)
        except RecursionError:
            raise archive.damaged("nests its paragraphs too deeply") from None
    yield Part(lines.text(), "record")


# --- EPUB -----------------------------------------------------------------------------------------


def read_epub(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The chapters of a book, in their order: a `Reader`."""
    source.kind, source.encoding = "EPUB", "utf-8"
    archive = Archive(file)
    root = next(
        (
            e.get("full-path")
            for e in archive.xml("META-INF/container.xml").iter()
            if _local(e) == "rootfile"
        ),
        None,
    )
    if not root:
        raise archive.damaged("names no book")
    if "META-INF/encryption.xml" in archive.parts and "META-INF/rights.xml" in archive.parts:
        raise archive.damaged("is locked against copying")
    package = archive.xml(root)
    items = {e.get("id"): e for e in package.iter() if _local(e) == "item"}
    chapters = []
    for reference in (e for e in package.iter() if _local(e) == "itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in ("application/xhtml+xml", "text/html"):
            source.drop("parts that are no pages")
            continue
        if "nav" in (item.get("properties") or "").split() or reference.get("linear") == "no":
            source.drop("tables of contents and the like")
            continue
        part = posixpath.normpath(
            posixpath.join(posixpath.dirname(root), urllib.parse.unquote(item.get("href") or ""))
        )
        chapters.append(page_text(iter([_decoded(archive, part)]), source))
    yield Part("\n\n".join(chapter for chapter in chapters if chapter.strip()), "record")


def _decoded(archive: Archive, part: str) -> str:
    data = archive.read(part)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise archive.damaged(f"is not UTF-8 in {part[:100]!r}") from None
