"""Cells raced on one text: the same settings, the same seed, the same seconds or the same epochs.

One after another in one process, so that each has the whole machine while its time is taken.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from textgen.cells import CELLS, make_cell
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.training_data import Material, TaskMaterial, read_material
from textgen.errors import ConfigError
from textgen.evaluation.context_length import context_curve, looks_back
from textgen.evaluation.recall_probe import Scorer, probe
from textgen.generation.generator import Generator, load
from textgen.runs import run_folder
from textgen.terminal import Report, table
from textgen.training.train import start

FILE = "race.json"  # of the whole race, and of each cell that has come in
CONTEXTS = (1, 2, 5, 10, 20, 50, 100, 200)  # tokens
DISTANCES, DOCUMENTS = (20, 50, 100, 150, 200, 300), 96


@dataclasses.dataclass(frozen=True)
class Result:
    """What a cell has to show for its time.

    parameters: of the model; recurrent_parameters: of its recurrent layers alone.
    ms_per_step: median over the training, without validation and without what compiled the step.
    bits_per_char: held out, of the best epoch (of a task: of the answers); nan if nothing was.
    reach: of a task the horizon in characters, else the tokens that the model looks back.
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
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    cells: Sequence[str],
    model_config: ModelConfig,
    tokenizer_config: TokenizerConfig,
    train_config: TrainConfig,
) -> list[Result]:
    """Train a model of each of `cells` on `source` into a run folder `out`/cell.

    Raises as `textgen.training.train.start` does, and `ConfigError` when a cell is named twice.
    """
    unknown = [cell for cell in cells if cell not in CELLS]
    if unknown or not cells or len(set(cells)) < len(cells):
        raise ConfigError(f"cells are {', '.join(cells)}: give each once, of {', '.join(CELLS)}")
    folder = Path(out)
    material = read_material(source, train_config)
    told = {
        "cells": list(cells),
        "task": isinstance(material, TaskMaterial),
        "source": Path(source).stem if isinstance(source, str | Path) else "",
        "hidden_size": model_config.hidden_size,
        "max_seconds": train_config.max_seconds,
    }
    _write(folder, told)
    found = []
    for cell in cells:
        config = dataclasses.replace(model_config, cell=cell)
        run = start(source, folder / cell, config, tokenizer_config, train_config)
        found.append(dataclasses.replace(measured(run), reach=reach(load(run), material)))
        _write(run, dataclasses.asdict(found[-1]))
    status = {"state": "finished", "pid": os.getpid()}
    run_folder.write_file(folder / "status.json", json.dumps(status).encode())
    return found


def _write(folder: Path, values: dict[str, Any]) -> None:
    run_folder.write_file(folder / FILE, json.dumps(values).encode())


def measured(run: Path) -> Result:
    """The figures of a run folder, `reach` left out."""
    card = run_folder.read_config(run)
    arrays, _ = run_folder.read_weights(run / run_folder.WEIGHTS)
    sizes = {name: array.size for name, array in arrays.items()}
    rows = run_folder.read_history(run)
    first, *rest = rows
    speeds = [float(row["steps_per_second"]) for row in rest]
    return Result(
        cell=card["model"]["cell"],
        parameters=sum(sizes.values()),
        recurrent_parameters=sum(n for name, n in sizes.items() if name.startswith("recurrent.")),
        steps=int(rows[-1]["step"]),
        seconds=float(rows[-1]["seconds"]) - float(first["seconds"]),
        ms_per_step=1000 / median(speeds),
        bits_per_char=card["metrics"].get("val_bits_per_char", math.nan),
    )


def reach(generator: Generator, material: Material) -> int:
    """How far it remembers (of a task, characters) or looks back (on held-out text, tokens)."""
    if isinstance(material, TaskMaterial):
        return probe(Scorer(generator, material.task), DISTANCES, DOCUMENTS).horizon
    return looks_back(context_curve(generator, material.held_out_text, CONTEXTS))


def recurrent_parameters(cell: str, config: ModelConfig) -> int:
    """The size of one recurrent layer of `cell` over the embedding."""
    return make_cell(cell).parameters(config.embedding_size, config.hidden_size)


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
            f"{r.reach}",
        ]
        for r in results
    ]
    return [table(head, lines)]
