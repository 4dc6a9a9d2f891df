"""Cells raced on one text: the same settings, the same seed, the same seconds or the same epochs.

One after another in one process, so that each has the whole machine while its time is taken. A race
that was stopped goes on when it is asked for again; the cell that it was stopped in begins anew,
since starting twice takes time that no other cell had to spend.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textgen.cells import CELLS
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig, without_effect
from textgen.data.sources import read_training_data
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, RunError, TextgenError, shown
from textgen.evaluation.context_length import context_curve, looks_back
from textgen.evaluation.ngram import NGram
from textgen.evaluation.recall_probe import Scorer, probe
from textgen.generation.generator import Generator, load
from textgen.log import logger
from textgen.options import is_of
from textgen.runs import array_file, atomic_files, run_folder
from textgen.terminal import Report, table
from textgen.text.source import Source
from textgen.training.train import start

FILE = "race.json"  # of the whole race, and of each cell that has come in
STATUS = "status.json"  # of each cell, and of the whole race when it has ended
CONTEXTS = (1, 2, 5, 10, 20, 50, 100, 200)  # tokens
DISTANCES, DOCUMENTS = (20, 50, 100, 150, 200, 300), 96
SHORT_OF = 0.9  # share of the seconds given; a cell that ended sooner did not end by them


@dataclasses.dataclass(frozen=True)
class Result:
    """What a cell has to show for its time.

    parameters: of the model; recurrent_parameters: of its recurrent layers alone.
    ms_per_step: median over the steps, without validation and without what compiled the step.
    bits_per_char: held out, of the best epoch (of a task: of the answers); nan if nothing was.
    reach: of a task the horizon in characters, else the tokens that the model looks back; None
    where that could not be told, or the model has learned nothing.
    """

    cell: str
    parameters: int
    recurrent_parameters: int
    steps: int
    seconds: float
    ms_per_step: float
    bits_per_char: float
    reach: int | None = None


def race(
    source: Source,
    out: str | Path,
    cells: Sequence[str],
    model_config: ModelConfig,
    tokenizer_config: TokenizerConfig,
    train_config: TrainConfig,
    given: Collection[str] = (),
) -> list[Result]:
    """Train a model of each of `cells` on `source` into a run folder `out`/cell.

    given: the settings that a person named; one that has no effect on any of the cells is refused.
    Where `out` holds this very race, stopped before its end, it goes on from there.
    Raises as `textgen.training.train.start` does, `RunError` when `out` holds another race or one
    that has ended, and `ConfigError` when a cell is named twice or nothing is held out to judge the
    cells by.
    """
    each_once = f"give each once, of {', '.join(CELLS)}"
    unknown = [cell for cell in cells if cell not in CELLS]
    if unknown:
        raise ConfigError(f"there is no cell {unknown[0]!r}: {each_once}")
    if not cells or len(set(cells)) < len(cells):
        raise ConfigError(f"cells are {', '.join(cells) or 'none'}: {each_once}")
    folder = Path(out)
    unfinished = (folder / FILE).is_file() and not _has_ended(folder)
    if not unfinished:
        _refuse_a_second_race(folder, cells)
    data = read_training_data(source, train_config)
    task = data.task is not None
    if not task and not data.held_out_text.strip():
        raise ConfigError(
            "nothing of the text is held out to judge the cells by: give a --validation-fraction "
            "above 0, or a longer text"
        )
    useless = [
        without_effect(
            dataclasses.replace(model_config, cell=cell),
            tokenizer_config,
            train_config,
            task=task,
            given=given,
        )
        for cell in cells
    ]
    for name, why in useless[0].items():
        if name in given and all(name in found for found in useless):
            raise ConfigError(f"{name} would have no effect: {why}; leave it out")
    if not task and not train_config.label_by:  # cells are judged by the network alone
        train_config = dataclasses.replace(train_config, ngrams=False)
    letters = None if task else frequencies(data)
    settings = {
        "cells": list(cells),
        "task": task,
        "source": name_of(source) if isinstance(source, str | Path) else "",
        "hidden_size": model_config.hidden_size,
        "max_seconds": train_config.max_seconds,
        "frequencies": letters,
        "sha256": data.config.sha256,
        "settings": dataclasses.asdict(model_config)
        | dataclasses.asdict(tokenizer_config)
        | dataclasses.asdict(train_config),
    }
    if unfinished:
        _refuse_another_race(folder, settings)
    _write(folder, settings)
    results: list[Result] = []
    for number, cell in enumerate(cells, 1):
        if (known := _result(folder / cell)) is not None:  # it came in before the race was stopped
            results.append(known)
            continue
        logger.info(f"{cell}, {number} of {len(cells)}")
        config = dataclasses.replace(model_config, cell=cell)
        run = folder / cell
        try:
            begun = (run / run_folder.CONFIG).is_file()
            if not (begun and _has_ended(run)):
                if begun:
                    _clear(run)
                start(source, run, config, tokenizer_config, train_config)
        except TextgenError:
            if not results and not run.exists():
                _take_back(folder)
            raise
        result = measured(run)
        _note_an_early_end(result, train_config)
        if letters is None or result.bits_per_char < letters:  # else it has learned nothing yet
            result = dataclasses.replace(result, reach=reach(load(run), data))
        results.append(result)
        _write(run, dataclasses.asdict(result))
    status = {"state": "finished", "pid": os.getpid()}
    atomic_files.write_file(folder / STATUS, json.dumps(status).encode())
    return results


def name_of(source: str | Path) -> str:
    """corpora/ko/prose -> ko: of a folder of prose its language, of anything else its own name."""
    path = Path(source)
    return path.parent.name if path.name == "prose" else path.stem


def frequencies(data: TrainingData) -> float:
    """Bits per character, held out, of who knows only how often each character comes: what a model
    without memory would have."""
    nats = NGram(data.text, order=1).nats(data.held_out_text)
    return float(nats.mean()) / math.log(2)


def _note_an_early_end(result: Result, config: TrainConfig) -> None:
    """Cells that end at their epochs had the same passes over the text, and not the same time."""
    if config.max_seconds and result.seconds < SHORT_OF * config.max_seconds:
        logger.warning(
            f"note: {result.cell} ended after {result.seconds:.3g} of its {config.max_seconds:g} "
            "s, at its epochs or because it got no better: to race for all of the time, give more "
            "--epochs, and a longer --patience"
        )


def _write(folder: Path, values: dict[str, object]) -> None:
    atomic_files.write_file(folder / FILE, json.dumps(values).encode())


def _has_ended(folder: Path) -> bool:
    """Whether the race, or the training, in `folder` came to its end."""
    return _read(folder / STATUS).get("state") == "finished"


def _refuse_another_race(folder: Path, settings: dict[str, object]) -> None:
    """Raises `RunError` when the race in `folder` has not these very settings."""
    found, asked = _read(folder / FILE), json.loads(json.dumps(settings))
    if found.keys() != asked.keys() or not isinstance(found["settings"], dict):
        raise RunError(f"{folder / FILE} cannot be read: choose another --out")
    if found != asked:
        raise RunError(
            f"{folder} holds an unfinished race {_difference(found, asked)}: give the text, cells "
            "and settings of that one, and it goes on, or choose another --out"
        )


def _difference(found: dict[str, Any], asked: dict[str, Any]) -> str:
    """The first thing in which two races differ, in words."""
    for name, now in ({"cells": asked["cells"]} | asked["settings"]).items():
        then = found["cells"] if name == "cells" else found["settings"].get(name)
        if then != now:
            return f"with {name} {shown(then)}, not {shown(now)}"
    return "of another text"


def _read(path: Path) -> dict[str, Any]:
    """What is in a file of JSON; nothing where it cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _result(run: Path) -> Result | None:
    """That of a cell which has come in; None where there is none that could be one."""
    found = _read(run / FILE)
    fields = {field.name for field in dataclasses.fields(Result)}
    if found.keys() != fields:
        return None
    numbers = [found[name] or 0 if name == "reach" else found[name] for name in fields - {"cell"}]
    whole = all(is_of(number, float) for number in numbers)
    return Result(**found) if whole and found["cell"] == run.name else None


def _clear(run: Path) -> None:
    """Remove a training that was stopped, and nothing else that somebody keeps in its folder."""
    with atomic_files.hold(run):  # not one that goes on in another process
        for name in (*run_folder.SAVES, run_folder.WEIGHTS, run_folder.HISTORY, STATUS):
            (run / name).unlink(missing_ok=True)
        (run / run_folder.CONFIG).unlink()  # last: without it there is no run


def _refuse_a_second_race(folder: Path, cells: Sequence[str]) -> None:
    """Raises `RunError` when `folder` holds a race, or a run of one of `cells`."""
    for path in (folder / FILE, *(folder / cell / run_folder.CONFIG for cell in cells)):
        if path.exists():
            raise RunError(f"{folder} holds a race already ({path}): choose another --out")


def _take_back(folder: Path) -> None:
    """Leave nothing of a race that was refused before its first training."""
    (folder / FILE).unlink()
    with contextlib.suppress(OSError):  # something else is in it
        folder.rmdir()


def measured(run: Path) -> Result:
    """The figures of a run folder, `reach` left out."""
    config = run_folder.read_run_config(run)
    arrays, _ = array_file.read_arrays(run / run_folder.WEIGHTS)
    sizes = {name: array.size for name, array in arrays.items()}
    rows = run_folder.read_history(run)
    first = rows[0]
    steps = np.diff([int(row["step"]) for row in rows])
    each = np.repeat([1 / float(row["steps_per_second"]) for row in rows[1:]], steps)
    return Result(
        cell=config.model.cell,
        parameters=sum(sizes.values()),
        recurrent_parameters=sum(n for name, n in sizes.items() if name.startswith("recurrent.")),
        steps=int(rows[-1]["step"]),
        seconds=float(rows[-1]["seconds"]) - float(first["seconds"]),
        ms_per_step=1000 * float(np.median(each)),
        bits_per_char=config.metrics.get("val_bits_per_char", math.nan),
    )


def reach(generator: Generator, data: TrainingData) -> int | None:
    """How far it remembers (of a task, characters) or looks back (on held-out text, tokens).

    None where the held-out text is too short to tell: no race fails at its end.
    """
    if data.task is not None:
        return probe(Scorer(generator, data.task), DISTANCES, DOCUMENTS).horizon
    try:
        return looks_back(context_curve(generator, data.held_out_text, CONTEXTS))
    except TextgenError:
        return None


def report(results: Sequence[Result]) -> Report:
    """A table for a terminal."""
    head = [
        "cell",
        "parameters",
        "of the cell",
        "steps",
        "seconds",
        "ms/step",
        "bits/char",
        "reach",
    ]
    lines = [
        [
            r.cell,
            f"{r.parameters:,}",
            f"{r.recurrent_parameters:,}",
            f"{r.steps}",
            f"{r.seconds:.1f}",
            f"{r.ms_per_step:.1f}",
            f"{r.bits_per_char:.3f}",
            "" if r.reach is None else f"{r.reach}",
        ]
        for r in results
    ]
    return [table(head, lines)]
