"""From what a user names to what a model is trained on, and from a model back to its text."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

from textgen.config import TrainConfig
from textgen.data.labelled_text import LabelledText
from textgen.data.lines import LinesInMemory
from textgen.data.recall_task import is_task, read_task
from textgen.data.replayed_text import check_replay, with_replay
from textgen.data.streamed_text import StreamedText
from textgen.data.task_documents import TaskDocuments
from textgen.data.text_in_memory import TextInMemory
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, TextgenError
from textgen.options import build
from textgen.runs.run_config import Card, is_source
from textgen.text.corpus import items_of, load_corpus
from textgen.text.files import PACKED
from textgen.text.readers import READERS
from textgen.text.source import Source

# of a text that is read without being asked for: files, and bytes of all of them
MAX_FILES, MAX_BYTES = 2000, 1 << 28
NOT_TEXTS = ("/dev", "/proc", "/sys")  # files there are made up while they are read
UNREADABLE = (OSError, ValueError, RuntimeError)  # a name too long, a NUL, links in a circle


def names_a_task(source: Source) -> bool:
    """Whether `source` is a single task file. Raises `CorpusError` for what names nothing."""
    items = items_of(source)
    return len(items) == 1 and is_task(items[0])


def read_training_data(
    source: Source, settings: TrainConfig, folder: Path | None = None
) -> TrainingData:
    """What `source` names. folder: of the run, which a streamed text needs.

    Raises `TextgenError` for what cannot be trained on.
    """
    if names_a_task(source):
        task = source if isinstance(source, str | Path) else source[0]
        if settings.stream:
            raise ConfigError(f"stream is for a text, and {task} is a task: leave it out")
        return TaskDocuments(source, settings, read_task(task))
    if settings.stream:
        if folder is None:
            raise ConfigError("stream is for textgen train alone: leave it out")
        return StreamedText(source, settings, folder)
    check_replay(settings)
    corpus = load_corpus(source, settings)
    if settings.label_by:
        return with_replay(LabelledText(source, settings, corpus))
    kind = LinesInMemory if settings.sample_by == "line" else TextInMemory
    return with_replay(kind(source, settings, corpus))


def as_trained_on(card: Card, source: Source) -> TextInMemory | None:
    """The text `source`, cut as in training, if it is the one that the run of `card` was trained
    on in memory; None for every other text."""
    corpus = card.get("corpus")
    if not isinstance(corpus, dict) or "sha256" not in corpus:
        return None
    if "task" in corpus or "streamed" in corpus:  # documents without end; too large for memory
        return None
    if names_a_task(source):
        return None
    try:
        settings = build(TrainConfig, card["training"])
        kind = LabelledText if settings.label_by else TextInMemory
        data = kind(source, settings, load_corpus(source, settings))
    except (TextgenError, TypeError):
        return None
    return data if data.config.sha256 == corpus["sha256"] else None


def find_training_text(card: Card, *homes: Path) -> TextInMemory | None:
    """The text that a run was trained on, where its config.json says it is, seen from the working
    directory or from one of `homes`; None when it is not there.

    A card may come from a stranger: nothing is fetched, and what is opened are plain files of a
    moderate size: no pipe, no device, nothing packed, no table or document, no file of the system.
    """
    corpus = card.get("corpus")
    source = corpus.get("source") if isinstance(corpus, dict) else None
    if not is_source(source):
        return None
    sources = [source] if isinstance(source, str) else source
    for home in (Path(), *homes):
        paths = [home / s for s in sources]
        if _may_be_read(paths) and (found := as_trained_on(card, paths)) is not None:
            return found
    return None


def why_not_found(card: Card, *homes: Path) -> str:
    """What `find_training_text` has found instead of the text of a run, in a few words."""
    corpus = card.get("corpus")
    source = corpus.get("source") if isinstance(corpus, dict) else None
    if not is_source(source):
        return "is not at hand"
    for name in [source] if isinstance(source, str) else source:
        for file in (home / name for home in (Path(), *homes)):
            with contextlib.suppress(*UNREADABLE):
                if file.is_file() and not _is_plain(file):
                    return (
                        f"is no plain text ({file.name}), which is not opened without being named"
                    )
    return "is not at hand"


def _is_plain(file: Path) -> bool:
    """Whether it is no table, document or packed file, by its name."""
    return file.suffix.lower() not in (*READERS, *PACKED)


def _may_be_read(paths: Sequence[Path]) -> bool:
    """Whether these are plain files, and folders of a moderate number of them, and not too large
    together."""
    number = size = 0
    try:
        for path in paths:
            inside = path.rglob("*") if path.is_dir() else [path]
            for file in itertools.islice(inside, MAX_FILES):
                number += 1
                if file.is_dir():
                    continue
                if not file.is_file() or not _is_plain(file):
                    return False
                if any(file.resolve().is_relative_to(folder) for folder in NOT_TEXTS):
                    return False
                size += file.stat().st_size
                if number >= MAX_FILES or size > MAX_BYTES:
                    return False
    except UNREADABLE:
        return False
    return number > 0
