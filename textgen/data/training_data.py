"""What a model is trained on: a text, in memory or streamed (streamed.py), or a task that writes
documents. All look alike to training.

facts: what config.json says of it. text: what a tokenizer is trained on. carry: whether one batch
goes on where the batch before it ended.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from textgen.config import TrainConfig
from textgen.data.batches import Documents, Lanes, held_out_lanes, make_lanes
from textgen.data.recall_task import Task, is_task, read_task, sample_texts
from textgen.data.streamed_text import StreamedMaterial
from textgen.errors import ConfigError, TextgenError
from textgen.options import build
from textgen.text.corpus import Corpus, load_corpus
from textgen.text.source import encodings_of
from textgen.tokenizers.tokenizer import Tokenizer

MOST_FILES, LARGEST_FILE = 2000, 1 << 28  # of a text that is read without being asked for
STEPS = 100  # batches of an epoch of a task, unless the settings say more
JUDGED_BATCHES = 4  # of a task, after each epoch


@dataclasses.dataclass(frozen=True)
class TextMaterial:
    """A text whose end is held out."""

    corpus: Corpus
    config: TrainConfig
    carry: ClassVar[bool] = True

    @property
    def facts(self) -> dict[str, Any]:
        corpus = self.corpus
        return {
            "encodings": encodings_of(corpus.sources),
            "documents": len(corpus.documents),
            "characters": len(corpus.text),
            "sha256": digest(corpus.text),
        }

    @property
    def text(self) -> str:
        return self._parts[0]

    @property
    def held_out_text(self) -> str:
        return self._parts[1]

    @functools.cached_property
    def _parts(self) -> tuple[str, str]:
        return self.corpus.split(self.config.validation_fraction)

    def tokens(self, tokenizer: Tokenizer) -> int:
        """Ids of the training text."""
        return len(tokenizer.encode_array(self.text))

    def batches(self, tokenizer: Tokenizer) -> Lanes:
        ids = tokenizer.encode_array(self.text)
        return make_lanes(ids, self.config.batch_size, self.config.sequence_length)

    def held_out(self, tokenizer: Tokenizer) -> Lanes | None:
        ids = tokenizer.encode_array(self.held_out_text)
        return held_out_lanes(ids, self.config.sequence_length)

    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        """Of the text, and of what is held out."""
        text, held_out = (len(tokenizer.encode_array(p)) / max(len(p), 1) for p in self._parts)
        return text, held_out


@dataclasses.dataclass(frozen=True)
class TaskMaterial:
    """Documents without end; held out are new ones, and the answer alone is judged."""

    task: Task
    config: TrainConfig
    carry: ClassVar[bool] = False

    @property
    def facts(self) -> dict[str, Any]:
        text = self.text
        return {"task": self.task.path.name, "characters": len(text), "sha256": digest(text)}

    @functools.cached_property
    def text(self) -> str:
        return sample_texts(self.task)

    def batches(self, tokenizer: Tokenizer) -> Documents:
        config = self.config
        return Documents(
            self.task,
            tokenizer,
            config.batch_size,
            config.steps_per_epoch or STEPS,
            config.epochs,
            config.distance,
            config.answer_weight,
            config.seed,
        )

    def held_out(self, tokenizer: Tokenizer) -> Documents:
        return dataclasses.replace(
            self.batches(tokenizer), steps=JUDGED_BATCHES, answer_weight=1.0, judged=True
        )

    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        """Of the documents, and of the answers."""
        answers = "".join(self.task.answers)
        text = self.text
        return len(tokenizer.encode(text)) / len(text), (
            sum(len(tokenizer.encode(a)) for a in self.task.answers) / len(answers)
        )


Material = TextMaterial | StreamedMaterial | TaskMaterial


def read_material(
    source: str | Path | Sequence[str | Path], config: TrainConfig, folder: Path | None = None
) -> Material:
    """What `source` names. folder: of the run, which a streamed text needs.

    Raises `TextgenError` for what cannot be trained on.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    if len(sources) == 1 and is_task(sources[0]):
        if config.stream:
            raise ConfigError(f"stream is for a text, and {sources[0]} is a task: leave it out")
        return TaskMaterial(read_task(sources[0]), config)
    if config.stream:
        if folder is None:
            raise ConfigError("stream is for textgen train alone: leave it out")
        return StreamedMaterial(source, config, folder)
    return TextMaterial(load_corpus(source, config), config)


def own_material(card: dict[str, Any], source: Any) -> TextMaterial | None:
    """The text `source`, cut as in training, if it is the one that the run of `card` was trained
    on in memory; None for every other text."""
    corpus = card.get("corpus")
    if not isinstance(corpus, dict) or "sha256" not in corpus:
        return None
    if "task" in corpus or "streamed" in corpus:  # documents without end; too large for memory
        return None
    try:
        material = read_material(source, build(TrainConfig, card["training"]))
    except (TextgenError, TypeError):
        return None
    if not isinstance(material, TextMaterial) or material.facts["sha256"] != corpus["sha256"]:
        return None
    return material


def material_at_hand(card: dict[str, Any], *homes: Path) -> TextMaterial | None:
    """The text that a run was trained on, where its config.json says it is, seen from the working
    directory or from one of `homes`; None when it is not there.

    A card may come from a stranger: nothing is fetched, and no device and no whole disk is read.
    """
    corpus = card.get("corpus")
    source = corpus.get("source") if isinstance(corpus, dict) else None
    sources = [source] if isinstance(source, str) else source
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        return None
    for home in (Path(), *homes):
        paths = [home / s for s in sources]
        if _may_be_read(paths) and (found := own_material(card, paths)) is not None:
            return found
    return None


def _may_be_read(paths: list[Path]) -> bool:
    """Whether these are files, and folders of a moderate number of files, of a moderate size."""
    files = 0
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else [path]
        for file in itertools.islice(inside, MOST_FILES):
            files += 1
            if not file.is_dir() and (not file.is_file() or file.stat().st_size > LARGEST_FILE):
                return False
    return 0 < files < MOST_FILES


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
