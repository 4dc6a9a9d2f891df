"""HTML becomes the text that a page shows, a line for each paragraph."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from textgen.errors import ConfigError, CorpusError
from textgen.text.encodings import codec_of, decode_as, find_encoding, is_utf8
from textgen.text.files import File
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

LARGEST = 1 << 26  # bytes of a page
HIDDEN = {
    *("script", "style", "template", "noscript", "iframe", "object", "svg", "math", "canvas"),
    *("select", "textarea", "title", "audio", "video", "rt", "rp"),
}
BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"),
    *("dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1"),
    *("h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "legend", "li", "main", "menu"),
    *("nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead"),
    *("tr", "ul", "head", "html"),
}
CELLS = {"td", "th"}
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{2,40})|<\?xml[^>]{0,200}?encoding=[\"']([\w-]{2,40})",
    re.IGNORECASE,
)


def read_html(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The text of a page: a `Reader`."""
    source.kind = "HTML"
    if file.size() > LARGEST:
        raise CorpusError(f"{file.name} is larger than {LARGEST >> 20} MiB: give its text as .txt")
    source.encoding = encoding = _encoding(file, config)
    yield Part(page_text(decode_as(file, encoding, config.errors, source), source), "record")


def _encoding(file: File, config: ReadConfig) -> str:
    """What is named; else UTF-8 where it is valid; else what the page declares."""
    head = file.head(4096)
    declared = _DECLARED.search(head)
    marked = head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if config.encoding == "auto" and declared and not marked and not is_utf8(file):
        try:
            name = codec_of((declared[1] or declared[2]).decode("ascii"))
        except ConfigError:
            return find_encoding(file, config)
        if name != "utf-8":
            # as browsers do, what is declared Latin-1 is read as Windows-1252
            return find_encoding(
                file, dataclasses.replace(config, encoding=_AS_BROWSERS.get(name, name))
            )
    return find_encoding(file, config)


_AS_BROWSERS = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}


def page_text(blocks: Iterator[str], source: Provenance) -> str:
    """The text of HTML, as lines."""
    page = _Page(source)
    page.feed(_bounded("".join(blocks), source))
    page.close()
    return page.text()


_OPAQUE = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)


def _bounded(text: str, source: Provenance) -> str:
    """HTML without comments, scripts and styles, and nothing left open at its end, for which the
    parser would seek an end from each place again."""
    parts: list[str] = []
    place = 0
    while (opened := _OPAQUE.search(text, place)) is not None:
        parts.append(text[place : opened.start()])
        source.drop("scripts, styles and the like" if opened[1] else "comments")
        end = f"</{opened[1]}[^>]*>" if opened[1] else "-->"
        closed = re.compile(end, re.IGNORECASE).search(text, opened.end())
        place = closed.end() if closed else len(text)
    parts.append(text[place:])
    text = "".join(parts)
    if "<![CDATA[" in text:
        text = text.replace("<![CDATA[", "").replace("]]>", "")
    text = text.replace("<![", "<!")
    last = text.rfind(">") + 1
    return text[:last] + text[last:].replace("<", "&lt;")


class _Page(HTMLParser):
    """Collects what is shown."""

    def __init__(self, source: Provenance) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.lines: list[str] = []
        self.line: list[str] = []
        self.hidden: str | None = None  # the element within which nothing is shown
        self.depth = 0  # of elements of that name within it
        self.preformatted = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self.hidden is not None:
            self.depth += tag == self.hidden
            return
        if tag in HIDDEN:
            self.hidden, self.depth = tag, 1
            self.source.drop("scripts, styles and the like")
            return
        if tag in BLOCKS or tag == "br":
            self._end_line()
        elif tag in CELLS and self.line:
            self.line.append("\t")
        self.preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self.hidden is not None:
            self.depth -= tag == self.hidden
            if not self.depth:
                self.hidden = None
            return
        if tag in BLOCKS:
            self._end_line()
        self.preformatted -= tag == "pre" and self.preformatted > 0

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in HIDDEN:
            self.handle_starttag(tag, attributes)

    def handle_data(self, data: str) -> None:
        if self.hidden is not None:
            return
        if self.preformatted:
            first, *rest = data.split("\n")
            self.line.append(first)
            for text in rest:
                self._end_line(preformatted=True)
                self.line.append(text)
        else:
            self.line.append(_BLANKS.sub(" ", data))

    def _end_line(self, preformatted: bool = False) -> None:
        text = "".join(self.line)
        text = text.rstrip() if preformatted or self.preformatted else _shown_blanks(text)
        if text.strip() or (preformatted and self.lines):
            self.lines.append(text)
        self.line = []

    def text(self) -> str:
        """Of the page until now."""
        self._end_line()
        return "\n".join(self.lines)


def _shown_blanks(text: str) -> str:
    return "\t".join(re.sub(" +", " ", cell).strip(" ") for cell in text.split("\t")).strip()
