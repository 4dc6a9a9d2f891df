"""The n-grams of a run that has come to its end: counted in its training text, and mixed with the
network by what was held out.

How much each counts for is learned on the beginning of what was held out, and what that brings is
measured on the rest of it, which neither has seen. Where it brings nothing, none are kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from textgen.data.training_data import TrainingData
from textgen.errors import TextgenError, counted, in_bytes
from textgen.evaluation.batch_reader import Reader
from textgen.log import logger
from textgen.network import Network
from textgen.ngrams.counts import NGrams
from textgen.ngrams.mixture import LEAST, Mixture, doubts, fit
from textgen.runs import atomic_files
from textgen.runs.model_card import write_card
from textgen.runs.ngrams import (
    ALONE,
    FITTED,
    MOST_NGRAMS,
    NGRAMS,
    TOGETHER,
    of_network,
    write_ngrams,
)
from textgen.runs.run_config import RunConfig
from textgen.runs.run_folder import load_model, weights_hash, write_config
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training.stop_request import Interrupted, StopRequest

ORDER = 8
MEASURED = 60_000  # characters, at most, of the rest
# Tokens that are read from nothing: so many that the network is hardly worse in the rest of them
# than with its state carried, as it is used.
WINDOW = 4096
FEWEST = 1000  # characters held out, in all, that something can be learned on


@dataclasses.dataclass(frozen=True)
class _Read:
    """A text as the network reads it: of each token its probability and the doubt before it."""

    ids: np.ndarray
    p: np.ndarray
    doubt: np.ndarray
    histories: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Found:
    """A mixture, and the bits per character without and with it. parameters: of the network."""

    mixture: Mixture
    alone: float
    together: float
    parameters: int


def add_ngrams(folder: Path, data: TrainingData, stop: StopRequest, config: RunConfig) -> RunConfig:
    """Write the n-grams of the run in `folder`, and into its config.json, which is returned, and
    its card what they bring.

    Where they bring nothing, where too little is held out to tell, and where they cannot be counted
    or written or are not to be waited for, the network predicts alone, which is said: nothing is
    raised, since the training itself has come to its end. data: its text. config: as it ended.
    """
    try:
        with stop.at_once():
            found = _counted(folder, data)
        if isinstance(found, _Found):
            return _install(folder, config, found)
        logger.info(f"{found}: the network predicts alone")
    except Interrupted:
        logger.warning("note: the counting of n-grams was stopped: the network predicts alone")
    except (MemoryError, OSError, TextgenError) as error:
        why = str(error) or "too little memory"
        logger.warning(f"note: no n-grams are kept ({why}): the network predicts alone")
    with contextlib.suppress(OSError, TextgenError):  # as the training left it, it is whole
        return _take_away(folder, config)
    return config


def _counted(folder: Path, data: TrainingData) -> _Found | str:
    """What was counted and measured, or why there is nothing to keep."""
    held_out = data.held_out_text
    if len(held_out) < FEWEST:
        return "too little is held out to weigh n-grams by"
    network, tokenizer, _ = load_model(folder)
    counts = NGrams.count(data.counted(tokenizer), tokenizer.vocab_size, ORDER, MOST_NGRAMS)
    cut = min(FITTED, len(held_out) // 2)
    read = _read(network, tokenizer, counts, held_out[:cut])
    terms = fit(counts, read.p, read.doubt, read.histories, read.ids)
    mixture = Mixture(counts, terms, cut)
    rest = held_out[cut : cut + MEASURED]
    read = _read(network, tokenizer, counts, rest)
    mixed = mixture.predicted(read.p, read.doubt, read.histories, read.ids).p
    alone, together = (-float(np.log2(p).sum()) / len(rest) for p in (read.p, mixed))
    if not together < alone:
        return (
            f"n-grams do not help: on what was held out {alone:.3f} bits/char without and "
            f"{together:.3f} with them"
        )
    return _Found(mixture, alone, together, network.num_parameters)


def _read(network: Network, tokenizer: Tokenizer, counts: NGrams, text: str) -> _Read:
    ids = np.array([tokenizer.start_id, *tokenizer.encode(text)])
    nats, likeliest = Reader(network).in_windows(ids, WINDOW).astype(np.float64)
    p = np.maximum(np.exp(-nats), LEAST)
    return _Read(ids[1:], p, doubts(np.exp(likeliest)), counts.histories(ids[:-1]))


def _install(folder: Path, config: RunConfig, found: _Found) -> RunConfig:
    """Raises `RunError` when the disk is full."""
    write_ngrams(folder, found.mixture, weights_hash(folder))
    brought = {ALONE: found.alone, TOGETHER: found.together}
    config = _describe(folder, config, found.parameters, brought)
    logger.info(
        f"{counted(len(found.mixture.counts), 'n-gram')} of up to {ORDER} tokens, "
        f"{in_bytes((folder / NGRAMS).stat().st_size)}: held out, {found.alone:.3f} bits/char "
        f"without and {found.together:.3f} with them"
    )
    return config


def _take_away(folder: Path, config: RunConfig) -> RunConfig:
    """Leave nothing of n-grams: those of an earlier end of the run, or what was half written."""
    if (folder / NGRAMS).exists() or TOGETHER in config.metrics:
        atomic_files.remove(folder / NGRAMS)
        return _describe(folder, config, load_model(folder)[0].num_parameters, {})
    return config


def _describe(
    folder: Path, config: RunConfig, parameters: int, more: dict[str, float]
) -> RunConfig:
    """Write config.json, which is returned, and the card. more: the metrics of the n-grams."""
    config = dataclasses.replace(config, metrics=of_network(config.metrics) | more)
    write_config(folder, config)
    write_card(folder, config, parameters)
    return config
