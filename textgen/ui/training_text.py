"""The text that the page Train is given: shipped, uploaded or pasted, and what the doctor finds."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from textgen import shipped
from textgen.options import options_of
from textgen.text.corpus import load_corpus
from textgen.text.doctor import Diagnosis, diagnose
from textgen.text.files import PACKED, TEXT_FILES
from textgen.text.findings import Finding
from textgen.text.read_config import ReadConfig
from textgen.text.readers import READERS
from textgen.text.source import dropped_of, encodings_of
from textgen.ui import widgets
from textgen.ui.messages import has, language, t
from textgen.ui.processes import trainings

SHOWN_LENGTH = 100  # characters of each line shown of a text
ENCODINGS = [
    *("auto", "utf-8", "cp949", "utf-16", "windows-1252", "shift_jis", "euc_jp", "gb18030"),
    *("big5", "windows-1251", "koi8-r", "johab"),
]
FIRST_PROMPT = 12  # characters of the text's beginning, at most


def choose_text() -> tuple[Path, str] | None:
    """(file or folder to train on, what to name the run after)."""
    folders = [p for p in shipped.CORPORA.iterdir() if has_text(p)]
    texts = {p.name: p for p in sorted(folders, key=lambda p: (p.name != language(), p.name))}
    ways = [*(["shipped"] if texts else []), "upload", "paste"]
    way = st.segmented_control(
        t("train.text"),
        ways,
        format_func=lambda w: t(f"train.{w}"),
        default=ways[0],
        required=True,
        key="way",
        persist_state="session",
    )
    if way == "shipped":
        name = st.selectbox(
            t("train.shipped"),
            list(texts),
            format_func=corpus_name,
            key="corpus",
            label_visibility="collapsed",
            persist_state="session",
        )
        return relative(texts[name]), name
    if way == "upload":
        file = st.file_uploader(
            t("train.upload"),
            sorted({s.removeprefix(".") for s in (*TEXT_FILES, *READERS, *PACKED)}),
            label_visibility="collapsed",
        )
        return (
            (trainings.keep_upload(file.name, file.getvalue()), Path(file.name).stem)
            if file
            else None
        )
    text = st.text_area(
        t("train.paste"),
        height=220,
        key="pasted",
        label_visibility="collapsed",
        placeholder=t("train.paste_here"),
        persist_state="session",
    )
    if not text.strip():
        return None
    return trainings.keep_upload("paste.txt", text.encode("utf-8", "replace")), "paste"


def choose_reading(path: Path) -> tuple[str, dict[str, str]]:
    """(the column of a table, "" for the one that is plain; how to read, where it is chosen)."""
    if path.is_dir():
        return "", {}
    reading: dict[str, str] = {}
    with st.expander(t("train.reading")):
        left, right = st.columns(2)
        encoding = left.selectbox(
            t("option.encoding"), ENCODINGS, accept_new_options=True, key=f"encoding {path}"
        )
        errors = right.selectbox(
            t("option.errors"),
            ("strict", "replace"),
            format_func=lambda name: t(f"errors.{name}"),
            key=f"errors {path}",
        )
        reading |= {"encoding": encoding or "auto", "errors": errors}
        left, middle, right = st.columns(3)
        column = left.text_input(t("train.column"), key=f"column {path}", help=t("help.column"))
        separator = middle.text_input(t("option.separator"), "auto", key=f"separator {path}")
        header = right.selectbox(
            t("option.header"),
            ("auto", "yes", "no"),
            format_func=lambda name: t(f"header.{name}"),
            key=f"header {path}",
        )
        reading |= {"separator": separator or "auto", "header": header}
    defaults = {name: default for name, (_, default, _) in options_of(ReadConfig).items()}
    return column.strip(), {k: v for k, v in reading.items() if v != defaults[k]}


def has_text(folder: Path) -> bool:
    """Whether a folder holds a file that can be trained on."""
    return folder.is_dir() and any(p.suffix in TEXT_FILES for p in folder.rglob("*"))


def corpus_name(name: str) -> str:
    return t(f"corpora.{name}") if has(f"corpora.{name}") else name


def relative(path: Path) -> Path:
    """As a person would write it: config.json keeps it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def changed(path: Path) -> float:
    """When a file, or the last of a folder, was changed."""
    files = [path] if path.is_file() else list(path.rglob("*"))
    return max(file.stat().st_mtime for file in files)


@st.cache_data(max_entries=8, show_spinner=False)
def examine(text: str, reading: ReadConfig, changed: float) -> tuple[Diagnosis, str]:
    """The doctor's diagnosis, and how the text begins."""
    corpus = load_corpus(text, reading)
    word = corpus.text.split(maxsplit=1)[0]
    return diagnose(corpus), word + " " if len(word) <= FIRST_PROMPT else word[:FIRST_PROMPT]


def corpus_facts(d: Diagnosis) -> None:
    """What the text consists of, and what is wrong with it."""
    scripts = sorted(((share, name) for name, share in d.scripts.items()), reverse=True)
    shares = " · ".join(f"{t(f'script.{n}')} {s:.0%}" for s, n in scripts[:3] if s >= 0.005)
    widgets.facts(
        [
            (t("train.characters"), f"{d.characters:,}"),
            (t("train.documents"), f"{d.documents:,}"),
            (t("train.alphabet"), f"{d.alphabet_size:,}"),
            (t("train.scripts"), shares),
            (t("train.encoding"), ", ".join(encodings_of(d.sources))),
            *((t("train.column"), "+".join(s.columns)) for s in d.sources[:1] if s.columns),
        ]
    )
    if dropped := dropped_of(d.sources):
        parts = ", ".join(f"{left_out(what)} {count:,}" for what, count in dropped.items())
        st.caption(widgets.plain(t("train.dropped", parts=parts)))
    shown = "\n".join(text.replace("\n", "↵")[:SHOWN_LENGTH] for text in d.preview)
    st.code(shown, language=None, wrap_lines=True)
    for finding in d.warnings:
        st.warning(widgets.plain(translated("warning", finding)))


def left_out(what: str) -> str:
    """The name of what a reader leaves out; its own English where the name is new."""
    key = "dropped." + re.sub(r"\W+", "_", what.lower()).strip("_")
    return t(key) if has(key) else what


def translated(section: str, finding: Finding) -> str:
    """A finding of the doctor by its code; its own English where the code is new."""
    values = dict(finding.values)
    if finding.code == "mixed_scripts":
        shares = ((t(f"script.{name}"), share) for name, share in values.items())
        values = {"parts": ", ".join(f"{name} {share:.0%}" for name, share in shares)}
    key = f"{section}.{finding.code}"
    return t(key, **values) if has(key) else finding.text
