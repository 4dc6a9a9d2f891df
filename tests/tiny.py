"""What is small enough to train on in a second, and how it is interrupted."""

import functools
import os
import signal

import numpy as np
import pytest
from filelock import FileLock

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.network import Network, weight_shapes
from textgen.tokenizers.tokenizer import CharTokenizer

TEXT = (
    "나는 한국사람이야. 그래서 나는 한국어를 할 줄 알아.\n"
    "오늘은 비가 온다. 우산을 들고 길을 걷는다. ㅋㅋㅋ\n"
    "The rain fell on the old road, and we walked home.\n"
) * 25


def tiny(tokenizer="char", cell="lstm", **training):
    """Settings that train in a second."""
    return (
        ModelConfig(cell=cell, hidden_size=32, embedding_size=16),
        TokenizerConfig(tokenizer, **({"vocab_size": 300} if tokenizer == "sentencepiece" else {})),
        TrainConfig(**({"epochs": 2, "batch_size": 4, "sequence_length": 16} | training)),
    )


def streamed(tokenizer="char", **training):
    """Those for a text that is not held in memory."""
    return tiny(tokenizer, **{"stream": True, "sample_length": 0, "dtype": "float32"} | training)


def drawn(config, vocab_size, seed=1, scale=0.3):
    """A network of these settings whose weights are drawn from a normal distribution."""
    random = np.random.default_rng(seed)
    weights = {
        name: random.normal(scale=scale, size=shape).astype(np.float32)
        for name, shape in weight_shapes(config, vocab_size).items()
    }
    return Network(config, vocab_size, weights)


def drawn_model(tokenizer=None, seed=1, scale=0.3):
    """A model whose weights are drawn, of 8 units and the characters of `TEXT` unless told."""
    from textgen.api import Model

    tokenizer = tokenizer or CharTokenizer.train(TEXT)
    config = ModelConfig(hidden_size=8, embedding_size=8)
    return Model(drawn(config, tokenizer.vocab_size, seed, scale), tokenizer, name="mine")


@functools.lru_cache(maxsize=8)
def in_keras(network):
    """Keras's model of the same weights, which trains."""
    from textgen.model import trainable  # only here: it imports TensorFlow

    return trainable(network)


def by_keras(network, ids):
    """What Keras's layers say of ids [B, T]: the logits [B, T, V]."""
    return np.asarray(in_keras(network)(np.asarray(ids))[0])


def interrupt(patch, step):
    """Ctrl-C comes after `step` batches of every run. patch: a MonkeyPatch."""
    from textgen.training.history import History  # only here: it imports TensorFlow

    take = History.after_step

    def and_stop(self, state):
        take(self, state)
        if state.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    patch.setattr(History, "after_step", and_stop)


def once(shared, name, make):
    """The folder `name` that `make` was given by the first worker to ask for it."""
    path, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            make(path)
            done.touch()
    return path


def only(fast, among):
    """Parameters of a test: those of `among` that are not in `fast` are left to `make test-all`."""
    slow = [p for p in among if p not in fast]
    return [*fast, *(pytest.param(*_of(p), marks=pytest.mark.slow) for p in slow)]


def _of(values):
    return values if isinstance(values, tuple) else (values,)
