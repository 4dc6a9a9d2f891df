"""Text to ids and back: characters, jamo, or SentencePiece's pieces.

All take text to NFC first, with U+FFFD for lone surrogates (which no file can hold), and lose
nothing after that: `decode(encode(text))` is the text in NFC, but for characters that a character
vocabulary does not know.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from textgen.errors import TokenizerError
from textgen.text.nfc import nfc
from textgen.tokenizers.detokenizer import (
    ByteStream,
    CharacterStream,
    ComposingStream,
    StreamDecoder,
)
from textgen.tokenizers.sentencepiece_model import (
    NEWLINE,
    SPACE,
    load_model,
    train_model,
    try_apart,
)

UNKNOWN = "\ufffd"
_MAX_JSON = 1 << 24


class Tokenizer(ABC):
    """A fixed vocabulary of tokens, ids 0 to `vocab_size - 1`."""

    name: ClassVar[str]
    filename: ClassVar[str]
    vocab_size: int
    unk_id: int | None
    start_id: int  # newline: what stands before the first token of a text
    banned_ids: tuple[int, ...]  # never to be sampled
    token_bytes: Sequence[bytes] = ()  # of each token, where some are but a part of a character
    learned_per_second: ClassVar[float] = math.inf  # characters of a text, where that takes long

    @classmethod
    @abstractmethod
    def train(cls, text: str, *, vocab_size: int = 2000, model_type: str = "unigram") -> Self:
        """Learn a vocabulary. Raises `TokenizerError` when the text does not yield it."""

    @classmethod
    @abstractmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave. Raises `TokenizerError` for anything else."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The content of the file named `filename`."""

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of a text."""

    def encode_array(self, text: str) -> np.ndarray:
        """The ids of a text, int32 [N]: for long ones."""
        return np.asarray(self.encode(text), np.int32)

    @abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """The text of any ids."""

    def decode_whole(self, ids: Iterable[int]) -> str:
        """The text of ids, but for the bytes of a character that ends after them: half a character
        is none."""
        decoder = self.stream_decoder()
        text = "".join(decoder.push(i) for i in ids)
        return text + decoder.flush().removesuffix(UNKNOWN)

    @abstractmethod
    def token(self, token_id: int) -> str:
        """One id for display."""

    @abstractmethod
    def unknown_characters(self, text: str) -> list[str]:
        """The distinct characters of a text that have no token, in order."""

    def unknown_share(self, text: str) -> float:
        """The share of the tokens of a text that stand for a character without one."""
        ids = self.encode_array(text)
        return float((ids == self.unk_id).mean()) if len(ids) else 0.0

    def extended(self, text: str) -> Self:
        """With tokens for the characters of a text that have none, after its own, whose ids stay.
        One that writes every text, or cannot grow, stays as it is."""
        return self

    @abstractmethod
    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one stream of ids, at its beginning."""


class _CodePoints(Tokenizer):
    """One id for each code point of the text in the form `form`; id 0 is the unknown."""

    filename = "tokenizer.json"
    form: ClassVar[Literal["NFC", "NFD"]]
    unk_id = 0
    banned_ids = (0,)

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = (UNKNOWN, *characters)
        self.vocab_size = len(self._characters)
        self.start_id = self._characters.index(NEWLINE)
        # code point to id; 0, the unknown, for all others: the last entry stands for those beyond
        points = np.array([ord(c) for c in characters])
        self._ids = np.zeros(points.max() + 2, np.int32)
        self._ids[points] = np.arange(1, self.vocab_size)

    @classmethod
    def train(cls, text: str, *, vocab_size: int = 2000, model_type: str = "unigram") -> Self:
        return cls(sorted((set(cls._split(text)) | {NEWLINE}) - {UNKNOWN}))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        def refused(what: str) -> TokenizerError:
            return TokenizerError(
                f"the {cls.name} vocabulary {what}: take {cls.filename} from the run folder again, "
                "or train again"
            )

        if len(data) > _MAX_JSON:
            raise refused(f"has {len(data)} bytes, more than {_MAX_JSON}")
        try:
            content = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise refused("is no JSON") from None
        expected = {"format": cls._format(), "version": 1}
        if not isinstance(content, dict) or expected.items() - _scalars(content):
            raise refused(f"is not of the format {cls._format()}, version 1")
        characters = content.get("characters")
        if not isinstance(characters, list) or not all(map(cls._is_unit, characters)):
            raise refused(f"has an entry that is not one character of {cls.form}")
        if len(set(characters)) != len(characters):
            raise refused("has a character twice")
        if NEWLINE not in characters:
            raise refused("has no newline")
        return cls(characters)

    def to_bytes(self) -> bytes:
        content = {"format": self._format(), "version": 1, "characters": self._characters[1:]}
        return (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8")

    def encode(self, text: str) -> list[int]:
        return self.encode_array(text).tolist()

    def encode_array(self, text: str) -> np.ndarray:
        points = np.frombuffer(self._split(text).encode("utf-32-le"), np.uint32)
        return self._ids.take(points, mode="clip")

    def token(self, token_id: int) -> str:
        return self._characters[token_id]

    def unknown_characters(self, text: str) -> list[str]:
        known = set(self._characters[1:])
        return [c for c in dict.fromkeys(self._split(text)) if c not in known]

    def extended(self, text: str) -> Self:
        new = set(self._split(text)) - set(self._characters)
        return type(self)([*self._characters[1:], *sorted(new)])

    def _join(self, ids: Iterable[int]) -> str:
        return "".join(map(self._characters.__getitem__, ids))

    @classmethod
    def _split(cls, text: str) -> str:
        text = nfc(text)
        return text if cls.form == "NFC" else unicodedata.normalize(cls.form, text)

    @classmethod
    def _format(cls) -> str:
        return f"textgen-{cls.name}"

    @classmethod
    def _is_unit(cls, entry: object) -> bool:
        return (
            isinstance(entry, str)
            and len(entry) == 1
            and entry != UNKNOWN
            and cls._split(entry) == entry
        )


def _scalars(content: dict[str, object]) -> set[tuple[str, object]]:
    return {(k, v) for k, v in content.items() if type(v) in (str, int)}


class CharTokenizer(_CodePoints):
    """A token is a character: 가, a, a mark, a newline."""

    name = "char"
    form = "NFC"

    def decode(self, ids: Iterable[int]) -> str:
        return self._join(ids)

    def stream_decoder(self) -> StreamDecoder:
        return CharacterStream(self._characters)


class JamoTokenizer(_CodePoints):
    """A token is a letter: 한 is ᄒ, ᅡ, ᆫ, so 67 tokens write every modern syllable."""

    name = "jamo"
    form = "NFD"

    def decode(self, ids: Iterable[int]) -> str:
        return unicodedata.normalize("NFC", self._join(ids))

    def stream_decoder(self) -> StreamDecoder:
        return ComposingStream(self._characters)


class SentencePieceTokenizer(Tokenizer):
    """A token is a piece of a word that SentencePiece found frequent, or a byte of a rare letter.

    Pieces write a space as ▁, so a ▁ of the text must not meet SentencePiece: it is written as its
    three bytes, <0xE2> <0x96> <0x81>. Ids are decoded by joining bytes, where only a piece's ▁
    stands for a space; so nothing is ambiguous.
    """

    name = "sentencepiece"
    filename = "tokenizer.model"
    unk_id = 0
    banned_ids = (0,)
    learned_per_second = 150_000

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._processor = load_model(model)
        self.vocab_size = self._processor.get_piece_size()
        self._tokens = [self._display(i) for i in range(self.vocab_size)]
        self.token_bytes = [
            bytes([int(token[3:5], 16)]) if self._processor.is_byte(i) else token.encode("utf-8")
            for i, token in enumerate(self._tokens)
        ]
        to_id = self._processor.piece_to_id
        self.start_id = to_id(NEWLINE)
        escape = [to_id(f"<0x{byte:02X}>") for byte in SPACE.encode("utf-8")]
        self._apart = {NEWLINE: [self.start_id], SPACE: escape}

    @classmethod
    def train(cls, text: str, *, vocab_size: int = 2000, model_type: str = "unigram") -> Self:
        return cls(train_model(nfc(text), vocab_size, model_type))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        try_apart(data)
        return cls(data)

    def to_bytes(self) -> bytes:
        return self._model

    def encode(self, text: str) -> list[int]:
        # the odd parts are the separators
        parts = re.split(f"([{NEWLINE}{SPACE}])", nfc(text))
        ids = self._processor.encode(parts[::2], out_type=int, num_threads=1)
        for part, encoded in zip(parts[1::2], ids, strict=False):
            encoded += self._apart[part]
        return [i for encoded in ids for i in encoded]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(map(self.token_bytes.__getitem__, ids)).decode("utf-8", "replace")

    def token(self, token_id: int) -> str:
        return self._tokens[token_id]

    def unknown_characters(self, text: str) -> list[str]:
        return []  # bytes write them all

    def stream_decoder(self) -> StreamDecoder:
        return ByteStream(self.token_bytes)

    def _display(self, token_id: int) -> str:
        if token_id == self.unk_id:
            return UNKNOWN
        return self._processor.id_to_piece(token_id).replace(SPACE, " ")


TOKENIZERS: dict[str, type[Tokenizer]] = {
    cls.name: cls for cls in (CharTokenizer, SentencePieceTokenizer, JamoTokenizer)
}
