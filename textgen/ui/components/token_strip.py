"""The token strip: a text whose tokens can be looked into. Hover stays in the browser; only a
choice of another token, or of a page that looks at one, comes back to Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from textgen.ui.messages import t

_HERE = Path(__file__).parent
LABELS = ("text", "likely", "alternatives", "hint", "copied", "counted", "look")


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What was chosen of a text: another token, by its id, in the place of token `index`; or, with
    a `page`, that page, to look at the `count` tokens from there."""

    index: int
    token_id: int = 0
    page: str = ""
    count: int = 1


def token_strip(
    data: dict[str, object], key: str, colour: str, pages: Mapping[str, str] | None = None
) -> Chosen | None:
    """Show `data` (see `samples.strip_data`), coloured by "none", "probability", "copied" or
    "counted"; what is chosen, when it is. pages: name -> title of those that look at a token."""
    strip = st.components.v2.component(
        "textgen_token_strip",
        css=(_HERE / "token_strip.css").read_text(encoding="utf-8"),
        js=(_HERE / "token_strip.js").read_text(encoding="utf-8"),
    )
    labels = {name: t(f"strip.{name}") for name in LABELS}
    more = {"labels": labels, "colour": colour, "pages": list((pages or {}).items())}
    result = strip(
        data=data | more, key=key, on_chosen_change=lambda: None, on_look_change=lambda: None
    )
    if isinstance(look := result.look, dict):
        return Chosen(int(look["index"]), page=str(look["page"]), count=int(look["count"]))
    if isinstance(chosen := result.chosen, dict):
        return Chosen(int(chosen["index"]), int(chosen["id"]))
    return None
