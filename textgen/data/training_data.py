"""What a model is trained on, as training sees it: a text in memory, a streamed text, or a task.

Training asks for a text to train the tokenizer on, lets the data be prepared with that tokenizer,
and then takes batches. What only some kinds of data need does nothing in the others.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from textgen.config import TrainConfig
from textgen.data.batches import Batches
from textgen.data.recall_task import Task
from textgen.runs.run_config import DataConfig
from textgen.text.source import Source
from textgen.tokenizers.tokenizer import Tokenizer

COUNTED = 20_000_000  # to count n-grams in so many letters takes 6 s of a core, and 1.3 GB


@dataclasses.dataclass(frozen=True)
class TrainingData(ABC):
    """What `source` names, to be trained on with `settings`.

    carry: whether one batch goes on where the batch before it ended. task: the task that writes
    the documents, None for a text. replayed: another text that is mixed in, None without one.
    """

    source: Source
    settings: TrainConfig
    carry: ClassVar[bool] = True

    @property
    def task(self) -> Task | None:
        return None

    @property
    def replayed(self) -> TrainingData | None:
        return None

    @property
    @abstractmethod
    def config(self) -> DataConfig:
        """What config.json says of it."""

    @property
    @abstractmethod
    def text(self) -> str:
        """What a tokenizer is trained on; nothing held out."""

    @property
    def held_out_text(self) -> str:
        """What of the text is not trained on; "" for a task."""
        return ""

    @abstractmethod
    def tokens(self, tokenizer: Tokenizer) -> int:
        """Ids of a pass over the training text. Raises `ConfigError` for a task, which has none."""

    def counted(self, tokenizer: Tokenizer) -> np.ndarray:
        """The ids of the training text that n-grams are counted in: the first `COUNTED` of them."""
        return tokenizer.encode_array(self.text[:COUNTED])[:COUNTED]

    @abstractmethod
    def batches(self, tokenizer: Tokenizer) -> Batches:
        """What is trained on. Raises `CorpusError` for too short a text."""

    @abstractmethod
    def held_out(self, tokenizer: Tokenizer) -> Batches | None:
        """What is judged by; None where nothing is held out."""

    @abstractmethod
    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        """Of what is trained on, and of what is judged by."""

    def summary(self) -> str:
        """What was read, in a line; "" where that is said elsewhere, or there is nothing to say."""
        return ""

    def notes(self) -> list[str]:
        """What a user would not expect of it, a line each."""
        return []

    def prepare(self, tokenizer: Tokenizer) -> Self:
        """Get ready to give batches. Raises `CorpusError`, and `RunError` for a full disk."""
        return self

    def prepare_again(self, recorded: DataConfig, tokenizer: Tokenizer, *, moved: bool) -> Self:
        """As `prepare`, of a run that is resumed. recorded: what config.json says; moved: another
        source was given than the run began with."""
        return self

    def discard(self, tokenizer: Tokenizer) -> None:
        """Take away what `prepare` wrote."""
        return None

    def check(self, tokenizer: Tokenizer) -> None:
        """Raises `RunError` where what `prepare` wrote is no longer what it was."""
        return None


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
