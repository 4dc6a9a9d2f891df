"""Which models there are, and one loaded copy of each for all sessions."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from textgen import shipped
from textgen.cells import CELLS
from textgen.data.recall_task import Task, read_task
from textgen.errors import RunError, TextgenError
from textgen.runs.ngrams import NGRAMS
from textgen.runs.run_config import Card
from textgen.runs.run_folder import CONFIG, WEIGHTS, last_save, read_config, weights_hash
from textgen.runs.voices import VOICES
from textgen.ui.cached import HASHES, cached_object
from textgen.ui.messages import has, language, t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.data.text_in_memory import TextInMemory
    from textgen.evaluation.copying import CopyMeter

RUNS = Path("runs")  # in the working directory, as on the command line
FIRST = "lstm-char"  # how the name of what the app opens with ends
LONGEST_PROMPT = 5000  # characters
LOADED_MODELS = 16  # at most; the one used longest ago goes first
# what a model was trained on is the same in each of its voices
IN_ANY_VOICE = HASHES | {"textgen.api.Model": lambda model: (model.name, model.hash)}
_SPEAKER = re.compile(r"speaker-(\w+)-\w+")  # how the models of the task are called


def available() -> dict[str, Path]:
    """name -> folder: what is shipped, the page's language first, then the runs, newest first."""
    ready = [file.parent for file in shipped.MODELS.glob(f"*/{WEIGHTS}")]
    ready.sort(
        key=lambda f: (not f.name.startswith(language()), not f.name.endswith(FIRST), f.name)
    )
    trained = sorted(RUNS.glob(f"*/{WEIGHTS}"), key=lambda f: -f.stat().st_mtime)
    names = {folder.name: folder for folder in ready}
    for file in trained:
        name = file.parent.name
        names[f"runs/{name}" if name in names else name] = file.parent
    return names


def card_of(folder: Path) -> Card:
    """What config.json says of a run, read once until it changes; nothing where it is not ours."""
    try:
        return _card(folder.absolute(), (folder / CONFIG).stat().st_mtime_ns)
    except (OSError, TextgenError):
        return {}


@functools.lru_cache(maxsize=1024)
def _card(folder: Path, changed: int) -> Card:
    return read_config(folder)


def hash_of(folder: Path) -> str:
    """Of the weights in a run folder, read once until they change; empty where there are none."""
    try:
        return _hash(folder.absolute(), (folder / WEIGHTS).stat().st_mtime_ns)
    except (OSError, TextgenError):
        return ""


@functools.lru_cache(maxsize=1024)
def _hash(folder: Path, changed: int) -> str:
    return weights_hash(folder)


def shipped_task(name: str) -> Task:
    """The shipped task in the file of this name, read once until it changes. Raises as
    `read_task` does."""
    path = shipped.TASKS / name
    try:
        return _task(path, path.stat().st_mtime_ns)
    except OSError:
        return read_task(path)  # which says what is wrong


@functools.lru_cache(maxsize=32)
def _task(path: Path, changed: int) -> Task:
    return read_task(path)


def trained_on(task: str) -> dict[str, Path]:
    """What of `available` was trained on the task file of this name, or on its shorter forms:
    speaker-short-ko.toml and speaker-few-ko.toml for speaker-ko.toml. In the order of the lesson,
    what was trained here last."""
    stem, _, tongue = task.rpartition("-")
    tasks = (task, *(f"{stem}-{size}-{tongue}" for size in ("short", "few")))
    trained = {}
    for name, folder in available().items():
        corpus = card_of(folder).get("corpus")
        if isinstance(corpus, dict) and corpus.get("task") in tasks:
            trained[name] = folder
    return {name: trained[name] for name in sorted(trained, key=place)}


def short_name(name: str) -> str:
    """speaker-lstm-ko -> LSTM; any other name, such as that of a run, as it is."""
    speaker = _SPEAKER.fullmatch(name)
    return speaker[1].upper() if speaker else name


def place(name: str) -> int:
    """Where a model stands in a list: RNN, LSTM, GRU, then their variants, then any other."""
    order = [cell.upper() for cell in CELLS]
    short = short_name(name)
    if short in order:
        return order.index(short)
    return len(order) + (short == name)


def name_of_run(run: str) -> str:
    """How `available` calls the run folder runs/`run`."""
    return f"runs/{run}" if (shipped.MODELS / run / WEIGHTS).is_file() else run


def load(folder: Path, *, last: bool = False) -> Model:
    """The model in `folder`, read once until its weights, voices or n-grams change; last: that of
    the newest save of its training. Raises `RunError` where it is gone, and as `textgen.load`
    does."""
    try:
        weights = last_save(folder)[0] if last else folder / WEIGHTS
        later = [path for name in (VOICES, NGRAMS) if (path := folder / name).is_file()]
        changed = tuple((path.name, path.stat().st_mtime_ns) for path in (weights, *later))
    except OSError as error:  # deleted since the page was drawn
        raise RunError(t("problem.gone", name=folder.name)) from error
    with st.spinner(t("write.loading")):
        return _load(str(folder), changed, last)


@cached_object(LOADED_MODELS)
def _load(folder: str, changed: tuple[tuple[str, int], ...], last: bool) -> Model:
    import textgen

    return textgen.load(folder, last=last)


def has_last_save(folder: Path) -> bool:
    """Whether a run holds, beside its best weights, those of its last save."""
    try:
        return bool(last_save(folder))
    except RunError:
        return False


def is_alike(folder: Path, model: Model) -> bool:
    """Whether a run has the cell, the size and the kind of tokenizer of a model."""
    card = card_of(folder)
    config, tokenizer = card.get("model", {}), card.get("tokenizer", {})
    return tokenizer.get("name") == model.tokenizer.name and all(
        config.get(name) == getattr(model.config, name)
        for name in ("cell", "hidden_size", "num_layers", "embedding_size")
    )


def copy_meter(model: Model) -> CopyMeter | None:
    """For the text that the model was trained on; None where that is not at hand."""
    return _copy_meter(model) if training_text(model) else None


@st.cache_resource(max_entries=LOADED_MODELS, show_spinner=False, hash_funcs=IN_ANY_VOICE)
def _copy_meter(model: Model) -> CopyMeter:
    from textgen.evaluation.copying import CopyMeter

    data = training_text(model)
    assert data is not None  # asked for only where it is there
    return CopyMeter(data.text)


def training_text(model: Model) -> TextInMemory | None:
    """The text that the model was trained on, with what was held out of it; None where that is not
    at hand."""
    with st.spinner(t("colour.reading")):
        data = _training_text(model)
    if data is None:
        _training_text.clear(model)  # it may be there the next time
    return data


@st.cache_resource(max_entries=LOADED_MODELS, show_spinner=False, hash_funcs=IN_ANY_VOICE)
def _training_text(model: Model) -> TextInMemory | None:
    from textgen.data.sources import find_training_text

    return find_training_text(model.card, shipped.HOME)


def first_prompt(folder: Path) -> str:
    """What the model's own samples began with; no TensorFlow is needed to know."""
    return str(card_of(folder).get("training", {}).get("prompt", ""))[:LONGEST_PROMPT]


def tokenizer_label(name: str) -> str:
    """What a page calls a tokenizer: its own name where the texts have none for it."""
    return t(f"tokenizer.{name}") if has(f"tokenizer.{name}") else name


def described(model: Model) -> list[str]:
    """cell and size, tokenizer, parameters, bits per character, hash."""
    config, metrics = model.config, model.card.get("metrics")
    bits = metrics.get("val_bits_per_char") if isinstance(metrics, dict) else None
    return [
        f"{config.cell.upper()} {config.num_layers} × {config.hidden_size}",
        tokenizer_label(model.tokenizer.name),
        t("write.parameters", count=model.num_parameters),
        t("write.bits", bits=bits) if isinstance(bits, int | float) else "",
        model.hash,
    ]
