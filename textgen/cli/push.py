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
    command.add_argument(
        "--no-ngrams",
        action="store_true",
        help="leave the n-grams of its text here, which hold spans of it: the network goes alone",
    )
    add_yes(command)


def run(parsed: argparse.Namespace) -> None:
    check_names(parsed.run, parsed.repository)
    model = load(parsed.run)
    if parsed.no_ngrams:
        model = model.without_ngrams()
    print(look_before(model, parsed.yes), flush=True)
    if model.mixture is not None:
        print(
            f"{len(model.mixture.counts):,} n-grams of its training text go with it, runs of up to "
            f"{model.mixture.counts.order} tokens for all to read; --no-ngrams leaves them here",
            flush=True,
        )
    ngrams = model.mixture is not None
    print(push(parsed.run, parsed.repository, private=parsed.private, ngrams=ngrams))
