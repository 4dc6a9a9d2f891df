"""Texts of any length read together are each read as alone."""

import numpy as np
import pytest

from textgen.array_ops import log_softmax
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.evaluation.batch_reader import TOGETHER, Reader
from tiny import by_keras, drawn, only

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_rows_of_any_length_are_read_as_one_alone(cell):
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=5, num_layers=2)
    network = drawn(config, 11)
    lengths = [1, 3, 64, 65, 135, *[2] * TOGETHER]  # more rows than are read together
    rows = [RANDOM.integers(0, 11, n).tolist() for n in lengths]
    state = Reader(network).read(rows)
    for k, row in enumerate(rows[:6]):
        _, alone = network.read(np.array([row]).T, network.initial_state(1))
        for ours, theirs in zip(state, alone, strict=True):
            for a, b in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(a[k], b[0], atol=1e-5)


def test_a_continuation_has_the_probability_of_its_tokens():
    network = drawn(ModelConfig(cell="lstm", hidden_size=8, embedding_size=5), 11)
    rows = [[1, 2, 3], [4, 5]]
    texts = [[[6], [7, 8, 9]], [[1, 2], [3] * 10]]
    found = Reader(network).continuations(Reader(network).read(rows), texts)
    for row, ways, own in zip(rows, texts, found, strict=True):
        for text, by_token in zip(ways, own, strict=True):
            logprobs = log_softmax(by_keras(network, [row + text])[0])
            expected = [logprobs[len(row) - 1 + k, token] for k, token in enumerate(text)]
            np.testing.assert_allclose(by_token[: len(text)], expected, atol=1e-4)
            assert not by_token[len(text) :].any()
