"""Weights between those a run began from and those it came to, so that less is forgotten.

A training goes further than the new text asks for. On the straight line back to the weights that
it began from, the loss of the old text falls at once, and that of the new text hardly rises
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"; figures in docs/begin.md). So a run
that mixes in an old text, which is to be kept, goes back as far as it must.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from textgen.backend import tf
from textgen.data.training_data import TrainingData
from textgen.errors import TextgenError
from textgen.evaluation.batch_reader import Reader
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.model import LanguageModel
from textgen.network import Network
from textgen.runs import atomic_files
from textgen.runs.model_card import write_card
from textgen.runs.ngrams import NGRAMS, of_network
from textgen.runs.run_config import INTERPOLATION, Origin, RunConfig
from textgen.runs.run_folder import interpolation_of, load_model, save_model, write_config
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training.beginning import AXES, MEASURED, grown, known_texts
from textgen.training.ngrams import WINDOW
from textgen.training.stop_request import Interrupted, StopRequest
from textgen.training.validation import Validation

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)  # of the way from the old weights to the new ones
FORGOTTEN = 1.025  # times the old text's loss before: what is allowed
MOST_LOST = 1.1  # times the new text's loss as it was trained: no place costs it more
_STAYS = "the weights stay as they were trained, and may have forgotten more of the old text"


def between(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], share: float
) -> dict[str, np.ndarray]:
    """Weights at `share` of the way from `before` to `after`. Tokens that only `after` has keep
    what they have there: before, they stood at the mean of the others, and knew nothing."""
    vocab_size = after["head.bias"].shape[0]
    known = before["head.bias"].shape[0]
    result = {}
    for name, first in grown(before, vocab_size).items():
        result[name] = first + np.float32(share) * (after[name] - first)
        if name in AXES:
            new = (slice(None),) * AXES[name] + (slice(known, None),)
            result[name][new] = after[name][new]
    return result


def go_back(
    folder: Path,
    data: TrainingData,
    stop: StopRequest,
    exact: LanguageModel,
    validation: Validation,
    config: RunConfig,
) -> RunConfig:
    """Write into the run in `folder` the weights between those it began from and its own with which
    the old text of `data` is kept, and return its `config` with what they come to.

    exact: a model, of which only the shape counts, that `validation` judges. Where the run has gone
    back already or cannot tell how far, it stays as it is: nothing is raised, since the training
    itself has come to its end.
    """
    texts = known_texts(data, {})  # without a card, none that is not mixed in
    judged = config.metrics.get("val_loss")
    if config.origin is None or texts.keys() != {"new", "old"} or not judged:
        return config
    try:
        with stop.at_once():
            share = interpolation_of(folder)  # of weights that were written before a run was killed
            if share and INTERPOLATION in config.metrics:
                return config
            network, tokenizer, _ = load_model(folder)
            if not share:
                origin = _origin(config.origin)
                if origin is None:
                    return config
                share = _best(origin.network, network, tokenizer, texts)
                if share == 1.0:
                    return config
                weights = between(origin.network.weights, network.weights, share)
                network = Network(network.config, network.vocab_size, weights)
            for name, weight in exact.named_weights().items():
                weight.assign(network.weights[name])
            val_loss = validation.loss()
    except Interrupted:
        logger.warning(f"note: stopped: {_STAYS}")
        return config
    except (MemoryError, OSError, TextgenError, tf.errors.OpError) as error:
        logger.warning(f"note: {str(error) or 'too little memory'}: {_STAYS}")
        return config
    try:
        return _install(folder, network, config, share, val_loss)
    except (OSError, TextgenError) as error:
        logger.warning(f"note: {error}: resume the run, so that it goes back as a whole")
    return config


def _origin(origin: Origin) -> Generator | None:
    """The model that a run began from; None, which is said, where it is gone or another."""
    try:
        model = Generator.from_run(origin.run)
    except TextgenError:
        logger.warning(f"note: {origin.run}, which it began from, cannot be read: {_STAYS}")
        return None
    if model.hash != origin.hash:
        logger.warning(f"note: {origin.run}, which it began from, has other weights now: {_STAYS}")
        return None
    return model


def _best(before: Network, after: Network, tokenizer: Tokenizer, texts: Mapping[str, str]) -> float:
    """How far to go: so far as the old text allows, and where none of the places is allowed, to the
    one at which it loses least. texts: as `known_texts` gives them."""

    @functools.cache  # the end of the line is asked for twice
    def nats(share: float, name: str) -> float:
        weights = between(before.weights, after.weights, share)
        return _nats(Network(after.config, after.vocab_size, weights), tokenizer, texts[name])

    allowed, most = FORGOTTEN * nats(0.0, "old"), MOST_LOST * nats(1.0, "new")
    of_old: dict[float, float] = {}
    for share in SHARES:
        if nats(share, "new") > most:
            break
        of_old[share] = nats(share, "old")
        if of_old[share] <= allowed:
            return share
    return min(of_old, key=lambda share: of_old[share])


def _nats(network: Network, tokenizer: Tokenizer, text: str) -> float:
    """The cross-entropy of `text`, in nats per token."""
    ids = [tokenizer.start_id, *tokenizer.encode(text[:MEASURED])]
    return float(Reader(network).in_windows(ids, WINDOW)[0].mean(dtype=np.float64))


def _install(
    folder: Path, network: Network, config: RunConfig, share: float, val_loss: float
) -> RunConfig:
    """Raises `RunError` when the disk is full."""
    metrics = of_network(config.metrics)
    metrics["val_bits_per_char"] *= val_loss / metrics["val_loss"]  # as many tokens a character
    metrics |= {"val_loss": val_loss, INTERPOLATION: share}
    config = dataclasses.replace(config, metrics=metrics)
    atomic_files.remove(folder / NGRAMS)  # learned beside other weights
    save_model(folder, network, share)
    write_config(folder, config)
    write_card(folder, config, network.num_parameters)
    logger.info(
        f"so that the old text is not forgotten, the weights went {1 - share:.0%} of the way back: "
        f"held out, {metrics['val_bits_per_char']:.3f} bits/char of the new text"
    )
    return config
