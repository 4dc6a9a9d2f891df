"""What a user names as a text, what was read of it, and the parts that a reader gives."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from textgen.errors import counted

# a file, a folder, a table or a dataset, or several of them
Source: TypeAlias = str | Path | Sequence[str | Path]


class Part(NamedTuple):
    """Text of a document, in order.

    kind: "file" begins a document as it stands in a file, "more" goes on with it, "record" is a
    whole document out of something that holds several. label: of the document, "" without one.
    """

    text: str
    kind: Literal["file", "more", "record"]
    label: str = ""


@dataclasses.dataclass
class Provenance:
    """Where text came from, how it was read, and what was left out: of one file or dataset."""

    name: str
    encoding: str = ""
    kind: str = "text"  # what it is: "text", "table", "KakaoTalk chat"
    separator: str | None = None  # of a table's cells
    columns: tuple[str, ...] = ()  # that the text was taken from
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)  # what -> how often
    truncated: bool = False  # True: it held more than MAX_CHARACTERS

    def drop(self, what: str, count: int = 1) -> None:
        """Count what is left out or replaced."""
        if count:
            self.dropped[what] = self.dropped.get(what, 0) + count


def encodings_of(sources: Iterable[Provenance]) -> list[str]:
    """The encodings that were met, each once."""
    return sorted({source.encoding for source in sources if source.encoding})


def dropped_of(sources: Iterable[Provenance]) -> dict[str, int]:
    """What was left out or replaced, of all sources together."""
    total: Counter[str] = Counter()
    for source in sources:
        total.update(source.dropped)
    return dict(total)


def some_of(names: Sequence[str]) -> str:
    """The first three of the names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def summary(sources: Sequence[Provenance], documents: int, characters: int) -> str:
    """What was read, in one line."""
    read = [source for source in sources if source.encoding]
    names = some_of([source.name for source in read])
    facts = [*dict.fromkeys(source.kind for source in read), *encodings_of(read)]
    facts += [f"cells parted by {s!r}" for s in dict.fromkeys(r.separator for r in read) if s]
    facts += [f"column {c}" for c in dict.fromkeys("+".join(r.columns) for r in read) if c]
    left_out = "; ".join(f"{what}: {count:,}" for what, count in dropped_of(sources).items())
    size = f"{counted(documents, 'document')}, {counted(characters, 'character')}"
    return f"read {names} ({', '.join(facts)}): {size}" + (
        f"; left out or replaced: {left_out}" if left_out else ""
    )
