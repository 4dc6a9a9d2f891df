"""The app: the navigation over its pages, each of which is a file in textgen/ui/pages/.

A page is one file, N_name.py, at the address /name, the first at /. Its words are in the catalogues
(textgen/ui/messages/), `name.title` and `name.intro` among them, or in the file itself, as

    WORDS = {"ko": {"title": "...", "intro": "..."}, "en": {"title": "...", "intro": "..."}}

A page without a title is titled by its name.

The app is a folder of its own because Streamlit takes a script beside a folder `pages` for an app
of its old kind, and draws a navigation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import script_runner

from textgen.errors import TextgenError
from textgen.ui import widgets
from textgen.ui.messages import PAGES, add_page, has, keep_language, page_name, t


def main(folders: Sequence[Path] = (PAGES,)) -> None:
    """Draw the navigation over the pages in `folders` and run the one that the address names."""
    keep_programs()
    st.set_page_config(layout="wide")
    keep_language()
    files = page_files(folders)
    pages = [page_of(file, default=file == files[0]) for file in files]
    # Streamlit's own bar would hide the pages behind a button on a phone
    chosen = st.navigation(pages, position="hidden")
    st.set_page_config(page_title=f"{chosen.title} · textgen")
    widgets.style()
    widgets.say_language()
    widgets.top_bar(grouped(files, pages), chosen)
    if "station" in st.query_params:
        show_station()
    chosen.run()


def show_station() -> None:
    """The station of the lesson that the address names, above the page."""
    from textgen.ui import stations  # it needs what pages need, and most addresses name none

    try:
        stations.strip()
    except TextgenError as error:
        widgets.error(error)


# which pages stand together; one that is not named here, such as one of your own, stands last
GROUPS = {
    "": ("lesson",),
    "try": ("write", "train", "remember"),
    "understand": ("transplant", "step", "gates", "gradients", "evidence", "neurons"),
    "experiment": ("race", "task"),
}


def grouped(files: Sequence[Path], pages: Sequence[st.Page]) -> dict[str, list[st.Page]]:
    """The pages of each group, in the order in which the group names them."""
    by_name = {page_name(file): page for file, page in zip(files, pages, strict=True)}
    groups = {
        group: [by_name.pop(name) for name in names if name in by_name]
        for group, names in GROUPS.items()
    }
    groups["experiment"] += by_name.values()
    return {group: found for group, found in groups.items() if found}


def page_files(folders: Sequence[Path]) -> list[Path]:
    """The pages of the folders, in the order of their numbers."""
    files = [file for folder in folders for file in folder.glob("[0-9]*_*.py")]
    return sorted(files, key=lambda file: int(file.stem.split("_")[0]))


def page_of(file: Path, *, default: bool) -> st.Page:
    """The page of a file, titled in the language of the page."""
    add_page(file)
    name = page_name(file)
    title = t(f"{name}.title") if has(f"{name}.title") else name
    return st.Page(file, title=title, url_path=name, default=default)


def keep_programs() -> None:
    """Keep what TensorFlow has compiled from one run of a page to the next.

    After each run of a page, in any session, Streamlit clears Keras's session, and with it all of
    TensorFlow's compiled programs: the next text would wait the best part of a second for them, and
    a model that another session builds at that moment would lose its names. Streamlit has no
    setting for it, so its function is replaced: here, by the app that starts, and nowhere else. No
    function of Keras is touched.
    """
    script_runner._clean_problem_modules = lambda: None
