"""The run folder: what lies in it, and how it is written and read.

config.json           model, tokenizer, training, corpus and metrics, as resolved
model.safetensors     the weights that did best on the validation text
tokenizer.json|model  the tokenizer
ngrams.safetensors    the n-grams of the text that predict with the network (ngrams.py)
voices.safetensors    of a text with labels: the state that texts of each begin in (voices.py)
history.csv           the course of training
README.md             a model card
training.safetensors, training.2.safetensors
                      what resuming needs (not needed to generate): the two newest saves
tokens.u16, held_out.txt
                      of a streamed text: its ids, and its end

A run begins to exist with its config.json, which is written when all else that it needs is there.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Literal, TypedDict, TypeGuard, TypeVar

import numpy as np

from textgen import shipped
from textgen.config import ModelConfig
from textgen.errors import ConfigError, RunError, shown
from textgen.guesses import guesses
from textgen.network import Network, check_model, weight_shapes
from textgen.options import build
from textgen.runs.array_file import (
    LARGEST_VALUE,
    arrays_as_bytes,
    read_arrays,
    read_note,
    write_arrays,
)
from textgen.runs.atomic_files import REMEDY, read_file, write_file
from textgen.runs.run_config import INTERPOLATION, Card, RunConfig
from textgen.tokenizers.tokenizer import TOKENIZERS, Tokenizer

FORMAT = 1
CONFIG, WEIGHTS, TRAINING = "config.json", "model.safetensors", "training.safetensors"
HISTORY = "history.csv"
SAVES = (TRAINING, "training.2.safetensors")  # by turns
WEIGHTS_OF_SAVE = "weights"  # in the note of a save: weight of the model -> its array
LARGEST_CONFIG = 1 << 20
LARGEST_TOKENIZER = 64 << 20

T = TypeVar("T")


class SaveNote(TypedDict):
    """What is noted in a save of a training, of what is read here. number: which save it is; step:
    of the training; weights: of each weight of the model the name of its array."""

    number: int
    step: int
    weights: dict[str, str]


def read_history(folder: Path) -> list[dict[str, str]]:
    """The rows of history.csv, as text; one that is still being written is left out. Raises
    `RunError`."""
    text = read_file(folder / HISTORY).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))


def write_config(folder: Path, config: RunConfig) -> None:
    """Write config.json. Raises `RunError` when the disk is full."""
    text = json.dumps({"format": FORMAT, **config.to_dict()}, ensure_ascii=False, indent=2)
    # a path of bytes that are no text comes back as it was given
    write_file(folder / CONFIG, (text + "\n").encode("utf-8", "surrogatepass"))


def read_config(folder: Path) -> Card:
    """config.json, whose sections are dicts. Raises `RunError` if it is not ours."""
    path = folder / CONFIG
    if not folder.is_dir():
        raise _missing(folder)
    if not path.exists():
        raise RunError(
            f"{path} is missing: a training there was stopped before its first save, or it is no "
            f"run folder; train into it anew, or {REMEDY}"
        )
    data = read_file(path, LARGEST_CONFIG)
    try:
        card = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not valid JSON: restore it or train again") from error
    if not _is_card(card):
        raise RunError(f"{path} is not a textgen configuration: give a textgen run folder")
    if card.get("format") != FORMAT:
        raise RunError(
            f"{path} has format {shown(card.get('format'))}, this textgen reads {FORMAT}: "
            "use the textgen version that wrote it"
        )
    return card


def _missing(folder: Path) -> RunError:
    """What is said of a folder that is not there."""
    beside = [file.parent.name for file in folder.parent.glob(f"*/{CONFIG}")]
    if near := guesses(folder.name, beside):
        return RunError(f"no run folder at {folder}: is it {folder.with_name(near[0])}?")
    names = guesses(folder.name, shipped.models()) or shipped.models()
    return RunError(
        f"no run folder at {folder}: give one that `textgen train --out` made, or a shipped model, "
        f"such as {', '.join(names)}"
    )


def _is_card(content: object) -> TypeGuard[Card]:
    sections = ("model", "tokenizer", "training")
    return isinstance(content, dict) and all(isinstance(content.get(s), dict) for s in sections)


def read_run_config(folder: Path) -> RunConfig:
    """What config.json says of the run, to go on with it. Raises `RunError` if it is not ours."""
    card = read_config(folder)
    try:
        return RunConfig.from_dict(card)
    except ConfigError as error:
        raise RunError(f"{folder / CONFIG}: {error}") from error


def settings(folder: Path, card: Card, section: Literal["model", "training"], cls: type[T]) -> T:
    """The `cls` that a section of config.json describes. Raises `RunError` for a bad value."""
    try:
        return build(cls, card[section])
    except (ConfigError, TypeError, ArithmeticError) as error:
        raise RunError(f"{folder / CONFIG}: {error}") from error


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    """Write the file of the tokenizer. Raises `RunError` when the disk is full."""
    write_file(folder / tokenizer.filename, tokenizer.to_bytes())


def _why_failed(folder: Path) -> str:
    """What status.json says of the error that the training ended in; "" where it did not."""
    try:
        status = json.loads((folder / "status.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(status, dict) or status.get("state") != "failed":
        return ""
    return str(status.get("message") or "train anew")


def read_tokenizer(folder: Path, card: Card) -> Tokenizer:
    """The tokenizer that config.json, `card`, names. Raises `RunError` where its file is missing or
    too large, `TokenizerError` where it cannot be read."""
    kind = tokenizer_class(folder, card)
    return kind.from_bytes(read_file(folder / kind.filename, LARGEST_TOKENIZER))


def tokenizer_class(folder: Path, card: Card) -> type[Tokenizer]:
    """The class of the tokenizer that config.json names. Raises `RunError`."""
    name = card["tokenizer"].get("name")
    if not isinstance(name, str) or name not in TOKENIZERS:
        raise RunError(
            f"{folder / CONFIG} names the tokenizer {shown(name)}: this textgen knows "
            f"{', '.join(TOKENIZERS)}"
        )
    return TOKENIZERS[name]


def save_model(folder: Path, network: Network, interpolation: float = 0.0) -> None:
    """Write the model's weights to model.safetensors. interpolation: where they lie between those
    that the run began from and those it was trained to; 0 for the latter themselves."""
    note = json.dumps({INTERPOLATION: interpolation}) if interpolation else ""
    write_arrays(folder / WEIGHTS, network.weights, note)


def interpolation_of(folder: Path) -> float:
    """The `interpolation` that the weights were saved with. Raises `RunError`."""
    try:
        note = json.loads(read_note(folder / WEIGHTS) or "{}")
        return float(note.get(INTERPOLATION, 0.0))
    except (ValueError, TypeError, AttributeError):
        return 0.0


def load_model(folder: Path) -> tuple[Network, Tokenizer, Card]:
    """(network, tokenizer, card) of a run folder. Raises `TextgenError` for anything amiss."""
    return _load(folder, folder / WEIGHTS)


def load_last(folder: Path) -> tuple[Network, Tokenizer, Card, int]:
    """(network, tokenizer, card, step) of the newest save of a run, which may be of a later step
    than the best weights. Raises `TextgenError` for anything amiss, and where there is none."""
    path, note = last_save(folder)
    network, tokenizer, card = _load(folder, path, note["weights"])
    return network, tokenizer, card, note["step"]


def last_save(folder: Path) -> tuple[Path, SaveNote]:
    """(its file, what is noted in it) of the newest save of a run, its arrays unread. Raises
    `RunError` where there is none that names the model's weights."""
    notes = {}
    for path in (folder / name for name in SAVES):
        with contextlib.suppress(RunError, ValueError, RecursionError):
            notes[path] = json.loads(read_note(path))
    named = {path: note for path, note in notes.items() if _names_weights(note)}
    if not named:
        raise RunError(f"{folder} has no save of its training: take the model itself")
    return max(named.items(), key=lambda item: item[1]["number"])


def _names_weights(note: object) -> TypeGuard[SaveNote]:
    """Whether it is the note of a save of this kind."""
    if not isinstance(note, dict):
        return False
    weights, counts = note.get(WEIGHTS_OF_SAVE), (note.get("number"), note.get("step"))
    return (
        isinstance(weights, dict)
        and all(isinstance(name, str) for name in weights.values())
        and all(isinstance(count, int) for count in counts)
    )


def _load(
    folder: Path, path: Path, names: dict[str, str] | None = None
) -> tuple[Network, Tokenizer, Card]:
    """`load_model`, with the weights in `path`; names: of its array for each weight, where they
    are others and there may be more."""
    card = read_config(folder)
    tokenizer = read_tokenizer(folder, card)
    size = card["tokenizer"].get("vocab_size")
    if size != tokenizer.vocab_size:
        raise RunError(
            f"{folder / tokenizer.filename} has {tokenizer.vocab_size} tokens, {folder / CONFIG} "
            f"says {shown(size)}: put back the tokenizer that belongs to this run"
        )
    config = settings(folder, card, "model", ModelConfig)
    if not path.is_file():
        if why := _why_failed(folder):
            raise RunError(f"{path} is missing, since the training failed: {why}")
        raise RunError(
            f"{path} is missing: `textgen train --resume {folder}` goes on until the model is "
            "judged, and then it is there; or give another run folder"
        )
    _refuse_inflated(path, config, tokenizer.vocab_size)

    try:
        check_model(config)
    except ConfigError as error:
        raise RunError(f"{folder / CONFIG}: {error}") from error
    expected = weight_shapes(config, tokenizer.vocab_size)

    def check_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
        if names is not None:
            shapes = {name: shapes[array] for name, array in names.items() if array in shapes}
        _same_shapes(path, expected, shapes)

    weights, _ = read_arrays(path, check_shapes)
    if names is not None:
        weights = {name: weights[array] for name, array in names.items()}
    for name, array in weights.items():
        if array.dtype != np.float32:
            raise RunError(f"{path}: {name} is {array.dtype}, not float32: save it as float32")
        if not (np.abs(array) <= LARGEST_VALUE).all():
            raise RunError(
                f"{path}: {name} holds values that are no finite float32, or are too large to "
                "compute with: train again"
            )
    return Network(config, tokenizer.vocab_size, weights), tokenizer, card


def _refuse_inflated(path: Path, config: ModelConfig, vocab_size: int) -> None:
    """A config may claim any size: compare with the file before memory is taken."""
    size, first = config.hidden_size, config.embedding_size
    # the smallest cell has one block for its input, and none for h_{t-1}
    least = 4 * (size * first + (config.num_layers - 1) * size**2 + vocab_size * first)
    if least > path.stat().st_size:
        raise RunError(
            f"{path} is too small for the model in {CONFIG} ({least} bytes at least): "
            "the two do not belong together, or the file is truncated"
        )


def _same_shapes(
    path: Path, expected: dict[str, tuple[int, ...]], shapes: dict[str, tuple[int, ...]]
) -> None:
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            raise RunError(
                f"{path}: {name} has shape {shapes.get(name, 'none')}, {CONFIG} asks for "
                f"{expected.get(name, 'none')}: the two do not belong together"
            )


def weights_hash(folder: Path) -> str:
    """The first 8 hex digits of the SHA-256 of model.safetensors: which weights these are."""
    return _hash(read_file(folder / WEIGHTS))


def hash_of(network: Network) -> str:
    """The hash that the weights would have as a model.safetensors."""
    return _hash(arrays_as_bytes(network.weights))


def _hash(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()[:8]
