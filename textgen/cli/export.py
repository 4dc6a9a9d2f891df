"""`textgen export`: a model as one file to take along."""

from __future__ import annotations

import argparse
from pathlib import Path

from textgen.errors import ConfigError, shown
from textgen.export.disclosure import Disclosure, disclosure
from textgen.export.page import page
from textgen.export.rounding import Cost, check_fit, cost_of_half
from textgen.generation.generator import load
from textgen.runs.atomic_files import write_output

KINDS = ("html",)
LEAST = 0.0001  # bits per character that are told apart


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
    command.add_argument(
        "--yes",
        action="store_true",
        help="also where the model writes what looks like a mail address or a phone number",
    )


def run(parsed: argparse.Namespace) -> None:
    refuse_taken(parsed.out)
    model = load(parsed.run)
    if parsed.half:
        check_fit(model.network)
    made = page(model, parsed.prompt, half=parsed.half)
    found = disclosure(model)
    if found.personal and not parsed.yes:
        raise ConfigError(
            f"{model.name} writes what looks like a mail address or a phone number, "
            f"{shown(found.personal[0])} and {len(found.personal) - 1} others: look whose they "
            "are, and add --yes to export it all the same"
        )
    cost = cost_of_half(model) if parsed.half else None
    write_output(parsed.out, made)
    print(f"{parsed.out}: {len(made) / 1e6:.2f} MB")
    print(in_words(found))
    if cost:
        print(cost_in_words(cost))


def cost_in_words(cost: Cost) -> str:
    """What float16 costs."""
    more = cost.half - cost.full
    size = f"{more:+.4f}" if abs(more) >= LEAST else f"less than {LEAST}"
    return (
        f"float16 costs {size} bits per character, on {cost.text}: "
        f"{cost.full:.4f} with float32, {cost.half:.4f} with float16"
    )


def in_words(found: Disclosure) -> str:
    """What the model would tell of its training text."""
    if found.greedy is None or found.sampled is None:
        return "the text it was trained on is not here, so what it copies is not known"
    return (
        f"verbatim from its training text, {found.shortest} characters or more in a row: "
        f"{found.greedy:.0%} of its likeliest text, {found.sampled:.0%} of what it draws"
    )


def refuse_taken(out: Path) -> None:
    """Raise `ConfigError` where something lies at `out`."""
    if out.is_dir():
        raise ConfigError(f"--out is {out}, a folder: give the name of a file")
    if out.exists():
        raise ConfigError(f"--out is {out}, which is there: give another name, or remove it")
