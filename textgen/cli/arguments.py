"""What can be said to the `textgen` command.

A command is a file of this package with `add_arguments(parser)` and `run(parsed)`. Only that of the
command which is asked for is imported, so that it answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import re
from types import ModuleType
from typing import Any, NoReturn

from textgen import __version__
from textgen.errors import BAD_INPUT
from textgen.guesses import guesses

COMMANDS = {
    "train": "train a model on a text",
    "race": "train several cells on one text, one after another",
    "sweep": "try settings on a text, and keep the best",
    "generate": "let a model write",
    "write": "write with a model, word by word, in the terminal",
    "voice": "add a voice to a finished model, from a little text",
    "score": "how well a model predicts a text",
    "probe": "does a model remember? right answers against distance",
    "evaluate": "how well a model predicts a text, and how much it copies",
    "trace": "every gate and state while a model reads a text, as a file",
    "export": "a model to take along: a page that writes offline, a .keras or an .onnx file",
    "push": "a run on the Hugging Face Hub",
    "import": "a model of Keras's own layers, trained elsewhere, as a run",
    "serve": "models behind the completions API of OpenAI",
    "corpus": "the corpus doctor: what a text is like",
    "app": "open the app in a browser",
}
FILES = {"import": "import_model"}  # of a command whose name Python has taken


class _Parser(argparse.ArgumentParser):
    """One line instead of the usage and a line; a flag that is misspelt is answered with the
    nearest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "-5m" is a value, which is refused by name, and not an option that nobody knows
        self._negative_number_matcher = re.compile(r"-\.?[0-9]")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = guesses(unknown[0].partition("=")[0], self._option_string_actions)
            remedy = f" (is it {near[0]}?)" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{remedy}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; see {self.prog} --help\n")


def file_of(command: str) -> ModuleType:
    """The file of a command."""
    return importlib.import_module(f"textgen.cli.{FILES.get(command, command)}")


def parser(asked: str | None = None) -> argparse.ArgumentParser:
    """Of all commands; `command` is the name of the one that was given.

    asked: the command whose arguments are parsed; None: any.
    """
    whole = _Parser(
        prog="textgen",
        description="Train small recurrent language models on your own text, and let them write.",
    )
    whole.add_argument("--version", action="version", version=f"textgen {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if asked in (None, name):
            file_of(name).add_arguments(command)
    return whole
