"""`textgen export`: a model as one file to take along."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path

from textgen.cli.leaving import add_yes, look_before
from textgen.errors import ConfigError, RunError, in_bytes
from textgen.export.onnx_model import onnx_file
from textgen.export.page import page
from textgen.export.rounding import Cost, check_fit, cost_of_half
from textgen.export.token_note import beside, check_stock
from textgen.generation.generator import Generator, load
from textgen.options import path_of
from textgen.runs.atomic_files import write_output

FOR_HTML = ("half", "prompt")  # settings
LEAST = 0.0001  # bits per character that are told apart


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    command.add_argument(
        "--to",
        choices=MAKERS,
        required=True,
        help="html: a page that writes, offline; keras: a .keras file of Keras's own layers; onnx: "
        "one step as an ONNX graph",
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to make")
    command.add_argument(
        "--half",
        action="store_true",
        help="weights as float16: half the size; what that costs is measured and said",
    )
    command.add_argument(
        "--prompt", default="", metavar="TEXT", help="what the page suggests to begin with"
    )
    add_yes(command)


def run(parsed: argparse.Namespace) -> None:
    refuse_taken(parsed.out)
    endings = ENDINGS[parsed.to]
    if parsed.out.suffix.lower() not in endings:
        raise ConfigError(
            f"--out is {parsed.out}: give a name that ends with {endings[0]}, "
            f"such as mine{endings[0]}"
        )
    if parsed.to != "html":
        refuse_for_html(parsed)
    model = load(parsed.run)
    alone = [] if model.mixture is None else ["the network alone: its n-grams stay in the run"]
    model = model.without_ngrams()
    files, said = MAKERS[parsed.to](model, parsed)
    told = look_before(model, parsed.yes)
    write_all(files)
    for path, data in files.items():
        print(f"{path}: {in_bytes(len(data))}")
    print("\n".join([told, *alone, *said]))


Files = dict[Path, bytes]


def _page(model: Generator, parsed: argparse.Namespace) -> tuple[Files, list[str]]:
    """The page, and what is said of it."""
    if parsed.half:
        check_fit(model.network)
    made = page(model, parsed.prompt, half=parsed.half)
    return {parsed.out: made}, [cost_in_words(cost_of_half(model))] if parsed.half else []


def _keras(model: Generator, parsed: argparse.Namespace) -> tuple[Files, list[str]]:
    """The .keras file, and before it what says how ids and text meet."""
    check_stock(model.config.cell)
    from textgen.export.stock_layers import keras_file  # it imports TensorFlow

    return _with_note(model, parsed.out, "keras", keras_file), []


def _onnx(model: Generator, parsed: argparse.Namespace) -> tuple[Files, list[str]]:
    """The .onnx file, and before it what says how ids and text meet."""
    return _with_note(model, parsed.out, "onnx", onnx_file), []


def _with_note(model: Generator, out: Path, kind: str, make: Callable[[Generator], bytes]) -> Files:
    """What `make` makes of the model, and before it the files that belong to it."""
    files = beside(model, out, kind)
    for path in files:
        refuse_taken(path)
    return {**files, out: make(model)}


MAKERS = {"html": _page, "keras": _keras, "onnx": _onnx}
ENDINGS = {"html": (".html", ".htm"), "keras": (".keras",), "onnx": (".onnx",)}


def write_all(files: Files) -> None:
    """All of the files or, raising `RunError`, none."""
    try:
        for path, data in files.items():
            write_output(path, data)
    except RunError:
        for path in filter(Path.is_file, files):  # none was there before
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def refuse_for_html(parsed: argparse.Namespace) -> None:
    """Raise `ConfigError` for what is for a page alone."""
    for name in FOR_HTML:
        if getattr(parsed, name):
            raise ConfigError(f"--{name} is for --to html: leave it out")


def cost_in_words(cost: Cost) -> str:
    """What float16 costs."""
    more = cost.half - cost.full
    size = f"{more:+.4f}" if abs(more) >= LEAST else f"less than {LEAST}"
    return (
        f"float16 costs {size} bits per character, on {cost.text}: "
        f"{cost.full:.4f} with float32, {cost.half:.4f} with float16"
    )


def refuse_taken(out: Path) -> None:
    """Raise `ConfigError` where a file or a folder lies at `out`, and for what is no path."""
    path_of(out, "--out")
    if out.is_dir():
        raise ConfigError(f"--out is {out}, a folder: give the name of a file")
    if out.is_file():  # a pipe or a device is written into
        raise ConfigError(f"--out is {out}, which is there: give another name, or remove it")
