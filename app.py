"""The app: `streamlit run app.py`. Navigation only; each page is a file in textgen/ui/pages/."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from textgen.ui import widgets
from textgen.ui.messages import keep_language, t

PAGES = Path(__file__).parent / "textgen" / "ui" / "pages"
FILES = sorted(PAGES.glob("[0-9]*_*.py"), key=lambda file: int(file.stem.split("_")[0]))


def page(file: Path) -> st.Page:
    """N_name.py is the page /name, titled `name.title`."""
    name = file.stem.split("_", 1)[1]
    return st.Page(file, title=t(f"{name}.title"), url_path=name, default=file == FILES[0])


st.set_page_config(page_title="textgen", layout="wide")
keep_language()
pages = [page(file) for file in FILES]
# Streamlit's own bar would hide the pages behind a button on a phone
chosen = st.navigation(pages, position="hidden")
widgets.style()
widgets.top_bar(pages, chosen)
chosen.run()
