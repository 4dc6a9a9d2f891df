"""What the doctor says of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One observation: a code to translate by, its numbers, and English in one line."""

    code: str
    values: dict[str, object]
    text: str
