"""A model as it might have been before its training, to measure the trained one against."""

from __future__ import annotations

import random
from typing import TypeVar

from textgen.generation.generator import Generator

M = TypeVar("M", bound=Generator)


def untrained(trained: M, seed: int = 1) -> M:
    """A model of the same settings and tokenizer whose weights are first values, drawn by `seed`.

    Keras draws the seeds of its first values from Python's own generator, which is put back to
    where it was.
    """
    from textgen.model import build_model  # only here: it imports TensorFlow

    before = random.getstate()
    random.seed(seed)
    try:
        network = build_model(trained.config, trained.tokenizer.vocab_size).network()
    finally:
        random.setstate(before)
    name = f"{trained.name} untrained"
    return type(trained)(network, trained.tokenizer, trained.card, name=name)
