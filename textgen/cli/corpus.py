"""`textgen corpus`: the corpus doctor."""

from __future__ import annotations

import argparse
import json

from textgen import options
from textgen.cli.sources import one_or_all
from textgen.options import build
from textgen.terminal import show
from textgen.text.corpus import load_corpus
from textgen.text.doctor import as_dict, diagnose, report
from textgen.text.read_config import FOR_TRAINING, ReadConfig


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("corpus", nargs="+", help="as for train")
    command.add_argument(
        "--json", action="store_true", help="what was read, and how, as one JSON object"
    )
    options.add_arguments(command, ReadConfig, skip=FOR_TRAINING)


def run(parsed: argparse.Namespace) -> None:
    corpus = load_corpus(one_or_all(parsed.corpus), build(ReadConfig, vars(parsed)))
    diagnosis = diagnose(corpus)
    if parsed.json:
        print(json.dumps(as_dict(diagnosis), ensure_ascii=False))
    else:
        show(report(diagnosis))
