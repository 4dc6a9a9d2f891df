"""Buttons that save a chart as SVG and PNG. Streamlit's own toolbar has the PNG alone, and only for
a pointer that rests on the chart."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
CSS = """
button {
  font: inherit; font-size: 0.875rem; color: inherit; background: none; border: 0;
  cursor: pointer;
  padding: 0.25rem 0.5rem; border-radius: 0.4rem;
}
button:hover { color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
"""


def chart_saver(chart: str, file: str, caption: str = "") -> None:
    """chart: the key of the container that it stands in. file: the name it is saved under.
    caption: what is written beneath it there."""
    saver = st.components.v2.component(
        "textgen_chart_saver", css=CSS, js=(_HERE / "chart_saver.js").read_text(encoding="utf-8")
    )
    # Streamlit makes of a key the class st-key-...
    name = re.sub(r"[^a-zA-Z0-9_-]", "-", chart.strip())
    data = {"chart": name, "file": file, "caption": caption}
    saver(data=data, key=f"save {chart}", width="content")
