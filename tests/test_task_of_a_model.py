"""A model's task is known by its config.json, and nothing is opened because it names it."""

import os

import pytest

import textgen
from textgen import shipped
from textgen.config import ModelConfig
from textgen.data.recall_documents import sample_texts
from textgen.data.recall_task import read_task
from textgen.data.training_data import digest
from textgen.errors import ConfigError
from textgen.evaluation.recall_probe import task_of
from textgen.generation.generator import Generator
from textgen.runs.run_folder import read_config
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import drawn


def test_a_model_of_ordinary_text_has_no_task(runs):
    with pytest.raises(ConfigError, match="was not trained on a task: name one with --task"):
        task_of(textgen.load(runs()))


@pytest.fixture(scope="module")
def model_of():
    """model_of(corpus): a model whose config.json says this of what it was trained on."""
    tokenizer = CharTokenizer.train("ab")
    network = drawn(ModelConfig(hidden_size=4, embedding_size=4), tokenizer.vocab_size)
    return lambda corpus: Generator(network, tokenizer, {"corpus": corpus}, name="m")


def test_the_shipped_task_of_a_model_is_known_by_its_name(model_of):
    for folder in sorted(shipped.MODELS.glob("speaker-*")):
        corpus = read_config(folder)["corpus"]
        assert task_of(model_of(corpus)).path == shipped.TASKS / corpus["task"]


def test_a_task_of_ones_own_with_a_shipped_name_is_known_by_its_hash(model_of, caplog):
    card = {"source": "mine/speaker-ko.toml", "task": "speaker-ko.toml"}
    task = read_task("speaker-ko.toml")
    assert task_of(model_of(card | {"sha256": digest(sample_texts(task))})) == task
    assert not caplog.messages
    with pytest.raises(ConfigError, match=r"'speaker-ko.toml', which does not come with textgen"):
        task_of(model_of(card | {"sha256": "0" * 64}))
    assert task_of(model_of(card | {"source": "tasks/speaker-ko.toml", "sha256": "0" * 64})) == task
    assert "was trained on speaker-ko.toml as it was then" in caplog.text


@pytest.mark.parametrize("named", ["pipe.toml", "speaker-ko.toml", "../pipe.toml", 3, None, "\0"])
def test_nothing_is_opened_because_a_config_names_it(model_of, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pipe.toml", "speaker-ko.toml"):
        os.mkfifo(tmp_path / name)  # who opens one waits without end
    for source in (
        str(tmp_path / "pipe.toml"),
        str(tmp_path / "speaker-ko.toml"),
        ["pipe.toml"],
        3,
    ):
        with pytest.raises(ConfigError, match="--task FILE"):
            task_of(model_of({"source": source, "task": named, "sha256": "0" * 64}))


@pytest.mark.parametrize("corpus", [None, [], "speaker-ko.toml", {}, {"source": "speaker-ko.toml"}])
def test_a_config_that_names_no_task(model_of, corpus):
    with pytest.raises(ConfigError, match="was not trained on a task: name one with --task"):
        task_of(model_of(corpus))


@pytest.mark.parametrize("path", sorted(shipped.RECIPES.glob("speaker-*.toml")), ids=str)
def test_recipes_name_a_shipped_task(path):
    assert read_task(path.read_text().split('corpus = "')[1].split('"')[0]).facts
