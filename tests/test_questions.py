"""The questions of the lesson, measured on the shipped models without a page."""

import numpy as np
import pytest

from textgen import shipped
from textgen.api import load
from textgen.data.recall_task import read_task
from textgen.evaluation import wave
from textgen.evaluation.recall_probe import Scorer
from textgen.interpret import questions
from textgen.interpret.lesson import lesson_document, telling_fact, units_by_need
from textgen.interpret.questions import QUESTIONS
from textgen.interpret.verdicts import Verdict
from textgen.ui.stations import STATIONS


@pytest.fixture(scope="module")
def task():
    return read_task("speaker-ko.toml")


@pytest.fixture(scope="module")
def models():
    cells = {cell for question in QUESTIONS.values() for cell in question.cells}
    return {cell: load(shipped.MODELS / f"speaker-{cell.lower()}-ko") for cell in cells}


@pytest.fixture
def ask(task, models):
    """ask(question): what is found for it on the lesson's document."""

    def found(name):
        compared = {cell: models[cell] for cell in QUESTIONS[name].cells}
        return QUESTIONS[name].measure(compared, task, lesson_document(task, "한국"))

    return found


def test_every_question_has_its_station():
    assert set(QUESTIONS) == set(STATIONS)


def test_what_needs_no_model_is_known_beforehand(ask):
    assert ask("slopes") == (True, {"tanh": 1.0, "sigmoid": 0.25})
    found = ask("products")
    assert not found.first_is_right and found.figures["less"] == pytest.approx(0.9**100)
    found = ask("counted")
    assert found.first_is_right and found.figures["share"] == pytest.approx(3 / 4, abs=0.01)


def test_a_models_recall_is_the_probes(ask, task, models):
    document = lesson_document(task, "한국")
    found = ask("remembered")
    scorer = Scorer(models["LSTM"], task)
    at = task.answers.index(document.answer)
    assert found.figures["lstm"] == pytest.approx(scorer.shares([document])[0, at])
    assert found.figures["lstm_without"] == pytest.approx(
        scorer.shares([document], "removed")[0, at]
    )
    assert found.figures["lstm_says"] is Verdict.HOLDS and not found.first_is_right
    for name, cell in (("peephole", "peephole"), ("coupled", "coupled"), ("without_h", "mingru")):
        assert 0 <= ask(name).figures[cell] <= 1


def test_the_lstm_writes_the_fact_at_its_word_and_keeps_it_in_c(ask, task, models):
    document = lesson_document(task, "한국")
    parts, calmer = ask("parts").figures, ask("calmer").figures
    assert parts["unit"] == calmer["unit"]
    assert parts["unit"] == units_by_need(models["LSTM"], task, document, 0)[0]
    assert all(0 <= parts[gate] <= 1 for gate in "fio")
    said = document.before[: document.fact_end]
    assert parts["token"] in said[said.index(document.word or document.fact) :]
    forgotten, handed_over = ask("forgotten"), ask("handed_over")
    assert forgotten.figures["after"] < 0.5 < forgotten.figures["before"]
    assert handed_over.figures["C"] > handed_over.figures["h"] and not handed_over.first_is_right
    conveyor = ask("conveyor").figures
    assert 0 < conveyor["most"] <= 1 and conveyor["units"] > 0
    assert ask("unrolled").figures["tokens"] > conveyor["tokens"]


def test_a_race_counts_who_is_right_far_from_the_fact(ask, monkeypatch):
    for name, few in (("RACE_DISTANCE", 60), ("RACE_DOCUMENTS", 4), ("RACE_READINGS", 1)):
        monkeypatch.setattr(questions, name, few)
    found = ask("raced")
    assert found.figures["n"] == 4 and found.figures["gru"] == found.figures["lstm"] == 1.0
    assert not found.first_is_right and found.figures["gru_ms"] > 0


def test_the_fact_that_tells_is_one_that_the_model_remembers(task, models):
    fact = telling_fact(models["LSTM"], task)
    document = lesson_document(task, fact)
    assert questions.recall(models["LSTM"], task, document).verdict is Verdict.HOLDS


def test_the_models_go_on_with_the_wave(task):
    true = wave.true_levels()
    assert set(true) <= set(range(64)) and len(true) == wave.CONTINUED
    compared = {cell: load(shipped.WAVES / cell.lower()) for cell in ("RNN", "LSTM")}
    found = QUESTIONS["wave"].measure(compared, task, lesson_document(task, "한국"))
    assert not found.first_is_right
    for cell in ("rnn", "lstm"):
        off = found.figures[f"{cell}_{wave.GIVEN}"]
        assert off < abs(true - true.mean()).mean() / 3, cell
    assert pytest.approx(np.abs(true - true.mean()).mean(), abs=0.1) == wave.NOTHING_LEARNED
