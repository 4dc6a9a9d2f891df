"""`textgen race`: several cells on one text."""

from __future__ import annotations

import argparse
from pathlib import Path

from textgen import options
from textgen.cli.sources import one_or_all
from textgen.errors import ConfigError
from textgen.options import options_of
from textgen.runs.recipe import CONFIGS, configs_of
from textgen.terminal import show


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("corpus", nargs="+", help="as for train")
    command.add_argument(
        "--out",
        metavar="FOLDER",
        required=True,
        help="their run folders go there; a race stopped there goes on by the same command",
    )
    command.add_argument(
        "--cells",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        default=["rnn", "lstm", "gru"],
        metavar="NAME,...",
        help="which (default rnn,lstm,gru)",
    )
    for cls in CONFIGS:
        options.add_arguments(command, cls, skip=("cell", "stream", "ngrams"))


def run(parsed: argparse.Namespace) -> None:
    from textgen.tuning.race import FILE, race, report

    if not parsed.out:
        raise ConfigError("no folder given: add --out FOLDER")
    values = {k: v for k, v in vars(parsed).items() if any(k in options_of(c) for c in CONFIGS)}
    model, tokens, training = configs_of(values)
    source = one_or_all(parsed.corpus)
    try:
        results = race(source, parsed.out, parsed.cells, model, tokens, training, set(values))
    except KeyboardInterrupt:
        if not (Path(parsed.out) / FILE).is_file():
            raise
        raise KeyboardInterrupt("stopped: the same command goes on") from None
    show(report(results))
