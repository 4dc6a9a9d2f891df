"""`textgen probe`: does a model remember?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from textgen.cli.sources import check_save, numbers, save
from textgen.data.recall_documents import HELD_OUT
from textgen.data.recall_task import VARIANTS, read_task
from textgen.evaluation.recall_probe import CONTROLS, DISTANCES, Scorer, probe, task_of
from textgen.evaluation.recall_tables import as_csv, report
from textgen.generation.generator import load
from textgen.terminal import show


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    command.add_argument(
        "--task", metavar="FILE", help="a task (TOML); default: the shipped one it was trained on"
    )
    command.add_argument(
        "--distances",
        type=numbers,
        metavar="INT,...",
        help="characters between fact and answer",
    )
    command.add_argument(
        "-n", type=int, default=408, metavar="INT", help="documents of each distance (default 408)"
    )
    command.add_argument("--variant", choices=VARIANTS, default="plain")
    command.add_argument(
        "--held-out",
        nargs="*",
        choices=HELD_OUT,
        default=HELD_OUT[:1],
        help="what is taken from what is never trained on (default filler)",
    )
    command.add_argument(
        "--controls",
        action="store_true",
        help="also with the fact removed, swapped, and the state set to zero",
    )
    command.add_argument("--seed", type=int, default=1, metavar="INT", help="of the documents")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there")


def run(parsed: argparse.Namespace) -> None:
    for path in (parsed.json, parsed.csv):
        check_save(path)
    model = load(parsed.run)
    task = read_task(parsed.task) if parsed.task else task_of(model)
    controls = tuple(CONTROLS) if parsed.controls else ("none",)
    measured = probe(
        Scorer(model, task),
        parsed.distances or DISTANCES,
        parsed.n,
        controls,
        parsed.variant,
        parsed.held_out,
        parsed.seed,
    )
    show(report(measured))
    save(parsed.json, lambda: json.dumps(measured.as_dict(), ensure_ascii=False, indent=2) + "\n")
    save(parsed.csv, lambda: as_csv(measured))
