"""`textgen write`: a person and a model write a text together, a word at a time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from textgen import options
from textgen.cli.generate import (
    add_label,
    add_max_copied,
    check_options,
    model_of,
    training_text,
    unescaped,
)
from textgen.errors import ConfigError
from textgen.generation.copy_guard import CopyGuard, check_longest
from textgen.generation.draft import NOT_FOR_A_DRAFT, Draft
from textgen.generation.options import generation_options, option_classes


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, the name of a shipped model, or hf://user/name")
    command.add_argument("--prompt", default="", help=r"what the text begins with: \n is a newline")
    command.add_argument("--out", type=Path, metavar="FILE", help="the file that Ctrl-S writes")
    add_label(command)
    add_max_copied(command, "--max-copied")
    for cls in option_classes():
        options.add_arguments(command, cls, skip=NOT_FOR_A_DRAFT)


def run(parsed: argparse.Namespace) -> None:
    _check(parsed)
    known = generation_options()
    wanted = {name: value for name, value in vars(parsed).items() if name in known}
    check_options(parsed, wanted)
    model = model_of(parsed)
    guard = None
    if parsed.max_copied is not None:
        text = training_text(model, parsed.train)
        guard = CopyGuard(text, parsed.max_copied, model.tokenizer)
    draft = Draft(model, unescaped(parsed.prompt), guard=guard, **wanted)
    from textgen.cli.draft_screen import DraftScreen  # only here: it imports prompt_toolkit

    screen = DraftScreen(draft, parsed.out)
    screen.run()
    print(draft.text)
    told = f"seed {draft.seed}"
    if parsed.out is not None:
        told += f", {'saved to' if screen.is_saved else 'not saved to'} {parsed.out}"
    print(told, file=sys.stderr)


def _check(parsed: argparse.Namespace) -> None:
    """Raises `ConfigError` before the model is loaded."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise ConfigError(
            "write needs a terminal, and this is none: run it in one, or let `textgen generate` "
            "write"
        )
    if parsed.out is not None and parsed.out.is_dir():
        raise ConfigError(f"{parsed.out} is a folder: give --out a file")
    if parsed.max_copied is not None:
        check_longest(parsed.max_copied)
    if parsed.train and parsed.max_copied is None:
        raise ConfigError("train would have no effect: it is for --max-copied")
