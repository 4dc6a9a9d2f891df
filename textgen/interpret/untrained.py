"""A model as it might have been before its training, to measure the trained one against."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from textgen.config import ModelConfig
from textgen.generation.generator import Generator
from textgen.network import Network
from textgen.runs.run_folder import hash_of

M = TypeVar("M", bound=Generator)


def first_network(config: ModelConfig, vocab_size: int, seed: int = 1) -> Network:
    """A network of first values, drawn by `seed`. Imports TensorFlow.

    Keras draws the seeds of its first values from Python's own generator, which is put back to
    where it was.
    """
    before = random.getstate()  # importing Keras draws, too
    try:
        from textgen.model import build_model  # only here: it imports TensorFlow

        random.seed(seed)
        return build_model(config, vocab_size).network()
    finally:
        random.setstate(before)


def untrained(
    trained: M, seed: int = 1, draw: Callable[[ModelConfig, int, int], Network] = first_network
) -> M:
    """A model of the same settings and tokenizer whose weights are first values, drawn by `seed`.

    draw: `first_network`, or what calls it elsewhere.
    """
    network = draw(trained.config, trained.tokenizer.vocab_size, seed)
    name = f"{trained.name} untrained (seed {seed})"
    return type(trained)(network, trained.tokenizer, trained.card, name=name, hash=hash_of(network))
