"""`textgen push`: a run on the Hugging Face Hub."""

from __future__ import annotations

import argparse

from textgen.cli.leaving import add_yes, look_before
from textgen.export.push import check_names, push
from textgen.generation.generator import load


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("repository", help="user/name on the Hub; made where there is none")
    command.add_argument("--private", action="store_true", help="of a new one: for you alone")
    add_yes(command)


def run(parsed: argparse.Namespace) -> None:
    check_names(parsed.run, parsed.repository)
    print(look_before(load(parsed.run), parsed.yes), flush=True)
    print(push(parsed.run, parsed.repository, private=parsed.private))
