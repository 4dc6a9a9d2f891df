"""How well a model predicts a text it was not trained on, and how much of what it writes is new.

Bits per character and per byte are the same measure for every tokenizer; perplexity is per token.
Beside the model stand n-gram models counted on its training text, and the text itself.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from textgen.backend import tf
from textgen.config import EvaluateConfig
from textgen.errors import ConfigError, CorpusError
from textgen.evaluation.batch_reader import Reader
from textgen.evaluation.copying import CopyMeter, covered, distinct, repetition
from textgen.evaluation.dynamic_evaluation import cache_nats, dynamic_nats
from textgen.evaluation.ngram import NGram
from textgen.generation.generator import Generator
from textgen.options import check
from textgen.terminal import Report, table
from textgen.tokenizers.detokenizer import group_tokens
from textgen.tokenizers.tokenizer import nfc

if TYPE_CHECKING:
    from rich.table import Table

WINDOWS = 32  # read side by side
KINDS = ("Hangul", "Latin", "digit", "space", "punctuation", "other")


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to predict the text. perplexity: per token, which for an n-gram is a character."""

    name: str
    bits_per_char: float
    bits_per_byte: float
    nats_per_char: float
    perplexity: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Kind:
    """The characters of one kind. share_of_bits: of what the whole text costs."""

    name: str
    characters: int
    bits_per_char: float
    share_of_bits: float


@dataclasses.dataclass(frozen=True)
class Variety:
    """Of a sample. copied: share of its characters in spans of the training text, and longest_copy
    in characters, None where that text is not at hand. distinct: of 1, 2, 3 words."""

    name: str
    characters: int
    copied: float | None
    longest_copy: int | None
    longest_text: str | None
    distinct: tuple[float, float, float]
    repetition: float


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """position[k]: bits per token where k + 1 tokens of a window were seen before it.

    unknown: tokens of the text that the vocabulary lacks. Each costs what the model gives to "some
    unknown character"; to name it as well would cost spelling_bits per character of the text more.
    """

    model: str
    hash: str
    characters: int
    bytes: int
    tokens: int
    unknown: int
    spelling_bits: float
    window: int
    shortest: int
    seed: int
    rows: list[Row]
    position: list[float]
    kinds: list[Kind]
    variety: list[Variety]


def evaluate(
    generator: Generator,
    text: str,
    training_text: str | None = None,
    config: EvaluateConfig | None = None,
) -> Evaluation:
    """Measure a model on `text`. Without `training_text` there are no n-grams and no copies.

    Raises `CorpusError` for an empty text, `ConfigError` for a setting outside its range and for
    dynamic evaluation without a training text.
    """
    config = config or EvaluateConfig()
    check(config)
    text = nfc(text)
    if not text:
        raise CorpusError("the text to evaluate on is empty: give at least one character")
    if config.dynamic and training_text is None:
        raise ConfigError(
            "dynamic is on, but the training text is not at hand: dynamic evaluation takes the "
            "scale of the gradients from it; give it with --train"
        )
    tokenizer = generator.tokenizer
    ids = tokenizer.encode(text)
    rows: list[Row] = []

    def measured(name: str, predict: Callable[[], np.ndarray]) -> np.ndarray:
        begin = time.perf_counter()
        nats = predict()
        rows.append(_row(name, nats, len(ids), text, time.perf_counter() - begin))
        return nats

    own = measured("model, state carried", lambda: carried_nats(generator, ids))
    windowed = measured(
        f"model, windows of {config.window} tokens",
        lambda: windowed_nats(generator, ids, config.window),
    )
    if config.cache:
        name = f"model, cache of {config.cache} tokens"
        measured(name, lambda: cache_nats(generator, ids, config.cache))
    if config.dynamic and training_text is not None:
        trained_on = tokenizer.encode(training_text)
        measured("model, dynamic evaluation", lambda: dynamic_nats(generator, ids, trained_on))
    if training_text is not None:
        begin = time.perf_counter()
        counted = NGram(nfc(training_text), config.order).nats(text)
        seconds = time.perf_counter() - begin
        rows += [
            _row(f"{n}-gram", nats, len(text), text, seconds) for n, nats in enumerate(counted, 1)
        ]
    unknown = sum(i == tokenizer.unk_id for i in ids)
    return Evaluation(
        model=generator.name,
        hash=generator.hash,
        characters=len(text),
        bytes=len(text.encode()),
        tokens=len(ids),
        unknown=unknown,
        spelling_bits=unknown * math.log2(0x110000) / len(text),
        window=config.window,
        shortest=config.shortest,
        seed=config.seed,
        rows=rows,
        position=_by_position(windowed, config.window),
        kinds=_by_kind(generator, ids, own),
        variety=_variety(generator, text, training_text, config),
    )


def _row(name: str, nats: np.ndarray, tokens: int, text: str, seconds: float) -> Row:
    total = float(nats.sum(dtype=np.float64))
    bits, mean = total / math.log(2), total / tokens
    return Row(
        name,
        bits / len(text),
        bits / len(text.encode()),
        total / len(text),
        math.exp(mean),
        seconds,
    )


# --- two ways to read -----------------------------------------------------------------------------


def carried_nats(generator: Generator, ids: Sequence[int]) -> np.ndarray:
    """-ln p of each of N ids [N], every one predicted from all before it.

    The first is predicted after a newline, as in `Generator.score`.
    """
    reader, targets = Reader(generator.model), np.asarray(ids)
    found: list[np.ndarray] = []
    at = 0
    for states in reader.course([generator.tokenizer.start_id, *ids[:-1]]):
        logprobs = reader.next_logprobs(states)
        found.append(-logprobs[np.arange(len(logprobs)), targets[at : at + len(logprobs)]])
        at += len(logprobs)
    return np.concatenate(found)


def windowed_nats(generator: Generator, ids: Sequence[int], window: int) -> np.ndarray:
    """-ln p of each of N ids [N], the text cut into windows that are each read from nothing.

    The token at place k of its window, from 0, is predicted from the k + 1 tokens before it: what
    a model without a state to carry can be asked for.
    """
    model = generator.model

    @tf.function(autograph=False)
    def read(inputs: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return model.nats(inputs, targets)[0]

    number = -(-len(ids) // (window * WINDOWS)) * WINDOWS
    cut = np.zeros((2, number * window), np.int32)
    cut[0, : len(ids)] = [generator.tokenizer.start_id, *ids[:-1]]
    cut[1, : len(ids)] = ids
    inputs, targets = cut.reshape(2, number, window)
    found = [
        read(inputs[k : k + WINDOWS], targets[k : k + WINDOWS]).numpy()
        for k in range(0, number, WINDOWS)
    ]
    return np.concatenate(found).ravel()[: len(ids)]


# --- where the loss lies --------------------------------------------------------------------------


def _by_position(nats: np.ndarray, window: int) -> list[float]:
    """Mean bits at each place of the windows that reach so far."""
    place = np.arange(len(nats)) % window
    total = np.bincount(place, nats)
    return (total / np.bincount(place) / math.log(2)).tolist()


def _by_kind(generator: Generator, ids: list[int], nats: np.ndarray) -> list[Kind]:
    """A token's nats are shared out among its characters; tokens that only together make
    characters, such as the letters of a syllable, count together."""
    totals, counts = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
    sums = np.concatenate([[0.0], np.cumsum(nats, dtype=np.float64)])
    for first, count, text in group_tokens(ids, generator.tokenizer.decode):
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


# --- what it writes -------------------------------------------------------------------------------


def _variety(
    generator: Generator, text: str, training_text: str | None, config: EvaluateConfig
) -> list[Variety]:
    """A sample drawn from the model as it is, beside as much of the text."""
    if not config.sample_length:
        return []
    sample = generator.generate("", max_new_tokens=config.sample_length, seed=config.seed).text
    meter = CopyMeter(training_text, config.shortest) if training_text is not None else None
    return [
        variety(name, part, meter, config.shortest)
        for name, part in (("sample", sample), ("text", text[: len(sample)]))
        if part
    ]


def variety(name: str, sample: str, meter: CopyMeter | None, shortest: int) -> Variety:
    """How varied a sample is, and how much of it is copied."""
    sample, words = nfc(sample), sample.split()
    spans = meter.spans(sample) if meter else []
    longest = max(spans, key=lambda s: s.length, default=None)
    return Variety(
        name,
        len(sample),
        float((covered(spans, len(sample)) > 0).mean()) if meter and sample else None,
        (longest.length if longest else 0) if meter else None,
        sample[longest.begin : longest.end] if longest else None,
        (distinct(words, 1), distinct(words, 2), distinct(words, 3)),
        repetition(sample, shortest),
    )


# --- as text --------------------------------------------------------------------------------------


def report(found: Evaluation) -> Report:
    """Tables for a terminal."""
    size = f"{found.characters:,} characters, {found.bytes:,} bytes in UTF-8, "
    parts: list[str | Table] = [f"{size}{found.tokens:,} tokens", "", _loss_table(found)]
    if found.unknown:
        parts += [
            "",
            f"{found.unknown:,} tokens are none the model knows: each counts as one unknown "
            f"character; to spell them out would cost {found.spelling_bits:.4f} bits/char more",
        ]
    parts += ["", _position_table(found), "", _kind_table(found)]
    if found.variety:
        parts += ["", *_variety_table(found)]
    return parts


def _loss_table(found: Evaluation) -> Table:
    head = ["", "bits/char", "bits/byte", "nats/char", "perplexity/token", "seconds"]
    rows = [
        [
            r.name,
            f"{r.bits_per_char:.4f}",
            f"{r.bits_per_byte:.4f}",
            f"{r.nats_per_char:.4f}",
            f"{r.perplexity:.2f}",
            f"{r.seconds:.1f}",
        ]
        for r in found.rows
    ]
    return table(head, rows)


def _position_table(found: Evaluation) -> Table:
    head = [f"tokens seen of a window of {found.window}", "bits/token"]
    return table(head, [[name, f"{bits:.4f}"] for name, bits in positions(found.position)], words=0)


def _kind_table(found: Evaluation) -> Table:
    rows = [
        [k.name, f"{k.characters:,}", f"{k.bits_per_char:.4f}", f"{k.share_of_bits:.1%}"]
        for k in found.kinds
    ]
    return table(["characters", "of the text", "bits/char", "of all bits"], rows)


def positions(bits: Sequence[float]) -> list[tuple[str, float]]:
    """Places put together, up to each power of two: (name, mean bits)."""
    rows = []
    low, high = 1, 1
    while low <= len(bits):
        high = min(high, len(bits))
        name = str(low) if high == low else f"{low} to {high}"
        rows.append((name, float(np.mean(bits[low - 1 : high]))))
        low, high = high + 1, 2 * high
    return rows


def _variety_table(found: Evaluation) -> Report:
    parts = found.variety
    named = {"sample": f"model, seed {found.seed}", "text": "the text"}
    rows = [["characters", *(f"{v.characters:,}" for v in parts)]]
    if parts[0].copied is not None:
        copied = f"copied, spans of at least {found.shortest}"
        rows.append([copied, *(f"{v.copied:.1%}" for v in parts)])
        rows.append(["longest copied span", *(f"{v.longest_copy:,}" for v in parts)])
    rows.append(["repeated within itself", *(f"{v.repetition:.1%}" for v in parts)])
    rows.append(
        ["distinct-1, 2, 3 of words", *(" ".join(f"{d:.2f}" for d in v.distinct) for v in parts)]
    )
    lines: list[str | Table] = [table(["", *(named[v.name] for v in parts)], rows)]
    longest = parts[0].longest_text
    if longest:
        shown = longest if len(longest) <= 200 else longest[:197] + "..."
        lines.append(f"the model's longest copied span: {shown!r}")
    if parts[0].copied is None:
        lines.append(
            "no n-grams and no copies: the training text is not at hand; give it with --train"
        )
    return lines


def as_csv(found: Evaluation) -> str:
    """The table of predictions, one row each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in dataclasses.fields(Row))
    writer.writerows(dataclasses.astuple(row) for row in found.rows)
    return out.getvalue()
