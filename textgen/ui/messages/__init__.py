"""The words of the pages: messages/ko.toml and messages/en.toml, with equal keys.

A page may also bring words of its own (see `textgen.ui.app`).
"""

from __future__ import annotations

import ast
import functools
import tomllib
from pathlib import Path

import streamlit as st

LANGUAGES = {"ko": "한국어", "en": "English"}
FOLDER = Path(__file__).parent
PAGES = FOLDER.parent / "pages"


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """ "section.key" -> text, of the file of a language."""
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{s}.{key}": text for s, texts in sections.items() for key, text in texts.items()}


# language -> "section.key" -> text, of pages that bring their own words
_of_pages: dict[str, dict[str, str]] = {}


def page_name(file: Path) -> str:
    """The name of the page N_name.py, which is the section of its words."""
    return file.stem.split("_", 1)[1]


@functools.cache
def words_of(file: Path) -> dict[str, dict[str, str]]:
    """The `WORDS` of a page, read without running it; none where it has none."""
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="WORDS")], value=value):
                return dict(ast.literal_eval(value))
    return {}


def add_page(file: Path) -> None:
    """Put the words of a page beside the catalogue."""
    for language, texts in words_of(file).items():
        of_language = _of_pages.setdefault(language, {})
        of_language |= {f"{page_name(file)}.{key}": text for key, text in texts.items()}


def text_of(key: str) -> str | None:
    """The text of a key in the page's language; of a page that has no words in it, in another."""
    text = _text_known(key)
    if text is None:  # perhaps of a page opened alone, without the navigation, which adds its words
        for file in PAGES.glob("[0-9]*_*.py"):
            add_page(file)
        text = _text_known(key)
    return text


def _text_known(key: str) -> str | None:
    for name in (language(), *LANGUAGES):
        text = catalogue(name).get(key, _of_pages.get(name, {}).get(key))
        if text is not None:
            return text
    return None


def language() -> str:
    """From the address, else what was chosen before, else what the browser prefers."""
    for wanted in (st.query_params.get("lang"), st.session_state.get("language")):
        if wanted in LANGUAGES:
            return wanted
    return "ko" if (st.context.locale or "").lower().startswith("ko") else "en"


def keep_language() -> None:
    """Remember a choice in the session and put it back into the address, which pages clear."""
    if st.query_params.get("lang") in LANGUAGES:
        st.session_state["language"] = st.query_params["lang"]
    elif "language" in st.session_state:
        st.query_params["lang"] = st.session_state["language"]


def choose_language(key: str) -> None:
    """The callback of the switch whose widget key is `key`."""
    st.query_params["lang"] = st.session_state["language"] = st.session_state[key]


def has(key: str) -> bool:
    """Whether there is a text of this key."""
    return text_of(key) is not None


def t(key: str, /, **values: object) -> str:
    """The text of `key` in the page's language, with `values` put in. Raises `KeyError`."""
    text = text_of(key)
    if text is None:
        raise KeyError(key)
    return text.format(**values) if values else text


def language_query() -> dict[str, str]:
    """What a link to another page carries along."""
    return {"lang": st.session_state["language"]} if "language" in st.session_state else {}
