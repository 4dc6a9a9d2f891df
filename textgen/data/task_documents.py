"""The documents of a recall task: written on the way, without end."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar

from textgen.data.document_batches import DocumentBatches
from textgen.data.recall_documents import sample_texts
from textgen.data.recall_task import Task
from textgen.data.training_data import TrainingData, digest
from textgen.errors import ConfigError
from textgen.runs.run_config import DataConfig, as_named
from textgen.tokenizers.tokenizer import Tokenizer

STEPS = 100  # batches of an epoch, unless the settings say more
JUDGED_BATCHES = 4  # after each epoch


@dataclasses.dataclass(frozen=True)
class TaskDocuments(TrainingData):
    """Documents of a task; held out are new ones, of which the answer alone is judged."""

    written_by: Task
    carry: ClassVar[bool] = False

    @property
    def task(self) -> Task:
        return self.written_by

    @property
    def config(self) -> DataConfig:
        text = self.text
        return DataConfig(
            as_named(self.source),
            task=self.task.path.name,
            characters=len(text),
            sha256=digest(text),
        )

    @functools.cached_property
    def text(self) -> str:
        return sample_texts(self.task)

    def tokens(self, tokenizer: Tokenizer) -> int:
        raise ConfigError(
            f"budget is for a text, and {self.task.path} is a task: give --epochs instead"
        )

    def batches(self, tokenizer: Tokenizer) -> DocumentBatches:
        settings = self.settings
        return DocumentBatches(
            self.task,
            tokenizer,
            settings.batch_size,
            settings.steps_per_epoch or STEPS,
            settings.epochs,
            settings.distance,
            settings.answer_weight,
            settings.seed,
        )

    def held_out(self, tokenizer: Tokenizer) -> DocumentBatches:
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
