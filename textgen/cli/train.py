"""`textgen train`: a text or a task becomes a run folder."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from textgen import options
from textgen.cli.sources import one_or_all, read_recipe_file, refuse_streams
from textgen.errors import ConfigError
from textgen.log import logger
from textgen.options import options_of
from textgen.runs.recipe import CONFIGS, configs_of
from textgen.runs.run_folder import CONFIG


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "corpus",
        nargs="*",
        help="files, FILE:COLUMN, folders, - (standard input), hf:NAME[/CONFIG][:SPLIT][:COLUMN], "
        "or a task (TOML)",
    )
    command.add_argument("--out", metavar="RUN", help="the run folder to make")
    command.add_argument(
        "--from",
        dest="begin_from",
        metavar="RUN",
        help="begin with the weights, tokenizer and model settings of a run, a shipped model or "
        "hf://USER/NAME",
    )
    command.add_argument("--config", metavar="FILE", help="a recipe (TOML); flags override it")
    command.add_argument(
        "--resume", nargs="?", const="", metavar="RUN", help="go on with a run that was stopped"
    )
    command.add_argument(
        "--budget",
        metavar="TIME",
        help="90s, 3m, 1h: cell, size, passes and the rest follow from the speed of this machine",
    )
    command.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="train in N processes of this machine, each with a GPU of its own if there are any",
    )
    for cls in CONFIGS:
        options.add_arguments(command, cls)


def run(parsed: argparse.Namespace) -> None:
    values = {k: v for k, v in vars(parsed).items() if any(k in options_of(c) for c in CONFIGS)}
    recipe: dict[str, Any] = read_recipe_file(parsed.config)
    source = parsed.corpus or recipe.pop("corpus", [])
    out = parsed.resume or parsed.out or recipe.get("out")
    recipe.pop("out", None)
    if not isinstance(out, str):
        raise ConfigError("no run folder given: add --out RUN")
    if parsed.resume and parsed.out and Path(parsed.resume) != Path(parsed.out):
        raise ConfigError(
            f"--resume names {parsed.resume} and --out {parsed.out}: leave one of them out"
        )
    if parsed.resume is not None and not Path(out).is_dir():  # before any worker is begun
        raise ConfigError(f"{out} is no run to go on with: leave out --resume to begin one there")
    if parsed.workers is not None:
        refuse_streams(source or [], "of several workers each reads the text")
        from textgen.training.distributed import refuse_a_time
        from textgen.training.launch import again, launch

        # before any worker is begun
        refuse_a_time(parsed.workers, parsed.budget, (recipe | values).get("max_seconds"))
        sys.exit(launch(parsed.workers, again(parsed, values), Path(out)))
    if parsed.resume is None:
        _start(source, out, recipe, values, parsed.budget, parsed.begin_from)
    else:
        _resume(parsed, out, recipe, values)
    print(f"saved to {out}: textgen generate {out} --prompt ...", file=sys.stderr)


def _start(
    source: str | Sequence[str],
    out: str,
    recipe: dict[str, object],
    flags: dict[str, object],
    budget: str | None,
    begin_from: str | None,
) -> None:
    if not source:
        raise ConfigError("no text given: name a file, a folder or hf:NAME")
    settings = recipe | flags
    model, tokens, training = configs_of(settings)
    from textgen.training.budget import seconds_of
    from textgen.training.train import start

    seconds = 0.0 if budget is None else seconds_of(budget)
    text = one_or_all(source)
    with _interruption_explained(out):
        start(
            text,
            out,
            model,
            tokens,
            training,
            seconds,
            fixed=set(settings),
            given=set(flags),
            begin_from=begin_from,
        )


def _resume(
    parsed: argparse.Namespace, out: str, recipe: dict[str, object], flags: dict[str, Any]
) -> None:
    named = {"budget": parsed.budget, "from": parsed.begin_from}
    fixed = [name for name, value in named.items() if value] + sorted(set(flags) - {"epochs"})
    if fixed:
        raise ConfigError(
            f"{fixed[0]} cannot change on --resume: leave it out (only epochs may change)"
        )
    if recipe:
        logger.warning(
            f"note: {out} goes on with its own settings, not with those of {parsed.config}"
        )
    from textgen.training.train import resume

    source = one_or_all(parsed.corpus) if parsed.corpus else None
    with _interruption_explained(out):
        resume(out, source, flags.get("epochs"))


@contextlib.contextmanager
def _interruption_explained(out: str) -> Iterator[None]:
    """Say how a training goes on that is stopped while within, once it has begun."""
    from textgen.training.stop_request import Interrupted

    try:
        yield
    except Interrupted as stop:
        message = "stopped before anything was learned: there is no run yet"
        if (Path(out) / CONFIG).is_file():
            message = f"stopped and saved: textgen train --resume {out} goes on"
        raise Interrupted(message) from stop
