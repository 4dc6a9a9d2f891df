"""The n-grams of a run: what of its training text was counted, beside the weights.

ngrams.safetensors    for n = 1, 2, ...: tokens.n and counts.n, of each n-gram its last token and
                      how often it was met; followers.n, how many have each history; and terms, by
                      which they are mixed with the network. In its header: the hash of the weights
                      that the terms were learned beside, and on how much text.

They hold spans of the training text as long as the longest n-gram, from which longer passages can
be put together again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textgen.errors import RunError
from textgen.log import logger
from textgen.ngrams.counts import HIGHEST_ORDER, Level, NGrams
from textgen.ngrams.mixture import TERMS, Mixture
from textgen.runs.array_file import read_arrays, read_note, write_arrays

NGRAMS = "ngrams.safetensors"
MOST_NGRAMS = 1_000_000  # beyond the single tokens: of usual texts, a file of some megabytes
FITTED = 30_000  # characters, at most, that the terms are learned on: 32 numbers
LARGEST_TERM = 1e3
PARTS = ("tokens", "counts", "followers")
ALONE, TOGETHER = "network_bits_per_char", "mixed_bits_per_char"  # among a run's metrics


def of_network(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of a run without those that tell of its n-grams."""
    return {name: value for name, value in metrics.items() if name not in (ALONE, TOGETHER)}


def write_ngrams(folder: Path, mixture: Mixture, weights: str) -> None:
    """Write the counts and how they are mixed. weights: the hash of those beside which that was
    learned. Raises `RunError` when the disk is full."""
    arrays: dict[str, np.ndarray] = {"terms": mixture.terms}
    for n, level in enumerate(mixture.counts.levels, 1):
        for part, array in zip(PARTS, (level.token, level.count, level.followers), strict=True):
            smallest = np.min_scalar_type(int(array.max(initial=0)))
            arrays[f"{part}.{n}"] = array.astype(smallest)
    note = json.dumps({"weights": weights, "fitted": mixture.fitted})
    write_arrays(folder / NGRAMS, arrays, note)


def ngrams_fit(folder: Path, weights: str) -> bool:
    """Whether a run has n-grams that were learned beside the weights of this hash. Raises
    `RunError` for a file that is not ours."""
    path = folder / NGRAMS
    return path.is_file() and _note(path, read_note(path))[0] == weights


def read_ngrams(folder: Path, vocab_size: int, weights: str) -> Mixture | None:
    """The counts of a run; None where it has none, and where they belong to other weights than
    those of this hash, which is said.

    Raises `RunError` for a file that is not ours.
    """
    path = folder / NGRAMS
    if not path.is_file():
        return None
    foreign = _foreign(path)
    orders: list[int] = []

    def wanted(shapes: dict[str, tuple[int, ...]]) -> None:
        order = (len(shapes) - 1) // len(PARTS)
        sizes = [shapes.get(f"tokens.{n}", ()) for n in range(1, order + 1)]
        before = [(1,), *sizes]
        expected: dict[str, tuple[int, ...]] = {"terms": (order, TERMS)}
        for n, (size, histories) in enumerate(zip(sizes, before, strict=False), 1):
            expected |= {f"tokens.{n}": size, f"counts.{n}": size, f"followers.{n}": histories}
        if not 1 <= order <= HIGHEST_ORDER or shapes != expected or {*map(len, sizes)} != {1}:
            raise foreign
        if sum(size[0] for size in sizes) > MOST_NGRAMS + vocab_size:
            raise foreign
        orders.append(order)

    arrays, note = read_arrays(path, wanted)
    own, fitted = _note(path, note)
    terms = arrays.pop("terms")
    if terms.dtype != np.float64:
        raise foreign
    if not (np.abs(terms) <= LARGEST_TERM).all():
        raise foreign
    if any(array.dtype not in (np.uint8, np.uint16, np.uint32) for array in arrays.values()):
        raise foreign
    levels: list[Level] = []
    for n in range(1, orders[0] + 1):
        token, count, followers = (arrays[f"{part}.{n}"] for part in PARTS)
        if int(followers.sum(dtype=np.int64)) != len(token):
            raise foreign
        levels.append(Level(token, count, followers, vocab_size))
        if not _may_be(levels, vocab_size):
            raise foreign
    if own != weights:
        logger.warning(f"note: {path} belongs to other weights, and is left out: train on")
        return None
    return Mixture(NGrams(vocab_size, levels), terms, fitted)


def _foreign(path: Path) -> RunError:
    return RunError(f"{path} does not fit the model: restore it, or take it away")


def _note(path: Path, note: str) -> tuple[object, int]:
    """(The hash of the weights that the terms were learned beside, on how much text), as the header
    of a file has them. Raises `RunError` for one that is not ours."""
    try:
        said = json.loads(note)
        weights, fitted = said["weights"], said["fitted"]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise _foreign(path) from error
    if not (isinstance(fitted, int) and 0 <= fitted <= FITTED):
        raise _foreign(path)
    return weights, fitted


def _may_be(levels: list[Level], vocab_size: int) -> bool:
    """Whether the last level can have been counted after those before it."""
    level = levels[-1]
    in_order = (np.diff(level.keys) > 0).all()
    tokens = ((level.token >= 0) & (level.token < vocab_size)).all()
    met = levels[-2].count if len(levels) > 1 else level.counted
    return bool(
        in_order and tokens and (level.count >= 1).all() and (level.counted <= met).all()
    ) and (len(levels) > 1 or len(level) > 0)
