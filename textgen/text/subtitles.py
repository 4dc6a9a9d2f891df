"""Subtitles (.srt, .vtt) become what is said: numbers, times, notes and markup are left out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from textgen.errors import CorpusError
from textgen.text.encodings import decoded
from textgen.text.files import File
from textgen.text.plain_text import lines_of
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

_CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}[,.]\d{1,3}"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_MARKUP = re.compile(r"</?(?:[ibuscv]|font|ruby|rt|lang|\d[\d:.]*)\b[^<>]*>|\{\\[^{}]*\}", re.I)
_ROLLING = re.compile(
    rf"<{_CLOCK}>"
)  # YouTube's: words come one by one, and lines stay for a while
_ASIDE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:[ \t].*)?$|X-TIMESTAMP-MAP=")


def read_subtitles(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """What is said, a line for each line on the screen: a `Reader`."""
    source.kind = "subtitles"
    lines = list(lines_of(decoded(file, config, source)))
    said = _said(lines, file.suffix == ".vtt", source)
    if any(map(_ROLLING.search, lines)):
        said = _once(said, source)
    text = "\n".join(said)
    if not source.dropped.get("times"):
        raise CorpusError(
            f"{file.name} holds no time of a subtitle (00:00:01,000 --> 00:00:02,000): "
            "name it .txt if it is plain text"
        )
    yield Part(text, "record")


def _said(lines: Iterable[str], web: bool, source: Provenance) -> Iterator[str]:
    """held: a line that may be the number or name of the cue whose times come next."""
    held: str | None = None
    aside, after_blank = web, True
    for line in lines:
        plain = line.strip()
        if _TIMES.fullmatch(plain):
            if held is not None:
                source.drop("numbers and names of subtitles")
            held, aside, after_blank = None, False, False
            source.drop("times")
            continue
        if held is not None:
            yield from _line(held, web, source)
            held = None
        if not plain:
            aside, after_blank = False, True
        elif aside or (web and after_blank and _ASIDE.match(plain)):
            aside, after_blank = True, False
            source.drop("notes and styles")
        elif after_blank or plain.isdigit():
            held, after_blank = plain, False
        else:
            yield from _line(plain, web, source)
    if held is not None and not held.isdigit():
        yield from _line(held, web, source)


def _once(lines: Iterable[str], source: Provenance) -> Iterator[str]:
    """Each line of captions that roll, of which the screen shows one in several subtitles."""
    before = None
    for line in lines:
        if line == before:
            source.drop("lines shown again")
        else:
            yield line
        before = line


def _line(text: str, web: bool, source: Provenance) -> Iterator[str]:
    text, tags = _MARKUP.subn("", text)
    source.drop("markup", tags)
    if web:
        text = html.unescape(text)
    if text.strip():
        yield text.strip()
