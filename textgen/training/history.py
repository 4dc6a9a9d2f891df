"""The logs of a run: history.csv, a row every few seconds and after each epoch, and status.json.

bits_per_char = nats per token / ln 2 * tokens per character.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from textgen.runs import atomic_files, run_folder
from textgen.training.state import RunState

COLUMNS = (
    "epoch",
    "step",
    "seconds",
    "loss",
    "bits_per_char",
    "val_loss",
    "val_bits_per_char",
    "learning_rate",
    "tokens_per_second",
    "steps_per_second",
)
ROW_SECONDS = 2.0
STATUS_SECONDS = 0.5


class History:
    """Writes the logs of the run in `folder`, and knows how fast it goes.

    steps: batches of an epoch. tokens_per_char: of what is trained on, and of what is judged by.
    rate: gives the current learning rate.
    loss: nats per token between the last two rows, nan before the first row. bits, val_bits: bits
    per character of a nat per token, of what is trained on and of what is judged by.
    """

    def __init__(
        self,
        folder: Path,
        epochs: int,
        steps: int,
        tokens_per_char: tuple[float, float],
        rate: Callable[[], float],
    ) -> None:
        self.folder, self.epochs, self.steps, self.rate = folder, epochs, steps, rate
        self.bits, self.val_bits = (t / math.log(2) for t in tokens_per_char)
        self.epoch = 0
        self.loss = math.nan
        self.tokens_per_second = self.steps_per_second = 0.0

    def go_on_from(self, state: RunState) -> None:
        """Drop what the logs tell of later steps."""
        path = self.folder / run_folder.HISTORY
        if path.is_file():
            atomic_files.keep_lines(path, _step_of_row, state.step)
        else:
            atomic_files.write_file(path, (",".join(COLUMNS) + "\n").encode())
        for path in self.folder.glob("*.jsonl"):
            atomic_files.keep_lines(path, lambda line: int(json.loads(line)["step"]), state.step)
        self._status_at = time.monotonic()
        self._first = state.step + 1  # the step in which the program is compiled

    def begin_epoch(self, epoch: int, state: RunState) -> None:
        """Measure the loss and the time of the next row from here on. epoch: from 0."""
        self.epoch = epoch
        self._row_at, self._row_step = time.monotonic(), state.step
        self._row_nats, self._row_tokens = state.nats, state.tokens
        self._measured = False

    def after_step(self, state: RunState) -> None:
        """Write a row and the status, if it is time for them."""
        now = self._step_at = time.monotonic()
        # the first row tells how long it took to compile a step
        if state.step == self._first or now - self._row_at >= ROW_SECONDS:
            self._measure(state)
            self._append(state, None)
            self._measured = state.step > self._first
        if now - self._status_at >= STATUS_SECONDS:
            self._status_at = now
            self.write_status(state, "running")

    def after_epoch(self, state: RunState, loss: float, val_loss: float | None) -> None:
        """Write a row and the status. loss: nats per token of the epoch; val_loss: of what is held
        out, None where nothing is."""
        if not self._measured and state.step > self._row_step:  # an epoch of less than a row's time
            self._measure(state)
        self.loss = loss
        self._append(state, val_loss)
        self.write_status(state, "running")

    def _measure(self, state: RunState) -> None:
        """Loss and speed since the last row, not since the epoch began."""
        steps, tokens = state.step - self._row_step, state.tokens - self._row_tokens
        seconds = self._step_at - self._row_at
        self.loss = (state.nats - self._row_nats) / max(tokens, 1.0)
        self.tokens_per_second, self.steps_per_second = tokens / seconds, steps / seconds
        self._row_at, self._row_step = self._step_at, state.step
        self._row_nats, self._row_tokens = state.nats, state.tokens

    def _append(self, state: RunState, val_loss: float | None) -> None:
        row = {
            "epoch": self.epoch + 1,
            "step": state.step,
            "seconds": f"{state.seconds:.2f}",
            "loss": f"{self.loss:.5f}",
            "bits_per_char": f"{self.loss * self.bits:.5f}",
            "val_loss": "" if val_loss is None else f"{val_loss:.5f}",
            "val_bits_per_char": "" if val_loss is None else f"{val_loss * self.val_bits:.5f}",
            "learning_rate": f"{self.rate():.3e}",
            "tokens_per_second": f"{self.tokens_per_second:.0f}",
            "steps_per_second": f"{self.steps_per_second:.4g}",
        }
        line = io.StringIO()
        csv.DictWriter(line, COLUMNS, lineterminator="\n").writerow(row)
        atomic_files.append_line(self.folder / run_folder.HISTORY, line.getvalue())

    def write_status(self, state: RunState, word: str, message: str = "") -> None:
        """Write status.json. word: running, finished, stopped or failed."""
        steps = self.steps * self.epochs
        # the speed of the step in which the program is compiled foretells nothing
        foretold = self.steps_per_second and self._row_step > self._first
        left = (steps - state.step) / self.steps_per_second if foretold else None
        loss = self.loss if math.isfinite(self.loss) else None
        status = {
            "state": word,
            "pid": os.getpid(),
            "epoch": self.epoch + 1,
            "epochs": self.epochs,
            "step": state.step,
            "steps": steps,
            "seconds": round(state.seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
            "tokens_per_second": round(self.tokens_per_second),
            "loss": loss,
            "bits_per_char": None if loss is None else loss * self.bits,
            "rolled_back": state.rolled_back,
            "message": message,
        }
        atomic_files.write_file(self.folder / "status.json", json.dumps(status).encode())


def _step_of_row(line: str) -> int:
    """Of a row of history.csv; the head is of no step, and stays."""
    cells = line.split(",")
    return 0 if tuple(cells) == COLUMNS else int(cells[COLUMNS.index("step")])
