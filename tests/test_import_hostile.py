"""Files that `textgen import` does not take: each is one line, and leaves nothing."""

import functools
import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from keras_files import (
    as_archive,
    as_h5,
    config_of,
    hdf5,
    import_into,
    layers_of,
    model_of,
    read_here,
    zipped,
)
from textgen.cli.main import main
from textgen.errors import RunError
from textgen.export.token_note import note
from textgen.importing import hdf5_apart, stock_stack


@pytest.fixture(autouse=True)
def here(monkeypatch):
    read_here(monkeypatch)


@pytest.fixture
def imported(tmp_path):
    """imported(file, characters) -> the model that was made of them."""
    return functools.partial(import_into, tmp_path)


def changed(number, **settings):
    """A file whose layer has other settings."""
    layers = layers_of(model_of())
    layers[number][2].update(settings)
    return as_h5(layers)


def without(role):
    layers = layers_of(model_of())
    del layers[1][3][role]
    return as_h5(layers)


def other(number, kind):
    layers = layers_of(model_of())
    layers[number] = (kind, *layers[number][1:])
    return as_h5(layers)


def branched():
    layers = layers_of(model_of())
    config = config_of(layers)
    config["class_name"] = "Functional"
    config["config"]["layers"][2]["inbound_nodes"] = [[["emb", 0, 0, {}], ["layer_0", 0, 0, {}]]]
    return as_h5(layers, config)


def poisoned():
    layers = layers_of(model_of())
    layers[1][3]["kernel"] = np.full_like(layers[1][3]["kernel"], np.nan)
    return as_h5(layers)


def both(activation):
    layers = layers_of(model_of())
    for layer in layers[1:3]:
        layer[2]["activation"] = activation
    return as_h5(layers)


def packed(method):
    """An archive whose parts are packed in another way, which Keras never does."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("config.json", json.dumps(config_of(layers_of(model_of()))))
    return data.getvalue()


def swollen():
    """A small archive of which a part is 9 MB large."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(9 << 20))
    return data.getvalue()


def one_hot(size):
    """A model without an embedding, of so many tokens."""
    _, first, _, *_, head = layers_of(model_of())
    first[3]["kernel"] = np.zeros((size, 32), "f4")
    head[3].update(kernel=np.zeros((8, size), "f4"), bias=np.zeros(size, "f4"))
    return as_h5([first, head])


def elsewhere():
    """Its weights are to be read from another file."""

    def write(file):
        file.attrs["model_config"] = json.dumps(config_of(layers_of(model_of())))
        file["model_weights"] = h5py.ExternalLink("/etc/passwd", "/")
        file.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    return hdf5(write)


def shaped(number, role, shape):
    """A file of which an array has another shape."""
    layers = layers_of(model_of())
    layers[number][3][role] = np.zeros(shape, "f4")
    return as_h5(layers)


NESTED = "[" * 100_000
HOSTILE = {
    "is neither HDF5 nor an archive": b"hello",
    "is neither HDF5": b"",
    "holds no HDF5 that can be read": as_h5(layers_of(model_of()))[:3000],
    "is no whole archive": as_archive(layers_of(model_of()))[:200],
    "is packed as Keras packs nothing": packed(zipfile.ZIP_LZMA),
    "config.json is larger than": swollen(),
    "the model has 100000 tokens and no embedding": one_hot(100_000),
    "is no JSON": zipped(NESTED, as_h5(layers_of(model_of()))),
    "the model is a 'Tuned'": as_h5([], {"class_name": "Tuned", "config": {}}),
    "the model is a None": as_h5([], {"config": 5}),
    "a layer is 7": as_h5([], {"class_name": "Sequential", "config": [7]}),
    "the layers are none": as_h5([], {"class_name": "Sequential", "config": []}),
    "layers are Embedding, Bidirectional, LSTM, Dense": other(1, "Bidirectional"),
    "layers are Embedding, GRU, LSTM, Dense": other(1, "GRU"),
    "layers are Lambda, LSTM, LSTM, Dense": other(0, "Lambda"),
    r"layers are Embedding, \n\x1b[31m, LSTM, Dense": other(1, "\n\x1b[31m"),
    "layers are Embedding, xxx": other(1, "x" * 3000),
    "'layer_0' has recurrent_activation 'hard_sigmoid'": changed(
        1, recurrent_activation="hard_sigmoid"
    ),
    "'layer_0' is of Keras 1": changed(1, inner_activation="hard_sigmoid"),
    "'layer_1' has go_backwards True": changed(2, go_backwards=True),
    "'layer_0': activation is 'relu' with cell 'lstm'": both("relu"),
    "'out' has activation 'tanh'": changed(-1, activation="tanh"),
    "'layer_0' has the arrays bias, recurrent_kernel": without("kernel"),
    "'layer_1' reads 'emb', 'layer_0'": branched(),
    "kernel holds values that are too large": poisoned(),
    "'emb' has the arrays none": elsewhere(),
    "'emb': its embeddings has the shape (3, 6), and (": shaped(0, "embeddings", (3, 6)),
    "'emb': its embeddings has the shape (1,)": shaped(0, "embeddings", ()),
    "'layer_0': its kernel has the shape (6, 16), and (6, 32) fo": shaped(1, "kernel", (6, 16)),
    "'layer_1': its kernel has the shape (8, 32), and (8, 4)": shaped(2, "recurrent_kernel", ()),
    "'layer_1': its kernel has the shape (8, 32), and (8, 0)": shaped(2, "recurrent_kernel", (0,)),
    "'layer_1': its recurrent_kernel has": shaped(2, "recurrent_kernel", (8, 31)),
    "'layer_1': its bias has the shape (2, 32)": shaped(2, "bias", (2, 32)),
    "'out': its kernel has the shape (8,), and (8, ": shaped(-1, "kernel", (8,)),
    "holds weights without their model": hdf5(lambda file: None),
    "holds weights of textgenrnn": hdf5(
        lambda file: file.create_dataset("attention/attention/w:0", data=np.ones(3, "f4"))
    ),
}


@pytest.mark.parametrize("said", HOSTILE)
def test_a_file_that_is_no_such_model_is_one_line(said, imported, tmp_path):
    with pytest.raises(RunError) as refused:
        imported(HOSTILE[said], note(model_of(), "keras"))
    message = str(refused.value)
    assert said in message and "\n" not in message and len(message) < 500
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.h5", "old.json"]


NO_LISTS = {
    '["a", "the"]': "id 1 is 'the'",
    '["a", "b", "a"]': "has 'a' twice",
    '{"a": -1}': "give ids and characters",
    '{"a": true, "b": "c"}': "give ids and characters",
    "{}": "has ids up to -1",
    "5": "is 5: give a list",
    '{"a": 4000}': "has ids up to 4000",
    '{"tokens": [], "tokenizer": "sentencepiece"}': "char and jamo can be read",
    NESTED: "twice",
}


@pytest.mark.parametrize("number", range(len(NO_LISTS)))
def test_a_list_that_is_none_is_one_line(number, imported, tmp_path):
    text, said = list(NO_LISTS.items())[number]
    with pytest.raises(RunError, match=said) as refused:
        imported(as_h5(layers_of(model_of())), text.encode())
    assert "\n" not in str(refused.value) and not (tmp_path / "run").exists()


def test_without_a_list_of_characters_the_command_asks_for_one(tmp_path, capsys):
    (tmp_path / "old.h5").write_bytes(as_h5(layers_of(model_of())))
    with pytest.raises(SystemExit) as stop:
        main(["import", str(tmp_path / "old.h5"), "--out", str(tmp_path / "run")])
    assert stop.value.code == 2 and "say by --characters" in capsys.readouterr().err


def test_what_is_wrong_with_the_file_is_said_before_a_list_is_asked_for(tmp_path, capsys):
    made = HOSTILE["holds weights of textgenrnn"]
    (tmp_path / "textgenrnn_weights.hdf5").write_bytes(made)
    for file, said in (
        (tmp_path / "textgenrnn_weights.hdf5", "train anew on its text, or on what it writes"),
        (tmp_path / "none.h5", "No such file or directory; give a .keras or .h5 file"),
        (tmp_path, "is not a plain file: give a .keras or .h5 file"),
        (".", "is not a plain file"),
        ("/dev/zero", "is not a plain file"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["import", str(file), "--out", str(tmp_path / "run")])
        error = capsys.readouterr().err
        assert stop.value.code == 2 and said in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["textgenrnn_weights.hdf5"]


def test_a_folder_whose_name_no_file_can_have_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["import", str(tmp_path / "old.h5"), "--out", "x" * 300])
    assert stop.value.code == 2 and "give a shorter path" in capsys.readouterr().err


def test_what_is_nested_deeply_is_one_line(imported):
    for depth in range(100, 1000, 50):
        layer = json.loads("[" * depth + "]" * depth) if depth < 900 else []
        config = config_of(layers_of(model_of()))
        config["config"]["layers"][2]["inbound_nodes"] = layer
        config["config"]["layers"].append(layer)
        with pytest.raises(RunError) as refused:
            imported(as_h5([], config), note(model_of(), "keras"))
        assert "\n" not in str(refused.value)


def test_layers_that_would_swell_are_refused(imported, monkeypatch):
    emb, *_, head = layers_of(model_of())
    shapes = {"kernel": (6, 20), "recurrent_kernel": (20, 20), "bias": (20,)}
    large = {role: np.zeros(shape, "f4") for role, shape in shapes.items()}
    small = {"kernel": np.zeros((20, 1), "f4"), "recurrent_kernel": np.zeros((1, 1), "f4")}
    small["bias"] = np.zeros(1, "f4")
    head[3]["kernel"] = head[3]["kernel"][:1]
    layers = [emb, ("SimpleRNN", "a", {}, large), ("SimpleRNN", "b", {}, small), head]
    file = as_h5(layers)
    monkeypatch.setattr(stock_stack, "MOST_NUMBERS", 2000)
    with pytest.raises(RunError, match="each filled up to 20 units, would have 2899 numbers"):
        imported(file, note(model_of(), "keras"))


def test_too_many_numbers_are_not_read(monkeypatch):
    monkeypatch.setattr(hdf5_apart, "MOST_NUMBERS", 100)
    with pytest.raises(ValueError, match="too many"):
        hdf5_apart.as_safetensors(as_h5(layers_of(model_of())))
