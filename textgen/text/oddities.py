"""What in a text is not what its author wrote: marks that cannot be seen, headers of chats and
logs, markup, escapes, letters that were decoded wrongly."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from textgen.text.findings import Finding

EXAMINED = 1_000_000  # characters, from the beginning, that patterns are sought in
# Unicode's names, shortened
UNSEEN = {
    "\u00a0": "no-break space",
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u200c": "zero-width non-joiner",
    "\u200e": "left-to-right mark",
    "\u200f": "right-to-left mark",
    "\u2028": "line separator",
    "\u2029": "paragraph separator",
    "\u202a": "left-to-right embedding",
    "\u202c": "pop directional formatting",
    "\u202e": "right-to-left override",
    "\u2066": "left-to-right isolate",
    "\u3164": "Hangul filler",
    "\u3000": "ideographic space",
    "\x07": "bell",
    "\x08": "backspace",
    "\x7f": "delete",
    "\x1a": "end of file (Ctrl-Z)",
    "\x1b": "escape (colours of a terminal)",
}
_CHAT = re.compile(
    r"(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]? ?(?:[ap]m)?\s*<[^>\n]{1,40}>"  # IRC
    r"|\d{1,2}:\d{2}(?: ?[AP]M)?\t[^\t\n]{1,40}\t"  # LINE
    r"|\[\d{1,2}[:.]\d{2}(?: [AP]M)?\] [^:\n]{1,40}:"
    r"|[^\n,]{1,40}, \[\d{1,2}[./]\d{1,2}[./]\d{2,4},? \d{1,2}:\d{2}"  # Telegram
    r"|\[[^\]\n]{1,40}\] \[(?:오전|오후)? ?\d{1,2}:\d{2}"
    r"|[^\n]{1,40} — (?:(?:Today|Yesterday) at|\d{1,2}/\d{1,2}/\d{2,4}))"  # Discord
)
_STAMP = re.compile(
    r"\W{0,2}(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:|\d{1,2}:\d{2}[:.]\d{2})"
    r"|[^\n]{0,200}?\[\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d{2}:"  # of a web server
)
_MARKUP = re.compile(
    r"</?[a-zA-Z][\w:-]{0,30}(?:\s[^<>\n]{0,200})?/?>|&(?:[a-z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,6});"
    r"|\[/?(?:b|i|u|url|img|quote|code)(?:=[^\]\n]{0,80})?\]|\{\{[^{}\n]{1,80}\}\}|\[\[[^\[\]\n]{1,80}\]\]"
    r"|\\(?:begin|end|section|textbf|emph|cite)\{"
)
_ESCAPES = re.compile(r"\\u[0-9a-fA-F]{4}|(?:=[0-9A-F]{2}){2,}|(?:%[0-9A-F]{2}){2,}|\\x[0-9a-f]{2}")
# the bytes of UTF-8 read as Windows-1252 or Latin-1
_MOJIBAKE = re.compile(
    "Ã[\u0080-\u00bf©¨§«³¡±‚ƒ„]|â€[™œ\u009d“”˜¦]|Â[\u00a0-\u00bf]|[ìëêí][\u0080-\u00bf˜•ž€‚ƒ„…†‡ˆ‰Š‹Œ]"
)


def oddities(text: str, counts: Mapping[str, int], lines: Sequence[str]) -> list[Finding]:
    """text: of the corpus; counts: how often each character stands in it; lines: stripped, none
    blank."""
    head = text[:EXAMINED]
    few = lines[:20_000]
    every: tuple[Callable[[], Finding | None], ...] = (
        lambda: _unseen(counts),
        lambda: _repeated_line(lines),
        lambda: _at_line_begins("chat_headers", _CHAT, few),
        lambda: _at_line_begins("time_stamps", _STAMP, few),
        lambda: _pattern("markup", _MARKUP, head, 500),
        lambda: _pattern("escapes", _ESCAPES, head, 500),
        lambda: _pattern("mojibake", _MOJIBAKE, head, 2000),
        lambda: _table(few),
        lambda: _json(few),
    )
    return [finding for examine in every if (finding := examine()) is not None]


def oddities_of_beginning(text: str) -> list[Finding]:
    """Those of the first `EXAMINED` characters, in no time."""
    head = text[:EXAMINED]
    lines = [line for line in map(str.strip, head.split("\n")) if line]
    return oddities(head, Counter(head), lines)


def _unseen(counts: Mapping[str, int]) -> Finding | None:
    seen = {name: counts[mark] for mark, name in UNSEEN.items() if counts.get(mark)}
    if _is_east_asian(counts):
        seen.pop(UNSEEN["\u3000"], None)
    if private := sum(n for mark, n in counts.items() if unicodedata.category(mark) == "Co"):
        seen["private use"] = private
    if not seen:
        return None
    parts = ", ".join(f"{name} {count:,}" for name, count in seen.items())
    text = f"characters that look like nothing or a blank ({parts}): replace them if they are junk"
    return Finding("unseen", {"parts": parts}, text)


def _is_east_asian(counts: Mapping[str, int]) -> bool:
    """Whether half of the letters are Chinese or kana, between which U+3000 belongs."""
    letters = sum(count for char, count in counts.items() if char.isalpha())
    east_asian = sum(
        n for c, n in counts.items() if "\u3041" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff"
    )
    return 2 * east_asian >= letters > 0


def _repeated_line(lines: Sequence[str]) -> Finding | None:
    if len(lines) < 10:
        return None
    line, count = Counter(lines).most_common(1)[0]
    if count < 0.3 * len(lines):
        return None
    shown = line if len(line) <= 40 else f"{line[:37]}..."
    share = count / len(lines)
    text = f"{share:.0%} of the lines are one and the same, {shown!r}: take the copies out"
    return Finding("one_line", {"share": share, "line": shown}, text)


_LINE_TEXTS = {
    "chat_headers": "begin with who wrote it and when, as an exported chat: take that out",
    "time_stamps": "begin with a date or a time, or hold a log's: take that out",
}


def _at_line_begins(code: str, pattern: re.Pattern[str], lines: Sequence[str]) -> Finding | None:
    count = sum(pattern.match(line) is not None for line in lines)
    if count < 3 or count < 0.1 * len(lines):
        return None
    text = f"{count:,} lines {_LINE_TEXTS[code]}"
    return Finding(code, {"lines": count, "example": _example(lines, pattern)}, text)


def _example(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next(line for line in lines if pattern.match(line))[:40]


_PATTERN_TEXTS = {
    "markup": "tags or entities of HTML or the like: give the text without them (.html is read so)",
    "escapes": "characters written as escapes, such as \\u00e9 or =EC=9D=B4: decode them first",
    "mojibake": "signs such as Ã© or ì•: the text was once decoded wrongly",
}


def _pattern(code: str, pattern: re.Pattern[str], head: str, rarity: int) -> Finding | None:
    """Where there are three or more, and one in `rarity` characters."""
    matches = [match[0] for match in pattern.finditer(head)]
    if len(matches) < 3 or len(matches) * rarity < len(head):
        return None
    values = {"count": len(matches), "example": matches[0][:40]}
    return Finding(code, values, f"{len(matches):,} {_PATTERN_TEXTS[code]}")


def _table(lines: Sequence[str]) -> Finding | None:
    """A text whose lines all hold as many tabs, or as many semicolons or bars."""
    if len(lines) < 5:
        return None
    for sign in "\t;|":
        counts = {line.count(sign) for line in lines[:2000]}
        if len(counts) == 1 and 0 not in counts:
            text = f"each line has {sign!r}, as a table: add :COLUMN to its name to read one column"
            return Finding("like_a_table", {"sign": repr(sign)}, text)
    return None


def _json(lines: Sequence[str]) -> Finding | None:
    """A text that is JSON: names and signs would be learned with it."""
    count = sum(line[0] == "{" and line.rstrip(",")[-1] == "}" and '":' in line for line in lines)
    if count < 3 or count < 0.5 * len(lines):
        return None
    text = f"{count:,} lines are JSON: name the file .jsonl to read one of its fields"
    return Finding("like_json", {"lines": count}, text)
