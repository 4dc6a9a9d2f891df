"""What it costs to write the weights as float16: bits per character, measured."""

from __future__ import annotations

import dataclasses

import numpy as np

from textgen.data.sources import find_training_text
from textgen.errors import ConfigError
from textgen.generation.generator import Generator
from textgen.network import Network
from textgen.shipped import HOME

LONGEST = 20_000  # characters that are measured
SAMPLE = 2_000  # tokens


@dataclasses.dataclass(frozen=True)
class Cost:
    """Bits per character of a text, with weights of float32 and of float16."""

    text: str  # what was measured on, in words
    full: float
    half: float


def check_fit(network: Network) -> None:
    """Raise `ConfigError` where a weight is too large for float16."""
    largest = float(np.finfo(np.float16).max)
    for name, weight in network.weights.items():
        size = float(np.abs(weight).max())
        if size > largest:
            raise ConfigError(
                f"{name} holds {size:.6g}, and float16 ends at {largest:.0f}: leave --half out"
            )


def cost_of_half(model: Generator) -> Cost:
    """On the text that the run held out, where that is at hand, else on what the model writes."""
    data = find_training_text(model.card, HOME)
    held_out = data.held_out_text if data else ""
    text = held_out or model.generate("", max_new_tokens=SAMPLE, seed=1).text
    words = "held-out text" if held_out else "a text of its own"
    network = model.network
    rounded = {
        name: weight.astype(np.float16).astype(np.float32)
        for name, weight in network.weights.items()
    }
    halved = Generator(Network(network.config, network.vocab_size, rounded), model.tokenizer)
    part = text[:LONGEST]
    full, half = (one.score(part).bits_per_char for one in (model, halved))
    return Cost(f"{len(part)} characters of {words}", full, half)
