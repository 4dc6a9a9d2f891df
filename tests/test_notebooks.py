"""The notebooks in docs/notebooks run from top to bottom, on small texts."""

import json
import subprocess
import sys

import pytest

from textgen import shipped
from tiny import TEXT

FOLDER = shipped.HOME / "docs/notebooks"
SMALL = {"cell": "lstm", "hidden_size": 16, "epochs": 1, "batch_size": 4, "sequence_length": 16}


def code_of(name):
    """[(the code of a cell, its tags)] of a notebook."""
    cells = json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]
    return [
        ("".join(cell["source"]), cell["metadata"].get("tags", []))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def run(name, **parameters):
    """What stands under the names of a notebook at its end. parameters: set after the cell that has
    this tag, as papermill does."""
    names = {"__name__": "notebook"}
    for code, tags in code_of(name):
        exec(code, names)
        if "parameters" in tags:
            assert parameters.keys() <= names.keys()
            names.update(parameters)
    return names


def test_a_model_is_looked_into(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("look-inside.ipynb")["turned"]  # its last question was answered


@pytest.mark.slow
def test_a_model_is_trained_writes_and_is_looked_into(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    found = run("colab.ipynb", source="text.txt", prompt="나는 ", settings=SMALL)
    assert len(found["text"].text) > 100
    assert found["effects"].tokens == ("\n", "나", "는", " ")


def test_colab_is_given_the_package_and_other_places_are_left_as_they_are(monkeypatch):
    (install, _), *_ = code_of("colab.ipynb")
    called = []
    monkeypatch.setattr(subprocess, "run", lambda words, **_: called.append(words))
    exec(install, {})
    assert called == []
    monkeypatch.setitem(sys.modules, "google.colab", object())
    exec(install, {})
    (words,) = called
    assert words[0] == sys.executable and words[-1] == "textgen-recurrent[train]"
