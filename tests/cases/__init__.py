"""Small inputs as people have them, each with the text that is right for it, or a refusal.

A module for each kind lists its `CASES`; test_cases.py reads them all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

KO = (
    "정원사는 비가 오는 날에 빨간 울타리를 칠했다.",
    "늙은 선원은 말없이 노란 배 세 척을 세었다.",
    "할머니께서 강가에서 마지막 전차를 기다렸다.",
)
EN = (
    "The gardener painted the red fence in the rain.",
    "An old sailor counted three yellow boats.",
    "Rain fell, and the road shone.",
)


@dataclasses.dataclass(frozen=True)
class Case:
    """files: what lies in the folder. source: what is named, by default the first file. right: the
    texts of the documents, or of one its lines that are not blank; a text, its whole. refused: what
    the message says, where it is refused. dropped: what is said to be left out, some of it."""

    name: str
    files: Mapping[str, bytes | str]
    right: Sequence[str] | str = ()
    refused: str = ""
    source: str = ""
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    encoding: str = ""
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)


def one(
    name: str,
    content: bytes | str,
    right: Sequence[str] | str = (),
    column: str = "",
    **more: object,
) -> Case:
    """A case of a single file."""
    source = f"{name}:{column}" if column else name
    return Case(
        f"{source} {more.get('options') or ''}", {name: content}, right, source=source, **more
    )  # type: ignore[arg-type]
