"""`import textgen`: what a program is given."""

import subprocess
import sys

import numpy as np
import pytest

import textgen
from textgen.errors import ConfigError


@pytest.fixture(scope="module")
def model(runs):
    return textgen.load(runs())


def test_importing_needs_no_tensorflow():
    code = "import sys, textgen; print({'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n" and told.stderr == ""


def test_all_that_is_named_is_there():
    for name in textgen.__all__:
        assert getattr(textgen, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        textgen.lode  # noqa: B018


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
