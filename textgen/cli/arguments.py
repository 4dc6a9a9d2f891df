"""What can be said to the `textgen` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from textgen import __version__
from textgen.config import EvaluateConfig, SweepConfig
from textgen.data.recall_documents import HELD_OUT
from textgen.data.recall_task import VARIANTS
from textgen.errors import BAD_INPUT
from textgen.generation.options import option_classes
from textgen.options import add_arguments
from textgen.runs.recipe import CONFIGS
from textgen.text.read_config import ReadConfig


class _Parser(argparse.ArgumentParser):
    """One line instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; see {self.prog} --help\n")


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[_Parser]


def parser() -> argparse.ArgumentParser:
    """Of all commands; `command` is the name of the one that was given."""
    whole = _Parser(
        prog="textgen",
        description="Train small recurrent language models on your own text, and let them write.",
    )
    whole.add_argument("--version", action="version", version=f"textgen {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="command")

    for add in (_train, _race, _sweep, _generate, _score, _probe, _evaluate, _corpus, _app):
        add(commands)
    return whole


def _train(commands: Commands) -> None:
    command = commands.add_parser("train", help="train a model on a text")
    command.add_argument(
        "corpus",
        nargs="*",
        help="files, FILE:COLUMN, folders, - (standard input), hf:NAME[/CONFIG][:SPLIT][:COLUMN], "
        "or a task (TOML)",
    )
    command.add_argument("--out", metavar="RUN", help="the run folder to make")
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
        add_arguments(command, cls)


def _race(commands: Commands) -> None:
    command = commands.add_parser("race", help="train several cells on one text, one after another")
    command.add_argument("corpus", nargs="+", help="as for train")
    command.add_argument(
        "--out", metavar="FOLDER", required=True, help="their run folders go there"
    )
    command.add_argument(
        "--cells",
        type=lambda text: text.split(","),
        default=["rnn", "lstm", "gru"],
        metavar="NAME,...",
        help="which (default rnn,lstm,gru)",
    )
    for cls in CONFIGS:
        add_arguments(command, cls, skip=("cell", "stream"))


def _sweep(commands: Commands) -> None:
    command = commands.add_parser("sweep", help="try settings on a text, and keep the best")
    command.add_argument("corpus", nargs="*", help="as for train")
    command.add_argument("--space", metavar="FILE", required=True, help="what to try (TOML)")
    command.add_argument("--out", metavar="FOLDER", required=True, help="all of it goes there")
    command.add_argument("--config", metavar="FILE", help="a recipe (TOML), for what is not tried")
    add_arguments(command, SweepConfig)
    add_arguments(command, ReadConfig)


def _generate(commands: Commands) -> None:
    command = commands.add_parser("generate", help="let a model write")
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("--prompt", default="", help="what the text begins with")
    command.add_argument(
        "--num-samples", type=int, default=1, metavar="INT", help="texts to write (default 1)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object for each text")
    for cls in option_classes():
        add_arguments(command, cls)


def _score(commands: Commands) -> None:
    command = commands.add_parser("score", help="how well a model predicts a text")
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("text", help="the text, or a file that holds it (-: standard input)")
    command.add_argument(
        "--words", action="store_true", help="the text is what is given, though it reads as a name"
    )
    add_arguments(command, ReadConfig)
    command.add_argument(
        "--tokens", action="store_true", help="also each token with its probability and rank"
    )


def _probe(commands: Commands) -> None:
    command = commands.add_parser(
        "probe", help="does a model remember? right answers against distance"
    )
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument(
        "--task", metavar="FILE", help="a task (TOML); default: the shipped one it was trained on"
    )
    command.add_argument(
        "--distances",
        type=_numbers,
        metavar="INT,...",
        help="characters between fact and answer",
    )
    command.add_argument(
        "-n", type=int, default=408, metavar="INT", help="documents of each distance (default 408)"
    )
    command.add_argument("--variant", choices=VARIANTS, default="plain")
    command.add_argument(
        "--held-out",
        nargs="*",
        choices=HELD_OUT,
        default=HELD_OUT[:1],
        help="what is taken from what is never trained on (default filler)",
    )
    command.add_argument(
        "--controls",
        action="store_true",
        help="also with the fact removed, swapped, and the state set to zero",
    )
    command.add_argument("--seed", type=int, default=1, metavar="INT", help="of the documents")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there")


def _evaluate(commands: Commands) -> None:
    command = commands.add_parser(
        "evaluate", help="how well a model predicts a text, and how much it copies"
    )
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument(
        "text",
        help="a text; of the one it was trained on, the held-out end is taken",
    )
    command.add_argument(
        "--train",
        metavar="TEXT",
        help="the text it was trained on, for n-grams and copies (default: where the run found it)",
    )
    add_arguments(command, EvaluateConfig)
    add_arguments(command, ReadConfig)
    command.add_argument(
        "--look-back",
        action="store_true",
        help="also how far back it looks: loss against context length",
    )
    command.add_argument(
        "--contexts", type=_numbers, metavar="INT,...", help="tokens it may look back on"
    )
    command.add_argument(
        "-n", type=int, default=256, metavar="INT", help="tokens to look back from (default 256)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the first table there")


def _corpus(commands: Commands) -> None:
    command = commands.add_parser("corpus", help="the corpus doctor: what a text is like")
    command.add_argument("corpus", nargs="+", help="as for train")
    command.add_argument(
        "--json", action="store_true", help="what was read, and how, as one JSON object"
    )
    add_arguments(command, ReadConfig)


def _app(commands: Commands) -> None:
    command = commands.add_parser("app", help="open the app in a browser")
    command.add_argument(
        "--host",
        default="localhost",
        help="where it listens (default localhost: this machine alone)",
    )
    command.add_argument("--port", type=int, default=8501, metavar="INT", help="(default 8501)")


def _numbers(text: str) -> list[int]:
    """20,50,100. Raises for argparse."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers: write 20,50,100")
    return numbers
