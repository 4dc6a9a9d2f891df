"""What n-grams bring a network: held-out bits per character of each alone, and of both together.

    python -m benchmarks.mixture runs/tales tales.txt

A run that was trained with n-grams, and its text. All three predict the same part of the text:
what was held out, but for its beginning, by which the n-grams are weighed. The n-grams alone are
those of the evaluation: of characters, smoothed by Witten-Bell, none left out; of n = 1 to 8 the
best is told.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from textgen.data.sources import as_trained_on
from textgen.errors import ConfigError
from textgen.evaluation.evaluate import read_carried
from textgen.evaluation.ngram import NGram
from textgen.generation.generator import load
from textgen.runs.ngrams import NGRAMS
from textgen.runs.run_config import RunConfig

MOST = 100_000  # characters that are predicted
HEAD = (
    "| text | network | characters | n-grams alone | network alone | together | file |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)


def row(run: str, source: str) -> str:
    """A line of the table. Raises `ConfigError` for a run without n-grams, and for another text."""
    model = load(run)
    data = as_trained_on(model.card, source)
    if model.mixture is None or data is None:
        raise ConfigError(f"{run} has no n-grams, or was not trained on {source}: train it so")
    text = data.held_out_text[model.mixture.fitted :][:MOST]
    counted = NGram(data.text, 8).nats(text).mean(1) / math.log(2)
    read = read_carried(model, model.tokenizer.encode(text))
    alone, both = (
        float(nats.sum()) / math.log(2) / len(text)
        for nats in (read.nats, read.mixed(model, model.mixture))
    )
    config, size = model.config, (Path(run) / NGRAMS).stat().st_size
    seconds = RunConfig.from_dict(model.card).metrics["seconds"]
    return (
        f"| {Path(source).name} | {config.cell} {config.num_layers}x{config.hidden_size}, "
        f"{seconds:.0f} s | {len(text):,} | {counted.min():.3f} "
        f"(n = {int(counted.argmin()) + 1}) | {alone:.3f} | {both:.3f} | {size / 1e6:.1f} MB |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", metavar="RUN TEXT", help="a run, and its text; ...")
    pairs = parser.parse_args().pairs
    print(HEAD)
    for run, source in zip(pairs[::2], pairs[1::2], strict=True):
        print(row(run, source), flush=True)


if __name__ == "__main__":
    main()
