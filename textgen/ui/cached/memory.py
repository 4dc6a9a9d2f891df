"""What the page Remember measures on loaded models, kept as long as a model's weights stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.data.recall_task import Document, Task

if TYPE_CHECKING:
    from textgen.evaluation.recall_probe import Probe, Scorer
    from textgen.generation.generator import Generator

CONTROLS = ("none", "removed", "swapped", "zeroed")
DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000)
TEXTS = {"ko": "ko/tales.txt", "en": "en/tales.txt"}
TEXT_LENGTH = 6000  # characters of them


def recipe(task: Task, cell: str) -> Path:
    """recipes/speaker-lstm-ko.toml for the task speaker-ko."""
    stem, _, tongue = task.path.stem.rpartition("-")
    return shipped.RECIPES / f"{stem}-{cell}-{tongue}.toml"


@st.cache_resource(max_entries=32, show_spinner=False)
def _scorer(_generator: Generator, _task: Task, name: str, mark: str, task: str) -> Scorer:
    from textgen.evaluation.recall_probe import Scorer

    return Scorer(_generator, _task)


def scorer(generator: Generator, task: Task) -> Scorer:
    return _scorer(generator, task, generator.name, generator.hash, str(task.path))


def shares(generator: Generator, task: Task, document: Document) -> dict[str, float]:
    """The probability of each answer at the blank."""
    (row,) = scorer(generator, task).shares([document])
    return dict(zip(task.answers, map(float, row), strict=True))


def measured(generator: Generator, task: Task, n: int, control: str) -> Probe:
    return _measured(generator, task, generator.name, generator.hash, str(task.path), n, control)


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(
    _generator: Generator, _task: Task, name: str, mark: str, task: str, n: int, control: str
) -> Probe:
    from textgen.evaluation.recall_probe import probe

    return probe(scorer(_generator, _task), DISTANCES, n, (control,))


def frame(found: Probe) -> pd.DataFrame:
    columns = ("distance", "accuracy", "low", "high", "probability", "n")
    return pd.DataFrame([{c: getattr(row, c) for c in columns} for row in found.rows])


@st.cache_resource(max_entries=12, show_spinner=False)
def untrained(folder: Path) -> Generator:
    """A twin of the model in `folder` with the weights it might have begun with."""
    from textgen.backend import keras
    from textgen.generation.generator import Generator, load
    from textgen.model import build_model

    trained = load(folder)
    keras.utils.set_random_seed(1)
    model = build_model(trained.config, trained.tokenizer.vocab_size)
    return Generator(model, trained.tokenizer, trained.card, name=f"{trained.name} untrained")


def recall_of(folder: Path) -> pd.DataFrame:
    """recall.jsonl, also while it is being written: seconds, distance, accuracy."""
    try:
        lines = (folder / "recall.jsonl").read_text(encoding="utf-8").splitlines()
        looks = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return pd.DataFrame()
    return pd.DataFrame(
        [
            {"seconds": look["seconds"], "distance": row["distance"], "accuracy": row["accuracy"]}
            for look in looks
            for row in look["rows"]
        ]
    )


def some_text(language: str) -> str:
    try:
        return (shipped.CORPORA / TEXTS[language]).read_text(encoding="utf-8")[:TEXT_LENGTH]
    except OSError:
        return ""


def context(generator: Generator, text: str) -> tuple[pd.DataFrame, int]:
    """bits per token with its interval for each context, and how far the model looks back."""
    from textgen.evaluation.context_length import context_curve, looks_back

    rows = context_curve(generator, text)
    columns = ("context", "bits", "low", "high")
    found = pd.DataFrame([{c: getattr(row, c) for c in columns} for row in rows])
    return found, looks_back(rows)
