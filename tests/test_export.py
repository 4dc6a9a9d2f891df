"""What `textgen export` puts into a page, and what it refuses. What the page then does is tested in
a browser: tests/browser/test_exported_page.py."""

import dataclasses
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from made_tokenizers import AWKWARD, MADE, PIECES
from new_cell import UGRNN
from textgen import shipped
from textgen.cells import CELLS, make_cell
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import ConfigError, in_bytes
from textgen.export import page as pages
from textgen.export.cell_script import cell_script
from textgen.export.disclosure import PERSONAL, disclosure
from textgen.export.rounding import check_fit
from textgen.export.stock_layers import in_stock_layers
from textgen.export.token_note import beside
from textgen.generation.generator import Generator, load
from tiny import TEXT, drawn
from word_tokenizer import WordTokenizer


def model_of(cell="lstm", tokenizer=MADE["char"], **settings):
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=8, **settings)
    return Generator(drawn(config, tokenizer.vocab_size), tokenizer, name="mine", hash="01234567")


def about(page):
    """What the page says of its model."""
    (text,) = re.findall(rb'id="about">(.*?)</script>', page, re.S)
    return json.loads(text)


def called(capsys, *arguments):
    """(exit code, stdout, stderr) of a command."""
    try:
        main(["export", *map(str, arguments)])
        code = 0
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


# --- the equations --------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_each_value_and_state_of_a_cell_is_written_once(cell):
    own = make_cell(cell)
    script = cell_script(own)
    for name in own.value_names():
        assert script.count(f"values.{name}[u] = ") == 1
    for part in range(len(own.state_names)):
        assert script.count(f"state[{part}][u] = t") == 1
    assert ("p[0 * size + u]" in script) == own.recurrent


def test_the_equations_are_those_of_the_file_in_python():
    assert "const t0 = (1.0 / (1.0 + Math.exp((-Math.max((a[0 * size + u] + p[0" in cell_script(
        make_cell("gru")
    )
    assert "v.was_C" in cell_script(make_cell("peephole"))  # its own summand
    assert "values.g[u]" in cell_script(UGRNN())  # a cell from elsewhere


@pytest.mark.parametrize("function", [np.sin, np.sign, np.cumsum, lambda z: np.where(z > 0, z, 0)])
def test_a_function_that_a_page_does_not_have_is_refused(function):
    class Odd(UGRNN):
        def update(self, z, state, extra=(), observe=lambda name, value: value):
            return super().update(function(z), state, extra, observe)

    with pytest.raises(ConfigError, match="the cell 'ugrnn' cannot go into a page") as refused:
        cell_script(Odd())
    assert "\n" not in str(refused.value)


# --- the page -------------------------------------------------------------------------------------


def test_nothing_of_the_text_is_in_the_page_but_the_tokenizer(runs):
    page = pages.page(load(runs())).decode()
    assert not any(line in page for line in TEXT.splitlines()[:3])
    assert "text.txt" not in page and str(shipped.HOME) not in page


def test_the_weights_are_those_of_the_model():
    model = model_of("gru", tie_weights=True)
    said = about(pages.page(model))
    order = [name for name, _ in said["network"]["weights"]]
    whole = np.concatenate([model.network.weights[name].ravel() for name in order])
    np.testing.assert_array_equal(np.frombuffer(pages._numbers(model, False), "<f4"), whole)
    np.testing.assert_allclose(np.frombuffer(pages._numbers(model, True), "<f2"), whole, atol=2e-3)


def test_markup_in_a_name_or_a_prompt_ends_no_element():
    model = model_of()
    model.name = "</script><b>"
    page = pages.page(model, "</script><!--")
    assert page.count(b"</script>") == 3 and b"<!--" not in page
    assert about(page)["prompt"] == "</script><!--"


def test_what_is_no_text_in_a_name_or_a_prompt_goes_into_a_page():
    model = model_of()
    model.name = "caf\udce9"  # a folder of bytes that are no UTF-8
    page = pages.page(model, "na\udcef")
    assert about(page)["name"] == "caf\udce9" and about(page)["prompt"] == "na\udcef"


def test_every_word_that_the_scripts_ask_for_is_there_in_both_languages():
    scripts = "".join(file.read_text("utf-8") for file in (pages.HERE / "web").glob("*.js"))
    asked = set(re.findall(r'\bt\("([\w.]+)"', scripts))
    korean, english = (pages.words(language) for language in pages.LANGUAGES)
    assert korean.keys() == english.keys()
    assert asked <= korean.keys() and len(asked) > 30
    headings = {heading for cell in CELLS.values() for heading in cell.equations}
    assert {f"stage.{heading}" for heading in headings} <= korean.keys()
    used = {key for key in korean if f'"{key}"' in scripts}
    whole = tuple(f"{section}." for section in (*pages.SECTIONS, "colour", "option", "gates_sort"))
    assert {k for k in korean if k not in used and not k.startswith(whole)} <= {
        *("gates.title", "step.title", "write.title")
    }


def test_a_tokenizer_from_elsewhere_is_refused():
    tokenizer = WordTokenizer.train("the cat sat and the cat ran\n\n")
    with pytest.raises(ConfigError, match="the tokenizer 'words' cannot go into a page"):
        pages.page(model_of(tokenizer=tokenizer))


@pytest.mark.parametrize("name", [folder.name for folder in sorted(shipped.MODELS.iterdir())])
def test_a_shipped_model_of_half_precision_is_under_3_mb(name):
    assert len(pages.page(load(name), half=True)) < 3e6


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_one_file_and_says_what_float16_costs(runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    code, said, _ = called(capsys, runs(), "--to=html", "--out", out, "--half", "--prompt=나는")
    assert code == 0 and list(tmp_path.iterdir()) == [out]
    size = in_bytes(out.stat().st_size)
    assert said.startswith(f"{out}: {size}\nverbatim from its training text, 20 char")
    assert re.search(r"\nfloat16 costs ([+-]\d\.\d{4}|less than 0.0001) bits per character", said)
    assert "characters of held-out text" in said
    assert about(out.read_bytes())["half"] is True
    assert about(out.read_bytes())["prompt"] == "나는"


def test_a_bad_out_is_one_line_and_nothing_is_written(runs, tmp_path, capsys, monkeypatch):
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    refused = {taken: "which is there", tmp_path: "a folder", "x" * 300: "give a shorter path"}
    for out, said in refused.items():
        code, _, error = called(capsys, runs(), "--to=html", "--out", out)
        assert code == 2 and said in error and error.count("\n") == 1
    assert called(capsys, runs(), "--to=html", "--out", taken / "page.html")[0] == 2
    assert taken.read_text() == "mine"

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, said, error = called(capsys, runs(), "--to=html", "--out", tmp_path / "page.html")
    assert code == 2 and "No space left" in error and error.count("\n") == 1 and said == ""
    assert list(tmp_path.iterdir()) == [taken]


def test_bad_input_is_one_line(runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    for arguments in (
        [tmp_path / "none", "--to=html", "--out", out],
        [runs(), "--to=tape", "--out", out],
        [runs(), "--out", out],
        [runs(), "--to=html"],
        [runs(), "--to=html", "--out", ""],
    ):
        code, _, error = called(capsys, *arguments)
        assert code == 2 and error.count("\n") == 1 and error.startswith("error: ")
    assert not out.exists()


def test_weights_that_float16_cannot_hold_are_refused():
    network = model_of().network
    network.weights["head.bias"][3] = 7e4
    with pytest.raises(ConfigError, match=r"head.bias holds 70000, and float16 ends at 65504"):
        check_fit(network)


# --- what it would tell ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "write to kim@example.com, please": ["kim@example.com"],
        "전화 010-1234-5678.": ["010-1234-5678"],
        "01012345678": ["01012345678"],
        "02) 123-4567": ["02) 123-4567"],
        "+82 10-1234-5678": ["+82 10-1234-5678"],
        "call (212) 555-0123": ["(212) 555-0123"],
        "on 2024-01-15 at 12:30 it cost 1,000,000 or 3.14159265": [],
        "1234567890123456789": [],
        "@ home a@b": [],
    }.items(),
)
def test_what_looks_personal(text, found):
    assert [match[0] for match in PERSONAL.finditer(text)] == found


class Scripted(Generator):
    """A model that writes what it is told to."""

    def generate(self, prompt, **options):
        made = super().generate(prompt, max_new_tokens=1, seed=1)
        return dataclasses.replace(
            made, text=f"call 010-1234-5678 or kim@{options.get('seed')}.org"
        )


def test_a_model_that_writes_addresses_is_exported_only_when_asked(tmp_path, capsys, monkeypatch):
    own = model_of()
    scripted = Scripted(own.network, own.tokenizer, name="mine", hash="01234567")
    monkeypatch.setattr("textgen.cli.export.load", lambda run: scripted)
    out = tmp_path / "page.html"
    code, _, error = called(capsys, "mine", "--to=html", "--out", out)
    assert code == 2 and error.count("\n") == 1 and not out.exists()
    assert "'010-1234-5678' and 4 others" in error and "--yes" in error
    code, said, _ = called(capsys, "mine", "--to=html", "--out", out, "--yes")
    assert code == 0 and out.exists() and "what it copies is not known" in said


def test_copies_are_counted_where_the_training_text_is_at_hand(loaded):
    found = disclosure(loaded())
    assert 0 <= found.sampled <= 1 and 0 <= found.greedy <= 1 and found.shortest == 20


# --- how ids and text meet ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MADE)
def test_the_lines_beside_a_file_give_the_same_ids_and_text(kind, tmp_path, monkeypatch):
    tokenizer = MADE[kind]
    for file, data in beside(model_of(tokenizer=tokenizer), Path("그 '책'.onnx"), "onnx").items():
        (tmp_path / file).write_bytes(data)
    assert len(list(tmp_path.iterdir())) == (2 if kind in PIECES else 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "textgen", None)  # not installed
    lines = json.loads(Path("그 '책'.json").read_text("utf-8"))["python"]
    given = {}
    exec("\n".join(lines), given)
    for text in AWKWARD:
        ids = [tokenizer.start_id, *tokenizer.encode(text)]
        assert given["to_ids"](text) == ids
        assert given["to_text"](ids) == tokenizer.decode(ids)
    ids = np.random.default_rng(1).integers(0, tokenizer.vocab_size, 3000).tolist()
    assert given["to_text"](ids) == tokenizer.decode(ids)


def test_nothing_is_written_where_the_file_of_pieces_would_take_the_place_of_another(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("textgen.cli.export.load", lambda run: model_of(tokenizer=MADE["bpe"]))
    (tmp_path / "mine.model").write_text("mine")
    code, _, error = called(capsys, "mine", "--to=onnx", "--out", tmp_path / "mine.onnx")
    assert code == 2 and "mine.model, which is there" in error and error.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


# --- a .keras file --------------------------------------------------------------------------------

APART = """
import sys
import numpy as np
sys.modules["textgen"] = None  # not installed
import keras

model = keras.models.load_model(sys.argv[1], compile=False)
np.save(sys.argv[2], model(np.load(sys.argv[3])))
"""


def ids_and_logits(model, tokens):
    """Random ids [1, tokens], and the logits [tokens, V] that the network gives on them."""
    ids = np.random.default_rng(1).integers(1, model.network.vocab_size, (1, tokens))
    hidden, _ = model.network.read(ids.T.astype(np.int32), model.network.initial_state(1))
    return ids, model.network.read_out(hidden[:, 0])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_layers_of_keras_predict_the_same(cell):
    model = model_of(cell, num_layers=2, tie_weights=cell == "gru")
    ids, expected = ids_and_logits(model, 50)
    found = np.asarray(in_stock_layers(model)(ids))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_keras_file_loads_and_predicts_without_textgen(cell, tmp_path, capsys, monkeypatch):
    model = model_of(cell, num_layers=2, tie_weights=cell == "gru")
    monkeypatch.setattr("textgen.cli.export.load", lambda run: model)
    out = tmp_path / "mine.keras"
    code, said, _ = called(capsys, "mine", "--to=keras", "--out", out)
    assert code == 0 and f"{out}: {in_bytes(out.stat().st_size)}\n" in said
    assert "mine.json: 1." in said
    said = json.loads((tmp_path / "mine.json").read_text())
    assert said["tokens"][said["begin"]] == "\n" and said["form"] == "NFC"
    ids, expected = ids_and_logits(model, 500)
    np.save(tmp_path / "ids.npy", ids)
    files = [out, tmp_path / "logits.npy", tmp_path / "ids.npy"]
    subprocess.run([sys.executable, "-c", APART, *files], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(files[1])[0], expected, atol=1e-5)


def test_a_cell_that_keras_does_not_have_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("textgen.cli.export.load", lambda run: model_of("mingru"))
    out = tmp_path / "mine.keras"
    code, _, error = called(capsys, "mine", "--to=keras", "--out", out)
    assert code == 2 and "'mingru' has no layer in Keras, which has rnn, lstm, gru" in error
    for more in (["--half"], ["--prompt=a"]):
        code, _, error = called(capsys, "mine", "--to=keras", "--out", out, *more)
        assert code == 2 and "is for --to html" in error
    assert called(capsys, "mine", "--to=keras", "--out", tmp_path / "mine.h5")[0] == 2
    assert list(tmp_path.iterdir()) == []
