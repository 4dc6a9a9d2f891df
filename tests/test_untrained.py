"""First values: drawn from the distributions that Keras draws a training's from."""

import keras
import numpy as np
import pytest

from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.interpret.untrained import first_network
from textgen.model import build_model

V, D, U = 40, 24, 32
SETTINGS = [
    *({"cell": cell} for cell in CELLS),
    {"cell": "rnn", "activation": "relu"},
    {"cell": "lstm", "chrono": 50},
    {"cell": "gru", "num_layers": 2, "embedding_size": U, "tie_weights": True},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: " ".join(map(str, s.values())))
def test_first_values_are_spread_as_those_of_keras(settings):
    config = ModelConfig(hidden_size=U, **{"embedding_size": D} | settings)
    ours = first_network(config, V).weights
    keras.utils.set_random_seed(1)
    theirs = build_model(config, V).network().weights
    assert list(ours) == list(theirs)
    for name, weight in ours.items():
        wanted = theirs[name]
        assert weight.shape == wanted.shape and weight.dtype == wanted.dtype == np.float32
        if wanted.std() == 0 or (name.endswith("bias") and not config.chrono):
            np.testing.assert_array_equal(weight, wanted)
            continue
        few = 0.4 if weight.size <= 4 * U else 0.15
        assert weight.std() == pytest.approx(wanted.std(), rel=few), name
        assert abs(weight).max() == pytest.approx(abs(wanted).max(), rel=0.5), name


def test_rows_of_a_recurrent_kernel_keep_lengths():
    config = ModelConfig(cell="lstm", hidden_size=U, embedding_size=D)
    kernel = first_network(config, V).weights["recurrent.0.recurrent_kernel"]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(U), atol=1e-6)
