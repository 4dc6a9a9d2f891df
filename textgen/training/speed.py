"""How fast this machine trains a model, measured."""

from __future__ import annotations

import time

import numpy as np

from textgen.backend import tf
from textgen.config import ModelConfig, TrainConfig
from textgen.data.batches import ready
from textgen.model import build_model, settle_threads
from textgen.training.optimizers import optimizer
from textgen.training.trainer import LaneTrainer, policy

TIMED_SECONDS = 1.5  # of steps, for one measurement


def speed(model: ModelConfig, vocab_size: int, training: TrainConfig) -> float:
    """Tokens per second of training steps, as they will be."""
    lanes, length = training.batch_size, training.sequence_length
    settle_threads(lanes)
    trainer = LaneTrainer(build_model(model, vocab_size, policy(training.dtype)), lanes)
    step = trainer.prepare(optimizer(training, 1000))
    ids = np.random.default_rng(1).integers(0, vocab_size, (lanes, length + 1))
    batch = (ids[:, :-1], ids[:, 1:], np.ones((lanes, length), np.float32))
    batches = iter(ready(tf.data.Dataset.from_tensors(batch).repeat()))
    step(batches)  # which compiles it
    best, end = np.inf, time.perf_counter() + TIMED_SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter()
        float(step(batches)["loss"])
        best = min(best, time.perf_counter() - begin)
    return lanes * length / best
