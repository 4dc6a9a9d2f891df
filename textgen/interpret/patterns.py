"""Where else do the same units fire? After LSTMVis (Strobelt et al. 2018, arXiv 1606.07461): units
that fire all through a stretch of tokens are looked for together in another text."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from textgen.errors import ConfigError
from textgen.interpret.replay import replay
from textgen.network import Network
from textgen.tokenizers.tokenizer import Tokenizer

LANE = 512  # tokens of a text that are read in one row; many rows are read at once
WARM = 64  # tokens that a row reads before them


def outputs(network: Network, ids: Sequence[int], layer: int, name: str = "h") -> np.ndarray:
    """The value `name` of a layer after each token of a long text [T, U], as float16.

    The text is read in rows that each begin `WARM` tokens earlier, from nothing. Raises
    `GenerationError` for ids that are not the model's, `ConfigError` for a layer or a value that is
    not there.
    """
    program = replay(network)
    place = program.place(layer, name)
    x = program.inputs(ids)[:, 0]
    lanes = -(-len(x) // LANE)
    padded = np.zeros((WARM + lanes * LANE, x.shape[1]), np.float32)
    padded[WARM : WARM + len(x)] = x
    padded[:WARM] = x[0]
    rows = np.stack([padded[k * LANE : (k + 1) * LANE + WARM] for k in range(lanes)], 1)
    _, values = program.read(
        rows, network.initial_state(lanes), *program.edits(1), first=0, wanted=[place]
    )
    of_lanes = values[WARM:, 0].transpose(1, 0, 2).reshape(-1, values.shape[-1])
    return np.asarray(of_lanes[: len(x)], np.float16)


@dataclasses.dataclass(frozen=True)
class Match:
    """A stretch of the text from token `start`; share: how much of the pattern is there, 0 to 1."""

    start: int
    share: float


def firing(h: np.ndarray, threshold: float) -> np.ndarray:
    """The units [n] whose output [T, U] has one sign and at least this size at every token."""
    same = (h >= threshold).all(0) | (h <= -threshold).all(0)
    return np.flatnonzero(same)


def matches(
    span: np.ndarray, text: np.ndarray, threshold: float, number: int = 8
) -> tuple[np.ndarray, list[Match]]:
    """(the units that fire in the span, where in the text they fire together, best first).

    span [L, U] and text [T, U]: outputs. A unit counts by its surprise, -log2 of how often it fires
    so in the text: one that fires everywhere counts nothing. Stretches are as long as the span and
    do not overlap. Raises `ConfigError` for a span longer than the text.
    """
    length = len(span)
    if not 1 <= length <= len(text):
        raise ConfigError(f"the span has {length} tokens: give one to {len(text)}")
    units = firing(span, threshold)
    signs = np.sign(span[0, units])
    fires = text[:, units] * signs >= threshold
    weights = -np.log2(np.maximum(fires.mean(0), 1 / len(text)))
    if not weights.sum():
        return units, []
    sums = np.concatenate([np.zeros((1, len(units)), int), fires.cumsum(0)])
    throughout = sums[length:] - sums[:-length] == length
    shares = throughout @ weights / weights.sum()
    best: list[Match] = []
    for start in np.argsort(-shares, kind="stable"):
        if len(best) == number or not shares[start]:
            break
        if all(abs(start - other.start) >= length for other in best):
            best.append(Match(int(start), float(shares[start])))
    return units, best


def strongest(course: np.ndarray, number: int = 8, apart: int = 24) -> list[int]:
    """The tokens at which one unit's course [T] is farthest from its mean over the text, farthest
    first, each at least so many tokens from the others."""
    far = abs(course.astype(np.float32) - course.mean(dtype=np.float32))
    found: list[int] = []
    for token in np.argsort(-far, kind="stable"):
        if len(found) == number:
            break
        if all(abs(token - other) >= apart for other in found):
            found.append(int(token))
    return found


def in_context(
    tokenizer: Tokenizer, text: str, ids: Sequence[int], match: Match, length: int, around: int
) -> tuple[str, str, str]:
    """(what stands before a match of `length` tokens in its text, the match, what stands after).

    ids: of the whole text. around: tokens before and after.
    """
    start, end = match.start, match.start + length
    # cut from the text, which still has the letters that the model's tokens do not know
    cuts = [len(tokenizer.decode(ids[: max(k, 0)])) for k in (start - around, start, end)]
    cuts.append(len(tokenizer.decode(ids[: end + around])))
    before, matched, after = (text[a:b] for a, b in itertools.pairwise(cuts))
    return before, matched, after
