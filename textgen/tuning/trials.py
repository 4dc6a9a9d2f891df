"""The trials of a sweep: drawn by Optuna from what came of those before, and kept in its journal.

In the folder of a sweep:

sweep.json                       what all its trials share: text, space, recipe, seconds
trial-001.toml, .log, trial-001  the settings of a trial, what it said, its run folder
journal.log                      Optuna's: the trials that came to an end
trials.csv, best.toml            all trials as a table; the best one's settings as a recipe

Any number of processes, on one machine or on several that share the folder, may work on one sweep.
Each trial under way is held by a lock on its log, which its training inherits; a trial that neither
came to an end nor is held was cut short, and is trained again from its beginning.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypedDict

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from textgen.errors import ConfigError, RunError
from textgen.runs import atomic_files
from textgen.runs.recipe import CONFIGS, as_toml, read_recipe
from textgen.terminal import Report, table
from textgen.tuning.search_space import Space

FILE, JOURNAL = "sweep.json", "journal.log"
# After each tenth of its seconds a trial is compared with those before it, from the third on and
# once four of them came to their end: one that is behind their median is to be stopped (Optuna's
# `MedianPruner`; Golovin et al. 2017).
PARTS, FIRST_PART, FEWEST = 10, 3, 4
# Settings that `--budget` would choose by the time: in a trial each is what the space, the recipe
# or else the default says. Only epochs are left to the budget, so that the learning rate falls to
# its end within the time.
NOT_BUDGETED = (
    "cell",
    "hidden_size",
    "embedding_size",
    "dropout",
    "batch_size",
    "sequence_length",
    "optimizer",
    "learning_rate",
    "warmup",
    "weight_decay",
)
SHOWN = 10  # trials in the table
DRAWS = 50  # of the sampler, for settings that were not tried before
FINISHED, STOPPED, FAILED = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
WORDS = {FINISHED: "finished", STOPPED: "stopped early", FAILED: "failed"}
_RECIPE = re.compile(r"trial-(\d+)")


class Shared(TypedDict):
    """All that must be the same for two trials to compare, as the folder keeps it.

    text: the hash of what is trained on. space: of `Space`. recipe: settings that do not vary.
    seconds: of a trial.
    """

    text: str | None
    space: dict[str, dict[str, object]]
    recipe: dict[str, object]
    seconds: float


@dataclasses.dataclass
class Trial:
    """A trial under way.

    log: an open file. parts: best held-out bits per character after each tenth of its time.
    """

    number: int
    settings: dict[str, object]
    log: BinaryIO
    asked: optuna.Trial
    parts: dict[int, float] = dataclasses.field(default_factory=dict)


class Trials:
    """What is known of the trials in a folder, by all processes that work there."""

    def __init__(self, folder: Path, source: Sequence[str], space: Space, shared: Shared) -> None:
        """Raises `RunError`, and `ConfigError` where the folder holds another sweep."""
        self.folder, self.source, self.space = folder, list(source), space
        self.base, self.seconds = shared["recipe"], shared["seconds"]
        self.distributions = {name: setting.distribution() for name, setting in space.items()}
        given = json.loads(json.dumps(shared))  # as it is read back
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make {folder}: {error.strerror}; give another --out") from error
        path = folder / FILE
        with self._alone():
            if not path.exists():
                atomic_files.write_file(path, json.dumps(given, ensure_ascii=False).encode())
            try:
                begun = dict(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise RunError(f"{path} is no sweep's: give another --out") from error
            for name, value in given.items():
                if begun.get(name) != value:
                    raise ConfigError(
                        f"{folder} holds a sweep with another {name}: "
                        "give the same one, or another --out"
                    )
            self.study = self._open()

    def _open(self) -> optuna.Study:
        """Raises `RunError` where the journal is damaged."""
        path = self.folder / JOURNAL
        lock = JournalFileOpenLock(str(path))
        try:
            _mend(path, lock)
            storage = optuna.storages.JournalStorage(JournalFileBackend(str(path), lock))
            return optuna.create_study(study_name="sweep", storage=storage, load_if_exists=True)
        except (ValueError, LookupError, TypeError) as error:
            raise RunError(f"{path} is damaged: give another --out") from error

    @property
    def sizes(self) -> float:
        """How many different trials there are: inf where a range has no steps."""
        every = [setting.all() for setting in self.space.values()]
        return math.prod(math.inf if values is None else len(values) for values in every)

    def claim(self, most: int) -> Trial | None:
        """The next trial, held: one that was cut short, else a new one, of `most` in all."""
        with self._alone():
            past = self.study.get_trials(deepcopy=False)
            ended = {frozen.user_attrs["trial"] for frozen in past}
            begun = {
                int(name[1]): path
                for path in self.folder.glob("trial-*.toml")
                if (name := _RECIPE.fullmatch(path.stem))
            }
            others = []  # the settings of those under way elsewhere, or cut short as well
            log = None
            for one in sorted(begun.keys() - ended):
                recipe = read_recipe(begun[one])
                drawn = {name: recipe[name] for name in self.space}
                if log is None and (log := _hold_if_free(self.path(one, ".log"))):
                    number, settings = one, drawn
                else:
                    others.append(drawn)
            study = self._advisor(past, others)
            if log is None:
                number = max(begun.keys() | ended, default=0) + 1
                if number > most:
                    return None
                settings = self._draw(study, [frozen.params for frozen in past] + others)
                self._write_recipe(number, settings)
                log = _hold(self.path(number, ".log"))
            study.enqueue_trial(settings)
            return Trial(number, settings, log, study.ask(self.distributions))

    def _advisor(self, past: list[FrozenTrial], others: list[dict[str, object]]) -> optuna.Study:
        """A study in memory that knows of all trials: a draw from it is not in the journal."""
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=len(past) + len(others)),
            pruner=optuna.pruners.MedianPruner(FEWEST, FIRST_PART, n_min_trials=FEWEST),
        )
        study.add_trials(past)
        study.add_trials(
            create_trial(
                state=TrialState.RUNNING, params=settings, distributions=self.distributions
            )
            for settings in others
        )
        return study

    def _draw(self, study: optuna.Study, known: list[dict[str, object]]) -> dict[str, object]:
        """Settings that are not among the `known`, where there are any left."""
        for _ in range(DRAWS):
            drawn = study.ask(self.distributions).params
            settings: dict[str, object] = {n: self.space[n].tidy(v) for n, v in drawn.items()}
            if settings not in known:
                return settings
        if self.sizes < math.inf:
            for values in itertools.product(*(s.all() or () for s in self.space.values())):
                left: dict[str, object] = dict(zip(self.space, values, strict=True))
                if left not in known:
                    return left
        return settings

    def _write_recipe(self, number: int, settings: dict[str, object]) -> None:
        default = {n: getattr(cls, n) for cls in CONFIGS for n in NOT_BUDGETED if hasattr(cls, n)}
        values = default | {"sample_length": 0} | self.base | settings
        values["max_seconds"] = self.seconds  # of training: what comes before is not counted
        values["ngrams"] = False  # trials are judged by the network alone
        text = as_toml(self.source, values)
        atomic_files.write_file(self.path(number, ".toml"), text.encode("utf-8", "replace"))

    def record(self, trial: Trial, state: TrialState, value: float | None, **facts: object) -> None:
        """Write what came of `trial` to the journal and the tables.

        value: bits per character; facts: for the tables.
        """
        if state == FINISHED and value is not None:  # perhaps before its time was over
            rest = range(max(trial.parts, default=FIRST_PART - 1) + 1, PARTS + 1)
            trial.parts |= dict.fromkeys(rest, value)
        frozen = create_trial(
            state=state,
            value=value,
            params=trial.settings,
            distributions=self.distributions,
            intermediate_values=trial.parts,
            user_attrs={"trial": trial.number, **facts},
        )
        with self._alone():
            self.study.add_trial(frozen)
            self._write_tables()

    # --- what came of it ------------------------------------------------------------------------

    def ended(self) -> list[FrozenTrial]:
        """The trials that came to an end: the best first, then those stopped, those that failed."""
        order = list(WORDS)
        return sorted(
            self.study.get_trials(deepcopy=False),
            key=lambda t: (order.index(t.state), t.value or 0.0, t.user_attrs["trial"]),
        )

    def _write_tables(self) -> None:
        """trials.csv and best.toml."""
        columns = ["trial", "state", "bits_per_char", "epochs", "parameters", "seconds"]
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow([*columns, *self.space, "message"])
        for frozen in sorted(self.ended(), key=lambda t: t.user_attrs["trial"]):
            outcome = {"state": WORDS[frozen.state], "bits_per_char": frozen.value}
            facts = frozen.user_attrs | outcome
            settings = [frozen.params[name] for name in self.space]
            writer.writerow([*map(facts.get, columns), *settings, facts.get("message")])
        text = table.getvalue().encode("utf-8", "replace")
        atomic_files.write_file(self.folder / "trials.csv", text)
        best = self.ended()[0]
        if best.state == FINISHED:
            number, epochs = best.user_attrs["trial"], best.user_attrs["epochs"]
            values = {"epochs": epochs} | self.base | best.params
            note = (
                f"# trial {number}: {best.value:.4f} bits per character held out, "
                f"in {self.seconds:g} seconds; for a longer training raise epochs\n"
            )
            recipe = note + as_toml(self.source, values)
            atomic_files.write_file(self.folder / "best.toml", recipe.encode("utf-8", "replace"))

    def report(self) -> Report:
        """A table of the best trials, for a terminal. Raises `RunError` where none is good."""
        ended = self.ended()
        good = [t for t in ended if t.state == FINISHED]
        if not good:
            said = next((t.user_attrs.get("message") for t in ended), "none came to its end")
            raise RunError(f"no trial of {self.folder} can be judged: {said}")
        head = ["trial", "bits/char", "epochs", "parameters", "seconds", *self.space]
        lines = [
            [
                f"{t.user_attrs['trial']}",
                f"{t.value:.3f}",
                f"{t.user_attrs['epochs']}",
                f"{t.user_attrs['parameters']:,}",
                f"{t.user_attrs['seconds']:.0f}",
                *(f"{t.params[name]}" for name in self.space),
            ]
            for t in good[:SHOWN]
        ]
        counts = {word: sum(t.state == state for t in ended) for state, word in WORDS.items()}
        ended_as = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        best = self.path(good[0].user_attrs["trial"])
        return [
            table(head, lines, words=0),
            f"{ended_as}; all of them: {self.folder / 'trials.csv'}",
            f"the best: {best}, its settings: {self.folder / 'best.toml'}",
        ]

    # --- files ----------------------------------------------------------------------------------

    def path(self, number: int, suffix: str = "") -> Path:
        """The run folder of a trial, or a file beside it."""
        return self.folder / f"trial-{number:03}{suffix}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other thread or process draws a trial or records one. Raises `RunError`."""
        try:
            with open(self.folder / ".lock", "ab") as file:
                atomic_files.lock(file, wait=True)
                with _quiet_optuna():
                    yield
        except OSError as error:
            raise RunError(
                f"cannot write to {self.folder}: {error.strerror}; free some space, "
                "then give the same command again"
            ) from error


def _hold(path: Path) -> BinaryIO:
    """The log at `path`, locked, once no other holds it."""
    file = open(path, "ab")  # noqa: SIM115
    atomic_files.lock(file, wait=True)
    return file


def _hold_if_free(path: Path) -> BinaryIO | None:
    """The log at `path`, locked; None where another holds it."""
    file = open(path, "ab")  # noqa: SIM115
    if atomic_files.lock(file, wait=False):
        return file
    file.close()
    return None


@contextlib.contextmanager
def _quiet_optuna() -> Iterator[None]:
    """While within, Optuna logs nothing but errors."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _mend(path: Path, lock: JournalFileOpenLock) -> None:
    """Take away a last line that a full disk or a power cut left half written."""
    if not path.exists():
        return
    lock.acquire()
    try:
        with open(path, "r+b") as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
    finally:
        lock.release()
