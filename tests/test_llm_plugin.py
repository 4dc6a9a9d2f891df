"""The models of textgen in `llm`: registered, written with, refused."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click.testing
import llm
import llm.cli
import numpy as np
import pytest
from llm.plugins import pm

from textgen import llm_plugin, shipped
from textgen.generation.generator import load
from textgen.runs.run_folder import weights_hash
from textgen.runs.voices import write_voices

ROOT = Path(__file__).parent.parent
NAME = "textgen/speaker-gru-ko"


@pytest.fixture
def call(tmp_path, monkeypatch):
    """call(arguments) -> what `llm` prints, with nothing but this plugin and a home of its own."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    if not pm.is_registered(llm_plugin):
        pm.register(llm_plugin)

    def run(*arguments):
        found = click.testing.CliRunner().invoke(
            llm.cli.cli, [*map(str, arguments)], catch_exceptions=False
        )
        return found.exit_code, found.output

    yield run
    pm.unregister(llm_plugin)


def written(prompt, **options):
    return load("speaker-gru-ko").generate(prompt, engine="numpy", **options).text


def test_every_shipped_model_is_there_and_the_runs_of_this_folder(call, tmp_path):
    shutil.copytree(shipped.MODELS / "speaker-gru-ko", tmp_path / "runs/mine")
    code, said = call("models", "-q", "textgen")
    names = [f"textgen/{folder.name}" for folder in sorted(shipped.MODELS.iterdir())]
    assert code == 0 and all(name in said for name in [*names, "textgen/runs/mine"])


def test_a_prompt_is_gone_on_with(call):
    options = {"max_new_tokens": 20, "temperature": 0.7, "top_k": 5, "seed": 3}
    given = [word for name, value in options.items() for word in ("-o", name, value)]
    expected = written("나는 ", **options)
    assert call("-m", NAME, "나는 ", *given) == (0, expected + "\n")
    assert call("-m", NAME, "나는 ", *given, "--no-stream") == (0, expected + "\n")
    logged = json.loads(call("logs", "--json")[1])[0]
    assert logged["response_json"] == {"seed": 3, "finish_reason": "length"}
    assert logged["output_tokens"] == 20 and logged["input_tokens"] == 3


def test_a_label_is_the_voice_to_write_in(call, tmp_path):
    run = shutil.copytree(shipped.MODELS / "speaker-gru-ko", tmp_path / "runs/mine")
    network = load(run).network
    write_voices(run, {"철수": np.ones(network.state_shape, "f4")}, weights_hash(run))
    model, words = load(run), ["-m", "textgen/runs/mine", "나는 ", "-o", "seed", 1]
    expected = model.in_voice("철수").generate("나는 ", seed=1).text
    assert call(*words, "-o", "label", "철수") == (0, expected + "\n")
    assert "label is '영희': choose from 철수" in call(*words, "-o", "label", "영희")[1]


def test_a_conversation_is_one_text(call):
    options = ["-o", "max_new_tokens", 5, "-o", "seed", 1]
    _, first = call("-m", NAME, "나는 ", *options)
    text = "나는 " + first.removesuffix("\n") + "그래서 "
    assert call("-c", "그래서 ", *options)[1] == written(text, max_new_tokens=5, seed=1) + "\n"


def test_parts_come_as_they_are_written():
    parts = list(
        llm_plugin.Textgen(NAME, shipped.MODELS / "speaker-gru-ko").prompt("나는 ", seed=1)
    )
    assert len(parts) > 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "temperature", "11"], "Error: temperature is 11"),
        (["-o", "top_q", "1"], "Error: top_q"),
        (["-s", "be kind"], "Error: the model takes no system prompt"),
        (["-o", "engine", "abacus"], "Error: engine is 'abacus'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_or_two(options, said, call, monkeypatch):
    monkeypatch.delattr(sys, "_called_from_test", raising=False)
    code, output = call("-m", NAME, "나는 ", *options)
    assert code == 1 and output.startswith(said) and "Traceback" not in output


def test_the_wheel_names_the_plugin():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    assert points["llm"] == {"textgen": llm_plugin.__name__}


@pytest.mark.slow
def test_llm_finds_the_plugin_by_its_entry_point(tmp_path):
    installed = {point.value for point in importlib.metadata.entry_points(group="llm")}
    if llm_plugin.__name__ not in installed:  # by an older textgen
        about = tmp_path / "mine-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
        (about / "entry_points.txt").write_text("[llm]\ntextgen = textgen.llm_plugin\n")
    places = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "LLM_USER_PATH": str(tmp_path)}
    words = ["-m", "textgen/ko-lstm-char", "옛날에", "-o", "seed", "1", "-o", "max_new_tokens", "9"]
    found = subprocess.run(
        [sys.executable, "-m", "llm", *words],
        env=os.environ | places,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(found.stdout) == 10
