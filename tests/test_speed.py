"""What a training costs: the products of a token, and the speed of this machine."""

import dataclasses
import math
import time

import pytest

from textgen.config import ModelConfig, TrainConfig
from textgen.network import weight_shapes
from textgen.training import speed
from textgen.training.cost import expected_seconds, weights_per_token


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "mingru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_products_are_the_matrices_that_a_token_meets(cell, layers):
    config = ModelConfig(cell=cell, num_layers=layers, hidden_size=24, embedding_size=10)
    shapes = weight_shapes(config, 65)
    matrices = [shape for name, shape in shapes.items() if "kernel" in name]
    assert weights_per_token(config, 65) == sum(map(math.prod, matrices))


def test_the_fastest_step_counts(monkeypatch):
    durations = iter([0.05, 0.05, 0.02, 0.05])  # seconds; the first compiles

    class Trainer:
        def __init__(self, model, lanes):
            self.lanes = lanes

        def prepare(self, optimizer):
            return self.step

        def step(self, batches):
            inputs, targets, _ = next(batches)
            assert inputs.shape == targets.shape == (self.lanes, 16)
            time.sleep(next(durations))
            return {"loss": 0.0}

    monkeypatch.setattr(speed, "LaneTrainer", Trainer)
    monkeypatch.setattr(speed, "build_model", lambda *given: None)
    monkeypatch.setattr(speed, "TIMED_SECONDS", 0.1)
    small = dataclasses.replace(TrainConfig(), batch_size=8, sequence_length=16)
    assert 0 < speed.speed(ModelConfig(), 20, small) <= 8 * 16 / 0.02


@pytest.mark.slow
def test_the_speed_of_this_machine_is_measured(monkeypatch):
    monkeypatch.setattr(speed, "TIMED_SECONDS", 0.05)
    small = dataclasses.replace(TrainConfig(), batch_size=8, sequence_length=16)
    assert speed.speed(ModelConfig(hidden_size=16, embedding_size=8), 20, small) > 0


def test_more_weights_and_more_text_take_longer():
    small, large = (ModelConfig(hidden_size=size) for size in (128, 512))
    fast, slow = expected_seconds(small, 65, 1_000_000)
    assert 0 < fast < slow
    assert expected_seconds(small, 65, 2_000_000) == (2 * fast, 2 * slow)
    assert expected_seconds(large, 65, 1_000_000)[0] > 10 * fast
