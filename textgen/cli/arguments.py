"""What can be said to the `textgen` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from textgen import __version__
from textgen.config import EvaluateConfig, SweepConfig
from textgen.data.recall_task import HELD_OUT, VARIANTS
from textgen.errors import BAD_INPUT
from textgen.generation.options import LoopConfig
from textgen.generation.sampling import TRANSFORMS
from textgen.options import add_arguments
from textgen.runs.recipe import CONFIGS
from textgen.text.read_config import ReadConfig


class _Parser(argparse.ArgumentParser):
    """One line instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Of all commands; `command` is the name of the one that was given."""
    whole = _Parser(
        prog="textgen",
        description="Train small recurrent language models on your own text, and let them write.",
    )
    whole.add_argument("--version", action="version", version=f"textgen {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model on a text")
    train.add_argument(
        "corpus",
        nargs="*",
        help="files, FILE:COLUMN, folders, - (standard input), hf:NAME[/CONFIG][:SPLIT][:COLUMN], "
        "or a task (TOML)",
    )
    train.add_argument("--out", metavar="RUN", help="the run folder to make")
    train.add_argument("--config", metavar="FILE", help="a recipe (TOML); flags override it")
    train.add_argument(
        "--resume", nargs="?", const="", metavar="RUN", help="go on with a run that was stopped"
    )
    train.add_argument(
        "--budget",
        metavar="TIME",
        help="90s, 3m, 1h: cell, size, passes and the rest follow from the speed of this machine",
    )
    train.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="train in N processes of this machine, each with a GPU of its own if there are any",
    )
    for cls in CONFIGS:
        add_arguments(train, cls)
    train.set_defaults(command="train")

    race = commands.add_parser("race", help="train several cells on one text, one after another")
    race.add_argument("corpus", nargs="+", help="as for train")
    race.add_argument("--out", metavar="FOLDER", required=True, help="their run folders go there")
    race.add_argument(
        "--cells",
        type=lambda text: text.split(","),
        default=["rnn", "lstm", "gru"],
        metavar="NAME,...",
        help="which (default rnn,lstm,gru)",
    )
    for cls in CONFIGS:
        add_arguments(race, cls, skip=("cell", "stream"))
    race.set_defaults(command="race")

    sweep = commands.add_parser("sweep", help="try settings on a text, and keep the best")
    sweep.add_argument("corpus", nargs="*", help="as for train")
    sweep.add_argument("--space", metavar="FILE", required=True, help="what to try (TOML)")
    sweep.add_argument("--out", metavar="FOLDER", required=True, help="all of it goes there")
    sweep.add_argument("--config", metavar="FILE", help="a recipe (TOML), for what is not tried")
    add_arguments(sweep, SweepConfig)
    add_arguments(sweep, ReadConfig)
    sweep.set_defaults(command="sweep")

    generate = commands.add_parser("generate", help="let a model write")
    generate.add_argument("run", help="a run folder, or the name of a shipped model")
    generate.add_argument("--prompt", default="", help="what the text begins with")
    generate.add_argument(
        "--num-samples", type=int, default=1, metavar="INT", help="texts to write (default 1)"
    )
    generate.add_argument("--json", action="store_true", help="one JSON object for each text")
    for cls in (LoopConfig, *TRANSFORMS):
        add_arguments(generate, cls)
    generate.set_defaults(command="generate")

    score = commands.add_parser("score", help="how well a model predicts a text")
    score.add_argument("run", help="a run folder, or the name of a shipped model")
    score.add_argument("text", help="the text, or a file that holds it (-: standard input)")
    score.add_argument(
        "--words", action="store_true", help="the text is what is given, though it reads as a name"
    )
    add_arguments(score, ReadConfig)
    score.add_argument(
        "--tokens", action="store_true", help="also each token with its probability and rank"
    )
    score.set_defaults(command="score")

    probe = commands.add_parser(
        "probe", help="does a model remember? right answers against distance"
    )
    probe.add_argument("run", help="a run folder, or the name of a shipped model")
    probe.add_argument(
        "--task", metavar="FILE", help="a task (TOML); default: the one it was trained on"
    )
    probe.add_argument(
        "--distances",
        type=_numbers,
        metavar="INT,...",
        help="characters between fact and answer",
    )
    probe.add_argument(
        "-n", type=int, default=408, metavar="INT", help="documents of each distance (default 408)"
    )
    probe.add_argument("--variant", choices=VARIANTS, default="plain")
    probe.add_argument(
        "--held-out",
        nargs="*",
        choices=HELD_OUT,
        default=HELD_OUT[:1],
        help="what is taken from what is never trained on (default filler)",
    )
    probe.add_argument(
        "--controls",
        action="store_true",
        help="also with the fact removed, swapped, and the state set to zero",
    )
    probe.add_argument("--seed", type=int, default=1, metavar="INT", help="of the documents")
    probe.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    probe.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there")
    probe.set_defaults(command="probe")

    evaluate = commands.add_parser(
        "evaluate", help="how well a model predicts a text, and how much it copies"
    )
    evaluate.add_argument("run", help="a run folder, or the name of a shipped model")
    evaluate.add_argument(
        "text",
        help="a text; of the one it was trained on, the held-out end is taken",
    )
    evaluate.add_argument(
        "--train",
        metavar="TEXT",
        help="the text it was trained on, for n-grams and copies (default: where the run found it)",
    )
    add_arguments(evaluate, EvaluateConfig)
    add_arguments(evaluate, ReadConfig)
    evaluate.add_argument(
        "--look-back",
        action="store_true",
        help="also how far back it looks: loss against context length",
    )
    evaluate.add_argument(
        "--contexts", type=_numbers, metavar="INT,...", help="tokens it may look back on"
    )
    evaluate.add_argument(
        "-n", type=int, default=256, metavar="INT", help="tokens to look back from (default 256)"
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    evaluate.add_argument("--csv", type=Path, metavar="FILE", help="write the first table there")
    evaluate.set_defaults(command="evaluate")

    corpus = commands.add_parser("corpus", help="the corpus doctor: what a text is like")
    corpus.add_argument("corpus", nargs="+", help="as for train")
    corpus.add_argument(
        "--json", action="store_true", help="what was read, and how, as one JSON object"
    )
    add_arguments(corpus, ReadConfig)
    corpus.set_defaults(command="corpus")

    app = commands.add_parser("app", help="open the app in a browser")
    app.add_argument(
        "--host",
        default="localhost",
        help="where it listens (default localhost: this machine alone)",
    )
    app.add_argument("--port", type=int, default=8501, metavar="INT", help="(default 8501)")
    app.set_defaults(command="app")
    return whole


def _numbers(text: str) -> list[int]:
    """20,50,100. Raises for argparse."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers: write 20,50,100")
    return found
