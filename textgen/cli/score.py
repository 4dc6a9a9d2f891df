"""`textgen score`: how well a model predicts a text."""

from __future__ import annotations

import argparse
import math

from textgen import options
from textgen.cli.generate import warn_unknown
from textgen.generation.generator import load
from textgen.options import build
from textgen.terminal import long_table
from textgen.text.corpus import load_corpus
from textgen.text.read_config import ReadConfig
from textgen.text.readers import names_a_text


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("text", help="the text, or a file that holds it (-: standard input)")
    command.add_argument(
        "--words", action="store_true", help="the text is what is given, though it reads as a name"
    )
    options.add_arguments(command, ReadConfig)
    command.add_argument(
        "--tokens", action="store_true", help="also each token with its probability and rank"
    )


def run(parsed: argparse.Namespace) -> None:
    text = parsed.text
    if not parsed.words and names_a_text(text):
        text = load_corpus(text, build(ReadConfig, vars(parsed))).text
    model = load(parsed.run)
    score = model.score(text)
    warn_unknown(score.unknown)
    print(f"bits_per_char {score.bits_per_char:.4f} ({len(score.tokens)} tokens)")
    if parsed.tokens:
        rows = [[repr(t.text), f"{math.exp(t.logprob):.4f}", f"{t.rank}"] for t in score.tokens]
        print(long_table(["token", "probability", "rank"], rows))
