"""SentencePiece at arm's length: models are trained here, and read from bytes with suspicion.

The library reads a model by parsing a protobuf in C++ and trusts what it finds. Here the bytes are
walked first, only a model of the kind that `train_model` makes is handed on, and one from a file is
tried in a process of its own, whose crash harms nobody. It is imported when first used, so that
`textgen --help` answers at once.
"""

from __future__ import annotations

import io
import math
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

from textgen.errors import TokenizerError

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

SPACE = "\u2581"  # ▁: how pieces write a space
NEWLINE = "\n"
MODEL_TYPES = ("unigram", "bpe")  # from 1 on, the numbers of the file format
RESERVED = 258  # unknown, 256 bytes, newline
SMALLEST = RESERVED + 2
MAX_PIECES = 100_000
MAX_BYTES = 1 << 23
MAX_SETTINGS = 200  # fields of a piece, or of the settings
REMEDY = "take the file from the run folder again, or train again"

# field numbers of sentencepiece_model.proto
PIECE, TRAINER, NORMALIZER, DENORMALIZER = 1, 2, 3, 5
NORMAL, UNKNOWN, USER_DEFINED, BYTE = 1, 2, 4, 6
_LINE = 1000  # characters; longer lines are learnt from in parts
_COVERAGE = 0.9995
_SMALL_ALPHABET = 256


def train_model(text: str, vocab_size: int, model_type: str) -> bytes:
    """A serialised model with exactly `vocab_size` pieces; the same text gives the same bytes."""
    if model_type not in MODEL_TYPES:
        raise TokenizerError(f"model_type is {model_type!r}: use {' or '.join(MODEL_TYPES)}")
    if not SMALLEST <= vocab_size <= MAX_PIECES:
        raise TokenizerError(
            f"vocab_size is {vocab_size}: use {SMALLEST} to {MAX_PIECES} "
            "(the 256 bytes, newline and unknown are part of it)"
        )
    counts = Counter(text)
    for reserved in f"\n\t\0{SPACE}":  # of the library, or written as bytes
        del counts[reserved]
    if not counts:
        raise TokenizerError("the text has nothing for SentencePiece to learn: give a longer text")
    alphabet = _covering(counts)
    room = vocab_size - RESERVED
    # half the room is left for pieces longer than a character; where a short text has too few of
    # those, characters may take it all. What gets no piece is written as bytes
    for size in (min(alphabet, room // 2), min(alphabet, room)):
        kept = {character for character, _ in counts.most_common(size)}
        dropped = dict.fromkeys((ord(c) for c in set(text) - kept), "\n")
        try:
            return _train(text.translate(dropped), vocab_size, model_type)
        except (RuntimeError, OSError) as error:
            failure = error
    raise _explained(failure, vocab_size)


def load_model(data: bytes) -> SentencePieceProcessor:
    """A `SentencePieceProcessor`, or `TokenizerError` unless `train_model` could have made it."""
    import sentencepiece

    _checked(data)
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=data)
    except RuntimeError:
        raise _refused(data, "it is damaged") from None


def _checked(data: bytes) -> None:
    try:
        _check(data)
    except _DamagedError as error:
        raise _refused(data, str(error)) from None
    except UnicodeDecodeError:
        raise _refused(data, "it is damaged") from None


def _refused(data: bytes, what: str) -> TokenizerError:
    return TokenizerError(
        f"the {len(data)} bytes are no SentencePiece model of textgen ({what}): {REMEDY}"
    )


# reads a model, and uses it, with limited memory
_TRIAL = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except ImportError:  # Windows
    pass
import sentencepiece
model = sentencepiece.SentencePieceProcessor(model_proto=sys.stdin.buffer.read())
pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
texts = ["", " ", "a b  c\\n", "나는 한국어를 할 줄 알아. ㅋㅋㅋ", "\\0\\U0001f600\\ufffd"]
for text in texts + pieces[:500]:
    model.decode(model.encode(text, out_type=int))
"""
_TRIAL_SECONDS = 10.0


def try_apart(data: bytes) -> None:
    """Let another process read and use the model `data` first.

    Raises `TokenizerError` where that process fails, crashes or hangs.
    """
    _checked(data)
    try:
        subprocess.run(
            [sys.executable, "-I", "-c", _TRIAL],
            input=data,
            check=True,
            timeout=_TRIAL_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (subprocess.SubprocessError, OSError):
        raise _refused(data, "it cannot be read") from None


def _train(text: str, vocab_size: int, model_type: str) -> bytes:
    import sentencepiece

    parts = (
        line[begin : begin + _LINE]
        for line in text.split("\n")
        for begin in range(0, len(line), _LINE)
    )
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=parts,
        model_writer=writer,
        vocab_size=vocab_size,
        model_type=model_type,
        character_coverage=1.0,
        user_defined_symbols=[NEWLINE],
        normalization_rule_name="identity",  # the default, nmt_nfkc, rewrites ㅋㅋㅋ
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        byte_fallback=True,
        max_sentence_length=1 << 20,
        unk_id=0,
        bos_id=-1,
        eos_id=-1,
        pad_id=-1,
        num_threads=2,  # fixed: the sums of a different number round differently
        minloglevel=3,
    )
    return writer.getvalue()


def _covering(counts: Counter[str]) -> int:
    """How many characters, most frequent first, make up the share `_COVERAGE` of the text.

    All of them for a small alphabet.
    """
    if len(counts) <= _SMALL_ALPHABET:
        return len(counts)
    sums = accumulate(count for _, count in counts.most_common())
    wanted = _COVERAGE * counts.total()
    return next(size for size, covered in enumerate(sums, 1) if covered >= wanted)


def _explained(error: Exception, vocab_size: int) -> TokenizerError:
    found = re.search(r"value <= (\d+)", str(error))
    if found and int(found[1]) >= SMALLEST:
        return TokenizerError(
            f"vocab_size is {vocab_size}, more than this text has pieces for: "
            f"use at most {found[1]}, or a longer text"
        )
    if found:
        return TokenizerError(
            f"vocab_size is {vocab_size}, but the text has next to no pieces: "
            "give a longer text or use the tokenizer char"
        )
    return TokenizerError(
        f"SentencePiece could not learn {vocab_size} pieces ({' '.join(str(error).split())}): "
        "use another vocab_size or a longer text"
    )


class _DamagedError(Exception):
    """Why the bytes are refused."""


def _check(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise _DamagedError(f"larger than {MAX_BYTES} bytes")
    pieces: list[tuple[str, int]] = []
    settings: dict[int, dict[int, Any]] = {}
    for number, value in _fields(data):
        if not isinstance(value, bytes):
            raise _DamagedError("it is damaged")
        if number == PIECE:
            pieces.append(_piece(value))
            if len(pieces) > MAX_PIECES:
                break  # refused below
        elif number in settings or number > DENORMALIZER:
            raise _DamagedError("it is damaged")  # the library would join what is there twice
        else:
            settings[number] = _few_fields(value)
    _check_pieces(pieces)
    trainer, normalizer = settings.get(TRAINER, {}), settings.get(NORMALIZER, {})
    # name, compiled rules (none), add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces
    normal = (b"identity", b"", 0, 0, 1)
    found = tuple(
        normalizer.get(i, d) for i, d in zip(range(1, 6), (b"", b"", 1, 1, 1), strict=True)
    )
    if found != normal or settings.get(DENORMALIZER, {}).get(2, b""):
        raise _DamagedError("it alters text")
    # model_type, vocab_size and byte_fallback
    if trainer.get(3) not in (1, 2) or trainer.get(4) != len(pieces) or trainer.get(35) != 1:
        raise _DamagedError("it was trained with other settings")


def _check_pieces(pieces: list[tuple[str, int]]) -> None:
    if not SMALLEST <= len(pieces) <= MAX_PIECES or len(dict(pieces)) != len(pieces):
        raise _DamagedError("it has too few, too many or repeated pieces")
    of_kind = Counter(kind for _, kind in pieces)
    if (
        pieces[0][1] != UNKNOWN
        or of_kind[UNKNOWN] != 1
        or dict(pieces).get(NEWLINE) != USER_DEFINED
    ):
        raise _DamagedError("its unknown or newline piece is missing")
    every_byte = {f"<0x{byte:02X}>" for byte in range(256)}
    if {piece for piece, kind in pieces if kind == BYTE} != every_byte:
        raise _DamagedError("its bytes are incomplete")
    if set(of_kind) != {NORMAL, UNKNOWN, USER_DEFINED, BYTE} or of_kind[USER_DEFINED] != 1:
        raise _DamagedError("it has pieces of a foreign kind")
    if any(not piece or "\0" in piece for piece, _ in pieces):
        raise _DamagedError("it has an empty piece")


def _piece(data: bytes) -> tuple[str, int]:
    fields = _few_fields(data)
    name, score, kind = fields.get(1), fields.get(2), fields.get(3, NORMAL)
    if not isinstance(name, bytes) or not isinstance(kind, int):
        raise _DamagedError("it is damaged")
    if score is not None and not (isinstance(score, float) and math.isfinite(score)):
        raise _DamagedError("it is damaged")
    return name.decode("utf-8"), kind


def _few_fields(data: bytes) -> dict[int, int | float | bytes]:
    """One message as a dict; time is not lost on one of millions of fields."""
    found = list(islice(_fields(data), MAX_SETTINGS + 1))
    if len(found) > MAX_SETTINGS:
        raise _DamagedError("it is damaged")
    return dict(found)


def _fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The (number, value) pairs of one protobuf message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: int | float | bytes
        if key & 7 == 0:
            value, at = _varint(data, at)
        elif key & 7 == 2:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif key & 7 == 5 and at + 4 <= len(data):
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            raise _DamagedError("it is damaged")
        if at > len(data):
            raise _DamagedError("it is cut short")
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise _DamagedError("it is cut short")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _DamagedError("it is damaged")
