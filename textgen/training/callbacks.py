"""What happens around the training steps: records, samples, the bar, stopping."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from textgen.backend import keras
from textgen.data.batches import Batches
from textgen.generation.generator import Generator
from textgen.log import logger, progress_bar
from textgen.model import LanguageModel
from textgen.runs import run_folder
from textgen.training.trainer import LaneTrainer

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


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop (Ctrl-C, SIGTERM); the run is saved and can be resumed."""


class Carry(keras.callbacks.Callback):
    """Forgets where the text begins anew. An epoch that a resumed run begins within goes on with
    its sum of the loss, which Keras has reset.

    steps_of_text: batches, which are those of an epoch but for a streamed text."""

    def __init__(self, recorder: Recorder, steps_of_text: int) -> None:
        super().__init__()
        self.recorder, self.steps_of_text = recorder, steps_of_text

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.recorder.within_epoch:
            self.model.nats.total.assign(self.recorder.nats[0])
            self.model.nats.count.assign(self.recorder.nats[1])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.recorder.step % self.steps_of_text == 0:
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

    def __init__(self, evaluator: LaneTrainer, batches: Batches) -> None:
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
        batches: Batches,
        epochs: int,
        tokens_per_char: tuple[float, float],
    ) -> None:
        super().__init__()
        self.folder, self.epochs = folder, epochs
        self.history = folder / run_folder.HISTORY
        self.steps = batches.steps
        self.bits, self.val_bits = (t / math.log(2) for t in tokens_per_char)
        self.epoch, self.step = 0, 0  # step counts batches of the whole run
        self.loss = self.batch_loss = math.nan
        self.nats = (0.0, 0.0)  # sum and tokens of the epoch so far
        self.tokens_per_second = self.steps_per_second = 0.0
        self.seconds_before = 0.0
        self.rolled_back: dict[str, float] | None = None  # what was done about a runaway loss

    @property
    def within_epoch(self) -> bool:
        return self.step % self.steps != 0

    def begin_at(self, step: int, nats: tuple[float, float]) -> None:
        """Go on after `step` batches: what the logs tell of steps after that is dropped."""
        self.step, self.nats = step, nats
        run_folder.keep_lines(self.history, _step_of_row, step)
        for path in self.folder.glob("*.jsonl"):
            run_folder.keep_lines(path, lambda line: int(json.loads(line)["step"]), step)

    def on_train_begin(self, logs: Any = None) -> None:
        if not self.history.is_file():
            run_folder.write_file(self.history, (",".join(COLUMNS) + "\n").encode())
        # `fit` may be called twice: the rest of an epoch, then whole ones
        self.seconds_before = self.seconds
        self._started = self._row_at = self._status_at = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        if not self.within_epoch:
            self.nats = (0.0, 0.0)
        self._row_nats = self.nats
        self._row_at, self._row_step = time.monotonic(), self.step
        self._unmeasured = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        before, self.nats = self.nats, (float(self.model.nats.total), float(self.model.nats.count))
        tokens = self.nats[1] - before[1]
        self.batch_loss = (self.nats[0] - before[0]) / max(tokens, 1.0)
        if math.isfinite(self.batch_loss):  # else `Watch` takes it up
            self._record()

    def _record(self) -> None:
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
        tokens = self.nats[1] - self._row_nats[1]
        self.loss = (self.nats[0] - self._row_nats[0]) / max(tokens, 1.0)
        self.tokens_per_second = tokens / (now - self._row_at)
        self.steps_per_second = (self.step - self._row_step) / (now - self._row_at)
        self._row_nats, self._row_at, self._row_step = self.nats, now, self.step

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
        run_folder.append_line(self.history, line.getvalue())

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
            "rolled_back": self.rolled_back,
            "message": message,
        }
        run_folder.write_file(self.folder / "status.json", json.dumps(status).encode())


class Sampler(keras.callbacks.Callback):
    """Lets the model write a little after each epoch: to samples.jsonl and the terminal."""

    def __init__(
        self,
        generator: Generator,
        folder: Path,
        recorder: Recorder,
        prompt: str,
        length: int,
        seed: int,
    ) -> None:
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
        run_folder.append_line(self.folder / "samples.jsonl", line)
        logger.info(text.strip() + "\n")


class Progress(keras.callbacks.Callback):
    """A bar with loss, bits per character, tokens per second, time left; a line for each epoch."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.bar: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        recorder = self.recorder
        self.on_train_end()  # a bar may be left open where the loss ran away
        self.bar = progress_bar(
            total=recorder.steps * recorder.epochs,
            initial=recorder.step,
            bar_format="{percentage:3.0f}%|{bar}| {remaining} left{postfix}",
            mininterval=0.2,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        recorder = self.recorder
        loss = recorder.loss if math.isfinite(recorder.loss) else recorder.batch_loss
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
        logger.info(
            f"epoch {epoch + 1}/{recorder.epochs}: loss {logs['loss']:.3f}, bits/char "
            f"{logs['loss'] * recorder.bits:.3f}{held_out}, "
            f"{recorder.tokens_per_second:,.0f} tokens/s, {recorder.seconds:.0f} s"
        )

    def on_train_end(self, logs: Any = None) -> None:
        if self.bar is not None:
            self.bar.close()


class Limit(keras.callbacks.Callback):
    """Ends the epoch, and the training with it, `seconds` after the first step, in which a step is
    compiled.

    before: seconds that were trained already, before a resume. `gone` is a variable, kept at the
    share of the time that is gone.
    """

    def __init__(self, seconds: float, before: float) -> None:
        super().__init__()
        self.seconds, self.before = seconds, before
        self.gone = keras.Variable(min(before / seconds, 1.0), trainable=False, dtype="float32")
        self.begin: float | None = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.monotonic()
        if self.begin is None:
            self.begin = now - self.before
        share = (now - self.begin) / self.seconds
        self.gone.assign(min(share, 1.0))
        if share >= 1.0:
            self.model.stop_training = True


class Stopper(keras.callbacks.Callback):
    """Turns Ctrl-C and SIGTERM into a stop between two steps, when everything is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Stopper:
        self.listen()
        return self

    def listen(self) -> None:
        """Take the signals; anew where TensorFlow has taken them meanwhile."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous.setdefault(number, signal.signal(number, self._ask))

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        for n, handler in self._previous.items():  # a second Ctrl-C does not wait
            signal.signal(n, handler)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # after the last batch of an epoch, wait for its end: validation and saving belong to it
        if self._agreed() and batch + 1 < (self.params["steps"] or math.inf):
            raise Interrupted

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._agreed():
            raise Interrupted

    def _agreed(self) -> bool:
        """Several workers stop at the same step, whichever was asked to."""
        workers = self.model.workers
        return self.asked if workers is None else workers.agreed_to_stop(self.asked)


def _step_of_row(line: str) -> int:
    """Of a row of history.csv; the head is of no step, and stays."""
    cells = line.split(",")
    return 0 if tuple(cells) == COLUMNS else int(cells[COLUMNS.index("step")])
