"""`textgen import`: models of Keras as runs, and files that are none."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from made_tokenizers import MADE
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import RunError
from textgen.export.token_note import note
from textgen.generation.generator import Generator, load
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


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """HDF5 is read in this process, but where a test is of the other one."""

    class Done:
        def __init__(self, data):
            self.stdout = data

    def run(_, *, input, **__):
        try:
            return Done(hdf5_apart.as_safetensors(input))
        except Exception as error:
            raise OSError from error

    monkeypatch.setattr(keras_file.subprocess, "run", run)


@pytest.fixture
def imported(tmp_path):
    """imported(file, characters) -> the model that was made of them."""

    def make(data, characters, suffix=".h5"):
        file, listed = tmp_path / f"old{suffix}", tmp_path / "old.json"
        file.write_bytes(data)
        listed.write_bytes(characters)
        return import_model(file, None, tmp_path / "run")

    return make


def same_text(one, other, prompt="나는 "):
    texts = [
        m.generate(prompt, max_new_tokens=100, temperature=0.0, engine="numpy").text
        for m in (one, other)
    ]
    assert texts[0] == texts[1]
    scores = [[t.logprob for t in m.score("나는 한국 사람이야\n").tokens] for m in (one, other)]
    np.testing.assert_allclose(*scores, atol=1e-4)


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize(("save", "suffix"), [(as_h5, ".h5"), (as_archive, ".keras")])
def test_an_imported_model_writes_the_same_text(cell, save, suffix, imported):
    model = model_of(cell=cell, activation="relu" if cell == "rnn" else "tanh")
    same_text(imported(save(layers_of(model)), note(model, "keras"), suffix), model)


def test_a_model_of_jamo_writes_the_same_text(imported):
    model = model_of("jamo")
    same_text(imported(as_h5(layers_of(model)), note(model, "keras")), model)


@pytest.mark.parametrize("form", ["list", "dict", "turned", "text"])
def test_a_list_of_characters_in_each_of_its_forms(form, imported):
    model = model_of()
    known = [model.tokenizer.token(k) for k in range(1, model.tokenizer.vocab_size)]
    layers = layers_of(model)
    for array, role in ((layers[0][3], "embeddings"), (layers[-1][3], "bias")):
        array[role] = array[role][1:]  # a foreign model has no unknown token
    layers[-1][3]["kernel"] = layers[-1][3]["kernel"][:, 1:]
    forms = {
        "list": known,
        "dict": {c: k for k, c in enumerate(known)},
        "turned": {str(k): c for k, c in enumerate(known)},
    }
    text = "".join(known) if form == "text" else json.dumps(forms[form])
    made = imported(as_h5(layers), text.encode())
    expected = model.generate("나는 ", max_new_tokens=60, temperature=0.0, engine="numpy")
    assert made.generate("나는 ", max_new_tokens=60, temperature=0.0).text == expected.text


def test_one_hot_vectors_and_no_newline(imported):
    """As the oldest examples of Keras have it; the last id stands for nothing."""
    known = "abcdef "
    config = ModelConfig(**SETTINGS | {"num_layers": 1, "embedding_size": 8})
    model = Generator(drawn(config, 8), MADE["char"])
    _, *layers = layers_of(model)
    made = imported(as_h5(layers), known.encode())
    ids = np.array([2, 0, 5])
    state = model.network.initial_state(1)
    start = (state, made.network.advance(np.array([made.tokenizer.start_id]), state))
    eye = np.eye(8, dtype=np.float32)
    (weights,) = model.network.layers
    h = start[1][0]  # after a newline, which this model reads as nothing
    for k in ids:
        h = model.network.cell.step(weights, eye[[k]], h)
    expected = model.network.read_out(h[0])[0]
    _, found = made.network.read(
        np.array([[made.tokenizer.start_id], *([made.tokenizer.encode(known[k])[0]] for k in ids)]),
        state,
    )
    logits = made.network.logits(found)[0]
    mine = [made.tokenizer.encode(c)[0] for c in known]
    np.testing.assert_allclose(logits[mine], expected[:7], atol=1e-5)
    assert made.tokenizer.vocab_size == 9 and set(np.delete(logits, mine)) == {-100}
    assert set(made.generate("ab", max_new_tokens=200, seed=1).text) <= set(known)


def test_the_command_makes_a_run_that_other_commands_take(tmp_path, capsys):
    model = model_of()
    (tmp_path / "old.h5").write_bytes(as_h5(layers_of(model)))
    (tmp_path / "list.json").write_bytes(note(model, "keras"))
    arguments = [str(tmp_path / "old.h5"), "--characters", str(tmp_path / "list.json")]
    main(["import", *arguments, "--out", str(tmp_path / "runs/old")])
    assert "2 x 8 lstm" in capsys.readouterr().out
    main(["generate", str(tmp_path / "runs/old"), "--prompt", "나는", "--max-new-tokens", "5"])
    assert capsys.readouterr().out.startswith("나는")
    assert "SHA-256" in (tmp_path / "runs/old/README.md").read_text("utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["import", *arguments, "--out", str(tmp_path / "runs/old")])
    assert stop.value.code == 2 and "which is there" in capsys.readouterr().err
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["old"]


# --- what is refused ------------------------------------------------------------------------------


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


def elsewhere():
    """Its weights are to be read from another file."""

    def write(file):
        file.attrs["model_config"] = json.dumps(config_of(layers_of(model_of())))
        file["model_weights"] = h5py.ExternalLink("/etc/passwd", "/")
        file.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    return hdf5(write)


NESTED = "[" * 100_000
HOSTILE = {
    "is neither HDF5 nor an archive": b"hello",
    "is neither HDF5": b"",
    "holds no HDF5 that can be read": as_h5(layers_of(model_of()))[:3000],
    "is no whole archive": as_archive(layers_of(model_of()))[:200],
    "is no JSON": zipped(NESTED, as_h5(layers_of(model_of()))),
    "the model is a 'Tuned'": as_h5([], {"class_name": "Tuned", "config": {}}),
    "the model is a None": as_h5([], {"config": 5}),
    "a layer is 7": as_h5([], {"class_name": "Sequential", "config": [7]}),
    "the layers are none": as_h5([], {"class_name": "Sequential", "config": []}),
    "layers are Embedding, Bidirectional, LSTM, Dense": other(1, "Bidirectional"),
    "layers are Embedding, GRU, LSTM, Dense": other(1, "GRU"),
    "layers are Lambda, LSTM, LSTM, Dense": other(0, "Lambda"),
    "'layer_0' has recurrent_activation 'hard_sigmoid'": changed(
        1, recurrent_activation="hard_sigmoid"
    ),
    "'layer_1' has go_backwards True": changed(2, go_backwards=True),
    "'layer_0': activation is 'relu' with cell 'lstm'": both("relu"),
    "'out' has activation 'tanh'": changed(-1, activation="tanh"),
    "'layer_0' has the arrays bias, recurrent_kernel": without("kernel"),
    "'layer_1' reads 'emb', 'layer_0'": branched(),
    "kernel holds values that are too large": poisoned(),
    "'emb' has the arrays none": elsewhere(),
    "holds weights without their model": hdf5(lambda file: None),
    "holds weights of textgenrnn": hdf5(
        lambda file: file.create_dataset("attention/attention/w:0", data=np.ones(3, "f4"))
    ),
}


@pytest.mark.parametrize("said", HOSTILE)
def test_a_file_that_is_no_such_model_is_one_line(said, imported, tmp_path):
    with pytest.raises(RunError) as refused:
        imported(HOSTILE[said], note(model_of(), "keras"))
    assert said in str(refused.value) and "\n" not in str(refused.value)
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


def test_what_is_nested_deeply_is_one_line(imported):
    for depth in range(100, 1000, 50):
        layer = json.loads("[" * depth + "]" * depth) if depth < 900 else []
        config = config_of(layers_of(model_of()))
        config["config"]["layers"][2]["inbound_nodes"] = layer
        config["config"]["layers"].append(layer)
        with pytest.raises(RunError) as refused:
            imported(as_h5([], config), note(model_of(), "keras"))
        assert "\n" not in str(refused.value)


def test_too_many_numbers_are_not_read(monkeypatch):
    monkeypatch.setattr(hdf5_apart, "MOST_NUMBERS", 100)
    with pytest.raises(ValueError, match="too many"):
        hdf5_apart.as_safetensors(as_h5(layers_of(model_of())))


def test_another_process_reads_the_file(tmp_path, monkeypatch):
    monkeypatch.undo()
    model = model_of()
    (tmp_path / "old.keras").write_bytes(as_archive(layers_of(model)))
    (tmp_path / "old.json").write_bytes(note(model, "keras"))
    same_text(import_model(tmp_path / "old.keras", None, tmp_path / "run"), model)
    (tmp_path / "bad.keras").write_bytes(zipped("{}", b"\x89HDF\r\n\x1a\n" + b"\xff" * 5000))
    (tmp_path / "bad.json").write_bytes(note(model, "keras"))
    with pytest.raises(RunError, match="holds no HDF5 that can be read"):
        import_model(tmp_path / "bad.keras", None, tmp_path / "other")


@pytest.mark.slow
@pytest.mark.parametrize("cell", LAYERS)
def test_what_keras_saves_is_read(cell, tmp_path, monkeypatch):
    from textgen.export.stock_layers import in_stock_layers

    monkeypatch.undo()
    model = model_of(cell=cell)
    for suffix in ("keras", "h5"):
        in_stock_layers(model).save(tmp_path / f"{cell}.{suffix}")
        (tmp_path / f"{cell}.json").write_bytes(note(model, "keras"))
        run = tmp_path / f"run-{suffix}"
        import_model(tmp_path / f"{cell}.{suffix}", None, run)
        same_text(load(run), model)
