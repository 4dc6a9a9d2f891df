"""`textgen generate`: a model writes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import Any

from textgen import options
from textgen.errors import ConfigError
from textgen.generation.generator import Generator, load
from textgen.generation.options import generation_options, option_classes
from textgen.generation.text_stream import Chunk, joined


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, or the name of a shipped model")
    command.add_argument("--prompt", default="", help="what the text begins with")
    command.add_argument(
        "--num-samples", type=int, default=1, metavar="INT", help="texts to write (default 1)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object for each text")
    for cls in option_classes():
        options.add_arguments(command, cls)


def run(parsed: argparse.Namespace) -> None:
    if parsed.num_samples < 1:
        raise ConfigError(f"num_samples is {parsed.num_samples}: give at least 1")
    known = generation_options()
    wanted = {k: v for k, v in vars(parsed).items() if k in known}
    if wanted.get("top_logprobs") and not parsed.json:
        raise ConfigError(
            f"top_logprobs is {wanted['top_logprobs']} without --json, which alone shows them: "
            "add --json, or leave it out"
        )
    if "stop_strings" in wanted:
        wanted["stop_strings"] = tuple(wanted["stop_strings"])
    model = load(parsed.run)
    if parsed.json or parsed.num_samples > 1:
        _write_several(model, parsed.prompt, parsed.num_samples, wanted, parsed.json)
        return
    chunks = model.stream(parsed.prompt, **wanted)  # a bad prompt is refused here
    warn_unknown(model.tokenizer.unknown_characters(parsed.prompt))
    print(parsed.prompt, end="", flush=True)
    for chunk in chunks:
        print(chunk.text, end="", flush=True)
    print()
    print(f"seed {chunk.seed}, finish_reason {chunk.finish_reason}", file=sys.stderr)


def _write_several(
    model: Generator, prompt: str, number: int, wanted: dict[str, Any], as_json: bool
) -> None:
    """Write texts at once, and print them when all have ended, or what there is at Ctrl-C."""
    texts: list[list[Chunk]] = [[] for _ in range(number)]
    steps = model.stream_batch([prompt] * number, **wanted)
    warn_unknown(model.tokenizer.unknown_characters(prompt))
    try:
        for chunks in steps:
            for text, chunk in zip(texts, chunks, strict=True):
                text.append(chunk)
    finally:
        for index, text in enumerate(texts, 1):
            if not text:
                continue
            one = joined(prompt, text)
            if as_json:
                print(json.dumps(dataclasses.asdict(one), ensure_ascii=False))
            else:
                print(f"--- {index} of {number} (seed {one.seed})\n{one.prompt}{one.text}\n")


def warn_unknown(unknown: list[str]) -> None:
    """Say on stderr which characters of a text the model does not know."""
    if unknown:
        shown = " ".join(repr(c) for c in unknown[:20])
        print(f"note: the model has never seen {shown}", file=sys.stderr)
