"""Text in one form: NFC, in a time that grows with its length.

A composed letter and its parts look alike; in NFC (Unicode Annex 15) they are alike. Composing
first sorts the marks on a letter, which takes the square of their number: a few hundred kilobytes
of marks on one letter would keep a machine busy for hours. So a joiner, U+034F, parts them after
`MAX_MARKS`, as the annex's Stream-Safe Text Format does after 30; no writing system comes near.
"""

from __future__ import annotations

import functools
import re
import unicodedata

REPLACEMENT = "\ufffd"
JOINER = "\u034f"
MAX_MARKS = 200
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS_END = 0x1F000  # no mark of Unicode 15 lies beyond
_PAIRS = "\u0344\u0f73\u0f75\u0f81"  # two marks each, which NFC takes apart
_APART = {ord(pair): unicodedata.normalize("NFD", pair) for pair in _PAIRS}


def nfc(text: str) -> str:
    """`text` in NFC, with U+FFFD for lone surrogates, which no file can hold."""
    if text.isascii():
        return text
    text = _SURROGATE.sub(REPLACEMENT, text)
    # so many marks in a row cannot hide between two characters so far apart
    if any(unicodedata.combining(c) or c in _PAIRS for c in text[::MAX_MARKS]):
        text = _many_marks().sub(rf"\1{JOINER}", text.translate(_APART))
    return unicodedata.normalize("NFC", text)


@functools.cache
def _many_marks() -> re.Pattern[str]:
    """As many marks as are let through, before one more."""
    marks = "".join(filter(unicodedata.combining, map(chr, range(_MARKS_END))))
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})(?=[{marks}])")
