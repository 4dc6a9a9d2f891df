"""What outlives the process: the weights that did best, and all that the next step depends on.

The training is saved after each epoch and every `SAVE_SECONDS`, in turn to one of two files, so
that the newest whole save is never touched. A run killed at any moment goes on from there, and a
run whose loss runs away goes back to there.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from textgen.backend import keras
from textgen.errors import ConfigError, RunError
from textgen.log import logger
from textgen.runs import run_folder
from textgen.runs.model_card import model_card
from textgen.training.callbacks import Recorder
from textgen.training.divergence import LOWERED, Diverged, Watch

SAVES = (run_folder.TRAINING, "training.2.safetensors")
SAVE_SECONDS = 60.0
LARGEST_COUNT = 2**53


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a run is, beside the values of its variables.

    number: of the save, from 1. step: batches read. seconds: of training. best: the loss that
    `waited` epochs did not beat. nats: sum and tokens of the epoch so far. watched: what `Watch`
    has seen. learning_rate: the peak in use. rolled_back: what was done about a runaway loss.
    """

    number: int
    step: int
    seconds: float
    best: float | None
    waited: int
    nats: tuple[float, float]
    watched: tuple[int, float, float]
    learning_rate: float
    rolled_back: dict[str, float] | None = None


@dataclasses.dataclass(frozen=True)
class Saved:
    """A save, and which of `SAVES` it was read from."""

    place: Place
    arrays: dict[str, np.ndarray]
    name: str


class Keeper(keras.callbacks.Callback):
    """Keeps the best weights and the training, and stops when nothing gets better."""

    def __init__(
        self,
        folder: Path,
        card: dict[str, Any],
        recorder: Recorder,
        watch: Watch,
        patience: int,
        learning_rate: float,
    ) -> None:
        super().__init__()
        self.folder, self.card, self.recorder, self.watch = folder, card, recorder, watch
        self.patience, self.learning_rate = patience, learning_rate
        self.best, self.waited, self.number = math.inf, 0, 0
        self._next = SAVES[0]
        self._saved_at = time.monotonic()

    @property
    def stopped_early(self) -> bool:
        return self.waited >= self.patience

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.model.workers is not None:
            return  # clocks differ: several workers save together, at the end of an epoch
        # after the last batch of an epoch, wait for its end: validation belongs to it
        if time.monotonic() - self._saved_at >= SAVE_SECONDS and self.recorder.within_epoch:
            self.save_training()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        judged = logs.get("val_loss", logs["loss"])
        if judged < self.best:
            self.best, self.waited = judged, 0
            self._save_model(epoch, logs)
        else:
            self.waited += 1
        self.save_training()
        if self.stopped_early:
            self.model.stop_training = True

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
        run_folder.save_model(self.folder, self.model.model)
        run_folder.write_config(self.folder, self.card)
        text = model_card(self.folder.name, self.card, int(self.model.model.count_params()))
        run_folder.write_file(self.folder / "README.md", text.encode("utf-8", "replace"))

    def save_training(self) -> None:
        """Save all that the next step depends on; while the loss runs away, nothing.

        Raises `Diverged` when a value is no longer a number.
        """
        if not self.watch.calm:
            return
        arrays = {f"variable.{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        if not all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f"):
            raise Diverged(f"the weights are no longer numbers at step {self.recorder.step}")
        if self.recorder.step and math.isinf(self.best):  # within the first epoch
            nats, tokens = self.recorder.nats
            self._save_model(self.recorder.epoch, {"loss": nats / max(tokens, 1.0)})
        self.number += 1
        place = Place(
            self.number,
            self.recorder.step,
            self.recorder.seconds,
            self.best if math.isfinite(self.best) else None,
            self.waited,
            self.recorder.nats,
            self.watch.state,
            self.learning_rate,
            self.recorder.rolled_back,
        )
        path = self.folder / self._next
        run_folder.write_weights(path, arrays, json.dumps(dataclasses.asdict(place)))
        self._next = _other(self._next)
        self._saved_at = time.monotonic()

    def restore(self, saved: Saved) -> None:
        """Put everything back as `save_training` found it. Raises `RunError`."""
        place, variables = saved.place, self._variables()
        names = [f"variable.{i}" for i in range(len(variables))]
        shapes = {name: (a.shape, a.dtype.name) for name, a in saved.arrays.items()}
        wanted = [(tuple(v.shape), keras.backend.standardize_dtype(v.dtype)) for v in variables]
        if shapes != dict(zip(names, wanted, strict=True)):
            raise _foreign(self.folder / saved.name)
        for name, variable in zip(names, variables, strict=True):
            variable.assign(saved.arrays[name])
        self.best = math.inf if place.best is None else place.best
        self.waited, self.number = place.waited, place.number
        self.learning_rate = place.learning_rate
        self.watch.state = place.watched
        self._next = _other(saved.name)
        self.recorder.begin_at(place.step, place.nats)

    def roll_back(self, trouble: Diverged) -> Saved:
        """The last save with its rate lowered, to be restored.

        Raises `ConfigError` with advice when that was done before.
        """
        if self.recorder.rolled_back:
            raise ConfigError(
                f"{trouble}, again after the learning rate was lowered to "
                f"{self.learning_rate:.2g}: train anew with --learning-rate "
                f"{self.learning_rate * LOWERED:.1g}, or with a smaller --clip-norm"
            ) from trouble
        saved = read_saved(self.folder)
        rate = saved.place.learning_rate * LOWERED
        logger.warning(
            f"{trouble}: back to step {saved.place.step}, learning rate lowered from "
            f"{self.learning_rate:.2g} to {rate:.2g}"
        )
        self.recorder.rolled_back = {
            "step": self.recorder.step,
            "to": saved.place.step,
            "learning_rate": rate,
        }
        return dataclasses.replace(
            saved, place=dataclasses.replace(saved.place, learning_rate=rate)
        )

    def _variables(self) -> list[Any]:
        """Weights, carried state, dropout's random generators; then the optimizer's."""
        return [*self.model.variables, *self.model.optimizer.variables]


def read_saved(folder: Path, step: int | None = None) -> Saved:
    """The newest whole save in `folder`, or that of `step`. Raises `RunError` without one."""
    failures = []
    for name in sorted(SAVES, key=lambda name: -_number(folder / name)):
        try:
            arrays, note = run_folder.read_weights(folder / name)
            place = _place(folder / name, note)
        except RunError as error:
            failures.append(error)
            continue
        if step is not None and place.step != step:
            continue
        other = folder / _other(name)
        if failures or (other.is_file() and not _number(other)):
            logger.warning(f"note: {other} is damaged: going on from {name}, at step {place.step}")
        return Saved(place, arrays, name)
    raise (
        failures[0] if failures else RunError(f"{folder} holds no save of step {step}: train anew")
    )


def _number(path: Path) -> int:
    """The number of the save at `path`; 0 for one that cannot be read."""
    try:
        return _place(path, run_folder.read_note(path)).number
    except RunError:
        return 0


def _place(path: Path, note: str) -> Place:
    """Raises `RunError` unless `note` is one that `save_training` wrote."""
    try:
        told = json.loads(note)
        (nats, tokens), (seen, fast, slow) = told["nats"], told["watched"]
        best, rolled_back = told["best"], told["rolled_back"]
        place = Place(
            int(told["number"]),
            int(told["step"]),
            float(told["seconds"]),
            None if best is None else float(best),
            int(told["waited"]),
            (float(nats), float(tokens)),
            (int(seen), float(fast), float(slow)),
            float(told["learning_rate"]),
            None if rolled_back is None else {k: float(v) for k, v in dict(rolled_back).items()},
        )
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise _foreign(path) from error
    counts = (place.number, place.step, place.waited, place.watched[0])
    if not all(0 <= n < LARGEST_COUNT for n in counts) or not 0 < place.learning_rate < math.inf:
        raise _foreign(path)
    return place


def _foreign(path: Path) -> RunError:
    return RunError(f"{path} does not fit this run: train anew into another folder")


def _other(name: str) -> str:
    return SAVES[1 - SAVES.index(name)]
