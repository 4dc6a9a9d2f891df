"""Files as Keras saves them, written without it, and how they are imported in a test."""

import io
import json
import zipfile

import h5py

from made_tokenizers import MADE
from textgen.config import ModelConfig
from textgen.generation.generator import Generator
from textgen.importing import hdf5_apart, keras_file
from textgen.importing.foreign_run import import_model
from tiny import drawn

LAYERS = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}
SETTINGS = {"cell": "lstm", "num_layers": 2, "hidden_size": 8, "embedding_size": 6}


def model_of(tokenizer="char", **settings):
    config = ModelConfig(**SETTINGS | settings)
    made = MADE[tokenizer]
    return Generator(drawn(config, made.vocab_size), made, name="mine", hash="01234567")


def layers_of(model):
    """[(kind, name, settings, arrays)] of Keras's layers of a model."""
    network, config = model.network, model.config
    kind = LAYERS[config.cell]
    settings = {"units": config.hidden_size, "activation": config.activation}
    names = ("kernel", "recurrent_kernel", "bias")
    head = {"kernel": network.kernel, "bias": network.bias}
    return [
        ("Embedding", "emb", {}, {"embeddings": network.embeddings}),
        *(
            (kind, f"layer_{k}", dict(settings), {name: weights[name] for name in names})
            for k, weights in enumerate(network.layers)
        ),
        ("Dropout", "dropout", {}, {}),
        ("Dense", "out", {"activation": "softmax"}, head),
    ]


def config_of(layers):
    listed = [
        {"class_name": kind, "config": {"name": name, **settings}}
        for kind, name, settings, _ in layers
    ]
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": listed}}


def hdf5(write):
    """The HDF5 file that `write` makes."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        write(file)
    return data.getvalue()


def as_h5(layers, config=None):
    """As Keras saves `.h5`."""

    def write(file):
        file.attrs["model_config"] = json.dumps(config or config_of(layers))
        for _, name, _, arrays in layers:
            for role, array in arrays.items():
                file[f"model_weights/{name}/sequential/{name}/{role}:0"] = array

    return hdf5(write)


def as_archive(layers, config=None):
    """As Keras 3 saves `.keras`."""

    def write(file):
        number = {}
        for kind, _, _, arrays in layers:
            stored = {"SimpleRNN": "simple_rnn"}.get(kind, kind.lower())
            count = number[stored] = number.get(stored, -1) + 1
            inner = "/cell" if kind in LAYERS.values() else ""
            for k, array in enumerate(arrays.values()):
                file[f"layers/{stored}{f'_{count}' * (count > 0)}{inner}/vars/{k}"] = array

    return zipped(json.dumps(config or config_of(layers)), hdf5(write))


def zipped(config, weights):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    return data.getvalue()


class _Done:
    def __init__(self, data):
        self.stdout = data


def read_here(monkeypatch):
    """Let HDF5 be read in this process, not in one of its own."""

    def run(_, *, input, **__):
        try:
            return _Done(hdf5_apart.as_safetensors(input))
        except Exception as error:
            raise OSError from error

    monkeypatch.setattr(keras_file.subprocess, "run", run)


def import_into(folder, data, characters, suffix=".h5"):
    """The model that is made of the content of a file and of its list of characters."""
    file, listed = folder / f"old{suffix}", folder / "old.json"
    file.write_bytes(data)
    listed.write_bytes(characters)
    return import_model(file, None, folder / "run")
