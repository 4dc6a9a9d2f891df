"""A tokenizer as the page needs it."""

from __future__ import annotations

import base64
import json

import numpy as np

from textgen.errors import ConfigError
from textgen.tokenizers.sentencepiece_model import read_pieces
from textgen.tokenizers.tokenizer import (
    CharTokenizer,
    JamoTokenizer,
    SentencePieceTokenizer,
    Tokenizer,
)


def vocabulary(tokenizer: Tokenizer) -> dict[str, object]:
    """What the page makes its tokenizer of. Raises `ConfigError` for one that it does not know."""
    if isinstance(tokenizer, CharTokenizer | JamoTokenizer):
        characters = json.loads(tokenizer.to_bytes())["characters"]
        return {"name": tokenizer.name, "form": tokenizer.form, "characters": characters}
    if isinstance(tokenizer, SentencePieceTokenizer):
        return {"name": tokenizer.name, **_pieces(tokenizer.to_bytes())}
    raise ConfigError(
        f"the tokenizer {tokenizer.name!r} cannot go into a page, which knows char, jamo and "
        "sentencepiece: train with one of those"
    )


def _pieces(model: bytes) -> dict[str, object]:
    """How a text is cut into pieces, the pieces, their scores (base64 of float32), and the id of
    each byte."""
    kind, scored = read_pieces(model)
    ids = {piece: number for number, (piece, _) in enumerate(scored)}
    return {
        "model": kind,
        "pieces": list(ids),
        "scores": base64.b64encode(np.array([s for _, s in scored], "<f4").tobytes()).decode(),
        "bytes": [ids[f"<0x{byte:02X}>"] for byte in range(256)],
    }
