"""`textgen export`: a model as one file to take along."""

from __future__ import annotations

import argparse
from pathlib import Path

from textgen.errors import ConfigError
from textgen.export.page import page
from textgen.export.rounding import check_fit, cost_of_half
from textgen.generation.generator import load
from textgen.runs.atomic_files import write_output

KINDS = ("html",)


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument(
        "--to", choices=KINDS, required=True, help="html: a page that writes, offline"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to make")
    command.add_argument(
        "--half",
        action="store_true",
        help="weights as float16: half the size; what that costs is measured and said",
    )
    command.add_argument(
        "--prompt", default="", metavar="TEXT", help="what the page suggests to begin with"
    )


def run(parsed: argparse.Namespace) -> None:
    refuse_taken(parsed.out)
    model = load(parsed.run)
    if parsed.half:
        check_fit(model.network)
    made = page(model, parsed.prompt, half=parsed.half)
    cost = cost_of_half(model) if parsed.half else None
    write_output(parsed.out, made)
    print(f"{parsed.out}: {len(made) / 1e6:.2f} MB")
    if cost:
        print(
            f"float16 costs {cost.half - cost.full:+.4f} bits per character, on {cost.text}: "
            f"{cost.full:.4f} with float32, {cost.half:.4f} with float16"
        )


def refuse_taken(out: Path) -> None:
    """Raise `ConfigError` where something lies at `out`."""
    if out.is_dir():
        raise ConfigError(f"--out is {out}, a folder: give the name of a file")
    if out.exists():
        raise ConfigError(f"--out is {out}, which is there: give another name, or remove it")
