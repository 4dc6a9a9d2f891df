"""What can be said of each place of a text, and may be what a unit attends to.

How far into the line or the word it is, whether within quotes or brackets, what kind of character
was read. From the text alone: no model in here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from textgen.evaluation.character_kinds import kind_of
from textgen.tokenizers.detokenizer import group_tokens
from textgen.tokenizers.tokenizer import Tokenizer

OPENING = {"(": ")", "[": "]", "{": "}", "（": "）"}
QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", "«": "»"}
STRAIGHT = '"'  # opens where none is open; ' is an apostrophe as often as not
SENTENCE_ENDS = ".?!…。"
FINALS = 28  # forms of a syllable: without a final consonant, and with each of 27


def line_position(text: str) -> np.ndarray:
    """Characters since the line began."""
    return _since(text, lambda c: c == "\n")


def word_position(text: str) -> np.ndarray:
    """Characters since the last space or line's end."""
    return _since(text, str.isspace)


def in_quotes(text: str) -> np.ndarray:
    """Whether a quotation is open; one that is never closed ends with its paragraph."""
    return _within(text, QUOTES, STRAIGHT)


def in_brackets(text: str) -> np.ndarray:
    """Whether a bracket is open; one that is never closed ends with its paragraph."""
    return _within(text, OPENING)


def sentence_end(text: str) -> np.ndarray:
    """Whether the character ends a sentence: one of . ? ! …"""
    return _of_each(text, lambda c: c in SENTENCE_ENDS)


def final_consonant(text: str) -> np.ndarray:
    """Whether the syllable just read has a final consonant (받침), on which the particle after it
    hangs; nan after anything but a syllable of Hangul."""
    return np.array(
        [(ord(c) - ord("가")) % FINALS > 0 if "가" <= c <= "힣" else np.nan for c in text], float
    )


def _of_kind(kind: str) -> Callable[[str], np.ndarray]:
    return lambda text: _of_each(text, lambda c: kind_of(c) == kind)


# name -> the value after each character [N]: yes (1) or no (0), or a number; nan where it has none
FLAGS: dict[str, Callable[[str], np.ndarray]] = {
    "in_quotes": in_quotes,
    "in_brackets": in_brackets,
    "sentence_end": sentence_end,
    "final_consonant": final_consonant,
    "capital": lambda text: _of_each(text, str.isupper),
    "hangul": _of_kind("Hangul"),
    "latin": _of_kind("Latin"),
    "digit": _of_kind("digit"),
    "space": _of_kind("space"),
    "punctuation": _of_kind("punctuation"),
}
COUNTS: dict[str, Callable[[str], np.ndarray]] = {
    "line_position": line_position,
    "word_position": word_position,
}
FEATURES = COUNTS | FLAGS
OF_MEMORY = (*COUNTS, "in_quotes", "in_brackets")  # the last character alone does not tell them


def places(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray, str]:
    """(tokens [N], ends [N], text): the tokens after which the text is whole, with how many
    characters of the text have been read by then. Within a syllable or a character of several
    tokens nothing is known of it yet."""
    groups = group_tokens(list(ids), tokenizer.decode)
    tokens = np.array([first + count - 1 for first, count, text in groups if text], int)
    pieces = [text for _, _, text in groups if text]
    return tokens, np.cumsum([len(piece) for piece in pieces], dtype=int), "".join(pieces)


def _of_each(text: str, test: Callable[[str], bool]) -> np.ndarray:
    known = {c: test(c) for c in set(text)}
    return np.array([known[c] for c in text], float)


def _since(text: str, begins: Callable[[str], bool]) -> np.ndarray:
    """Characters since the last one that `begins`, which counts 0."""
    starts = _of_each(text, begins) > 0
    index = np.arange(len(text))
    last = np.maximum.accumulate(np.where(starts, index, -1))
    return (index - last).astype(float)


def _within(text: str, pairs: dict[str, str], both: str = "") -> np.ndarray:
    """Whether a pair is open after each character: with what closes it, it no longer is."""
    values = np.zeros(len(text))
    open_ones: list[str] = []  # what would close each
    for k, c in enumerate(text):
        if open_ones and c == open_ones[-1]:
            open_ones.pop()
        elif c in pairs:
            open_ones.append(pairs[c])
        elif c and c in both:
            open_ones.append(c)
        elif c == "\n" and text[k - 1 : k] == "\n":
            open_ones.clear()
        values[k] = bool(open_ones)
    return values
