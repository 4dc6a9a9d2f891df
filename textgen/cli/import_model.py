"""`textgen import`: a model of Keras's own layers as a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from textgen.importing.foreign_run import import_model


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="a .keras or .h5 file of Keras's own layers")
    command.add_argument(
        "--characters",
        type=Path,
        metavar="FILE",
        help="which id is which character: a list in JSON, or the characters in their order "
        "(default: the .json beside the file)",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="the run folder to make"
    )


def run(parsed: argparse.Namespace) -> None:
    model = import_model(parsed.file, parsed.characters, parsed.out)
    config = model.config
    print(
        f"{parsed.out}: {config.num_layers} x {config.hidden_size} {config.cell}, "
        f"{model.num_parameters:,} parameters, {model.tokenizer.vocab_size} tokens"
    )
