"""The benchmark of far memory measures what a task has words for, and says so of the rest."""

import json
from pathlib import Path

import pytest

from benchmarks import longrange, longrange_open, longrange_tables
from textgen.config import ModelConfig
from textgen.data.recall_documents import documents
from textgen.data.recall_task import VARIANTS, read_task
from textgen.errors import ConfigError
from textgen.generation import generator
from textgen.generation.generator import Generator
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import drawn

MEASURED = Path(longrange.__file__).with_suffix(".json")


def test_a_task_without_persons_is_measured_without_them(monkeypatch):
    task = read_task("speaker-few-ko.toml")
    assert task.variants == ["plain"]
    tokenizer = CharTokenizer.train("\n".join(task.filler))
    config = ModelConfig(cell="gru", hidden_size=4, embedding_size=4)
    model = Generator(drawn(config, tokenizer.vocab_size), tokenizer, name="few")
    model.card["corpus"] = {"task": "speaker-few-ko.toml", "source": "tasks/speaker-few-ko.toml"}
    monkeypatch.setattr(generator, "load", lambda folder: model)
    monkeypatch.setattr(longrange_open, "measured", lambda folder, few: {})
    monkeypatch.setattr(longrange, "DISTANCES", (20, 100, 300))
    row = longrange.probe_run(Path("few"), n=2)
    assert set(row["accuracy"]) == {20, 100, 300} and row["candidates"] == 12
    assert not set(VARIANTS) & set(row)


def test_what_was_not_measured_is_left_out_of_the_tables():
    (row, *_) = json.loads(MEASURED.read_text(encoding="utf-8"))
    few = {name: value for name, value in row.items() if name not in VARIANTS}
    assert longrange_tables.variants([few])[-1].count("| – ") == len(VARIANTS) - 1
    assert "–" not in longrange_tables.variants([row])[-1]


def test_the_page_is_written_from_what_was_measured():
    rows = json.loads(MEASURED.read_text(encoding="utf-8"))
    page = MEASURED.parent.parent / "docs" / "longrange.md"
    assert page.read_text(encoding="utf-8") == longrange_tables.markdown(rows)


def test_documents_of_a_variant_without_words():
    with pytest.raises(ConfigError, match=r"variant is 'passing': .*speaker-few-ko.toml has plain"):
        documents(read_task("speaker-few-ko.toml"), 40, 3, "passing")
