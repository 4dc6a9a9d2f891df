"""SentencePiece at arm's length: models are trained here, and read from bytes with suspicion.

The library trusts the model that it is given. Here its protobuf is checked first, only a model of
the kind that `train_model` makes is handed on, and one from a file is tried in a process of its
own, whose crash harms nobody. Both libraries are imported when first used, so that `textgen --help`
answers at once.
"""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from textgen.errors import TokenizerError

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

SPACE = "\u2581"  # ▁: how pieces write a space
NEWLINE = "\n"
MODEL_TYPES = ("unigram", "bpe")
RESERVED = 258  # unknown, 256 bytes, newline
SMALLEST = RESERVED + 2
MAX_PIECES = 100_000
MAX_BYTES = 1 << 23
REMEDY = "take the file from the run folder again, or train again"

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
        frequent = {character for character, _ in counts.most_common(size)}
        dropped = dict.fromkeys((ord(c) for c in set(text) - frequent), "\n")
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


def read_pieces(data: bytes) -> tuple[str, list[tuple[str, float]]]:
    """(how a text is cut, one of `MODEL_TYPES`; the pieces by their ids, with their scores) of a
    model that `load_model` takes."""
    model = _parsed(data)
    kind = "bpe" if model.trainer_spec.model_type == model.trainer_spec.BPE else "unigram"
    return kind, [(piece.piece, piece.score) for piece in model.pieces]


def _checked(data: bytes) -> None:
    try:
        _check(data)
    except _DamagedError as error:
        raise _refused(data, str(error)) from None


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
    match = re.search(r"value <= (\d+)", str(error))
    if match and int(match[1]) >= SMALLEST:
        return TokenizerError(
            f"vocab_size is {vocab_size}, more than this text has pieces for: "
            f"use at most {match[1]}, or a longer text"
        )
    if match:
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
    """Raise `_DamagedError` unless `train_model` could have made `data`."""
    if len(data) > MAX_BYTES:
        raise _DamagedError(f"larger than {MAX_BYTES} bytes")
    model = _parsed(data)
    _check_pieces(model)
    normalizer, trainer = model.normalizer_spec, model.trainer_spec
    rules = normalizer.precompiled_charsmap or model.denormalizer_spec.precompiled_charsmap
    if (
        normalizer.name != "identity"
        or rules
        or normalizer.add_dummy_prefix
        or normalizer.remove_extra_whitespaces
        or not normalizer.escape_whitespaces
    ):
        raise _DamagedError("it alters text")
    if (
        trainer.model_type not in (trainer.UNIGRAM, trainer.BPE)
        or trainer.vocab_size != len(model.pieces)
        or not trainer.byte_fallback
    ):
        raise _DamagedError("it was trained with other settings")


def _parsed(data: bytes) -> ModelProto:
    from google.protobuf.message import DecodeError
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise _DamagedError("it is damaged") from None
    if len(model.pieces) > MAX_PIECES:
        raise _DamagedError(f"it has more than {MAX_PIECES} pieces")
    # Written again it must be the same bytes: so nothing stands there twice, for the library to
    # join, and nothing that has no name.
    model.DiscardUnknownFields()
    same = model.SerializeToString(deterministic=True) == data
    # a name that is no UTF-8 is given as bytes
    if not same or not all(isinstance(piece.piece, str) for piece in model.pieces):
        raise _DamagedError("it is damaged")
    return model


def _check_pieces(model: ModelProto) -> None:
    kinds = model.SentencePiece
    pieces = {piece.piece: piece.type for piece in model.pieces}
    if len(pieces) < SMALLEST or len(pieces) < len(model.pieces):
        raise _DamagedError("it has too few or repeated pieces")
    of_kind = Counter(pieces.values())
    if (
        model.pieces[0].type != kinds.UNKNOWN
        or of_kind[kinds.UNKNOWN] != 1
        or pieces.get(NEWLINE) != kinds.USER_DEFINED
    ):
        raise _DamagedError("its unknown or newline piece is missing")
    every_byte = {f"<0x{byte:02X}>" for byte in range(256)}
    if {piece for piece, kind in pieces.items() if kind == kinds.BYTE} != every_byte:
        raise _DamagedError("its bytes are incomplete")
    allowed = {kinds.NORMAL, kinds.UNKNOWN, kinds.USER_DEFINED, kinds.BYTE}
    if set(of_kind) != allowed or of_kind[kinds.USER_DEFINED] != 1:
        raise _DamagedError("it has pieces of a foreign kind")
    if any(not piece or "\0" in piece for piece in pieces):
        raise _DamagedError("it has an empty piece")
    if not all(math.isfinite(piece.score) for piece in model.pieces):
        raise _DamagedError("it has a score that is no number")
