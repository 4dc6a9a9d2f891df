"""The token strip: a text whose tokens can be looked into. Hover stays in the browser; only a
choice of another token comes back to Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from textgen.ui.messages import t

_HERE = Path(__file__).parent
LABELS = ("text", "likely", "alternatives", "hint", "copied")


def token_strip(data: dict[str, Any], key: str, colour: str) -> tuple[int, int] | None:
    """Show `data` (see `samples.strip_data`), coloured by "none", "probability" or "copied"; (token
    index, token id) when one is chosen."""
    strip = st.components.v2.component(
        "textgen_token_strip",
        css=(_HERE / "token_strip.css").read_text(encoding="utf-8"),
        js=(_HERE / "token_strip.js").read_text(encoding="utf-8"),
    )
    labels = {name: t(f"strip.{name}") for name in LABELS}
    result = strip(
        data=data | {"labels": labels, "colour": colour}, key=key, on_chosen_change=lambda: None
    )
    chosen = result.chosen
    if not isinstance(chosen, dict):
        return None
    return int(chosen["index"]), int(chosen["id"])
