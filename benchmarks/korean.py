"""A page of measurements in English and in Korean: measured once, the same figures in both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def write_both(path: Path, page: str, korean: Mapping[str, str]) -> None:
    """`page` to NAME.md and, in Korean, to NAME.ko.md beside it, each leading to the other.

    page: begins with its title. korean: as `in_korean` takes it.
    """
    title, rest = page.split("\n", 1)
    beside = path.with_suffix(".ko.md")
    path.write_text(f"{title}\n\n[한국어]({beside.name})\n{rest}", encoding="utf-8")
    beside.write_text(in_korean(path.read_text(encoding="utf-8"), path, korean), encoding="utf-8")


def in_korean(page: str, path: Path, korean: Mapping[str, str]) -> str:
    """The page at `path`, with its words exchanged: regular expression -> what stands for it."""
    page = page.replace(f"[한국어]({path.with_suffix('.ko.md').name})", f"[English]({path.name})")
    for words, instead in korean.items():
        page = re.sub(words, instead, page)
    return page
