"""What several commands do with what they are given, and with the files they write."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from textgen import options, shipped
from textgen.errors import ConfigError
from textgen.options import build
from textgen.runs.atomic_files import check_writable, write_output
from textgen.runs.recipe import read_recipe
from textgen.text.corpus import load_corpus
from textgen.text.files import is_stream
from textgen.text.read_config import FOR_TRAINING, ReadConfig
from textgen.text.readers import names_a_text


def read_recipe_file(name: str | None) -> dict[str, object]:
    """The settings of a recipe, a file or the name of a shipped one; none without a name."""
    return read_recipe(shipped.find(Path(name), shipped.RECIPES)) if name else {}


def refuse_streams(sources: str | Sequence[str], reason: str) -> None:
    """Raises `ConfigError` for what can be read but once."""
    for source in [sources] if isinstance(sources, str) else sources:
        if is_stream(source):
            raise ConfigError(f"{source} can be read once, and {reason}: give a file")


def add_text(command: argparse.ArgumentParser) -> None:
    """The arguments that `text_of` reads."""
    command.add_argument("text", help="the text, or a file that holds it (-: standard input)")
    command.add_argument(
        "--words", action="store_true", help="the text is what is given, though it reads as a name"
    )
    options.add_arguments(command, ReadConfig, skip=FOR_TRAINING)


def text_of(parsed: argparse.Namespace) -> str:
    """The text that was given, or what the file that it names holds. Raises `CorpusError`."""
    text: str = parsed.text
    if parsed.words or not names_a_text(text):
        return text
    return load_corpus(text, build(ReadConfig, vars(parsed))).text


def one_or_all(source: str | Sequence[str]) -> str | Sequence[str]:
    """The one source of a list of one; else the list."""
    return source[0] if isinstance(source, list) and len(source) == 1 else source


def check_save(path: Path | None) -> None:
    """Raise `RunError` where `save` could not write to `path`, before there is something to."""
    if path is not None:
        check_writable(path)


def save(path: Path | None, text: Callable[[], str]) -> None:
    """Write what `text` returns to `path`, if there is one."""
    if path is not None:
        write_output(path, text().encode())


def numbers(text: str) -> list[int]:
    """20,50,100. Raises for argparse."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers: write 20,50,100")
    return numbers
