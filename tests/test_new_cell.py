"""A cell in a file of its own, put into the registry, and nothing else changed: it does all that
the others do."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import textgen
from new_cell import UGRNN
from textgen import shipped, ui
from textgen.cells import CELLS, make_cell, register
from textgen.cli.arguments import parser
from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.interpret import trace
from textgen.interpret.sums import sums
from textgen.options import check
from textgen.runs.run_folder import read_config, read_history
from textgen.training.train import resume, start
from textgen.tuning.race import race
from textgen.ui.charts.curves import cell_colours
from tiny import tiny

PAGE = Path(ui.__file__).parent / "pages" / "6_step.py"


@pytest.fixture(scope="module", autouse=True)
def registered():
    register(UGRNN)
    yield
    del CELLS["ugrnn"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a task in a folder `runs`, where the app looks for it."""
    out = tmp_path_factory.mktemp("home") / "runs/mine"
    settings = tiny(cell="ugrnn", epochs=1, steps_per_epoch=2, sample_length=8, distance=40)
    return start(shipped.TASKS / "speaker-en.toml", out, *settings)


def test_settings_and_the_command_line_know_it(capsys):
    check(ModelConfig(cell="ugrnn"))
    with pytest.raises(ConfigError, match=r"choose one of rnn, .*, ugrnn"):
        check(ModelConfig(cell="transformer"))
    assert parser().parse_args(["train", "x", "--out=y", "--cell=ugrnn"]).cell == "ugrnn"
    with pytest.raises(SystemExit):
        parser().parse_args(["train", "--help"])
    assert ",ugrnn}" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.slow
def test_it_is_raced_and_resumed(text_file, tmp_path):
    (result,) = race(text_file, tmp_path / "r", ["ugrnn"], *tiny(epochs=2, sample_length=8))
    assert result.recurrent_parameters == 2 * 32 * (16 + 32 + 1)
    assert 0 < result.bits_per_char < 8
    run = resume(tmp_path / "r/ugrnn", epochs=3)
    assert read_history(run)[-1]["epoch"] == "3"


def test_it_is_trained_loaded_and_writes(run):
    assert read_config(run)["model"]["cell"] == "ugrnn"
    first, again = (
        textgen.load(run).generate("The ", max_new_tokens=20, seed=1).text for _ in range(2)
    )
    assert len(first) == 20 and first == again


def test_it_is_traced_and_its_sums_are_its_gates(run):
    model = textgen.load(run).network
    ids = [0, 3, 1, 4]
    traced = trace(model, ids)
    (values,) = traced.layers
    assert list(values) == ["g", "c", "h"] and traced.error < 1e-5
    parts = sums(model, ids, traced, 0, 2)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-sum(parts["g"].values()))), values["g"][2], atol=1e-5
    )
    np.testing.assert_allclose(np.tanh(sum(parts["c"].values())), values["c"][2], atol=1e-5)
    retained = model.cell.retained(values)
    np.testing.assert_array_equal(retained, values["g"])


def test_it_opens_on_the_page_one_step(run, monkeypatch):
    monkeypatch.chdir(run.parents[1])  # where the app keeps its runs
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in {"lang": "en", "model": "mine", "distance": "40", "gate": "g"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error
    shown = "".join(equation.value for equation in app.latex)
    assert r"g_t = \sigma(W_g x_t + U_g h_{t-1} + b_g)" in shown
    assert sum(r"\rightarrow" in equation.value for equation in app.latex) == 1  # g is replaced
    assert "**propose**" in {caption.value for caption in app.caption}
    html = "".join(element.proto.body for element in app.get("html"))
    assert "tg-holds" in html and UGRNN.source.replace("&", "&amp;") in html


def test_it_has_its_colour_and_its_first_values():
    assert cell_colours()["UGRNN"] == UGRNN.colour
    bias = make_cell("ugrnn").first_bias(3, forget_bias=2.0)
    np.testing.assert_array_equal(bias, [2, 2, 2, 0, 0, 0])
