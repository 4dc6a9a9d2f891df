"""How well a model predicts a text it was not trained on, and how much of what it writes is new.

Bits per character and per byte are the same measure for every tokenizer; perplexity is per token.
Beside the model stand n-gram models counted on its training text, and the text itself.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from textgen.array_ops import pick
from textgen.config import EvaluateConfig
from textgen.errors import ConfigError, CorpusError, shown
from textgen.evaluation.batch_reader import Reader
from textgen.evaluation.character_kinds import Kind, loss_by_kind
from textgen.evaluation.copying import CopyMeter
from textgen.evaluation.neural_cache import cache_nats
from textgen.evaluation.ngram import NGram
from textgen.evaluation.particles import Particles, particles, words_of
from textgen.evaluation.variety import Variety, variety
from textgen.generation.generator import Generator
from textgen.ngrams.mixture import Mixture, doubts
from textgen.options import check
from textgen.text.nfc import nfc

FEWEST_PARTICLES = 20  # of a text, right or wrong, to tell how it sets them


@dataclasses.dataclass(frozen=True)
class PredictionRow:
    """One way to predict the text. perplexity: per token, which for an n-gram of the baseline is a
    character."""

    name: str
    bits_per_char: float
    bits_per_byte: float
    nats_per_char: float
    perplexity: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """position[k]: bits per token where k + 1 tokens of a window were seen before it.

    particles: of a sample, where one is drawn, and of the whole text, where that is Korean.

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
    rows: list[PredictionRow]
    position: list[float]
    kinds: list[Kind]
    variety: list[Variety]
    particles: list[Particles]


def evaluate(
    generator: Generator,
    text: str,
    training_text: str | None = None,
    config: EvaluateConfig | None = None,
) -> Evaluation:
    """Measure a model on `text`. Without `training_text` there are no n-grams and no copies.

    Raises `CorpusError` for an empty text and for what is no text, `ConfigError` for a setting
    outside its range and for dynamic evaluation without a training text.
    """
    config = config or EvaluateConfig()
    _check(text, training_text, config)
    text = nfc(text)
    ids = generator.tokenizer.encode(text)
    rows, carried, windowed = _predictions(generator, text, ids, training_text, config)
    unknown = sum(i == generator.tokenizer.unk_id for i in ids)
    sample = ""
    if config.sample_length:  # drawn from the model as it is
        drawn = generator.generate("", max_new_tokens=config.sample_length, seed=config.seed)
        sample = nfc(drawn.text)
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
        kinds=loss_by_kind(generator, ids, carried),
        variety=_varieties(sample, text, training_text, config),
        particles=_particles(sample, text, training_text),
    )


def _predictions(
    generator: Generator,
    text: str,
    ids: list[int],
    training_text: str | None,
    config: EvaluateConfig,
) -> tuple[list[PredictionRow], np.ndarray, np.ndarray]:
    """(a row for each way to predict, -ln p of each token [T] with the state carried on, and in
    windows)."""
    rows: list[PredictionRow] = []

    def measured(name: str, predict: Callable[[], np.ndarray]) -> np.ndarray:
        begin = time.perf_counter()
        nats = predict()
        rows.append(_row(name, nats, len(ids), text, time.perf_counter() - begin))
        return nats

    begin = time.perf_counter()
    read = read_carried(generator, ids)
    seconds, carried = time.perf_counter() - begin, read.nats
    rows.append(_row("model, state carried", carried, len(ids), text, seconds))
    if generator.mixture is not None:
        nats = read.mixed(generator, generator.mixture)
        seconds = time.perf_counter() - begin
        rows.append(_row("model and its n-grams together", nats, len(ids), text, seconds))
    windowed = measured(
        f"model, windows of {config.window} tokens",
        lambda: windowed_nats(generator, ids, config.window),
    )
    if config.cache:
        name = f"model, cache of {config.cache} tokens"
        measured(name, lambda: cache_nats(generator, ids, config.cache))
    if config.dynamic and training_text is not None:
        from textgen.evaluation.dynamic_evaluation import dynamic_nats  # it imports TensorFlow

        trained_on = generator.tokenizer.encode(training_text)
        measured("model, dynamic evaluation", lambda: dynamic_nats(generator, ids, trained_on))
    if training_text is not None:
        rows += _ngrams(text, training_text, config.order)
    return rows, carried, windowed


def _check(text: object, training_text: object, config: EvaluateConfig) -> None:
    """Raises as `evaluate` does."""
    check(config)
    if not isinstance(text, str):
        raise CorpusError(f"the text to evaluate on is {shown(text)}: give a text (str)")
    if not isinstance(training_text, str | None):
        raise CorpusError(f"the training text is {shown(training_text)}: give a text (str)")
    if not text:
        raise CorpusError("the text to evaluate on is empty: give at least one character")
    if config.dynamic and training_text is None:
        raise ConfigError(
            "dynamic is on, but the training text is not at hand: dynamic evaluation takes the "
            "scale of the gradients from it; give it with --train"
        )


def _ngrams(text: str, training_text: str, order: int) -> list[PredictionRow]:
    """How well n-grams of the training text predict `text`, for n up to `order`."""
    begin = time.perf_counter()
    nats = NGram(nfc(training_text), order).nats(text)
    seconds = time.perf_counter() - begin
    return [_row(f"{n}-gram", found, len(text), text, seconds) for n, found in enumerate(nats, 1)]


def _row(name: str, nats: np.ndarray, tokens: int, text: str, seconds: float) -> PredictionRow:
    total = float(nats.sum(dtype=np.float64))
    bits, mean = total / math.log(2), total / tokens
    return PredictionRow(
        name,
        bits / len(text),
        bits / len(text.encode()),
        total / len(text),
        math.exp(mean),
        seconds,
    )


# --- two ways to read -----------------------------------------------------------------------------


class Carried(NamedTuple):
    """Ids [N] as the network predicts them, each from all before it. nats: -ln p of each;
    likeliest: the probability of what it thought likeliest in its place."""

    ids: np.ndarray
    nats: np.ndarray
    likeliest: np.ndarray

    def mixed(self, generator: Generator, mixture: Mixture) -> np.ndarray:
        """-ln p of each, where n-grams predict with the network [N]."""
        before = np.array([generator.tokenizer.start_id, *self.ids[:-1]])
        histories, doubt = mixture.counts.histories(before), doubts(self.likeliest)
        return -np.log(mixture.predicted(np.exp(-self.nats), doubt, histories, self.ids).p)


def carried_nats(generator: Generator, ids: Sequence[int]) -> np.ndarray:
    """-ln p of each of N ids [N] by the network, every one predicted from all before it.

    The first is predicted after a newline, as in `Generator.score`.
    """
    return read_carried(generator, ids).nats


def read_carried(generator: Generator, ids: Sequence[int]) -> Carried:
    """What the network of a model makes of ids."""
    reader, targets = Reader(generator.network), np.asarray(ids)
    nats: list[np.ndarray] = []
    likeliest: list[np.ndarray] = []
    at = 0
    for hidden in reader.course([generator.tokenizer.start_id, *ids[:-1]]):
        logprobs = reader.next_logprobs(hidden)
        nats.append(-pick(logprobs, targets[at : at + len(logprobs)]))
        likeliest.append(np.exp(logprobs.max(-1)))
        at += len(logprobs)
    return Carried(targets, np.concatenate(nats), np.concatenate(likeliest))


def windowed_nats(generator: Generator, ids: Sequence[int], window: int) -> np.ndarray:
    """-ln p of each of N ids [N], the text cut into windows that are each read from nothing.

    The token at place k of its window, from 0, is predicted from the k + 1 tokens before it: what
    a model without a state to carry can be asked for.
    """
    reader = Reader(generator.network)
    rows = (-(-len(ids) // window), window)
    inputs, targets = np.zeros((2, *rows), np.int32).reshape(2, -1)
    inputs[: len(ids)] = [generator.tokenizer.start_id, *ids[:-1]]
    targets[: len(ids)] = ids
    return reader.nats(inputs.reshape(rows), targets.reshape(rows)).ravel()[: len(ids)]


def _by_position(nats: np.ndarray, window: int) -> list[float]:
    """Mean bits at each place of the windows that reach so far."""
    place = np.arange(len(nats)) % window
    total = np.bincount(place, nats)
    return (total / np.bincount(place) / math.log(2)).tolist()


def _varieties(
    sample: str, text: str, training_text: str | None, config: EvaluateConfig
) -> list[Variety]:
    """The sample, beside as much of the text."""
    meter = CopyMeter(training_text, config.shortest) if training_text and sample else None
    return [
        variety(name, part, meter, config.shortest)
        for name, part in (("sample", sample), ("text", text[: len(sample)]))
        if part
    ]


def _particles(sample: str, text: str, training_text: str | None) -> list[Particles]:
    """Of the sample, where there is one, and of the whole text; none where the text is hardly
    Korean, which its particles tell whether they are right or wrong."""
    known = set(words_of(training_text or ""))
    of_text = particles("text", text, known)
    if of_text.number < FEWEST_PARTICLES:
        return []
    return [particles("sample", sample, known), of_text] if sample else [of_text]
