"""What is learned with products in bfloat16 is what is learned in float32."""

import numpy as np
import pytest

from textgen import shipped
from textgen.backend import keras
from textgen.cells import CELLS
from textgen.config import ModelConfig, TrainConfig
from textgen.data.lanes import make_lanes
from textgen.model import build_model
from textgen.tokenizers.tokenizer import CharTokenizer
from textgen.training.optimizers import optimizer
from textgen.training.trainer import LaneTrainer, policy


def losses(cell, dtype, ids, vocab_size, steps=200):
    """The loss of each of the first `steps` batches."""
    keras.utils.set_random_seed(1)
    lanes = make_lanes(ids, batch_size=8, sequence_length=32)
    config = ModelConfig(cell=cell, hidden_size=64)
    trainer = LaneTrainer(build_model(config, vocab_size, policy(dtype)), lanes.batch_size)
    trainer.compile(optimizer=optimizer(TrainConfig(), steps), jit_compile=False)
    found = []
    for batch in lanes.dataset().take(steps):
        trainer.nats.reset_state()
        trainer.train_on_batch(*batch)
        found.append(float(trainer.nats.result()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_bfloat16_learns_as_float32_does(cell):
    text = (shipped.CORPORA / "en/prose/tales.txt").read_text(encoding="utf-8")
    tokenizer = CharTokenizer.train(text)
    ids = np.array(tokenizer.encode(text), np.int32)
    exact, rounded = (
        losses(cell, dtype, ids, tokenizer.vocab_size) for dtype in ("float32", "bfloat16")
    )
    # a tenth of the way is learned, so that there is something to compare
    assert np.mean(exact[150:]) < 0.9 * exact[0]
    assert np.mean(rounded[150:]) == pytest.approx(np.mean(exact[150:]), rel=0.01)
