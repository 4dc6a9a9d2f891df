"""The story of a training: what happens in a step, at the end of an epoch, at a save, when it is
resumed, and when the loss runs away.

Everything that a step depends on is in variables of TensorFlow (weights, optimizer, carried state,
random generators) and in one `RunState`. Both are saved together and restored together, so a run
can be stopped or killed at any step and resumed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textgen.arrays import Array
from textgen.data.batches import Batches
from textgen.errors import ConfigError, RunError
from textgen.log import logger
from textgen.runs import array_file, atomic_files, run_folder
from textgen.runs.model_card import write_card
from textgen.runs.ngrams import NGRAMS
from textgen.runs.run_config import RunConfig
from textgen.runs.voices import write_voices
from textgen.training.divergence import LOWERED, Diverged
from textgen.training.history import History
from textgen.training.optimizers import optimizer
from textgen.training.progress import Progress
from textgen.training.samples import Sampler
from textgen.training.saves import Save, arrays_of, names_of, read_save, restore, write_save
from textgen.training.state import RunState
from textgen.training.stop_request import Interrupted, StopRequest
from textgen.training.time_limit import TimeLimit
from textgen.training.trainer import LaneTrainer
from textgen.training.validation import Twin, Validation

if TYPE_CHECKING:
    import keras

SAVE_SECONDS = 60.0
WORSE_THAN_CHANCE = 1.2  # times the loss of one who guesses; a model begins near that loss
# takes what config.json says of a run and returns what it says then; raises nothing
AtEnd = Callable[[RunConfig], RunConfig]


class Training:
    """A run in `folder`: `trainer` learns from `batches` as `config` says.

    tokens_per_char: of what is trained on, and of what is held out. twin: the weights in float32,
    which are judged and sampled from. validation: None where nothing is held out. samplers: what is
    tried after each epoch. limit: None without one. at_end: what is to be done with the weights
    that did best, in this order, before the run counts as finished.
    callbacks: Keras's own, called as `fit` calls them.
    """

    def __init__(
        self,
        folder: Path,
        config: RunConfig,
        trainer: LaneTrainer,
        batches: Batches,
        tokens_per_char: tuple[float, float],
        *,
        stop: StopRequest,
        twin: Twin,
        validation: Validation | None = None,
        samplers: Sequence[Sampler] = (),
        limit: TimeLimit | None = None,
        at_end: Sequence[AtEnd] = (),
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        self.folder, self.config, self.trainer, self.batches = folder, config, trainer, batches
        self.stop, self.twin, self.validation = stop, twin, validation
        self.samplers, self.limit, self.at_end = samplers, limit, at_end
        settings = config.training
        self.state = RunState(settings.learning_rate)
        self.epoch = 0
        self.stopped_early = self.is_over = False
        self.history = History(
            folder, settings.epochs, batches.steps, tokens_per_char, lambda: self.learning_rate
        )
        self.progress = Progress(self.history)
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_model(trainer)
            callback.set_params({"epochs": settings.epochs, "steps": batches.steps, "verbose": 0})

    # --- the whole -----------------------------------------------------------------------------

    def run(self, save: Save | None = None, *, further: bool = False) -> None:
        """Train to the end, from the beginning or from a save.

        further: more epochs were asked for, so what ended the run early no longer does.
        Raises `Interrupted` after Ctrl-C, when the run is saved; `ConfigError` when the loss ran
        away twice; `RunError` when a file cannot be written.
        """
        self.begin(save, further=further)
        try:
            self.trainer.stop_training = False
            self._call("on_train_begin")
            while not self._is_done():
                try:
                    self._train_epoch()
                except Diverged as trouble:
                    self.go_back(trouble)
            self._call("on_train_end")
        except Interrupted:
            with contextlib.suppress(Diverged):
                self.save()
            self.history.write_status(self.state, "stopped")
            raise
        finally:
            self.progress.close()
        for step in self.at_end:
            self.history.write_status(self.state, "running")  # a sign of life: it may take a while
            self.config = step(self.config)
        message = "stopped early" if self.stopped_early else ""
        self.history.write_status(self.state, "finished", message)
        self._note_what_is_worse_than_chance()

    def _note_what_is_worse_than_chance(self) -> None:
        """Say where the best weights are no use: a loss that is a number gives no other alarm."""
        chance = math.log(self.config.tokenizer.vocab_size)
        loss = self.config.metrics.get("val_loss", 0.0)
        if loss > WORSE_THAN_CHANCE * chance:
            logger.warning(
                f"note: the model predicts worse than by guessing ({loss:.3g} nats per token, not "
                f"{chance:.3g}): train anew, with --learning-rate {self._lower_rate():.1g} or less"
            )

    def fail(self, message: str) -> None:
        """Write into status.json why the run failed."""
        with contextlib.suppress(RunError):  # a full disk has been told of already
            self.history.write_status(self.state, "failed", message)

    def begin(self, save: Save | None = None, *, further: bool = False) -> None:
        """Get ready for the first batch, or for the one that came after the save. A run begins to
        exist with its config.json, which is written when all else that it needs is there."""
        if save is not None:
            self.state = dataclasses.replace(save.state)
            self.state.waited = 0 if further else self.state.waited
        self.began = time.monotonic() - self.state.seconds
        self._prepare_steps()
        if save is None:
            self.save()
            run_folder.write_config(self.folder, self.config)
        else:
            restore(save, self.variables)
        self._go_on()

    def _prepare_steps(self) -> None:
        """Make a fresh optimizer, whose learning rate peaks at that of the state, and the step."""
        settings = self.config.training
        steps = self.batches.steps * settings.epochs
        settings = dataclasses.replace(settings, learning_rate=self.state.learning_rate)
        gone = self.limit.gone if self.limit else None
        self.train_step = self.trainer.prepare(optimizer(settings, steps, gone))

    def _go_on(self) -> None:
        """Go on behind the batches that the state counts: in the data, the logs and the bar."""
        self.saved_at = time.monotonic()
        self.data = iter(self.batches.dataset(self.state.step))
        self.history.go_on_from(self.state)
        self.progress.open(self.state)

    def _is_done(self) -> bool:
        self.stopped_early = self.state.waited >= self.config.training.patience
        steps = self.batches.steps * self.config.training.epochs
        return self.is_over or self.stopped_early or self.state.step >= steps

    # --- an epoch -------------------------------------------------------------------------------

    def _train_epoch(self) -> None:
        """Train from the next batch to the end of its epoch, or of the time."""
        self._begin_epoch()
        while True:
            self.take_step()
            if not self._is_within_epoch() or self.is_over:
                break
            # after the last batch of an epoch, validation and saving come first
            self._save_in_time()
            self._stop_if_asked()
        self.end_epoch()
        self._stop_if_asked()

    def _call(self, event: str, *arguments: object) -> None:
        """Call the method `event` of each of Keras's callbacks with the arguments of `fit`."""
        for callback in self.callbacks:
            getattr(callback, event)(*arguments)

    def _begin_epoch(self) -> None:
        """Count the loss of the epoch from its first batch, though that lie before a resume."""
        state = self.state
        self.epoch = state.step // self.batches.steps
        if not self._is_within_epoch():
            state.nats = state.tokens = 0.0
        self.trainer.reset_sums(state.nats, state.tokens)
        self.history.begin_epoch(self.epoch, state)
        self._call("on_epoch_begin", self.epoch)

    def take_step(self) -> None:
        """Train on one batch. Raises `Diverged` when the loss is no number, or runs away."""
        state, batch = self.state, self.state.step % self.batches.steps
        if state.step % self.batches.steps_of_text == 0:
            self.trainer.reset_lanes()  # the text begins anew
        self._call("on_train_batch_begin", batch)
        self.train_step(self.data)

        state.step += 1
        state.seconds = time.monotonic() - self.began
        before = state.nats, state.tokens
        state.nats, state.tokens = self.trainer.sums
        loss = (state.nats - before[0]) / max(state.tokens - before[1], 1.0)
        if not math.isfinite(loss):
            raise Diverged(f"the loss is no longer a number at step {state.step}")
        self.history.after_step(state)
        state.trend = state.trend.after(loss)
        if state.trend.runs_away:
            slow, fast = state.trend.slow, state.trend.fast
            raise Diverged(f"the loss rose from {slow:.2f} to {fast:.2f} at step {state.step}")
        self.progress.after_step(loss)
        self._call("on_train_batch_end", batch, {"loss": state.nats / max(state.tokens, 1.0)})
        self.is_over = (self.limit is not None and self.limit.is_over()) or bool(
            self.trainer.stop_training
        )

    def end_epoch(self) -> None:
        """Judge, log, sample, and save: first the weights, if they are the best, then all."""
        state, loss, val_loss = self.state, self._loss(), None
        self._check_weights()
        self.twin.follow()
        if self.validation is not None:
            val_loss = self.validation.loss()
        state.seconds = time.monotonic() - self.began
        self.history.after_epoch(state, loss, val_loss)
        self.progress.after_epoch(state, loss, val_loss)
        for sampler in self.samplers:
            sampler.after_epoch(self.epoch, state)

        judged = loss if val_loss is None else val_loss
        if judged < state.best:
            state.best, state.waited = judged, 0
            self._save_model(loss, val_loss)
        else:
            state.waited += 1
        self.save()  # after all that is written of an epoch: once saved, it is not read again
        logs = {"loss": loss} | ({} if val_loss is None else {"val_loss": val_loss})
        self._call("on_epoch_end", self.epoch, logs)
        self.is_over = self.is_over or bool(self.trainer.stop_training)

    def _loss(self) -> float:
        """Nats per token of the epoch so far."""
        return self.state.nats / max(self.state.tokens, 1.0)

    def _is_within_epoch(self) -> bool:
        return self.state.step % self.batches.steps != 0

    def _stop_if_asked(self) -> None:
        """Raise `Interrupted` if a signal came. Several workers agree on it first, so that all stop
        at the same step."""
        workers = self.trainer.workers
        if self.stop.asked if workers is None else workers.agreed_to_stop(self.stop.asked):
            raise Interrupted

    # --- saves ----------------------------------------------------------------------------------

    def _save_in_time(self) -> None:
        """Save if the last time was `SAVE_SECONDS` ago. Several workers, whose clocks differ, save
        only together, at the end of an epoch."""
        if self.trainer.workers is None and time.monotonic() - self.saved_at >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Save all that the next step depends on; nothing while the loss rises steeply, so that
        there is a sound save to go back to.

        Raises `Diverged` when a value is no longer a number, or a weight is too large.
        """
        state = self.state
        if not state.trend.is_calm:
            return
        self._check_weights()
        arrays = arrays_of(self.variables)
        if not all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f"):
            raise Diverged(f"the weights are no longer numbers at step {state.step}")
        if state.step and math.isinf(state.best):  # within the first epoch: there is no model yet
            self._save_model(self._loss(), None)
        state.saves += 1
        weights = names_of(self.trainer.model.named_weights(), self.variables)
        write_save(self.folder, state, arrays, weights)
        self.saved_at = time.monotonic()

    def _check_weights(self) -> None:
        """Raises `Diverged` where the model could not be loaded again."""
        for weight in self.trainer.model.named_weights().values():
            if (np.abs(np.asarray(weight)) > array_file.LARGEST_VALUE).any():
                raise Diverged(f"the weights grew too large at step {self.state.step}")

    def _save_model(self, loss: float, val_loss: float | None) -> None:
        """Write the weights as those that did best, and what belongs to them: the voices, the
        metrics in config.json, the card. loss, val_loss: nats per token."""
        history = self.history
        metrics = {
            "epoch": self.epoch + 1,
            "seconds": round(self.state.seconds, 1),
            "bits_per_char": loss * history.bits,
        }
        if val_loss is not None:
            metrics |= {"val_loss": val_loss, "val_bits_per_char": val_loss * history.val_bits}
        self.config = dataclasses.replace(self.config, metrics=metrics)
        model, voices = self.trainer.model, self.trainer.voices
        network = model.network()
        atomic_files.remove(self.folder / NGRAMS)  # learned beside other weights
        run_folder.save_model(self.folder, network)
        if voices is not None:
            write_voices(self.folder, voices.by_label(), run_folder.hash_of(network))
        run_folder.write_config(self.folder, self.config)
        write_card(self.folder, self.config, int(model.count_params()))

    def _lower_rate(self) -> float:
        """A peak learning rate that is worth a try where this one was too high."""
        return min(self.state.learning_rate * LOWERED, type(self.config.training).learning_rate)

    @property
    def variables(self) -> list[Array]:
        """Weights, carried state, dropout's random generators; then the optimizer's."""
        return [*self.trainer.variables, *self.trainer.optimizer.variables]

    @property
    def learning_rate(self) -> float:
        """That of the next step."""
        return float(self.trainer.optimizer.learning_rate)

    # --- divergence -----------------------------------------------------------------------------

    def go_back(self, trouble: Diverged) -> None:
        """Go back to the last save, and on from there at a lower learning rate.

        Raises `ConfigError` with advice when the run went back before.
        """
        rate, step = self.state.learning_rate, self.state.step
        if self.state.rolled_back:
            raise ConfigError(
                f"{trouble}, again after the learning rate was lowered to {rate:.2g}: train anew "
                f"with --learning-rate {self._lower_rate():.1g}, or with a smaller --clip-norm, "
                "and another --out"
            ) from trouble
        save = read_save(self.folder)
        lowered = save.state.learning_rate * LOWERED
        logger.warning(
            f"{trouble}: back to step {save.state.step}, learning rate lowered from {rate:.2g} to "
            f"{lowered:.2g}"
        )
        self.state = dataclasses.replace(
            save.state,
            learning_rate=lowered,
            seconds=time.monotonic() - self.began,
            rolled_back={"step": step, "to": save.state.step, "learning_rate": lowered},
        )
        self._prepare_steps()
        restore(save, self.variables)
        self._go_on()
        self.save()
