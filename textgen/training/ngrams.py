"""The n-grams of a run that has come to its end: counted in its training text, and mixed with the
network by what was held out.

How much each counts for is learned on the beginning of what was held out, and what that brings is
measured on the rest of it, which neither has seen.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from textgen.data.training_data import TrainingData
from textgen.evaluation.batch_reader import Reader
from textgen.log import logger
from textgen.network import Network
from textgen.ngrams.counts import NGrams
from textgen.ngrams.mixture import Mixture, doubts, fit
from textgen.runs.model_card import write_card
from textgen.runs.ngrams import MOST, NGRAMS, write_ngrams
from textgen.runs.run_config import RunConfig
from textgen.runs.run_folder import load_model, weights_hash, write_config
from textgen.tokenizers.tokenizer import Tokenizer

ORDER = 8
FITTED = 30_000  # characters, at most, of what was held out: 32 numbers are learned on them
MEASURED = 60_000  # characters, at most, of the rest
WINDOW = 512  # tokens that are read from nothing
FEWEST = 1000  # characters held out, in all, that something can be learned on


@dataclasses.dataclass(frozen=True)
class _Read:
    """A text as the network reads it: of each token its probability and the doubt before it."""

    ids: np.ndarray
    p: np.ndarray
    doubt: np.ndarray
    histories: np.ndarray


def add_ngrams(folder: Path, data: TrainingData, config: RunConfig) -> None:
    """Write the n-grams of the run in `folder`, and into its config.json and card what they bring;
    nothing where next to nothing of its text is held out. data: its text. config: as it ended.

    Raises `RunError` for a file that cannot be read or written.
    """
    network, tokenizer, _ = load_model(folder)
    held_out = data.held_out_text
    if len(held_out) < FEWEST:
        logger.info("too little is held out to weigh n-grams by: the network predicts alone")
        return
    counts = NGrams.count(data.counted(tokenizer), tokenizer.vocab_size, ORDER, MOST)
    cut = min(FITTED, len(held_out) // 2)
    read = _read(network, tokenizer, counts, held_out[:cut])
    terms = fit(counts, read.p, read.doubt, read.histories, read.ids)
    mixture = Mixture(counts, terms, cut)
    write_ngrams(folder, mixture, weights_hash(folder))
    rest = held_out[cut : cut + MEASURED]
    read = _read(network, tokenizer, counts, rest)
    mixed = mixture.predicted(read.p, read.doubt, read.histories, read.ids).p
    alone, both = (-float(np.log2(p).sum()) / len(rest) for p in (read.p, mixed))
    more = {"network_bits_per_char": alone, "mixed_bits_per_char": both}
    config = dataclasses.replace(config, metrics={**config.metrics, **more})
    write_config(folder, config)
    write_card(folder, config, network.num_parameters)
    logger.info(
        f"{len(counts):,} n-grams of up to {ORDER} tokens, "
        f"{(folder / NGRAMS).stat().st_size / 1e6:.1f} MB: held out, {alone:.3f} bits/char without "
        f"and {both:.3f} with them"
    )


def _read(network: Network, tokenizer: Tokenizer, counts: NGrams, text: str) -> _Read:
    ids = np.array([tokenizer.start_id, *tokenizer.encode(text)])
    rows = -(-(len(ids) - 1) // WINDOW)
    inputs, targets = np.zeros((2, rows * WINDOW), np.int32)
    inputs[: len(ids) - 1], targets[: len(ids) - 1] = ids[:-1], ids[1:]
    found = Reader(network).predictions(inputs.reshape(rows, -1), targets.reshape(rows, -1))
    nats, likeliest = (part.ravel()[: len(ids) - 1] for part in found)
    return _Read(ids[1:], np.exp(-nats), doubts(np.exp(likeliest)), counts.histories(ids[:-1]))
