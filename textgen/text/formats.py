"""Files that are no text, told by how they begin or by their control characters."""

from __future__ import annotations

from textgen.errors import CorpusError

CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
FORMATS = {
    b"PK\x03\x04": "a ZIP archive (.docx, .epub, .xlsx): give it its own suffix, or unpack it",
    b"%PDF-": "PDF: name it .pdf",
    b"{\\rtf": "RTF: save it as plain text (UTF-8) or .docx",
    b"\xd0\xcf\x11\xe0": "an old Office file (.doc, .xls, .hwp): save it as .docx, .csv or .hwpx",
    b"\x1f\x8b": "gzip: name it .txt.gz",
    b"BZh91AY&SY": "bzip2: name it .txt.bz2",
    b"\xfd7zXZ\0": "xz: name it .txt.xz",
    b"\x28\xb5\x2f\xfd": "Zstandard: name it .txt.zst",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"Rar!\x1a": "a RAR archive: unpack it",
    b"SQLite format 3\0": "a database: export its text as .csv",
    b"\x89PNG": "a picture: give a text file",
    b"\xff\xd8\xff": "a picture: give a text file",
    b"GIF89a": "a picture: give a text file",
    b"\x84\x31\x95\x33": "GB18030 with a mark: add --encoding gb18030",
}


def known_format(head: bytes) -> str | None:
    """What a file that is no text is, and what to do, by how it begins."""
    return next((said for mark, said in FORMATS.items() if head.startswith(mark)), None)


def binary(name: str) -> CorpusError:
    """What is said of a file that is no text."""
    return CorpusError(f"{name} is not text but binary data: give a plain text file (UTF-8)")


def is_binary(content: str | bytes) -> bool:
    """Whether more than a tenth of it are control characters."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return 10 * len(data.translate(None, CONTROLS)) < 9 * len(data)
