"""Races of cells, each a process: runs/race/N holds a run folder for each cell.

One level below the user's own runs, so that neither the list of models nor that of trainings names
them, and only the last few are kept: a race is an experiment, not a model to write with.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textgen.errors import ConfigError
from textgen.ui.messages import t
from textgen.ui.models import RUNS
from textgen.ui.processes import trainings

FOLDER = "race"
KEPT_RACES = 5


@dataclasses.dataclass(frozen=True)
class Race:
    """run: its process. cells: in the order of their turns. source: the name of the text or task.

    seconds: for each cell; 0 where the steps are the same. frequencies: bits per character of who
    knows only how often each comes; inf where that was not measured. results: of those that are in.
    """

    run: trainings.Run
    cells: list[str]
    task: bool
    source: str
    hidden_size: int
    seconds: float
    frequencies: float
    results: dict[str, dict[str, Any]]

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def current(self) -> str | None:
        """Whose turn it is."""
        waiting = [cell for cell in self.cells if cell not in self.results]
        return waiting[0] if self.run.alive and waiting else None


def start(source: Path, cells: Sequence[str], options: Mapping[str, object]) -> str:
    """Begin a race and return its name. Raises `ConfigError` while another is being run."""
    numbers = _numbers()
    for number in numbers:
        if trainings.read(f"{FOLDER}/{number}").alive:
            raise ConfigError(t("problem.race", number=number))
    for number in numbers[KEPT_RACES - 1 :]:
        shutil.rmtree(RUNS / FOLDER / str(number), ignore_errors=True)
        for file in (RUNS / FOLDER).glob(f"{number}.*"):
            file.unlink(missing_ok=True)
    name = f"{FOLDER}/{max(numbers, default=0) + 1}"
    trainings.start_race(source, name, cells, options)
    return name


def newest() -> str | None:
    """The name of the last race."""
    numbers = _numbers()
    return f"{FOLDER}/{numbers[0]}" if numbers else None


def exists(name: str) -> bool:
    """Whether there is a race of this name, which may come from an address."""
    return name in (f"{FOLDER}/{number}" for number in _numbers())


def _numbers() -> list[int]:
    """The numbers of all races, the newest first."""
    stems = {path.stem for path in (RUNS / FOLDER).glob("*")}
    return sorted((int(stem) for stem in stems if re.fullmatch("[0-9]+", stem)), reverse=True)


def read(name: str) -> Race:
    """What the files of runs/`name` say."""
    settings = _json(RUNS / name)
    cells = [str(cell) for cell in settings.get("cells", [])]
    results = {cell: result for cell in cells if (result := _json(RUNS / name / cell))}
    return Race(
        trainings.read(name),
        cells,
        bool(settings.get("task")),
        str(settings.get("source", "")),
        int(settings.get("hidden_size", 0)),
        float(settings.get("max_seconds", 0)),
        float(settings.get("frequencies") or math.inf),
        results,
    )


def _json(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "race.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def courses(race: Race) -> pd.DataFrame:
    """cell, step, seconds (since the first step), training and held_out bits per character."""
    frames = []
    for cell in race.cells:
        rows = trainings.history(f"{race.name}/{cell}")
        if len(rows):
            frame = pd.DataFrame({"cell": cell.upper(), "step": rows["step"]})
            frame["seconds"] = rows["seconds"] - rows["seconds"].iloc[0]
            frame["training"], frame["held_out"] = rows["bits_per_char"], rows["val_bits_per_char"]
            frames.append(frame)
    return pd.concat(frames) if frames else pd.DataFrame()
