"""`textgen evaluate`: how well a model predicts a text, and how much of it is copied."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from textgen import options, shipped
from textgen.cli.generate import add_label, model_of
from textgen.cli.sources import check_save, numbers, save
from textgen.config import EvaluateConfig
from textgen.data.labelled_text import LabelledText
from textgen.data.sources import as_trained_on, find_training_text
from textgen.data.streamed_text import held_out_of
from textgen.data.text_in_memory import TextInMemory
from textgen.errors import ConfigError
from textgen.evaluation import context_length, evaluation_tables, voices
from textgen.evaluation.evaluate import evaluate
from textgen.evaluation.overlap import TOLD, share_known
from textgen.generation.generator import Generator
from textgen.generation.voices import shares_of
from textgen.log import logger
from textgen.options import build, options_of
from textgen.terminal import show
from textgen.text.columns import listed
from textgen.text.corpus import load_corpus
from textgen.text.read_config import FOR_TRAINING, ReadConfig
from textgen.text.source import some_of


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    command.add_argument(
        "text",
        nargs="+",
        help="a text, or several that are read as one; of what it was trained on, what was held "
        "out is taken",
    )
    command.add_argument(
        "--train",
        action="append",
        metavar="TEXT",
        help="the text it was trained on, for n-grams and copies (default: where the run found "
        "it); once for each of several",
    )
    add_label(command)
    options.add_arguments(command, EvaluateConfig)
    options.add_arguments(command, ReadConfig, skip=FOR_TRAINING)
    command.add_argument(
        "--look-back",
        action="store_true",
        help="also how far back it looks: loss against context length",
    )
    command.add_argument(
        "--contexts", type=numbers, metavar="INT,...", help="tokens it may look back on"
    )
    command.add_argument(
        "-n", type=int, default=256, metavar="INT", help="tokens to look back from (default 256)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write the first table there")


def run(parsed: argparse.Namespace) -> None:
    config = build(EvaluateConfig, vars(parsed))
    for path in (parsed.json, parsed.csv):
        check_save(path)
    model = model_of(parsed)
    text, training_text, own = _texts(model, parsed)
    if training_text:
        _tell_known(parsed, text, training_text, one=own is not None or len(parsed.text) == 1)
    contexts = parsed.contexts or (context_length.CONTEXTS if parsed.look_back else ())
    if contexts:  # what they cannot be measured on is refused before the rest is measured
        tokens = len(model.tokenizer.encode_array(text))
        context_length.usable_contexts(tokens, contexts, parsed.n)
    measured = evaluate(model, text, training_text, config)
    show(evaluation_tables.report(measured))
    result = dataclasses.asdict(measured)
    if parsed.label is not None:
        result["label"] = parsed.label
    elif isinstance(own, LabelledText) and model.labels:
        by_voice = voices.bits_by_voice(model, own)
        show(["", *voices.report(by_voice)])
        result["voices"] = [dataclasses.asdict(row) for row in by_voice]
    if contexts:
        rows = context_length.context_curve(model, text, contexts, parsed.n, config.seed)
        show(["", *context_length.report(rows)])
        result["look_back"] = [dataclasses.asdict(row) for row in rows]
    save(parsed.json, lambda: json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    save(parsed.csv, lambda: evaluation_tables.as_csv(measured))


def _tell_known(parsed: argparse.Namespace, text: str, training_text: str, *, one: bool) -> None:
    """Note which of the texts read here the model was trained on. one: whether `text` is of one."""
    if one:
        texts = {some_of(parsed.text): text}
    else:
        config = build(ReadConfig, _reading(parsed))
        texts = {str(path): load_corpus([path], config).text for path in parsed.text}
    for name, read in texts.items():
        if (known := share_known(read, training_text)) >= TOLD:
            logger.warning(
                f"note: {parsed.run} was trained on about {known:.0%} of what is read here of "
                f"{name}: the figures are not those of a text it has not seen"
            )


def _reading(parsed: argparse.Namespace) -> dict[str, object]:
    return {k: v for k, v in vars(parsed).items() if k in options_of(ReadConfig)}


def _texts(
    model: Generator, parsed: argparse.Namespace
) -> tuple[str, str | None, TextInMemory | None]:
    """What to evaluate on, what the model was trained on where that is at hand, and the whole of
    that where what to evaluate on is held out of it."""
    reading = _reading(parsed)
    config, card = build(ReadConfig, reading), model.card
    if reading:
        card = card | {"training": card["training"] | reading}
    run = shipped.find(Path(parsed.run), shipped.MODELS)
    own = as_trained_on(card, parsed.text)
    held_out = own.held_out_text if own else held_out_of(run, card, parsed.text)
    if held_out is None:
        text = load_corpus(parsed.text, config).text
    else:
        text = _held_out(model, parsed, own, held_out)
    if parsed.train:
        if held_out_of(run, card, parsed.train) is not None:
            raise ConfigError(
                f"{run} streamed {some_of(parsed.train)}: give --train a file with a part of it"
            )
        known = as_trained_on(card, parsed.train)
        return text, known.text if known else load_corpus(parsed.train, config).text, own
    known = own or find_training_text(card)
    return text, known.text if known else None, own


def _held_out(
    model: Generator, parsed: argparse.Namespace, own: TextInMemory | None, held_out: str
) -> str:
    """Of the text that the model was trained on, what was held out and weighed no n-grams. With a
    label it is the documents of that label, or of those mixed: those of others are none of its
    voice's. Raises `ConfigError` where nothing was."""
    name = some_of(parsed.text)
    if isinstance(own, LabelledText) and parsed.label is not None:
        labels = shares_of(parsed.label, model.voices)
        print(f"{name}: what {parsed.run} held out of {listed(labels)}, read in one go")
        return own.held_out_of(labels)
    if not held_out:
        raise ConfigError(f"{parsed.run} was trained on all of {name}: give a text it has not seen")
    fitted = 0 if model.mixture is None else model.mixture.fitted
    told = f"{name}: the end that {parsed.run} held out"
    if fitted:
        told += f", but for its first {fitted:,} characters, by which its n-grams are weighed"
    print(told)
    return held_out[fitted:]
