"""`textgen push`: a run on the Hugging Face Hub."""

from __future__ import annotations

import argparse

from textgen.cli.leaving import add_yes, look_before
from textgen.errors import ConfigError
from textgen.export.push import check_names, push
from textgen.generation.generator import load
from textgen.runs.hub_models import check_access


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("repository", help="user/name on the Hub; made where there is none")
    command.add_argument("--private", action="store_true", help="of a new one: for you alone")
    command.add_argument(
        "--ngrams",
        action="store_true",
        help="send the n-grams of its text, too, and --yes: they are runs of 8 tokens of it, from "
        "which longer passages can be put together again; without it the network goes alone",
    )
    add_yes(command)


def run(parsed: argparse.Namespace) -> None:
    check_names(parsed.run, parsed.repository)
    check_access(parsed.repository)  # before it is looked at what the model would tell
    model = load(parsed.run)
    mixture, given_away = model.mixture, ""
    if parsed.ngrams:
        if mixture is None:
            raise ConfigError(f"{parsed.run} has no n-grams of its weights: leave --ngrams out")
        given_away = (
            f"its {len(mixture.counts):,} n-grams are runs of {mixture.counts.order} tokens of the "
            "training text, from which longer passages can be put together again, with the "
            "addresses and numbers in them"
        )
    else:
        model = model.without_ngrams()
    print(look_before(model, parsed.yes, given_away), flush=True)
    if mixture is not None and not parsed.ngrams:
        print("the network goes alone; --ngrams sends the n-grams of its text, too", flush=True)
    print(push(parsed.run, parsed.repository, private=parsed.private, ngrams=parsed.ngrams))
