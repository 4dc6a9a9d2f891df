"""Many short trainings on one text, each with other settings, and which of them does best.

A trial is `textgen train`, as a process of its own; trials.py holds what is known of all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from textgen.config import SweepConfig
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, RunError, TextgenError
from textgen.log import logger
from textgen.options import check
from textgen.runs import array_file, run_folder
from textgen.runs.recipe import configs_of
from textgen.runs.run_config import is_source
from textgen.training.launch import asked_to_stop, gpus_for
from textgen.tuning.search_space import Space
from textgen.tuning.trials import (
    FAILED,
    FINISHED,
    FIRST_PART,
    PARTS,
    STOPPED,
    Shared,
    Trial,
    Trials,
)

POLL, PATIENCE = 0.5, 60.0  # seconds: between two looks at a training; for it to save and end


class Sweep:
    """One process's work on the sweep in a folder."""

    def __init__(
        self,
        source: Sequence[str],
        out: str | Path,
        space: Space,
        recipe: dict[str, object],
        config: SweepConfig,
    ) -> None:
        """source: the text; none, that of the `recipe`, whose settings all trials share.

        Raises `TextgenError` for what cannot be trained on, and where `out` holds another sweep.
        """
        check(config)
        base = {k: v for k, v in recipe.items() if k not in ("corpus", "out", "max_seconds")}
        _, _, training = configs_of(base)
        given = list(source) or recipe.get("corpus")
        if not is_source(given):
            raise ConfigError("no text given: name a file, a folder or hf:NAME")
        source = [given] if isinstance(given, str) else given
        jobs, seconds, trials = config.jobs, config.seconds, config.trials
        data = read_training_data(source, training)
        self.task = data.task is not None
        if not self.task and not data.held_out_text.strip():
            raise ConfigError(
                "nothing of the text is held out to judge trials by: "
                "set validation_fraction in a recipe, or give a longer text"
            )
        self.gpus = gpus_for("jobs", jobs)  # which loads TensorFlow
        self.seconds, self.jobs = seconds, jobs
        shared: Shared = {
            "text": data.config.sha256,
            "space": {name: dataclasses.asdict(setting) for name, setting in space.items()},
            "recipe": base,
            "seconds": seconds,
        }
        self.known = Trials(Path(out), source, space, shared)
        self.trials = int(min(trials, self.known.sizes))
        if self.trials < trials:
            logger.warning(f"the space holds {self.trials} different trials: all are tried")
        self._stop, self._hurry = threading.Event(), threading.Event()

    def run(self) -> bool:
        """Train until all trials came to an end; False when Ctrl-C or SIGTERM stopped it before."""
        with asked_to_stop(self._ask), ThreadPoolExecutor(self.jobs) as pool:
            for done in [pool.submit(self._work, job) for job in range(self.jobs)]:
                done.result()
        return not self._stop.is_set()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():  # a second Ctrl-C does not wait
            self._hurry.set()
        self._stop.set()

    def _work(self, job: int) -> None:
        try:
            while not self._stop.is_set() and (trial := self.known.claim(self.trials)):
                with trial.log:
                    self._try(trial, job)
        except BaseException:
            self._stop.set()  # the other jobs end with this one
            raise

    def _try(self, trial: Trial, job: int) -> None:
        """Train, watch, and record what came of it; nothing of one that is cut short."""
        run = self.known.path(trial.number)
        _say(trial, ", ".join(f"{name} {value}" for name, value in trial.settings.items()))
        shutil.rmtree(run, ignore_errors=True)  # what is left of it where it was cut short before
        trial.log.truncate(0)
        child = self._start(trial, job)
        behind = False
        try:
            while child.poll() is None and not self._stop.is_set():
                if not behind and self._falls_behind(trial, run):
                    behind = True
                    self._end(child)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(POLL)
        finally:
            self._end(child)
        if child.returncode and self._stop.is_set():
            return
        self._judge(trial, behind, child.returncode)

    def _start(self, trial: Trial, job: int) -> subprocess.Popen[bytes]:
        run, recipe = (self.known.path(trial.number, suffix) for suffix in ("", ".toml"))
        command = ["train", f"--config={recipe}", f"--out={run}"]
        if not self.task:  # which has no passes to plan
            command.append(f"--budget={self.seconds:.10g}")
        environment = {k: v for k, v in os.environ.items() if k != "TF_CONFIG"}
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[job]
        try:
            # a session of its own: Ctrl-C in the terminal reaches the sweep, which passes it on
            return subprocess.Popen(
                [sys.executable, "-m", "textgen", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=trial.log,
                stderr=trial.log,
                start_new_session=True,
            )
        except OSError as error:
            raise RunError(f"a trial did not start: {error.strerror}; free some space") from error

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """Ask the training, if it runs, to save and end; wait."""
        child.terminate()
        end = time.monotonic() + PATIENCE
        while child.poll() is None and time.monotonic() < end and not self._hurry.is_set():
            time.sleep(0.05)
        if child.poll() is None:
            child.kill()
            child.wait()

    def _falls_behind(self, trial: Trial, run: Path) -> bool:
        """Whether it is to be stopped, by what its history.csv tells until now."""
        rows = _course(run)
        for part in range(FIRST_PART, PARTS):
            end = self.seconds * part / PARTS
            held_out = [bits for seconds, bits in rows if bits is not None and seconds <= end]
            if part in trial.parts or not held_out or rows[-1][0] < end:
                continue
            trial.parts[part] = min(held_out)
            trial.asked.report(trial.parts[part], part)
            if trial.asked.should_prune():
                return True
        return False

    def _judge(self, trial: Trial, behind: bool, code: int) -> None:
        """Record what came of it, and say so."""
        run, log = self.known.path(trial.number), self.known.path(trial.number, ".log")
        rows = _course(run)
        seconds = rows[-1][0] if rows else 0.0  # of training, without what came before
        try:
            if code and not behind:
                raise RunError(_last_words(log, code))
            config = run_folder.read_run_config(run)
            bits = float(config.metrics["val_bits_per_char"])
            if not math.isfinite(bits):
                raise RunError("its held-out loss is not a number")
            epochs, parameters = config.training.epochs, _parameters(run)
        except (TextgenError, LookupError, TypeError, ValueError) as error:
            self.known.record(trial, FAILED, None, seconds=seconds, message=str(error))
            return _say(trial, f"failed: {error}")
        facts = {"seconds": seconds, "epochs": epochs, "parameters": parameters}
        self.known.record(trial, STOPPED if behind else FINISHED, bits, **facts)
        result = f"{bits:.3f} bits/char, {seconds:.0f} s"
        result += ", stopped: behind the others" if behind else ""
        best = self.known.ended()[0]
        _say(trial, f"{result}; best is {best.value:.3f}, of trial {best.user_attrs['trial']}")


def _course(run: Path) -> list[tuple[float, float | None]]:
    """(seconds, held-out bits per character, if measured) of each whole row of history.csv."""
    try:
        rows = run_folder.read_history(run)
    except RunError:  # not begun
        return []
    return [
        (float(row["seconds"]), float(bits) if (bits := row["val_bits_per_char"]) else None)
        for row in rows
    ]


def _parameters(run: Path) -> int:
    arrays, _ = array_file.read_arrays(run / run_folder.WEIGHTS)
    return sum(int(array.size) for array in arrays.values())


def _last_words(log: Path, code: int) -> str:
    """The error line that a training ended with, else its last line."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return ((errors or [line for line in lines if line] or [f"exit code {code}"])[-1])[:300]


def _say(trial: Trial, text: str) -> None:
    logger.info(f"trial {trial.number}: {text}")
