"""Ids to text one id at a time, yielding only text that no later id can change.

For every sequence of ids the pushes and the final flush, joined, equal the tokenizer's `decode`.
"""

from __future__ import annotations

import codecs
import functools
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence


class StreamDecoder(ABC):
    """One stream of ids becoming text."""

    @abstractmethod
    def push(self, token_id: int) -> str:
        """Take one id; return the text that is now certain, often empty."""

    @abstractmethod
    def flush(self) -> str:
        """Return what was held back; the stream then begins anew."""


class CharacterStream(StreamDecoder):
    """Every id is one character, certain at once."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters

    def push(self, token_id: int) -> str:
        return self._characters[token_id]

    def flush(self) -> str:
        return ""


class ByteStream(StreamDecoder):
    """Every id is some UTF-8 bytes, perhaps only a part of a character; damage becomes U+FFFD."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        return self._decoder.decode(self._pieces[token_id])

    def flush(self) -> str:
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text


class ComposingStream(StreamDecoder):
    """Every id is one code point of NFD; what comes out is NFC, syllable by syllable."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters
        self._held = ""

    def push(self, token_id: int) -> str:
        character = self._characters[token_id]
        done = ""
        if self._held and _begins(character):
            done, self._held = unicodedata.normalize("NFC", self._held), ""
        self._held += character
        # marks make a longer run only slowly certain, and are rare: they wait for the next letter
        if len(self._held) <= 3 and _complete(self._held):
            done += self.flush()
        return done

    def flush(self) -> str:
        held, self._held = self._held, ""
        return unicodedata.normalize("NFC", held)


def group_tokens(ids: list[int], decode: Callable[[list[int]], str]) -> list[tuple[int, int, str]]:
    """(first index, number of tokens, text): tokens that only together make readable text.

    A token joins the group before it when the text of both is not their two texts side by side:
    letters of one syllable, bytes of one character. Any tokenizer works, none is asked for.
    """
    groups: list[tuple[int, int, str]] = []
    for index, token_id in enumerate(ids):
        alone = decode([token_id])
        if groups:
            first, count, text = groups[-1]
            together = decode(ids[first : index + 1])
            if together != text + alone:
                groups[-1] = (first, count + 1, together)
                continue
        groups.append((index, 1, alone))
    return groups


def _begins(character: str) -> bool:
    """Does NFC leave everything before this character of NFD alone?"""
    return not unicodedata.combining(character) and character not in _compositions()[1]


def _complete(text: str) -> bool:
    """Is this run of NFD code points one character that nothing to come can alter?

    Without combining marks in it, nothing that follows can be reordered into it, so it is enough
    that its composed form begins no composition: a full syllable does not, 가 and ㄱ's jamo do.
    """
    composed = unicodedata.normalize("NFC", text)
    return (
        len(composed) == 1
        and composed not in _compositions()[0]
        and not any(map(unicodedata.combining, text))
    )


@functools.cache
def _compositions() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that begin a canonical composition, and characters that continue one."""
    first, second = set(), set()
    for code in range(0x20000):  # above lie ideographs, which compose with nothing
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first.add(chr(int(parts[0], 16)))
            second.add(chr(int(parts[1], 16)))
    # Hangul composes by arithmetic (Unicode 3.12): L + V, then LV + T
    first.update(map(chr, range(0x1100, 0x1113)), map(chr, range(0xAC00, 0xD7A4, 28)))
    second.update(map(chr, range(0x1161, 0x1176)), map(chr, range(0x11A8, 0x11C3)))
    return frozenset(first), frozenset(second)
