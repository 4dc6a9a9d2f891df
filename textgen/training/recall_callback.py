"""While a model is trained on a task: what does it remember by now?"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from textgen.backend import keras
from textgen.data.recall_task import Task
from textgen.evaluation.recall_probe import Scorer, measure
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.runs import run_folder
from textgen.training.callbacks import Recorder

DISTANCES = (20, 50, 100, 150, 300, 700)
DOCUMENTS = 48  # for each distance: a look, not a verdict
FILE = "recall.jsonl"


class Recall(keras.callbacks.Callback):
    """A small probe on held-out filler after each epoch: to recall.jsonl and the terminal."""

    def __init__(self, generator: Generator, task: Task, folder: Path, recorder: Recorder) -> None:
        super().__init__()
        self.scorer = Scorer(generator, task)
        self.folder, self.recorder = folder, recorder

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        rows = [measure(self.scorer, distance, DOCUMENTS) for distance in DISTANCES]
        line = {
            "epoch": epoch + 1,
            "step": self.recorder.step,
            "seconds": self.recorder.seconds,
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        run_folder.append_line(self.folder / FILE, json.dumps(line, ensure_ascii=False) + "\n")
        shown = ", ".join(f"{row.accuracy:.0%} at {row.distance}" for row in rows)
        logger.info(f"remembers {shown} characters")
