"""Two buttons: the page as large as the screen, for a class to see, and the page on paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def presenter(words: Mapping[str, str]) -> None:
    """words: present, leave, print."""
    place = st.components.v2.component(
        "textgen_presenter",
        html="<div class='presenter'></div>",
        css=(_HERE / "presenter.css").read_text(encoding="utf-8"),
        js=(_HERE / "presenter.js").read_text(encoding="utf-8"),
    )
    place(data={"words": dict(words)}, key="presenter")
