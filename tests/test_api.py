"""`import textgen`: what a program is given."""

import json
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textgen
from textgen.errors import ConfigError, TextgenError
from textgen.generation.generator import Generator
from tiny import TEXT

DOCS = Path(textgen.__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def model(loaded):
    return loaded()


def test_importing_needs_no_tensorflow():
    code = "import sys, textgen; print({'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n" and told.stderr == ""


def test_all_that_is_named_is_there():
    for name in textgen.__all__:
        assert getattr(textgen, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        textgen.lode  # noqa: B018


@pytest.mark.slow
def test_a_model_evaluates(model):
    found = model.evaluate("나는 한국사람이야.", window=4, sample_length=20)
    assert found.window == 4 and found.rows[0].bits_per_char > 0
    with pytest.raises(ConfigError, match="no option 'windw': give window"):
        model.evaluate("나는", windw=3)


def test_a_model_probes(model):
    with pytest.raises(ConfigError, match="was not trained on a task"):
        model.probe()
    found = model.probe("speaker-ko.toml", distances=(30,), n=8)
    assert found.rows[0].n == 8 and found.rows[0].distance == 30


def test_a_model_traces(model):
    ids = model.tokenizer.encode("나는 한국사람")
    values = model.trace("나는 한국사람").layers[0]
    assert values["f"].shape == (1 + len(ids), model.config.hidden_size)
    assert np.all((values["f"] >= 0) & (values["f"] <= 1))


SMALL = {"hidden_size": 16, "batch_size": 4, "sequence_length": 16, "sample_length": 0}


def test_train_gives_what_load_gives(text_file, tmp_path):
    settings = SMALL | {"cell": "gru", "tokenizer": "jamo"}
    model = textgen.train(text_file, tmp_path / "run", epochs=1, **settings)
    card = json.loads((tmp_path / "run/config.json").read_text())
    assert card["model"]["cell"] == "gru" and card["training"]["epochs"] == 1
    loaded = textgen.load(tmp_path / "run")
    assert type(model) is type(loaded) is textgen.Model and model.hash == loaded.hash


@pytest.mark.slow
def test_resume_gives_what_load_gives(runs, tmp_path):
    run = shutil.copytree(runs(), tmp_path / "run")
    assert textgen.resume(run, epochs=3).hash == textgen.load(run).hash
    assert json.loads((run / "status.json").read_text())["epoch"] == 3


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"hiden_size": 3}, "there is no option 'hiden_size': give hidden_size"),
        ({"epochs": 0}, "epochs is 0: give a value of at least 1"),
        ({"cell": "rnn", "chrono": 200}, "chrono would have no effect: the rnn cell has no gate"),
        ({"budget": "soon"}, "budget is 'soon': give a time such as 90s"),
        ({"prompt": "Ж"}, "prompt is 'Ж': none of its characters is in the text"),
    ],
)
def test_bad_settings_are_one_line(text_file, tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message) as caught:
        textgen.train(text_file, tmp_path / "run", **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


NO_PATHS = [
    (None, "is None: give a path"),
    (3, "is 3: give a path"),
    (b"a", "is b'a': give a path"),
    ("a" * 5000, "give a shorter path"),
    ("a\0b", r"is 'a\\x00b': no path holds such a character"),
]


@pytest.mark.parametrize("value, message", NO_PATHS, ids=repr)
def test_what_is_no_path_is_one_line(text_file, model, value, message):
    for call in (
        lambda: textgen.load(value),
        lambda: textgen.train(text_file, value),
        lambda: textgen.resume(value),
        lambda: model.probe(value) if value is not None else textgen.load(value),
    ):
        assert re.search(message, refusal(call))


@pytest.mark.parametrize("value", [None, 3, b"/tmp/x", {"a": 1}, [3], [None]])
def test_what_is_no_source_is_one_line(tmp_path, value):
    wrong = value[0] if isinstance(value, list) else value
    line = refusal(lambda: textgen.train(value, tmp_path / "run"))
    assert line.startswith(f"the text is {wrong!r}: name a file, a folder or hf:DATASET")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", [None, 3, [3], [print]])
def test_what_is_no_callback_is_one_line(text_file, tmp_path, value):
    line = refusal(lambda: textgen.train(text_file, tmp_path / "run", callbacks=value))
    assert "give a list of objects of keras.callbacks" in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_what_is_no_text_is_one_line(model, value):
    assert f"the text to trace is {value!r}: give a text" in refusal(lambda: model.trace(value))
    if value is not None:
        line = refusal(lambda: model.evaluate("나는", training_text=value))
        assert line == f"the training text is {value!r}: give a text (str)"


def test_what_is_no_list_of_texts_is_one_line(model):
    for value in ({"T": 1}, b"T"):
        assert "give a list of texts" in refusal(lambda v=value: model.generate_batch(v))


def test_an_unknown_keyword_is_one_line(model, runs):
    assert refusal(lambda: model.probe(bogus=1)).startswith("there is no option 'bogus': give task")
    line = refusal(lambda: textgen.resume(runs(), hidden_size=3))
    assert line == "there is no option 'hidden_size': give source, epochs, callbacks"


def refusal(call):
    """The line that a call is refused with."""
    with pytest.raises(TextgenError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_callbacks_of_keras_are_called_as_fit_calls_them(text_file, tmp_path):
    from textgen.backend import keras

    calls = []

    class Recorder(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            assert self.params["epochs"] == 5
            calls.append("begin")

        def on_train_batch_end(self, batch, logs=None):
            assert batch == self.seen and np.isfinite(logs["loss"])
            self.seen += 1

        def on_epoch_begin(self, epoch, logs=None):
            self.seen = 0

        def on_epoch_end(self, epoch, logs=None):
            assert self.seen == self.params["steps"] and set(logs) == {"loss", "val_loss"}
            calls.append(epoch)
            self.model.stop_training = epoch == 1  # as `EarlyStopping` does

        def on_train_end(self, logs=None):
            calls.append("end")

    textgen.train(text_file, tmp_path / "run", epochs=5, callbacks=[Recorder()], **SMALL)
    assert calls == ["begin", 0, 1, "end"]
    assert json.loads((tmp_path / "run/status.json").read_text())["epoch"] == 2


def test_the_page_names_all_that_is_public():
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    known = {*vars(textgen.Model), *vars(Generator)} - {"from_run"}  # which `load` calls
    public = {name for name in known if not name.startswith("_")} | {"load", "train", "resume"}
    assert {name for name in public if not re.search(rf"\b{name}\b", page)} == set()


@pytest.mark.slow
def test_the_examples_of_the_page_run(tmp_path, monkeypatch, capsys):
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    (tmp_path / "text.txt").write_text(TEXT[:1500], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger("textgen"), "level", logging.WARNING)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S):
        exec(compile(block, "docs/api.md", "exec"), names)
    said = capsys.readouterr().out
    for refusal in ("chrono would have no effect", "no run folder at"):
        assert refusal in said
