"""Bytes that are no UTF-8: CP949 where Korean comes out of them, else a refusal that says which
encoding to name."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import re
from itertools import chain

from textgen.errors import CorpusError, shown
from textgen.text.decoder import CountingDecoder, place
from textgen.text.files import File
from textgen.text.formats import binary, is_binary
from textgen.text.korean import SyllableCounts
from textgen.text.read_config import ReadConfig

SAMPLE = 1 << 15  # bytes that a guess is made from
WINDOW = 20_000  # characters judged at a time, so that one foreign part is not outvoted
FEW = 20  # "but for N bytes": so many times as many characters are well formed
STRAY = 3  # bytes beyond ASCII in a text that has no others: not enough to tell an encoding by
SUGGESTIONS = [
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("cp932", "euc_jp", "gb18030", "big5", "johab"),
]
CLOSE = 0.04  # of charset_normalizer's measures: too little to prefer one encoding


def legacy_encoding(file: File, fault: int, config: ReadConfig) -> str:
    """The encoding of what is no UTF-8 from byte `fault` on. Raises `CorpusError` where it is in
    doubt, and says which it may be."""
    korean = _try(file, "cp949")
    if korean.korean and (not korean.faults or (config.errors == "replace" and korean.mostly)):
        return "cp949"
    utf8 = _try(file, "utf-8")
    stray = not utf8.well_formed and utf8.faults <= STRAY and 8 * utf8.faults <= file.size()
    if config.errors == "replace" and (utf8.mostly or stray or 100 * utf8.faults <= file.size()):
        return "utf-8"
    if (korean.korean and korean.mostly) or utf8.mostly:
        name, trial = ("CP949", korean) if korean.korean else ("UTF-8", utf8)
        if name == "CP949":
            fault = _first_fault(file, "cp949")
        raise CorpusError(
            f"{file.name} is {name} but for {trial.faults:,} "
            f"{'place' if trial.faults == 1 else 'places'}, the first in "
            f"{place(file, name, fault)}: mend it, or add --errors replace"
        )
    if is_binary(file.head(SAMPLE)):
        raise binary(file.name)
    where = place(file, "utf-8", fault)
    if utf8.well_formed > 4 * utf8.faults:
        raise CorpusError(
            f"{file.name} is UTF-8 in part: in {where} another encoding begins: save it as UTF-8"
        )
    raise CorpusError(
        f"{file.name} is neither UTF-8 ({where}) nor Korean in CP949: {_advice(file, fault)}"
        + (", or add --errors replace" if stray else "")
    )


@dataclasses.dataclass
class _Trial:
    """A whole file read in an encoding that may be the wrong one."""

    faults: int = 0
    well_formed: int = 0  # characters beyond ASCII
    korean: bool = True  # in each of its windows

    @property
    def mostly(self) -> bool:
        return FEW * self.faults <= self.well_formed


def _try(file: File, encoding: str) -> _Trial:
    decoder = CountingDecoder(encoding, "replace")
    trial, counts, length, judged = _Trial(), SyllableCounts(), 0, False
    for data in chain(file.blocks(), [b""]):
        text = decoder.decode(data, final=not data)
        for start in range(0, len(text), WINDOW):
            window = text[start : start + WINDOW]
            counts.add(window)
            length += len(window)
            trial.well_formed += len(re.findall("[^\\x00-\\x7f\ufffd]", window))
            if length >= WINDOW and counts.hangul + counts.other_letters > 200:
                trial.korean = trial.korean and counts.plausible
                counts, length, judged = SyllableCounts(), 0, True
    if counts.hangul + counts.other_letters > 50 or not judged:
        trial.korean = trial.korean and counts.plausible
    trial.faults = decoder.replaced
    return trial


def _advice(file: File, fault: int) -> str:
    """Which encoding to name, and what would be read."""
    start = max(0, fault - 200)
    data = file.head(start + SAMPLE)[start:]
    begin = data.find(b"\n", 0, fault - start) + 1
    data = data[begin : data.rfind(b"\n") + 1 or None]
    suggested = _suggested(data)
    if not suggested:
        return "save it as UTF-8, or add --encoding NAME"
    if len(suggested) > 1:
        return f"add --encoding NAME, perhaps one of {', '.join(suggested)}"
    text = data.decode(suggested[0], "replace")
    line = next((line for line in text.splitlines() if not line.isascii()), text.strip())
    return f"add --encoding NAME, perhaps {suggested[0]} (then it says {shown(line.strip()[:40])})"


def _suggested(data: bytes) -> list[str]:
    """The encodings it may be in; one, where that is clearly the best."""
    text = ""
    for encoding in ("johab", "cp949"):
        counts = SyllableCounts()
        text = data.decode(encoding, "replace")
        counts.add(text)
        mostly_common = 2 * counts.common >= counts.hangul > 3  # among Chinese letters, too
        if counts.plausible or (mostly_common and "\ufffd" not in text and counts.beats_rivals):
            return [encoding]
    perhaps_korean = "\ufffd" not in text and not (
        counts.other_letters or counts.rare or counts.in_latin
    )
    import charset_normalizer

    found = charset_normalizer.from_bytes(data, cp_isolation=SUGGESTIONS)
    matches = [match for match in found if match.encoding in SUGGESTIONS]  # not its last resort
    close = [
        match
        for match in matches
        if match.chaos - matches[0].chaos < CLOSE and matches[0].coherence - match.coherence < CLOSE
    ]
    names: dict[str, None] = dict.fromkeys(["cp949"] if perhaps_korean else [])
    latin = re.sub(rb"[\x00-\x7f]", b"", data).decode("cp1252", "replace")
    if len(close) > 1 and latin.isalpha() and len(latin) < FEW:  # charset_normalizer wants more
        names["windows-1252"] = None
    for match in sorted(close, key=lambda match: SUGGESTIONS.index(match.encoding)):
        name = match.encoding
        with contextlib.suppress(UnicodeDecodeError):  # the most common of those that agree
            if data.decode("cp1252") == data.decode(name, "replace"):
                name = "cp1252"
        names[name.replace("cp125", "windows-125")] = None
    return list(names)[:6]


def _first_fault(file: File, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    for data in chain(file.blocks(), [b""]):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            return read - pending + error.start
        read += len(data)
    return read
