"""What happens around the training steps: records, the best weights, samples, the bar, stopping."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from tqdm import tqdm

from textgen import checkpoint
from textgen.backend import keras
from textgen.dataset import Documents, Lanes
from textgen.errors import ConfigError, RunError
from textgen.generate import Generator
from textgen.model import LanguageModel
from textgen.model_card import model_card
from textgen.trainer import LaneTrainer

COLUMNS = (
    "epoch", "step", "seconds", "loss", "bits_per_char",
    "val_loss", "val_bits_per_char", "learning_rate", "tokens_per_second",
    "steps_per_second",
)  # fmt: skip
ROW_SECONDS = 2.0
STATUS_SECONDS = 0.5


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop (Ctrl-C, SIGTERM); the run is saved and can be resumed."""


class Carry(keras.callbacks.Callback):
    """Every epoch begins the text anew, except the one that a resumed run begins within."""

    def __init__(self, resumed_within: int | None) -> None:
        super().__init__()
        self.resumed_within = resumed_within

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch != self.resumed_within:
            self.model.reset_lanes()


class Mirror(keras.callbacks.Callback):
    """Copies the weights of `model` into `exact`, its twin in float32, after each epoch."""

    def __init__(self, model: LanguageModel, exact: LanguageModel) -> None:
        super().__init__()
        twins = exact.named_weights()
        self.pairs = [(weight, twins[name]) for name, weight in model.named_weights().items()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for weight, twin in self.pairs:
            twin.assign(weight)


class Validate(keras.callbacks.Callback):
    """Adds `val_loss`: of text in lanes of its own, state carried, or of held-out documents."""

    def __init__(self, evaluator: LaneTrainer, batches: Lanes | Documents) -> None:
        super().__init__()
        self.evaluator, self.batches = evaluator, batches

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.evaluator.reset_lanes()
        self.evaluator.nats.reset_state()
        held_out = self.batches.dataset().take(self.batches.steps)
        found = self.evaluator.evaluate(held_out, verbose=0, return_dict=True)
        logs["val_loss"] = float(found["loss"])


class Recorder(keras.callbacks.Callback):
    """history.csv and status.json; knows where the run is and how fast it goes.

    bits_per_char = nats per token / ln 2 * tokens per character.
    """

    def __init__(
        self,
        folder: Path,
        batches: Lanes | Documents,
        epochs: int,
        tokens_per_char: tuple[float, float],
    ) -> None:
        super().__init__()
        self.folder, self.epochs = folder, epochs
        self.steps = batches.steps
        self.bits, self.val_bits = (t / math.log(2) for t in tokens_per_char)
        self.epoch, self.step = 0, 0  # step counts batches of the whole run
        self.loss = math.nan
        self.tokens_per_second = self.steps_per_second = 0.0
        self.seconds_before = 0.0

    def begin_at(self, step: int, seconds: float) -> None:
        """Go on after `step` batches: rows of steps that were not saved are dropped."""
        self.step, self.seconds_before = step, seconds
        path = self.folder / "history.csv"
        rows = path.read_text().splitlines()[1:] if path.is_file() else []
        kept = [r for r in rows if int(r.split(",")[1]) <= step]
        checkpoint.write_file(path, ("\n".join([",".join(COLUMNS), *kept]) + "\n").encode())

    def on_train_begin(self, logs: Any = None) -> None:
        if not (self.folder / "history.csv").is_file():
            checkpoint.write_file(self.folder / "history.csv", (",".join(COLUMNS) + "\n").encode())
        # `fit` may be called twice: the rest of an epoch, then whole ones
        self.seconds_before = self.seconds
        self._started = self._row_at = self._status_at = time.monotonic()
        self._row_step, self._row_nats = self.step, (0.0, 0.0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self._row_nats = (0.0, 0.0)
        self._row_at, self._row_step = time.monotonic(), self.step
        self._unmeasured = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        if not math.isfinite(logs["loss"]):
            raise ConfigError(
                f"the loss is no longer a number at step {self.step}: lower --learning-rate "
                f"(it was {float(self.model.optimizer.learning_rate):.2g})"
            )
        now = time.monotonic()
        # the first row tells how long it took to compile a step
        if self.step == 1 or now - self._row_at >= ROW_SECONDS:
            self._measure(now)
            self._append({})
            self._unmeasured = self.step == 1
        self._batch_at = now
        if now - self._status_at >= STATUS_SECONDS:
            self._status_at = now
            self.write_status("running")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._unmeasured and self.step > self._row_step:  # an epoch shorter than a row's time
            self._measure(self._batch_at)
        self.loss = logs["loss"]
        self._append({"val_loss": logs.get("val_loss")})
        self.write_status("running")

    def _measure(self, now: float) -> None:
        """Loss and speed since the last row, not since the epoch began."""
        total, count = float(self.model.nats.total), float(self.model.nats.count)
        before_total, before_count = self._row_nats
        self.loss = (total - before_total) / max(count - before_count, 1.0)
        self.tokens_per_second = (count - before_count) / (now - self._row_at)
        self.steps_per_second = (self.step - self._row_step) / (now - self._row_at)
        self._row_nats, self._row_at, self._row_step = (total, count), now, self.step

    def _append(self, extra: dict[str, Any]) -> None:
        val_loss = extra.get("val_loss")
        row = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "seconds": f"{self.seconds:.2f}",
            "loss": f"{self.loss:.5f}",
            "bits_per_char": f"{self.loss * self.bits:.5f}",
            "val_loss": "" if val_loss is None else f"{val_loss:.5f}",
            "val_bits_per_char": "" if val_loss is None else f"{val_loss * self.val_bits:.5f}",
            "learning_rate": f"{float(self.model.optimizer.learning_rate):.3e}",
            "tokens_per_second": f"{self.tokens_per_second:.0f}",
            "steps_per_second": f"{self.steps_per_second:.4g}",
        }
        line = io.StringIO()
        csv.DictWriter(line, COLUMNS, lineterminator="\n").writerow(row)
        append_line(self.folder / "history.csv", line.getvalue())

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a resume included."""
        started = getattr(self, "_started", None)
        return self.seconds_before + (0.0 if started is None else time.monotonic() - started)

    @property
    def seconds_left(self) -> float | None:
        left = self.steps * self.epochs - self.step
        return left / self.steps_per_second if self.steps_per_second else None

    def write_status(self, state: str, message: str = "") -> None:
        number = self.loss if math.isfinite(self.loss) else None
        status = {
            "state": state,
            "pid": os.getpid(),
            "epoch": self.epoch + 1,
            "epochs": self.epochs,
            "step": self.step,
            "steps": self.steps * self.epochs,
            "seconds": round(self.seconds, 1),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "tokens_per_second": round(self.tokens_per_second),
            "loss": number,
            "bits_per_char": None if number is None else number * self.bits,
            "message": message,
        }
        checkpoint.write_file(self.folder / "status.json", json.dumps(status).encode())


class Keeper(keras.callbacks.Callback):
    """Keeps the weights that did best, what resuming needs, and stops when nothing gets better."""

    def __init__(
        self, folder: Path, card: dict[str, Any], recorder: Recorder, patience: int
    ) -> None:
        super().__init__()
        self.folder, self.card, self.recorder, self.patience = folder, card, recorder, patience
        self.best, self.waited, self.stopped_early = math.inf, 0, False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        judged = logs.get("val_loss", logs["loss"])
        if judged < self.best:
            self.best, self.waited = judged, 0
            self._save_model(epoch, logs)
        else:
            self.waited += 1
        self.save_training()
        if self.waited >= self.patience:
            self.stopped_early = self.model.stop_training = True

    def _save_model(self, epoch: int, logs: dict[str, float]) -> None:
        recorder = self.recorder
        metrics = {
            "epoch": epoch + 1,
            "seconds": round(recorder.seconds, 1),
            "bits_per_char": logs["loss"] * recorder.bits,
        }
        if "val_loss" in logs:
            metrics["val_loss"] = logs["val_loss"]
            metrics["val_bits_per_char"] = logs["val_loss"] * recorder.val_bits
        self.card["metrics"] = metrics
        checkpoint.save_model(self.folder, self.model.model)
        checkpoint.write_config(self.folder, self.card)
        text = model_card(self.folder.name, self.card, int(self.model.model.count_params()))
        checkpoint.write_file(self.folder / "README.md", text.encode())

    def save_training(self) -> None:
        """Save all that the next step depends on."""
        if not (self.folder / checkpoint.WEIGHTS).is_file():  # stopped in the first epoch
            self._save_model(self.recorder.epoch, {"loss": self.recorder.loss})
        arrays = {f"variable.{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        place = {
            "step": self.recorder.step, "seconds": self.recorder.seconds,
            "best": self.best if math.isfinite(self.best) else None, "waited": self.waited,
        }  # fmt: skip
        path = self.folder / checkpoint.TRAINING
        checkpoint.write_weights(path, arrays, place=json.dumps(place))

    def restore(self) -> None:
        """Put everything back as `save_training` found it."""
        path = self.folder / checkpoint.TRAINING
        arrays, metadata = checkpoint.read_weights(path)
        variables = self._variables()
        foreign = RunError(f"{path} does not fit config.json: train anew into another folder")
        if len(arrays) != len(variables) or "place" not in metadata:
            raise foreign
        for index, variable in enumerate(variables):
            array = arrays.get(f"variable.{index}")
            if array is None or array.shape != tuple(variable.shape):
                raise foreign
            variable.assign(array)
        place = json.loads(metadata["place"])
        self.best = math.inf if place["best"] is None else place["best"]
        self.waited = place["waited"]
        self.recorder.begin_at(place["step"], place["seconds"])

    def _variables(self) -> list[Any]:
        """Weights, carried state, dropout's random generators; then the optimizer's."""
        return [*self.model.variables, *self.model.optimizer.variables]


class Sampler(keras.callbacks.Callback):
    """Lets the model write a little after each epoch: to samples.jsonl and the terminal."""

    def __init__(
        self, generator: Generator, folder: Path, recorder: Recorder,
        prompt: str, length: int, seed: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.generator, self.folder, self.recorder = generator, folder, recorder
        self.prompt, self.length, self.seed = prompt, length, seed

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        written = self.generator.generate(
            self.prompt, max_new_tokens=self.length, temperature=0.8, seed=self.seed
        )
        text = self.prompt + written.text
        sample = {"epoch": epoch + 1, "step": self.recorder.step, "text": text}
        line = json.dumps(sample, ensure_ascii=False) + "\n"
        append_line(self.folder / "samples.jsonl", line)
        tqdm.write(text.strip() + "\n", file=sys.stderr)


class Progress(keras.callbacks.Callback):
    """A bar with loss, bits per character, tokens per second, time left; a line for each epoch."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def on_train_begin(self, logs: Any = None) -> None:
        recorder = self.recorder
        self.bar = tqdm(
            total=recorder.steps * recorder.epochs,
            initial=recorder.step,
            disable=not sys.stderr.isatty(),
            bar_format="{percentage:3.0f}%|{bar}| {remaining} left{postfix}",
            mininterval=0.2,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        recorder = self.recorder
        loss = recorder.loss if math.isfinite(recorder.loss) else logs["loss"]
        self.bar.set_postfix_str(
            f"epoch {recorder.epoch + 1}/{recorder.epochs}, loss {loss:.3f}, "
            f"{loss * recorder.bits:.3f} bits/char, {recorder.tokens_per_second:,.0f} tokens/s",
            refresh=False,
        )
        self.bar.update(1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        recorder = self.recorder
        held_out = ""
        if "val_loss" in logs:
            held_out = f", held out {logs['val_loss'] * recorder.val_bits:.3f}"
        tqdm.write(
            f"epoch {epoch + 1}/{recorder.epochs}: loss {logs['loss']:.3f}, bits/char "
            f"{logs['loss'] * recorder.bits:.3f}{held_out}, "
            f"{recorder.tokens_per_second:,.0f} tokens/s, {recorder.seconds:.0f} s",
            file=sys.stderr,
        )

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.close()


class Limit(keras.callbacks.Callback):
    """Ends the epoch, and the training with it, `seconds` after the first step, in which a step is
    compiled."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.end = seconds, math.inf

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.monotonic()
        if self.end == math.inf:
            self.end = now + self.seconds
        if now >= self.end:
            self.model.stop_training = True


class Stopper(keras.callbacks.Callback):
    """Turns Ctrl-C and SIGTERM into a stop between two steps, when everything is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Stopper:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        for n, handler in self._previous.items():  # a second Ctrl-C does not wait
            signal.signal(n, handler)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # after the last batch of an epoch, wait for its end: validation and saving belong to it
        if self.asked and batch + 1 < (self.params["steps"] or math.inf):
            raise Interrupted

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.asked:
            raise Interrupted


def append_line(path: Path, line: str) -> None:
    """Add a line to a log of the run. Raises `RunError` when the disk is full."""
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; free some space, then go on with --resume"
        ) from error
