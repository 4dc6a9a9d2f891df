"""What the engine says when something is wrong, in the language of the page.

An error of textgen is a line of English. errors_ko.toml has the lines that a page can come upon,
with {places}, and beside each the same in Korean; a line that is not there is shown as it is.
"""

from __future__ import annotations

import functools
import re
import tomllib

from textgen.ui.messages import FOLDER, language

_PLACE = re.compile(r"\{(\w+)\}")


def in_words(message: str) -> str:
    """The message in the language of the page."""
    if language() != "ko":
        return message
    for pattern, korean in known():
        if found := pattern.fullmatch(message):
            return korean.format(**found.groupdict())
    return message


@functools.cache
def known() -> list[tuple[re.Pattern[str], str]]:
    """(what an English line looks like, its Korean), the most telling first."""
    texts = tomllib.loads((FOLDER / "errors_ko.toml").read_text(encoding="utf-8"))
    told = sorted(texts, key=lambda line: -len(_PLACE.sub("", line)))
    return [(re.compile(_pattern(line), re.DOTALL), texts[line]) for line in told]


def _pattern(line: str) -> str:
    parts = _PLACE.split(line)  # text, name, text, name ... text
    return "".join(f"(?P<{part}>.*?)" if k % 2 else re.escape(part) for k, part in enumerate(parts))
