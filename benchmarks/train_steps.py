"""One step of training by textgen, PyTorch and plain Keras, and its speed and memory.

Each is measured in a process of its own (train.py).
"""

from __future__ import annotations

import contextlib
import importlib
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

VOCAB = 96
SECONDS = 2.0  # of timed steps
CELLS = ("lstm", "gru", "rnn", "peephole", "coupled", "mingru", "minlstm", "slstm")
PEERS = ("lstm", "gru", "rnn")  # what PyTorch and Keras have too


class Shape(NamedTuple):
    layers: int
    hidden: int
    batch: int
    length: int

    def __str__(self) -> str:
        return f"{self.layers}x{self.hidden}, {self.batch} x {self.length}"


SHAPES = (Shape(2, 256, 64, 128), Shape(1, 512, 256, 64), Shape(1, 128, 64, 128))
# the batches that a text of a megabyte learns most from
SMALL = tuple(Shape(1, size, 32, 64) for size in (256, 384, 512))
SMALL_CELLS = ("lstm", "gru")
SCALING = {
    "length": [Shape(1, 256, 64, n) for n in (32, 64, 128, 256, 512)],
    "hidden_size": [Shape(1, n, 64, 128) for n in (64, 128, 256, 512)],
    "batch": [Shape(1, 256, n, 128) for n in (8, 32, 64, 128, 256)],
}


def textgen_step(cell: str, dtype: str, shape: Shape) -> Callable[[], float]:
    from textgen.config import ModelConfig, TrainConfig
    from textgen.model import build_model, settle_threads
    from textgen.training.optimizers import optimizer
    from textgen.training.trainer import LaneTrainer, policy

    config = ModelConfig(
        cell=cell,
        hidden_size=shape.hidden,
        embedding_size=shape.hidden,
        num_layers=shape.layers,
    )
    settle_threads(shape.batch)
    trainer = LaneTrainer(build_model(config, VOCAB, policy(dtype)), shape.batch, 1)
    trainer.compile(optimizer=optimizer(TrainConfig(), 1000), jit_compile=False)
    return keras_step(trainer, shape)


def plain_keras_step(cell: str, dtype: str, shape: Shape) -> Callable[[], float]:
    from textgen.backend import keras

    layer = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}[cell]
    model = keras.Sequential(
        [
            keras.Input((shape.length,), shape.batch, dtype="int32"),
            keras.layers.Embedding(VOCAB, shape.hidden),
            *(
                getattr(keras.layers, layer)(shape.hidden, return_sequences=True)
                for _ in range(shape.layers)
            ),
            keras.layers.Dense(VOCAB),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-3, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # its default, "auto", is no faster
    )
    return keras_step(model, shape)


def keras_step(model: Any, shape: Shape) -> Callable[[], float]:
    from textgen.backend import tf

    ids = np.random.default_rng(1).integers(0, VOCAB, (shape.batch, shape.length)).astype(np.int32)
    batches = iter(
        tf.data.Dataset.from_tensors((ids, ids, np.ones(ids.shape, np.float32))).repeat()
    )
    model.make_train_function()
    return lambda: float(model.train_function(batches)["loss"])


def torch_step(cell: str, dtype: str, shape: Shape) -> Callable[[], float]:
    import torch

    layer = getattr(torch.nn, cell.upper())
    embedding = torch.nn.Embedding(VOCAB, shape.hidden)
    recurrent = layer(shape.hidden, shape.hidden, shape.layers, batch_first=True)
    head = torch.nn.Linear(shape.hidden, VOCAB)
    parameters = [*embedding.parameters(), *recurrent.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, 1e-3)
    ids = torch.randint(0, VOCAB, (shape.batch, shape.length))

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = head(recurrent(embedding(ids))[0])
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return float(loss.detach())

    return step


def products(cell: str, dtype: str, shape: Shape) -> Callable[[], float]:
    """One large product, as fast as PyTorch's oneDNN does it: the limit of the machine."""
    import torch

    a, b = (torch.randn(2048, 2048, dtype=getattr(torch, dtype)) for _ in range(2))
    return lambda: float((a @ b)[0, 0])


LIBRARIES = {
    "textgen": textgen_step,
    "keras": plain_keras_step,
    "torch": torch_step,
    "products": products,
}


def measure(library: str, cell: str, dtype: str, shape: Shape) -> dict[str, float]:
    """Seconds of the fastest step, the peak of memory, and how far that is above the library's."""
    # imported before memory is looked at
    importlib.import_module(
        "textgen.training.assembly" if library in ("textgen", "keras") else "torch"
    )
    empty = peak()
    step = LIBRARIES[library](cell, dtype, shape)
    step()
    step()
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        best = min(best, time.perf_counter() - begin)
    return {"seconds": best, "peak_mb": peak(), "growth_mb": peak() - empty}


def peak() -> float:
    """MB of this process so far, at most."""
    with contextlib.suppress(OSError):  # `getrusage` would count in the process it was forked from
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return next(int(row.split()[1]) for row in status.splitlines() if "VmHWM" in row) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
