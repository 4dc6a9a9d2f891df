"""Which id of a foreign model stands for which character.

A list of characters is JSON, ["\n", "a", ...], {"a": 0, ...} or {"0": "a", ...}; the note that
`textgen export --to keras` writes; or a text file of the characters in their order, each once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from textgen.config import ModelConfig
from textgen.errors import RunError, TokenizerError, shown
from textgen.importing.keras_file import Arrays
from textgen.importing.stock_stack import Stack
from textgen.network import Network, weight_shapes
from textgen.runs.atomic_files import read_file
from textgen.tokenizers.tokenizer import UNKNOWN, CharTokenizer, JamoTokenizer, Tokenizer

LARGEST = 16 << 20
NEWLINE = "\n"
UNLIKELY = -100.0  # the logit of a token that the foreign model does not have


def read_characters(path: Path) -> tuple[dict[int, str], type[CharTokenizer | JamoTokenizer]]:
    """(id -> character, the tokenizer that has such characters). Raises `RunError`."""
    try:
        text = read_file(path, LARGEST, "give the list of the model's characters").decode("utf-8")
    except UnicodeDecodeError:
        raise RunError(f"{path} is not UTF-8: save the list of characters as UTF-8") from None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = list(text)
    kind: type[CharTokenizer | JamoTokenizer] = CharTokenizer
    if isinstance(found, dict) and isinstance(found.get("tokens"), list):
        if found.get("tokenizer") not in (CharTokenizer.name, JamoTokenizer.name):
            raise RunError(
                f"{path} is of the tokenizer {shown(found.get('tokenizer'))}: char and jamo can "
                "be read"
            )
        kind = JamoTokenizer if found["tokenizer"] == JamoTokenizer.name else CharTokenizer
        found = found["tokens"]
    tokens = _by_id(path, found)
    for number, token in tokens.items():
        if len(token) != 1:
            raise RunError(
                f"{path}: id {number} is {shown(token)}: textgen reads models of characters, whose "
                "ids are one character each"
            )
    if len(set(tokens.values())) != len(tokens):
        twice = next(t for t in tokens.values() if list(tokens.values()).count(t) > 1)
        raise RunError(f"{path} has {shown(twice)} twice: give each character once, in their order")
    return tokens, kind


def _by_id(path: Path, found: Any) -> dict[int, str]:
    """id -> token; "" and names like <pad>, which write nothing, are left out."""
    if isinstance(found, list):
        found = dict(enumerate(found))
    if not isinstance(found, dict):
        raise RunError(f"{path} is {shown(found)}: give a list of characters")
    if all(isinstance(value, int) for value in found.values()):
        found = {number: token for token, number in found.items()}
    tokens = {}
    for number, token in found.items():
        whole = number if isinstance(number, int) else -1
        if isinstance(number, str) and number.isdecimal() and len(number) < 10:
            whole = int(number)
        if whole < 0 or not isinstance(token, str):
            raise RunError(f"{path} has {shown(number)}: {shown(token)}: give ids and characters")
        if token and token.lower() not in ("<pad>", "[pad]", "<unk>", "[unk]"):
            tokens[whole] = token
    return tokens


def with_characters(
    path: Path, stack: Stack, tokens: dict[int, str], kind: type[CharTokenizer | JamoTokenizer]
) -> tuple[Network, Tokenizer]:
    """The model with textgen's tokenizer, whose first id is the unknown and which has a newline.

    Raises `RunError` where the list does not belong to the model.
    """
    if not tokens or max(tokens) >= stack.size:
        raise RunError(
            f"{path} has ids up to {max(tokens, default=-1)}, the model {stack.size} tokens: the "
            "two do not belong together"
        )
    ids = {token: number for number, token in tokens.items()}
    unknown = ids.pop(UNKNOWN, None)
    ids.setdefault(NEWLINE, -1)
    try:
        content = {"format": f"textgen-{kind.name}", "version": 1, "characters": list(ids)}
        tokenizer = kind.from_bytes(json.dumps(content).encode())
    except TokenizerError as error:
        raise RunError(f"{path}: {error}") from None
    rows = [-1 if unknown is None else unknown, *ids.values()]
    return Network(stack.config, len(rows), _rows(stack.config, stack.weights, rows)), tokenizer


def _rows(config: ModelConfig, weights: Arrays, rows: list[int]) -> Arrays:
    """The weights with other ids: id k is `rows[k]` of the foreign model; -1, which it does not
    have, has a vector of zeros and is never predicted."""
    there = np.array(rows) >= 0
    chosen = dict(weights)
    chosen["embedding.embeddings"] = np.where(
        there[:, None], weights["embedding.embeddings"][rows], 0
    )
    chosen["head.kernel"] = np.where(there, weights["head.kernel"][:, rows], 0)
    chosen["head.bias"] = np.where(there, weights["head.bias"][rows], np.float32(UNLIKELY))
    return {
        name: np.ascontiguousarray(chosen[name], np.float32)
        for name in weight_shapes(config, len(rows))
    }
