"""A model of Keras's own layers, in a `.keras` file that loads where textgen is not installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from textgen.backend import keras
from textgen.export.token_note import check_stock, layer_name
from textgen.generation.generator import Generator


def keras_file(model: Generator) -> bytes:
    """The content of the `.keras` file. Imports TensorFlow. Raises as `check_stock` does."""
    check_stock(model.config.cell)
    made = in_stock_layers(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        made.save(path)
        return path.read_bytes()


def in_stock_layers(model: Generator) -> keras.Model:
    """Keras's model of the same weights: ids [B, T] -> logits [B, T, V]."""
    config, network = model.config, model.network
    layers = keras.layers
    recurrent = getattr(layers, layer_name(config.cell))
    settings: dict[str, object] = {"return_sequences": True}
    if config.cell == "rnn":
        settings["activation"] = config.activation
    stack = [recurrent(config.hidden_size, **settings) for _ in network.layers]
    embedding = layers.Embedding(network.vocab_size, config.embedding_size)
    head = layers.Dense(network.vocab_size)
    made = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, *stack, head])
    embedding.set_weights([network.embeddings])
    for layer, weights in zip(stack, network.layers, strict=True):
        layer.set_weights([weights[name] for name in ("kernel", "recurrent_kernel", "bias")])
    head.set_weights([network.kernel, network.bias])
    return made
