"""A model as it might have been before its training, to measure the trained one against."""

from __future__ import annotations

import random
from typing import TypeVar

from textgen.generation.generator import Generator
from textgen.model import build_model

M = TypeVar("M", bound=Generator)


def untrained(trained: M, seed: int = 1) -> M:
    """A model of the same settings and tokenizer whose weights are first values, drawn by `seed`.

    Keras draws the seeds of its first values from Python's own generator, which is put back to
    where it was.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        model = build_model(trained.config, trained.tokenizer.vocab_size)
    finally:
        random.setstate(before)
    name = f"{trained.name} untrained"
    return type(trained)(model, trained.tokenizer, trained.card, name=name)
