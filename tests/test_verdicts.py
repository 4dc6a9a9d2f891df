"""What the lesson says, judged on figures whose verdict is known; and where in a document it is."""

import math
import random

import numpy as np
import pytest

from textgen.config import ModelConfig
from textgen.data import token_positions as positions
from textgen.data.recall_documents import Document
from textgen.generation.generator import Generator
from textgen.interpret import untrained, verdicts
from textgen.interpret.gradient_flow import ways_back
from textgen.interpret.trace import Trace
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import drawn

DOCUMENT = Document(
    "I am Korean. It rained. So I speak ", "Korean", " here.", "Korean", "", 12, 12, 24
)
TOKENIZER = CharTokenizer.train(DOCUMENT.text)


def test_positions_are_those_of_the_text():
    ids = positions.ids_before_blank(TOKENIZER, DOCUMENT)
    assert ids[0] == TOKENIZER.start_id and TOKENIZER.decode(ids[1:]) == DOCUMENT.before

    def token(at):
        return TOKENIZER.decode([ids[at]])

    assert token(positions.fact_end(TOKENIZER, DOCUMENT)) == "."
    assert token(positions.question_start(TOKENIZER, DOCUMENT)) == "S"
    first, last = positions.fact_word(TOKENIZER, DOCUMENT)
    assert TOKENIZER.decode(ids[first : last + 1]) == "Korean"


def test_a_document_without_a_fact_ends_it_at_its_end():
    silent = Document("It rained.", "", "", "", "", 0, 0, 10)
    assert positions.fact_end(TOKENIZER, silent) == len(silent.before)


@pytest.mark.parametrize("token, holds", [(2, True), (3, True), (4, False)])
def test_the_answer_hangs_on_the_fact(token, holds):
    occlusion = np.full(8, 0.1)
    occlusion[token] = -2.0  # speaks against the answer, and decides all the same
    occlusion[6] = 9.0  # of the question
    verdict = verdicts.hangs_on_fact(occlusion, fact_end=3, question_start=6)
    assert (verdict.token, verdict.nats, verdict.holds) == (token, -2.0, holds)


def test_the_effect_is_with_the_units_that_keep():
    times, effects = np.array([5.0, 50.0, math.inf]), np.array([3.0, -2.0, 2.0])
    verdict = verdicts.kept_by_gates(times, effects, 50)
    assert (verdict.keeping, verdict.units, verdict.share) == (2, 3, 4 / 7) and verdict.holds
    assert not verdicts.kept_by_gates(times, effects, 51).holds
    assert not verdicts.kept_by_gates(times, np.zeros(3), 5).holds  # nothing has an effect


def traced(gap, error):
    C, o = np.array([[0.5, -2.0]]), np.array([[0.25, 1.0]])
    values = {"o": o, "C": C, "h": o * np.tanh(C) + [[gap, 0.0]]}
    return Trace([values], np.zeros((1, 2)), (), error)


@pytest.mark.parametrize("gap, error, holds", [(0, 0, True), (2e-5, 0, False), (0, 2e-5, False)])
def test_the_equations_are_all_the_layer_does(gap, error, holds):
    verdict = verdicts.equations_hold([traced(0, 0), traced(gap, error)])
    assert verdict.holds is holds
    assert verdict.gap == pytest.approx(gap, abs=1e-12) and verdict.error == error


def test_a_cell_without_an_output_gate_has_no_gap():
    verdict = verdicts.equations_hold([Trace([{"h": np.zeros((1, 2))}], np.zeros((1, 2)), (), 0.0)])
    assert verdict.gap is None and verdict.holds


def test_a_gradient_vanishes_or_survives():
    assert verdicts.share_left(np.array([0.5, 1.0, 2.0]), 0) == 0.25
    assert verdicts.Vanishes(9e-4, 1.0).holds and not verdicts.Vanishes(1.1e-3, 1e-9).holds
    assert verdicts.SurvivesAlongState(0.5, 0.3).holds
    assert not verdicts.SurvivesAlongState(0.5, 0.2).holds  # most came back another way
    assert not verdicts.SurvivesAlongState(0.5, 1.1).holds
    assert not verdicts.SurvivesAlongState(9e-4, 9e-4).holds


def test_the_ways_back_are_lengths_of_what_comes_back():
    keep = np.array([[0.1], [0.5], [0.8]])
    gradient = {"h": np.array([[1.0], [2.0], [3.0]]), "C": np.array([[-4.0], [5.0], [-2.0]])}
    ways = ways_back(gradient, keep)
    assert ways.part == "C" and ways.whole.tolist() == [4, 5, 2]
    np.testing.assert_allclose(ways.alone, [2 * 0.4, 2 * 0.8, 2])
    assert ways.output.tolist() == [1, 2, 3]
    plain = ways_back({"h": gradient["h"]}, keep)
    assert plain.part == "h" and plain.output is None


@pytest.mark.parametrize(
    "after, holds", [({"a": 0.5, "b": 0.4}, True), ({"a": 0.4, "b": 0.5}, False)]
)
def test_the_answer_stands_without_the_best_unit(after, holds):
    verdict = verdicts.spread({"a": 0.9, "b": 0.1}, after, "a")
    assert verdict.holds is holds and verdict.before == 0.9 and verdict.after == after["a"]
    assert not verdicts.spread({"a": 0.1, "b": 0.9}, after, "a").holds  # it never stood


def test_the_sentences_on_a_race():
    assert verdicts.FasterButWeaker(28.0, 29.0, 2.2, 2.1).holds
    assert not verdicts.FasterButWeaker(30.0, 29.0, 2.2, 2.1).holds
    assert not verdicts.FasterButWeaker(28.0, 29.0, 2.0, 2.1).holds
    assert verdicts.FourTimes(40, 10).holds and not verdicts.FourTimes(41, 10).holds


def test_an_untrained_model_is_drawn_anew_and_leaves_chance_alone():
    config = ModelConfig(hidden_size=4, embedding_size=3)
    trained = Generator(drawn(config, TOKENIZER.vocab_size), TOKENIZER, name="mine")
    random.seed(7)
    expected = random.random()
    random.seed(7)
    first, second = untrained(trained), untrained(trained)
    assert random.random() == expected
    assert first.name == "mine untrained" and type(first) is Generator
    for name, weight in first.network.weights.items():
        np.testing.assert_array_equal(weight, second.network.weights[name])
    other = untrained(trained, seed=2).network.embeddings
    assert not np.array_equal(first.network.embeddings, other)
