"""A plain text, block by block, cut where neither a line nor a composed letter is torn."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator

from textgen.text import files
from textgen.text.chats import chat_format, chat_messages
from textgen.text.encodings import decoded
from textgen.text.files import File
from textgen.text.nfc import nfc
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

AROUND = 32  # characters beside a place that NFC may look at
TRIED = 1000  # places tried for one to tear a line at
HEAD = 1 << 16  # characters that tell a chat from other text


def read_text(
    file: File, columns: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """A text file, or what people wrote in an exported chat: a `Reader`."""
    blocks = decoded(file, config, source)
    head: list[str] = []
    for block in blocks:
        head.append(block)
        if sum(map(len, head)) >= HEAD:
            break
    everything = itertools.chain(head, blocks)
    if (chat := chat_format("".join(head)[:HEAD])) is not None:
        source.kind = chat.name
        yield Part("\n".join(chat_messages(lines_of(everything), chat, source)), "record")
        return
    yield from parts_of(everything, config.sample_by == "paragraph")


def parts_of(blocks: Iterable[str], by_paragraph: bool) -> Iterator[Part]:
    """A text with plain line ends, each part cut at the end of a line or paragraph."""
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    rest, begun = "", False
    for block, final in itertools.chain(((b, False) for b in blocks), [("", True)]):
        rest += lines.decode(block, final)
        end = len(rest) if final else _end(rest, by_paragraph)
        if end:
            yield Part(rest[:end], "more" if begun else "file")
            rest, begun = rest[end:], True


def lines_of(blocks: Iterable[str]) -> Iterator[str]:
    """Physical lines with their ends, which are \\n, \\r\\n and \\r alone."""
    rest = ""
    for block in blocks:
        rest += block
        lines = list(io.StringIO(rest, newline=""))
        # what ends in \r may go on with \n
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        yield from lines
    yield from io.StringIO(rest, newline="")


def _end(text: str, by_paragraph: bool) -> int:
    """Where to cut: after the last paragraph, else the last line; in a line without end, where
    NFC leaves the two parts as they are in the whole, after a space if there is one near."""
    end = (text.rfind("\n\n") + 2 if by_paragraph and "\n\n" in text else 0) or (
        text.rfind("\n") + 1
    )
    if end or len(text) < max(files.BLOCK // 4, AROUND):
        return end
    last = len(text) - AROUND
    places = range(last, max(last - TRIED, 0), -1)
    spaces = (i for i in places if text[i - 1].isspace())
    for i in (*spaces, *places):
        left, right = text[i - AROUND : i], text[i : i + AROUND]
        if nfc(left + right) == nfc(left) + nfc(right):
            return i
    return max(last, 0)
