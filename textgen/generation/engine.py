"""Which engine writes: NumPy, which begins at once, or TensorFlow, which is faster once it runs."""

from __future__ import annotations

import importlib.util

from textgen.errors import ConfigError
from textgen.generation.decoder import Decoder
from textgen.network import Network
from textgen.ngrams.mixture import Mixture
from textgen.tokenizers.tokenizer import Tokenizer

ENGINES = ("auto", "numpy", "tensorflow")

# Seconds, measured by benchmarks/start.py and benchmarks/generate.py; docs/generation.md has the
# tables. What is gained by TensorFlow differs between machines by a factor of two or three: so what
# it costs to begin is taken as large, and what it saves as small.
START = 10.0  # to import TensorFlow and to compile the loop
SAVED_A_STEP = 100e-6
SAVED_A_ROW = 5e-6  # of each text and each layer in a step


def best_engine(network: Network, steps: int, texts: int, mixture: Mixture | None = None) -> str:
    """The engine that writes `steps` tokens of so many texts sooner, its start included; NumPy
    where TensorFlow is not installed, for a network without some of its units, and with n-grams.

    It depends on nothing else, so that the same call gives the same text in every process.
    """
    if network.silent or mixture is not None:
        return "numpy"
    saved = steps * (SAVED_A_STEP + SAVED_A_ROW * texts * len(network.layers))
    if saved > START and importlib.util.find_spec("tensorflow") is not None:
        return "tensorflow"
    return "numpy"


def make_decoder(
    engine: str, network: Network, tokenizer: Tokenizer, mixture: Mixture | None = None
) -> Decoder:
    """The decoder of an engine, "numpy" or "tensorflow". Raises `ConfigError` for the latter where
    the network is without some of its units, and with n-grams."""
    if engine == "numpy":
        return Decoder(network, tokenizer.banned_ids, tokenizer.token_bytes, mixture)
    if mixture is not None:
        raise ConfigError(
            f"engine is {engine!r}: with n-grams it writes with 'numpy' only: leave it out, or "
            "add --no-ngrams"
        )
    if network.silent:
        raise ConfigError(
            f"engine is {engine!r}: a model without some of its units writes with 'numpy' only"
        )
    from textgen.generation.compiled_decoder import CompiledDecoder  # it imports TensorFlow

    return CompiledDecoder(network, tokenizer.banned_ids, tokenizer.token_bytes)
