"""A tokenizer is one class put into `TOKENIZERS`: all else takes it from there."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_cli import fails, run

import textgen
import textgen.ui
from textgen.cli.arguments import parser
from textgen.config import TokenizerConfig
from textgen.errors import ConfigError
from textgen.options import build
from textgen.runs.run_folder import read_config, read_tokenizer
from textgen.tokenizers.tokenizer import TOKENIZERS
from word_tokenizer import WordTokenizer

SMALL = ["--hidden-size=8", "--batch-size=4", "--sequence-length=16", "--sample-length=0"]


def recipe(folder):
    path = folder / "recipe.toml"
    path.write_text("[tokenizer]\ntokenizer = 'words'\n[training]\nepochs = 1\n")
    return path


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(TOKENIZERS, WordTokenizer.name, WordTokenizer)


@pytest.mark.slow
def test_a_recipe_with_it_is_trained_loaded_and_writes(text_file, tmp_path, capsys):
    out = tmp_path / "run"
    code, _, errors = run(
        capsys, "train", text_file, "--out", out, "--config", recipe(tmp_path), *SMALL
    )
    assert code == 0, errors
    assert (out / "words.json").is_file()
    tokenizer = read_tokenizer(out, read_config(out))
    assert isinstance(tokenizer, WordTokenizer) and "한국사람이야" in tokenizer.words

    model = textgen.load(out)
    sample = model.generate("나는 ", max_new_tokens=5, seed=1)
    assert len(sample.token_ids) == 5 and "\ufffd" not in sample.text
    assert "".join(part.text for part in model.stream("나는 ", max_new_tokens=5, seed=1)) == (
        sample.text
    )
    assert model.score("나는 한국사람이야.").tokens[0].text == "나는"
    assert run(capsys, "evaluate", out, text_file, "--sample-length", 50)[0] == 0
    (out / "words.json").write_text("{}")
    assert "words.json holds no list of words" in fails(capsys, "score", out, "나는")


@pytest.mark.slow
def test_a_flag_that_names_it_is_trained(text_file, tmp_path, capsys):
    out = tmp_path / "run"
    code, _, errors = run(
        capsys, "train", text_file, "--out", out, "--tokenizer", "words", "--epochs", 1, *SMALL
    )
    assert code == 0, errors
    assert json.loads((out / "config.json").read_text())["tokenizer"]["name"] == "words"


def test_the_command_takes_its_name(capsys):
    assert parser().parse_args(["train", "x", "--tokenizer", "words"]).tokenizer == "words"
    assert "jamo,words}" in run(capsys, "train", "--help")[1]
    with pytest.raises(ConfigError, match="choose one of char, sentencepiece, jamo, words"):
        build(TokenizerConfig, {"tokenizer": "syllables"})


def test_the_page_train_offers_it(monkeypatch, tmp_path):
    page = Path(textgen.ui.__file__).parent / "pages/2_train.py"
    app = AppTest.from_file(str(page), default_timeout=120).run()
    assert not app.exception
    (choice,) = (box for box in app.selectbox if (box.key or "").startswith("tokenizer "))
    assert "words" in choice.options
    choice.set_value("words").run()
    assert not app.exception
