"""`textgen voice`: adds a label to a finished model."""

from __future__ import annotations

import argparse
from pathlib import Path

from textgen import options
from textgen.cli.generate import warn_unknown
from textgen.errors import ConfigError, CorpusError, RunError, shown
from textgen.generation.generator import Generator, load
from textgen.log import logger
from textgen.options import build
from textgen.runs import atomic_files
from textgen.runs.run_config import RunConfig
from textgen.runs.run_folder import CONFIG
from textgen.runs.voices import LONGEST_LABEL, VOICES, write_voices
from textgen.text.columns import plain_name
from textgen.text.corpus import load_corpus
from textgen.text.read_config import FOR_TRAINING, ReadConfig
from textgen.training.new_voice import learn_voice

MOST_UNKNOWN = 0.25  # share of the characters: of more the voice would be that of no text


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder")
    command.add_argument("label", help="what the voice is called: an author, a kind of text")
    command.add_argument(
        "text",
        nargs="?",
        help="some thousand characters of text in it, read as for train, in paragraphs",
    )
    command.add_argument("--remove", action="store_true", help="take the voice away again")
    options.add_arguments(command, ReadConfig, skip=FOR_TRAINING)


def run(parsed: argparse.Namespace) -> None:
    folder, label = Path(parsed.run), plain_name(parsed.label)
    if not (folder / CONFIG).is_file():
        raise RunError(
            f"{parsed.run} is no run folder, which the voice is written into: "
            "give one, or a copy of a shipped model's"
        )
    if not label or len(label) > LONGEST_LABEL:
        raise ConfigError(
            f"label is {shown(label)}: give a name of 1 to {LONGEST_LABEL} characters"
        )
    if (parsed.text is None) != parsed.remove:
        raise ConfigError("give a text in the voice, or --remove to take the voice away")
    with atomic_files.hold(folder):  # from the reading on: nobody else adds a voice meanwhile
        model = load(folder)
        if parsed.remove:
            return _remove(folder, model, label)
        if label in model.labels:
            remedy = ""
            if label in _learned_later(model):
                remedy = ", or take that one away first: add --remove instead of the text"
            raise ConfigError(
                f"label is {shown(label)}, which {folder} has: choose another name{remedy}"
            )
        settings = {"sample_by": "paragraph"} | vars(parsed)
        corpus = load_corpus(parsed.text, build(ReadConfig, settings))
        share = model.tokenizer.unknown_share(corpus.text)
        if share > MOST_UNKNOWN:
            raise CorpusError(
                f"{folder} has never seen {share:.0%} of the characters of {parsed.text}: give a "
                f"text in letters that it knows, or teach it: textgen train TEXT --from {folder}"
            )
        warn_unknown(model.tokenizer, corpus.text)
        found = learn_voice(model, corpus.documents)
        if found.own >= found.none:
            raise CorpusError(
                "no beginning was better than none for what was held out, and nothing is saved: "
                "give more text"
            )
        write_voices(folder, {**model.voices, label: found.state}, model.hash)
    logger.info(
        f"bits per character of what the best was chosen on: {found.none:.3f} in no voice, "
        f"{found.own:.3f} in this one ({found.own / found.none - 1:+.1%})"
    )
    logger.info(f"saved in {folder / VOICES}: textgen generate {folder} --label {label}")


def _remove(folder: Path, model: Generator, label: str) -> None:
    """Take away a voice that was learned later. Raises `ConfigError` for any other label."""
    later = _learned_later(model)
    if label not in later:
        known = ", ".join(later) or "there is none"
        raise ConfigError(
            f"label is {shown(label)}, which is no voice that {folder} learned later: {known}"
        )
    left = {name: state for name, state in model.voices.items() if name != label}
    if left:
        write_voices(folder, left, model.hash)
    else:
        atomic_files.remove(folder / VOICES)
    logger.info(f"{label} is no voice of {folder} any more")


def _learned_later(model: Generator) -> list[str]:
    """The labels of the voices that are not of its training text."""
    data = RunConfig.from_dict(model.card).data
    trained = data.labels if data else None
    return [label for label in model.labels if label not in (trained or [])]
