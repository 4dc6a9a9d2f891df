"""What comes with textgen is found by its name, and by nothing that only ends like it."""

from pathlib import Path

import pytest

from textgen import shipped


def test_everything_is_where_it_is_said_to_be():
    for folder in (
        *(shipped.CORPORA, shipped.MODELS, shipped.RECIPES, shipped.TASKS, shipped.WAVES),
    ):
        assert any(folder.iterdir())


@pytest.mark.parametrize("name", ["speaker-ko.toml", "tasks/speaker-ko.toml"])
def test_a_name_is_that_of_a_shipped_file_unless_one_lies_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find(Path(name), shipped.TASKS) == shipped.TASKS / "speaker-ko.toml"
    Path("tasks").mkdir()
    Path(name).write_text("mine")
    assert shipped.find(Path(name), shipped.TASKS) == Path(name)


@pytest.mark.parametrize(
    "name", ["typo/speaker-ko.toml", "/tasks/speaker-ko.toml", "../speaker-ko.toml", "other.toml"]
)
def test_no_other_path_becomes_a_shipped_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find(Path(name), shipped.TASKS) == Path(name)
