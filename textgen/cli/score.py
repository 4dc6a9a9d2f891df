"""`textgen score`: how well a model predicts a text."""

from __future__ import annotations

import argparse
import math

from textgen.cli.generate import add_label, model_of, warn_unknown
from textgen.cli.sources import add_text, text_of
from textgen.terminal import long_table


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    add_text(command)
    add_label(command)
    command.add_argument(
        "--tokens", action="store_true", help="also each token with its probability and rank"
    )


def run(parsed: argparse.Namespace) -> None:
    text = text_of(parsed)
    model = model_of(parsed)
    score = model.score(text)
    warn_unknown(model.tokenizer, text)
    print(f"bits_per_char {score.bits_per_char:.4f} ({len(score.tokens)} tokens)")
    if model.mixture is not None:
        print(f"bits_per_char {score.network_bits_per_char:.4f} of the network alone")
    if parsed.tokens:
        rows = [[repr(t.text), f"{math.exp(t.logprob):.4f}", f"{t.rank}"] for t in score.tokens]
        print(long_table(["token", "probability", "rank"], rows))
