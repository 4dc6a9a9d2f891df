"""`--budget`: a time, and how a training is fitted into it."""

import dataclasses
import logging

import pytest

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, TokenizerError
from textgen.tokenizers.tokenizer import CharTokenizer, SentencePieceTokenizer
from textgen.training import budget
from textgen.training.train import start
from tiny import TEXT


@pytest.mark.parametrize(
    "text, seconds", [("90s", 90), ("3m", 180), ("1.5h", 5400), ("45", 45), (" 3 m ", 180)]
)
def test_a_budget_is_a_time(text, seconds):
    assert budget.seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "3 days", "-3m", "5s", "0", "m", "1e3", "1m30s", "nan", "9" * 400, "721h"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="budget is"):
        budget.seconds_of(text)


@pytest.fixture
def within(tmp_path, monkeypatch):
    """within(left, max_seconds): of 30 seconds so many are left once the speed is measured."""
    (tmp_path / "a.txt").write_text(TEXT)
    data = read_training_data(tmp_path / "a.txt", TrainConfig())

    def planned_in(left, max_seconds=0.0):
        def plan(tokens, size, seconds, model, training, *_):
            return model, dataclasses.replace(training, max_seconds=float(left))

        monkeypatch.setattr(budget, "plan", plan)
        settings = ModelConfig(), TrainConfig(max_seconds=max_seconds)
        budget.within(30.0, data, CharTokenizer.train(TEXT), *settings)

    return planned_in


@pytest.mark.parametrize("measuring, given, told", [(1, 0, False), (25, 0, True), (25, 5, False)])
def test_a_budget_that_went_into_measuring_is_told_of(within, caplog, measuring, given, told):
    caplog.set_level(logging.INFO)
    within(30 - measuring, float(given))
    assert ("give a longer --budget" in caplog.text) is told
    assert f"in {30 - measuring} s: " in caplog.text


def test_a_budget_of_which_nothing_is_left_after_measuring_is_refused(within):
    with pytest.raises(ConfigError, match="and measuring how fast this machine trains"):
        within(1)


def test_a_task_has_no_passes(tmp_path):
    with pytest.raises(ConfigError, match="is a task"):
        start("speaker-ko.toml", tmp_path / "run", budget=60)


def test_a_budget_that_reading_took_is_refused_before_the_text_is_cut_into_tokens(
    monkeypatch, text_file, tmp_path
):
    monkeypatch.setattr(CharTokenizer, "train", None)
    with pytest.raises(ConfigError, match="went into reading the text"):
        start(text_file, tmp_path / "run", budget=1.0)


class Slow(CharTokenizer):
    learned_per_second = 1000


@pytest.fixture
def learning(monkeypatch):
    monkeypatch.setattr(budget, "LEAST_LEARNED", 200)
    monkeypatch.setattr(budget, "STRETCHES", 10)


def test_pieces_are_learned_from_as_much_of_a_text_as_there_is_time_for(learning):
    text = "".join(chr(0xAC00 + k) for k in range(10_000))  # nothing stands there twice
    for seconds, most in ((10, 1000), (1, 200), (0.1, 200)):
        parts = budget.to_learn_from(text, Slow, seconds).split("\n")
        assert len(parts) == 10 and sum(map(len, parts)) == most
        assert all(part in text for part in parts)
        places = [text.index(part) for part in parts]
        assert places == sorted(places) and places[-1] >= 9000  # from everywhere
    assert budget.to_learn_from(text, Slow, 100) == text
    assert budget.to_learn_from(text, CharTokenizer, 0.1) == text  # that takes no time
    assert budget.to_learn_from(text[:200], Slow, 0.1) == text[:200]


def test_what_a_part_of_a_text_has_no_pieces_for_says_that_it_was_a_part(
    learning, monkeypatch, text_file, tmp_path
):
    monkeypatch.setattr(SentencePieceTokenizer, "learned_per_second", 1)
    pieces = TokenizerConfig("sentencepiece", 600)
    with pytest.raises(
        TokenizerError, match=r"it learned from 20. of .* or give a longer --budget"
    ):
        start(text_file, tmp_path / "run", tokenizer_config=pieces, budget=30)
    assert not (tmp_path / "run" / "config.json").exists()
