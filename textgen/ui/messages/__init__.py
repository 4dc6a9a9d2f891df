"""The words of the pages: messages/ko.toml and messages/en.toml, with equal keys."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

import streamlit as st

LANGUAGES = {"ko": "한국어", "en": "English"}
FOLDER = Path(__file__).parent


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """ "section.key" -> text."""
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{s}.{key}": text for s, texts in sections.items() for key, text in texts.items()}


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
    return key in catalogue(language())


def t(key: str, /, **values: Any) -> str:
    """The text of `key` in the page's language, with `values` put in."""
    text = catalogue(language())[key]
    return text.format(**values) if values else text


def address() -> dict[str, str]:
    """What a link to another page carries along."""
    return {"lang": st.session_state["language"]} if "language" in st.session_state else {}
