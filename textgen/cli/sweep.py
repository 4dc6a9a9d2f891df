"""`textgen sweep`: settings are tried on a text, and the best kept."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from textgen import options
from textgen.cli.sources import read_recipe_file, refuse_streams
from textgen.config import SweepConfig
from textgen.errors import TextgenError
from textgen.options import build, options_of
from textgen.terminal import show
from textgen.text.read_config import ReadConfig


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("corpus", nargs="*", help="as for train")
    command.add_argument("--space", metavar="FILE", required=True, help="what to try (TOML)")
    command.add_argument("--out", metavar="FOLDER", required=True, help="all of it goes there")
    command.add_argument("--config", metavar="FILE", help="a recipe (TOML), for what is not tried")
    options.add_arguments(command, SweepConfig)
    options.add_arguments(command, ReadConfig)


def run(parsed: argparse.Namespace) -> None:
    from textgen.tuning.search_space import read_space

    space = read_space(Path(parsed.space))
    recipe = read_recipe_file(parsed.config)
    recipe |= {k: v for k, v in vars(parsed).items() if k in options_of(ReadConfig)}
    refuse_streams(parsed.corpus, "each trial of a sweep reads the text")
    from textgen.tuning.sweep import Sweep

    sweep = Sweep(parsed.corpus, parsed.out, space, recipe, build(SweepConfig, vars(parsed)))
    if not sweep.run():
        with contextlib.suppress(TextgenError):  # there may be nothing to report yet
            show(sweep.known.report())
        raise KeyboardInterrupt("stopped: the same command goes on")
    show(sweep.known.report())
