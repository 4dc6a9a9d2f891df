"""The run folder: written one whole file at a time, read with suspicion.

config.json           model, tokenizer, training, corpus and metrics, as resolved
model.safetensors     the weights that did best on the validation text
tokenizer.json|model  the tokenizer
history.csv           the course of training
README.md             a model card
training.safetensors  what resuming needs (not needed to generate)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from textgen.config import ModelConfig
from textgen.errors import ConfigError, RunError
from textgen.options import build
from textgen.tokenizer import TOKENIZERS, Tokenizer

FORMAT = 1
CONFIG, WEIGHTS, TRAINING = "config.json", "model.safetensors", "training.safetensors"
LARGEST_CONFIG = 1 << 20


def write_file(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, then put it there in one move: never half a file.

    Raises `RunError` when the disk is full or the folder cannot be written; what stood at `path`
    stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another "
            "folder"
        ) from error


def read_file(path: Path, largest: int | None = None) -> bytes:
    """The bytes of a file of a run folder. Raises `RunError` when missing or too large."""
    try:
        if largest is not None and path.stat().st_size > largest:
            raise RunError(f"{path} is larger than {largest} bytes: it is not a textgen file")
        return path.read_bytes()
    except OSError as error:
        raise RunError(
            f"cannot read {path}: {error.strerror or error}; give a folder that "
            "`textgen train --out` made"
        ) from error


def write_config(folder: Path, card: dict[str, Any]) -> None:
    text = json.dumps({"format": FORMAT} | card, ensure_ascii=False, indent=2)
    write_file(folder / CONFIG, (text + "\n").encode())


def read_config(folder: Path) -> dict[str, Any]:
    """config.json as a dict whose sections are dicts. Raises `RunError` if it is not ours."""
    path = folder / CONFIG
    if not folder.is_dir():
        raise RunError(f"no run folder at {folder}: give one that `textgen train --out` made")
    data = read_file(path, LARGEST_CONFIG)
    try:
        card = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not valid JSON: restore it or train again") from error
    sections = ("model", "tokenizer", "training")
    if not isinstance(card, dict) or any(not isinstance(card.get(s), dict) for s in sections):
        raise RunError(f"{path} is not a textgen configuration: give a textgen run folder")
    if card.get("format") != FORMAT:
        raise RunError(
            f"{path} has format {card.get('format')!r}, this textgen reads {FORMAT}: "
            "use the textgen version that wrote it"
        )
    return card


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    write_file(folder / tokenizer.filename, tokenizer.to_bytes())


def read_tokenizer(folder: Path, card: dict[str, Any]) -> Tokenizer:
    name = card["tokenizer"].get("name")
    if not isinstance(name, str) or name not in TOKENIZERS:
        raise RunError(
            f"{folder / CONFIG} names the tokenizer {name!r}: this textgen knows "
            f"{', '.join(TOKENIZERS)}"
        )
    kind = TOKENIZERS[name]
    return kind.from_bytes(read_file(folder / kind.filename, 64 << 20))


def write_weights(path: Path, arrays: dict[str, np.ndarray], **metadata: str) -> None:
    """Save named arrays as safetensors."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_file(path, safetensors.numpy.save(contiguous, metadata | {"format": "np"}))


def read_weights(
    path: Path, wanted: Callable[[dict[str, tuple[int, ...]]], None] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays by name, metadata). `wanted` sees the shapes, and may raise, before any is read."""
    if not path.is_file():
        raise RunError(f"{path} is missing: train until the first save, or give another run folder")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            if wanted is not None:
                wanted({name: tuple(file.get_slice(name).get_shape()) for name in names})
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (safetensors.SafetensorError, OSError, TypeError, ValueError) as error:
        raise RunError(
            f"{path} is not a whole safetensors file: restore it or train again"
        ) from error


def save_model(folder: Path, model: Any) -> None:
    """Write the model's weights to model.safetensors."""
    arrays = {name: np.asarray(w) for name, w in model.named_weights().items()}
    write_weights(folder / WEIGHTS, arrays)


def load_model(folder: Path) -> tuple[Any, Tokenizer, dict[str, Any]]:
    """(model, tokenizer, card) of a run folder. Raises `TextgenError` for anything amiss."""
    card = read_config(folder)
    tokenizer = read_tokenizer(folder, card)
    try:
        config = build(ModelConfig, card["model"])
    except (ConfigError, TypeError) as error:
        raise RunError(f"{folder / CONFIG}: {error}") from error
    path = folder / WEIGHTS
    if not path.is_file():
        raise RunError(f"{path} is missing: train until the first save, or give another run folder")
    _refuse_inflated(path, config, tokenizer.vocab_size)

    from textgen.model import build_model  # only here: it imports TensorFlow

    model = build_model(config, tokenizer.vocab_size)
    weights = model.named_weights()
    arrays, _ = read_weights(path, lambda shapes: _same_shapes(path, weights, shapes))
    for name, array in arrays.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise RunError(f"{path}: {name} holds values that are no finite float32: train again")
        weights[name].assign(array)
    return model, tokenizer, card


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


def _same_shapes(path: Path, weights: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    expected = {name: tuple(w.shape) for name, w in weights.items()}
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            raise RunError(
                f"{path}: {name} has shape {shapes.get(name, 'none')}, {CONFIG} asks for "
                f"{expected.get(name, 'none')}: the two do not belong together"
            )


def weights_hash(folder: Path) -> str:
    """The first 8 hex digits of the SHA-256 of model.safetensors: which weights these are."""
    return hashlib.sha256(read_file(folder / WEIGHTS)).hexdigest()[:8]
