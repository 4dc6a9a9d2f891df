"""What is tried after each epoch: the model writes a little, or is asked what it remembers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from textgen.data.recall_task import Task
from textgen.errors import ConfigError
from textgen.evaluation.recall_probe import Scorer, measure
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.runs import atomic_files
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training.state import RunState

TEMPERATURE = 0.8
DISTANCES = (20, 50, 100, 150, 300, 700)  # characters from fact to answer
DOCUMENTS = 48  # for each distance: a look, not a verdict


class Sampler(Protocol):
    """Something to try with the model after each epoch, told on the terminal and in a log.

    `now` returns the model as it is then. Whatever goes wrong in the model's writing is a note: no
    sample ends a run. A log that cannot be written does, with `RunError`.
    """

    def after_epoch(self, epoch: int, state: RunState) -> None:
        """Try it. epoch: from 0."""


def check_prompt(prompt: str, tokenizer: Tokenizer) -> None:
    """Raise `ConfigError` for a prompt that no sample can begin with."""
    ids = tokenizer.encode(prompt)
    if ids and all(i == tokenizer.unk_id for i in ids):
        raise ConfigError(
            f"prompt is {prompt!r}: none of its characters is in the text; give characters of the "
            "text, or leave it out"
        )


class TextSampler:
    """Lets the model write `length` tokens after `prompt`: to samples.jsonl."""

    def __init__(
        self, now: Callable[[], Generator], folder: Path, prompt: str, length: int, seed: int
    ) -> None:
        self.now, self.folder = now, folder
        self.prompt, self.length, self.seed = prompt, length, seed

    def after_epoch(self, epoch: int, state: RunState) -> None:
        try:
            sample = self.now().generate(
                self.prompt, max_new_tokens=self.length, temperature=TEMPERATURE, seed=self.seed
            )
        except Exception as error:
            _note(f"no sample after epoch {epoch + 1}", error)
            return
        text = self.prompt + sample.text
        line = json.dumps(
            {"epoch": epoch + 1, "step": state.step, "text": text}, ensure_ascii=False
        )
        atomic_files.append_line(self.folder / "samples.jsonl", line + "\n")
        logger.info(text.strip() + "\n")


class RecallSampler:
    """A small probe on held-out filler: to recall.jsonl."""

    def __init__(self, now: Callable[[], Generator], task: Task, folder: Path) -> None:
        self.now, self.task, self.folder = now, task, folder

    def after_epoch(self, epoch: int, state: RunState) -> None:
        try:
            scorer = Scorer(self.now(), self.task)
            rows = [measure(scorer, distance, DOCUMENTS) for distance in DISTANCES]
        except Exception as error:
            _note(f"no probe after epoch {epoch + 1}", error)
            return
        line = {
            "epoch": epoch + 1,
            "step": state.step,
            "seconds": state.seconds,
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        text = json.dumps(line, ensure_ascii=False)
        atomic_files.append_line(self.folder / "recall.jsonl", text + "\n")
        shown = ", ".join(f"{row.accuracy:.0%} at {row.distance}" for row in rows)
        logger.info(f"remembers {shown} characters")


def _note(what: str, error: Exception) -> None:
    message = (str(error) or type(error).__name__).splitlines()[0]
    logger.warning(f"note: {what}: {message}")
