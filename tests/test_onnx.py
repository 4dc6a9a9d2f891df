"""What `textgen export --to onnx` makes, run by onnxruntime."""

import json
import sys

import numpy as np
import onnxruntime
import pytest

from made_tokenizers import MADE
from new_cell import UGRNN
from textgen.cells import CELLS, register
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import ConfigError, in_bytes
from textgen.export.onnx_model import onnx_file
from textgen.generation.generator import Generator
from tiny import drawn

ACTIVATED = [(name, activation) for name, cell in CELLS.items() for activation in cell.activations]
TOKENIZER = MADE["char"]


def model_of(cell="lstm", **settings):
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=8, **settings)
    return Generator(drawn(config, TOKENIZER.vocab_size), TOKENIZER, name="mine", hash="01234567")


def steps(file, ids):
    """The logits [T, B, V] after each row of ids [T, B], the state handed on."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs() if i.name != "ids"]
    state = {name: np.zeros((ids.shape[1], 8), np.float32) for name in names}
    found = []
    for row in ids:
        logits, *after = session.run(None, {"ids": row, **state})
        state = dict(zip(names, after, strict=True))
        found.append(logits)
    return np.stack(found)


def same_as_textgen(model):
    ids = np.random.default_rng(1).integers(1, TOKENIZER.vocab_size, (500, 2))
    network = model.network
    hidden, _ = network.read(ids.astype(np.int32), network.initial_state(2))
    expected = network.read_out(hidden)
    np.testing.assert_allclose(steps(onnx_file(model), ids), expected, atol=1e-5)


@pytest.mark.parametrize(("cell", "activation"), ACTIVATED)
def test_every_cell_predicts_as_textgen_does(cell, activation):
    same_as_textgen(model_of(cell, activation=activation, num_layers=2))


def test_tied_weights_and_a_cell_from_elsewhere_do_too():
    same_as_textgen(model_of("gru", tie_weights=True))
    register(UGRNN)
    try:
        same_as_textgen(model_of("ugrnn"))
    finally:
        del CELLS["ugrnn"]


def test_operators_of_onnx_stand_where_it_has_the_cell():
    import onnx

    for cell, operator in {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}.items():
        made = onnx.load_from_string(onnx_file(model_of(cell)))
        assert [node.op_type for node in made.graph.node].count(operator) == 1
    assert [i.name for i in made.graph.input] == ["ids", "state.0.h"]
    assert [o.name for o in made.graph.output] == ["logits", "next.0.h"]


def test_the_name_of_a_folder_may_be_no_text():
    import onnx

    model = model_of()
    model.name = "글 caf\udce9"
    made = onnx.load_from_string(onnx_file(model))
    assert made.doc_string == r"글 caf\udce9, weights 01234567"


def test_a_function_that_onnx_does_not_have_is_refused(monkeypatch):
    class Odd(UGRNN):
        def update(self, z, state, extra=(), observe=lambda name, value: value):
            return super().update(np.sin(z), state, extra, observe)

    model = model_of("mingru")
    monkeypatch.setattr(model.network, "cell", Odd())
    for weights in model.network.layers:
        weights["recurrent_kernel"] = np.zeros((8, 16), np.float32)
    with pytest.raises(ConfigError, match=r"'ugrnn' cannot go into ONNX: its .* use sin"):
        onnx_file(model)


def called(capsys, *arguments):
    """(exit code, stdout, stderr) of a command."""
    code = 0
    try:
        main(["export", "mine", "--to=onnx", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


def test_the_file_and_its_note_are_enough_to_write(tmp_path, capsys, monkeypatch):
    model = model_of("peephole")
    monkeypatch.setattr("textgen.cli.export.load", lambda run: model)
    monkeypatch.setattr("textgen.export.disclosure.TOKENS", 20)
    out = tmp_path / "mine.onnx"
    code, said, _ = called(capsys, "--out", out)
    assert code == 0 and f"{out}: {in_bytes(out.stat().st_size)}\n" in said
    assert "mine.json: 1." in said
    note = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert "`state.K.h`" in note["note"] and note["tokens"][note["begin"]] == "\n"
    text = "나는 한국"
    ids = [note["begin"], *map(note["tokens"].index, text)]
    best = steps(out.read_bytes(), np.array(ids)[:, None])[-1, 0]
    best[note["never"]] = -np.inf
    expected = model.generate(text, max_new_tokens=1, temperature=0.0, engine="numpy")
    assert note["tokens"][int(best.argmax())] == expected.text


def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("textgen.cli.export.load", lambda run: model_of())
    for arguments, said in (
        (["--out", tmp_path / "mine.bin"], "give a name that ends with .onnx"),
        (["--out", tmp_path / "mine.onnx", "--half"], "--half is for --to html"),
    ):
        code, _, error = called(capsys, *arguments)
        assert code == 2 and said in error and error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, error = called(capsys, "--out", tmp_path / "mine.onnx")
    assert code == 2 and "pip install 'textgen-recurrent[onnx]'" in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
