"""Bytes become text: the encoding is found from the whole file, or the file is refused.

A byte order mark or valid UTF-8 leaves no doubt. CP949, which reads nearly any bytes, is taken
only where Korean comes out (legacy_encodings.py). Every other encoding is named by the user: a
refusal says which one it may be.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain

from textgen.errors import ConfigError, CorpusError, shown
from textgen.text.decoder import CountingDecoder, place
from textgen.text.files import File
from textgen.text.formats import binary, is_binary, known_format
from textgen.text.legacy_encodings import SAMPLE, legacy_encoding
from textgen.text.read_config import ReadConfig
from textgen.text.source import Provenance

MARKS = {  # UTF-32 before UTF-16, whose mark it begins with
    "utf-8-sig": b"\xef\xbb\xbf",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
}
NOT_TEXT = ("hz", "idna", "mbcs", "oem", "punycode", "undefined", "unicode_escape")
SUPERSETS = {"euc_kr": "cp949"}  # what writes Korean as EUC-KR writes syllables beyond it, too
_C1 = re.compile("[\x80-\x84\x86-\x9f]")  # without NEL
OF_ESCAPES = {b"\x1b$)C": "iso2022_kr", b"\x1b$B": "iso2022_jp", b"\x1b$@": "iso2022_jp"}


def decoded(file: File, config: ReadConfig, source: Provenance) -> Iterator[str]:
    """The text of `file`, block by block, its line ends as they are; without a mark at its
    beginning. Sets `source.encoding`, counts what is replaced. Raises `CorpusError`."""
    encoding = find_encoding(file, config)
    source.encoding = encoding
    yield from decode_as(file, encoding, config.errors, source)


def decode_as(file: File, encoding: str, errors: str, source: Provenance) -> Iterator[str]:
    """As `decoded`, in an encoding that is known."""
    decoder = CountingDecoder(encoding, errors)
    read, first = 0, True  # bytes before the block
    for data in chain(file.blocks(), [b""]):
        pending = len(decoder.state)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            fault = read - pending + error.start
            raise _bad_place(file, encoding, fault) from None
        if is_binary(text):
            raise binary(file.name)
        if encoding.startswith("iso8859") and (control := _C1.search(text)):
            raise CorpusError(
                f"{file.name} holds U+{ord(control[0]):04X}, a control character, in {encoding}: "
                "name another --encoding, perhaps windows-1252"
            )
        if "\0" in text:
            if errors == "strict":
                raise _nul(file, encoding)
            source.drop("characters replaced", text.count("\0"))
            text = text.replace("\0", "\ufffd")
        read += len(data)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if text:
            yield text
    source.drop("characters replaced", decoder.replaced)


def find_encoding(file: File, config: ReadConfig) -> str:
    """The name of the encoding of `file`. Raises `CorpusError` where it is in doubt, and
    `ConfigError` for a name that is no encoding."""
    head = file.head(SAMPLE)
    marked = next((name for name, mark in MARKS.items() if head.startswith(mark)), None)
    if config.encoding != "auto":
        return _named(file, config.encoding, head, marked)
    if marked:
        return marked
    if kind := known_format(head):
        raise CorpusError(f"{file.name} is not text but {kind}")
    if unmarked := _unmarked_utf16(head):
        return unmarked
    fault, seven_bits = _utf8_fault(file)
    if fault is None:
        return _of_seven_bits(file, head) if seven_bits else "utf-8"
    return legacy_encoding(file, fault, config)


# --- what is named --------------------------------------------------------------------------------


def _named(file: File, name: str, head: bytes, marked: str | None) -> str:
    encoding = codec_of(name)
    wide = encoding.startswith(("utf-16", "utf-32"))
    if marked:
        family = marked[:6].rstrip("-")
        if not encoding.replace("_", "-").startswith(family):
            raise CorpusError(
                f"{file.name} begins with the mark of {family.upper()}, not {name}: "
                "leave --encoding out"
            )
        return marked
    if encoding in ("utf-16", "utf-32"):
        unmarked = _unmarked_utf16(head)
        if unmarked is None or not unmarked.startswith(encoding):
            raise CorpusError(f"{file.name} has no byte order mark: name {name}-le or {name}-be")
        return unmarked
    if not wide and encoding not in ("utf-8", "utf-8-sig", "utf-7"):
        fault, seven_bits = _utf8_fault(file)
        if fault is None and not seven_bits:
            raise CorpusError(f"{file.name} is valid UTF-8, not {name}: leave --encoding out")
    return encoding


def codec_of(name: str) -> str:
    """Python's name of an encoding of text. Raises `ConfigError`."""
    try:
        info = codecs.lookup(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):
        info = None
    if (
        info is None
        or not info._is_text_encoding
        or info.name.replace("-", "_")
        in (
            *NOT_TEXT,
            "raw_unicode_escape",
        )
    ):
        raise ConfigError(
            f"encoding is {shown(name)}: name one that Python knows, "
            "such as utf-8, cp949, windows-1252, shift_jis, gb18030"
        )
    return SUPERSETS.get(info.name, info.name)


# --- what it is in --------------------------------------------------------------------------------


def _utf8_fault(file: File) -> tuple[int | None, bool]:
    """(the first byte that is no UTF-8, or None; whether all before it is ASCII)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read, seven_bits = 0, True
    for data in chain(file.blocks(), [b""]):
        pending = len(decoder.getstate()[0])
        seven_bits = seven_bits and data.isascii()
        try:
            decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            return read - pending + error.start, seven_bits
        read += len(data)
    return None, seven_bits


def _of_seven_bits(file: File, head: bytes) -> str:
    """ASCII is UTF-8, unless it spells other letters: ISO-2022, UTF-7, HZ."""
    for escape, encoding in OF_ESCAPES.items():
        if escape in head and _decodes(head, encoding):
            return encoding
    if len(re.findall(rb"~\{(?:[!-}][!-~])+~\}", head)) >= 2 and _decodes(head, "hz"):
        raise CorpusError(f"{file.name} looks like HZ, which is not read: save it as UTF-8")
    words = [_utf7_word(word) for word in re.findall(rb"\+([A-Za-z0-9+/]{3,})-?", head)]
    if sum(words) >= 3 and 10 * sum(words) >= 9 * len(words):
        raise CorpusError(
            f"{file.name} looks like UTF-7: add --encoding utf-7, or --encoding utf-8 if it is not"
        )
    return "utf-8"


def _utf7_word(word: bytes) -> bool:
    """Whether it stands for letters in UTF-7."""
    try:
        text = b"+%s-" % word
        letters = text.decode("utf-7")
    except UnicodeDecodeError:
        return False
    plausible = re.fullmatch(
        "[\u00a0-\u024f\u0370-\u052f\u2010-\u2026\u3001-\u30ff一-鿿가-힣]+", letters
    )
    return plausible is not None


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: in the right order of bytes, and no other, its blanks
    and line ends are blanks and line ends."""
    if 100 * head.count(0) < len(head) or len(head) < 8:
        return None
    for width, orders in ((4, ("utf-32-le", "utf-32-be")), (2, ("utf-16-le", "utf-16-be"))):
        fitting = [one for one in orders if _has_blanks(head[: len(head) // width * width], one)]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _has_blanks(head: bytes, encoding: str) -> bool:
    """Whether a hundredth of it, read in `encoding`, are blanks or line ends."""
    if not _decodes(head, encoding):
        return False
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    return 100 * sum(map(text.count, " \n")) >= len(text)


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether the beginning of a file is text in `encoding`."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return "\0" not in text and text.count("\ufffd") == 0 and not is_binary(text)


# --- what is said ---------------------------------------------------------------------------------


def _bad_place(file: File, encoding: str, fault: int) -> CorpusError:
    name = encoding.removesuffix("-sig").upper()
    return CorpusError(
        f"{file.name} is not {name} in {place(file, encoding, fault)}: "
        "mend it, name another --encoding, or add --errors replace"
    )


def _nul(file: File, encoding: str) -> CorpusError:
    data_before, line = 0, 1
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    for data in file.blocks():
        text = decoder.decode(data)
        end = text.find("\0")
        line += lines.decode(text if end < 0 else text[:end]).count("\n")
        if end >= 0:
            data_before += len(text[:end].encode(encoding, "replace"))
            break
        data_before += len(data)
    return CorpusError(
        f"{file.name} holds a NUL in line {line:,}, byte {data_before + 1:,} of the file: "
        "take it out, or add --errors replace"
    )


def is_utf8(file: File) -> bool:
    """Whether all of it is valid UTF-8."""
    return _utf8_fault(file)[0] is None
