"""What a training costs: the weights that a token is multiplied by, and how long that takes."""

from __future__ import annotations

from textgen.cells import CELLS
from textgen.config import ModelConfig

# weights times tokens that two cores learn in a second, forward and back: with bfloat16 in
# hardware (benchmarks/train.json), and what is left to an old laptop
FAST, SLOW = 5e10, 1e10


def weights_per_token(model: ModelConfig, vocab_size: int) -> int:
    """Weights that every token is multiplied by: what a step costs."""
    cell, size = CELLS[model.cell], model.hidden_size
    widths = (model.embedding_size, *[size] * (model.num_layers - 1))
    layers = (len(cell.blocks) * size * (width + size * cell.recurrent) for width in widths)
    return sum(layers) + size * vocab_size


def expected_seconds(model: ModelConfig, vocab_size: int, tokens: int) -> tuple[float, float]:
    """(on a fast machine, on a slow one): seconds to learn from so many tokens, in all passes,
    on two cores. An order of magnitude, before anything has run on the machine at hand."""
    work = weights_per_token(model, vocab_size) * tokens
    return work / FAST, work / SLOW
