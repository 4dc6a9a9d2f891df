import errno
import json
import os
import shutil

import numpy as np
import pytest

import textgen
from textgen import checkpoint
from textgen.errors import RunError, TextgenError
from textgen.tokenizer import TOKENIZERS


@pytest.fixture
def run(runs, tmp_path):
    """A run folder that a test may spoil."""
    return shutil.copytree(runs(), tmp_path / "run")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_saved_model_is_the_model(runs, tokenizer, tmp_path):
    folder = runs(tokenizer)
    model = textgen.load(folder)
    checkpoint.save_model(tmp_path, model.model)
    for name in (checkpoint.CONFIG, model.tokenizer.filename):
        shutil.copy(folder / name, tmp_path)
    again = textgen.load(tmp_path)
    assert again.hash == model.hash and again.config == model.config
    assert again.generate("나", seed=1) == model.generate("나", seed=1)
    assert again.tokenizer.to_bytes() == model.tokenizer.to_bytes()


def test_the_folder_holds_what_it_should(runs):
    names = {p.name for p in runs().iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "history.csv", "README.md"} <= (
        names
    )
    assert not [n for n in names if n.endswith(".tmp")]
    card = (runs() / "README.md").read_text()
    assert card.startswith("---\n") and "library_name: textgen" in card.split("---")[1]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("spoil", ["missing", "empty", "truncated", "foreign"])
def test_a_spoiled_file_is_named_in_one_line(run, name, spoil):
    path = run / name
    data = path.read_bytes()
    if spoil == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "truncated": data[: len(data) // 2], "foreign": b"{}"}[spoil]
        )
    with pytest.raises(TextgenError) as error:
        textgen.load(run)
    assert "\n" not in str(error.value)
    if spoil == "missing":
        assert str(path) in str(error.value)


def edit(run, change):
    card = json.loads((run / "config.json").read_text())
    change(card)
    (run / "config.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c.update(format=99), "format 99"),
        (lambda c: c["model"].update(hidden_size=4096), "do not belong together"),
        (lambda c: c["model"].update(hidden_size=33), "do not belong together"),
        (lambda c: c["model"].update(cell="gru"), "do not belong together"),
        (lambda c: c["model"].update(cell="x"), "choose one of"),
        (lambda c: c["model"].update(hidden_size="32"), "type int"),
        (lambda c: c["model"].update(num_layers=10**9), "num_layers"),
        (lambda c: c["tokenizer"].update(name="../x"), "names the tokenizer"),
        (lambda c: c.pop("model"), "not a textgen configuration"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_before_memory_is_taken(run, change, what):
    edit(run, change)
    with pytest.raises(RunError, match=what):
        textgen.load(run)


def test_weights_that_are_not_finite_are_refused(run):
    arrays, _ = checkpoint.read_weights(run / "model.safetensors")
    arrays["head.bias"] = arrays["head.bias"] * np.nan
    checkpoint.write_weights(run / "model.safetensors", arrays)
    with pytest.raises(RunError, match="no finite float32"):
        textgen.load(run)


def test_no_folder():
    with pytest.raises(RunError, match="no run folder at nowhere"):
        textgen.load("nowhere")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(run, monkeypatch, call):
    before = {p.name: p.read_bytes() for p in run.iterdir()}

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    model = textgen.load(run)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match=r"cannot write .*No space left on device; free some space"):
        checkpoint.save_model(run, model.model)
    assert {p.name: p.read_bytes() for p in run.iterdir()} == before
