"""A model as it might have been before its training, to measure the trained one against."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from textgen.cells import make_cell
from textgen.config import ModelConfig
from textgen.generation.generator import Generator
from textgen.network import Network, weight_shapes
from textgen.runs.run_folder import hash_of

M = TypeVar("M", bound=Generator)


def first_network(config: ModelConfig, vocab_size: int, seed: int = 1) -> Network:
    """A network of first values, drawn by `seed` from the distributions that a training draws its
    own from."""
    rng, cell = np.random.default_rng(seed), make_cell(config.cell, config.activation)

    def first(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name == "embeddings":
            tied = math.sqrt(config.embedding_size) if config.tie_weights else 1.0
            return rng.uniform(-1, 1, shape) * config.embedding_scale / tied
        if name == "kernel":
            return glorot_uniform(rng, shape)
        if name == "recurrent_kernel":
            if cell.first_recurrent == "identity":
                return np.eye(shape[0])
            return orthogonal(rng, shape)
        return np.zeros(shape)

    weights = {
        name: first(name.rpartition(".")[2], shape)
        for name, shape in weight_shapes(config, vocab_size).items()
    }
    for k in range(config.num_layers):
        times = None
        if config.chrono:
            times = rng.uniform(1.0, max(config.chrono - 1.0, 1.0), config.hidden_size)
        weights[f"recurrent.{k}.bias"] = cell.first_bias(
            config.hidden_size, config.forget_bias, times
        )
    return Network(config, vocab_size, {n: w.astype(np.float32) for n, w in weights.items()})


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A kernel [D, W] that leaves the size of what passes it about as it is (Glorot & Bengio
    2010)."""
    return rng.uniform(-1, 1, shape) * math.sqrt(6 / sum(shape))


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A kernel [U, W], W at least U, whose rows are orthogonal and of length 1 (Saxe et al.
    2014)."""
    q, r = np.linalg.qr(rng.normal(size=shape[::-1]))
    return np.asarray((q * np.sign(np.diag(r))).T)


def untrained(trained: M, seed: int = 1) -> M:
    """A model of the same settings and tokenizer, its weights first values drawn by `seed`."""
    network = first_network(trained.config, trained.tokenizer.vocab_size, seed)
    name = f"{trained.name} untrained (seed {seed})"
    return type(trained)(network, trained.tokenizer, trained.card, name=name, hash=hash_of(network))
