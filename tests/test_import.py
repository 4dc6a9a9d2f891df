"""`textgen import`: models of Keras as runs."""

import functools
import json

import numpy as np
import pytest

from keras_files import (
    LAYERS,
    SETTINGS,
    as_archive,
    as_h5,
    import_into,
    layers_of,
    model_of,
    read_here,
    zipped,
)
from made_tokenizers import MADE
from textgen.cells import make_cell
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import RunError
from textgen.export.token_note import note
from textgen.generation.generator import Generator, load
from textgen.importing.foreign_run import import_model
from tiny import drawn


@pytest.fixture(autouse=True)
def here(monkeypatch):
    read_here(monkeypatch)


@pytest.fixture
def imported(tmp_path):
    """imported(file, characters) -> the model that was made of them."""
    return functools.partial(import_into, tmp_path)


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


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize("sizes", [(5, 8), (8, 5), (4, 9, 2)])
def test_layers_of_several_sizes_are_filled_up_and_say_the_same(cell, sizes, imported, tmp_path):
    """The model is computed here layer by layer, each with its own size."""
    activation = "sigmoid" if cell == "rnn" else "tanh"  # of which a unit without weights is 0.5
    draw, known, read = np.random.default_rng(1), "abc\n", 6
    own = make_cell(cell, activation)
    layers = [("Embedding", "emb", {}, {"embeddings": draw.normal(size=(4, 6)).astype("f4")})]
    for k, units in enumerate(sizes):
        weights = own.weight_shapes(read, units).items()
        arrays = {name: draw.normal(size=shape).astype("f4") for name, shape in weights}
        layers.append((LAYERS[cell], f"layer_{k}", {"activation": activation}, arrays))
        read = units
    head = {"kernel": draw.normal(size=(read, 4)), "bias": draw.normal(size=4)}
    layers.append(("Dense", "out", {}, {name: a.astype("f4") for name, a in head.items()}))
    made = imported(as_h5(layers), json.dumps([*known]).encode())
    assert made.config.hidden_size == max(sizes) and made.config.num_layers == len(sizes)
    card = (tmp_path / "run/README.md").read_text("utf-8")
    assert f"Its layers had {' and '.join(map(str, sizes))} units." in card
    states = [tuple(np.zeros((1, units), "f4") for _ in own.state_names) for units in sizes]
    state, mine = made.network.initial_state(1), made.tokenizer.encode(known)
    for number in (3, 0, 1, 2, 2, 0, 1):
        x = layers[0][3]["embeddings"][[number]]
        for k, (_, _, _, weights) in enumerate(layers[1:-1]):
            states[k] = own.step(weights, x, states[k])
            x = states[k][0]
        expected = (x @ layers[-1][3]["kernel"] + layers[-1][3]["bias"])[0]
        state = made.network.advance(np.array([mine[number]]), state)
        np.testing.assert_allclose(made.network.logits(state)[0][mine], expected, atol=1e-5)


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
