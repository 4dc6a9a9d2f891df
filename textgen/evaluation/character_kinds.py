"""On which kinds of characters a model's loss lies: Hangul, Latin, digits, spaces and so on."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from collections.abc import Sequence

import numpy as np

from textgen.generation.generator import Generator
from textgen.tokenizers.detokenizer import group_tokens

KINDS = ("Hangul", "Latin", "digit", "space", "punctuation", "other")


@dataclasses.dataclass(frozen=True)
class Kind:
    """The characters of one kind in a text. share_of_bits: of what the whole text costs."""

    name: str
    characters: int
    bits_per_char: float
    share_of_bits: float


def loss_by_kind(generator: Generator, ids: Sequence[int], nats: np.ndarray) -> list[Kind]:
    """What each kind of character costs, from -ln p of each of N ids [N]; a kind that does not
    occur is left out.

    A token's nats are shared out among its characters; tokens that only together make characters,
    such as the letters of a syllable, count together.
    """
    totals, counts = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
    sums = np.concatenate([[0.0], np.cumsum(nats, dtype=np.float64)])
    for first, count, text in group_tokens(list(ids), generator.tokenizer.decode):
        for character in text:
            kind = kind_of(character)
            totals[kind] += (sums[first + count] - sums[first]) / len(text)
            counts[kind] += 1
    everything = sum(totals.values())
    return [
        Kind(
            name,
            counts[name],
            totals[name] / counts[name] / math.log(2),
            totals[name] / everything if everything else 0.0,
        )
        for name in KINDS
        if counts[name]
    ]


def kind_of(character: str) -> str:
    """Which of `KINDS` a character is."""
    category = unicodedata.category(character)
    name = unicodedata.name(character, "")
    if character.isspace():
        return "space"
    if category[0] in "PS" and character != "\ufffd":
        return "punctuation"
    if category == "Nd":
        return "digit"
    if category[0] == "L":
        return next((kind for kind in KINDS[:2] if kind.upper() in name), "other")
    return "other"
