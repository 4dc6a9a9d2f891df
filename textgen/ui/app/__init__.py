"""The app: the navigation over its pages, each of which is a file in textgen/ui/pages/.

A folder of its own, because Streamlit takes a script beside a folder `pages` for an app of its old
kind and draws a navigation of its own.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from textgen.ui import widgets
from textgen.ui.messages import keep_language, t

PAGES = Path(__file__).parents[1] / "pages"


def page_files(folder: Path = PAGES) -> list[Path]:
    """The pages of a folder, N_name.py, in the order of N."""
    return sorted(folder.glob("[0-9]*_*.py"), key=lambda file: int(file.stem.split("_")[0]))


def page_of(file: Path, *, default: bool) -> st.Page:
    """N_name.py is the page /name, titled `name.title`."""
    name = file.stem.split("_", 1)[1]
    return st.Page(file, title=t(f"{name}.title"), url_path=name, default=default)


def main() -> None:
    """Draw the navigation and run the page that the address names."""
    st.set_page_config(page_title="textgen", layout="wide")
    keep_language()
    files = page_files()
    pages = [page_of(file, default=file == files[0]) for file in files]
    # Streamlit's own bar would hide the pages behind a button on a phone
    chosen = st.navigation(pages, position="hidden")
    widgets.style()
    widgets.top_bar(pages, chosen)
    chosen.run()
