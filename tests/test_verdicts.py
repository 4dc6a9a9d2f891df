"""What the lesson says, judged on figures whose verdict is known; and where in a document it is."""

import itertools
import math
import random

import numpy as np
import pytest

from textgen.config import ModelConfig
from textgen.data import token_positions as positions
from textgen.data.recall_documents import Document
from textgen.evaluation.recall_probe import ProbeRow, horizon, wilson
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


HOLDS, FAILS, OPEN = verdicts.Verdict


@pytest.mark.parametrize(
    "low, high, verdict", [(0.9, 1.0, HOLDS), (0.8, 0.89, FAILS), (0.8, 0.95, OPEN)]
)
def test_what_an_interval_says_of_a_limit(low, high, verdict):
    assert verdicts.beyond(0.9, low, high) is verdict


@pytest.mark.parametrize(
    "share, without, right, verdict, why",
    [
        (0.99, 0.1, True, HOLDS, "knows"),
        (0.99, 0.1, False, FAILS, "wrong"),
        (0.13, 0.08, True, OPEN, "guess"),  # which happens to be right
        (0.40, 0.08, False, FAILS, "wrong"),  # a weak answer is wrong all the same
        (0.99, 0.80, True, OPEN, "anyway"),  # it says so whatever it was told
        (0.99, 0.80, False, FAILS, "wrong"),
    ],
)
def test_an_answer_is_weighed_against_a_model_without_memory(share, without, right, verdict, why):
    shares, base = {"a": share, "b": 0.0}, {"a": without, "b": 1 - without}
    found = verdicts.answered(shares, base, "a" if right else "b")
    assert (found.answer, found.share, found.without) == ("a", share, without)
    assert found.verdict is verdict and found.why == why and found.sure == (share > 0.5)


def probed(*right, n=100):
    rows = []
    for k, share in enumerate(right):
        low, high = wilson(round(share * n), n)
        rows.append(ProbeRow(100 * (k + 1), 1.0, "none", n, share, low, high, share, {}))
    return verdicts.recalled(rows, horizon(rows), 1 / 12)


@pytest.mark.parametrize(
    "right, story, lost",
    [
        ((1.0, 0.99, 1.0), "always", None),
        ((1.0, 0.99, 0.3), "until", 300),
        ((0.93, 0.92, 0.4), "fades", 300),  # above 90 %, but not surely
        ((0.93, 0.92, 0.8), "fades", None),
        ((0.30, 0.08, 0.08), "seldom", 100),
        ((0.13, 0.08, 0.08), "never", 100),  # as often as one guesses
    ],
)
def test_a_curve_is_told_by_its_own_story(right, story, lost):
    found = probed(*right)
    assert (found.story, found.lost, found.near, found.far) == (story, lost, right[0], right[-1])


@pytest.mark.parametrize("token, verdict", [(2, HOLDS), (3, HOLDS), (4, FAILS)])
def test_the_answer_hangs_on_the_fact(token, verdict):
    occlusion = np.full(10, 0.1)
    occlusion[token] = -2.0  # speaks against the answer, and decides all the same
    occlusion[8] = 9.0  # of the question
    found = verdicts.hangs_on_fact(occlusion, fact_end=3, question_start=8)
    assert (found.token, found.nats, found.chance) == (token, -2.0, 0.5)
    assert found.verdict is verdict


def test_where_most_of_a_text_is_the_fact_nothing_is_told_by_finding_it():
    occlusion = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert verdicts.hangs_on_fact(occlusion, 3, 6).verdict is OPEN
    # and an answer that no token moves hangs on nothing
    assert verdicts.hangs_on_fact(occlusion / 100, 3, 8).verdict is FAILS


def test_the_effect_is_with_the_units_that_keep():
    times, effects = np.full(100, 5.0), np.full(100, 0.1)
    times[:10], effects[:10] = 50.0, -5.0
    found = verdicts.kept_by_gates(times, effects, 50)
    assert (found.keeping, found.units, found.chance) == (10, 100, 0.1)
    assert found.share == pytest.approx(50 / 59) and found.verdict is HOLDS
    assert verdicts.kept_by_gates(times, effects, 51).verdict is FAILS  # none keeps so long
    effects[:10] = 0.0
    assert verdicts.kept_by_gates(times, effects, 50).verdict is FAILS


def test_the_share_of_nearly_all_units_is_nearly_everything():
    times = np.full(128, 500.0)
    times[:12] = 5.0
    effects = np.random.default_rng(1).exponential(size=128)  # by lot, whoever keeps
    found = verdicts.kept_by_gates(times, effects, 100)
    assert found.chance == 116 / 128 and found.share > 0.85
    assert found.verdict is OPEN
    assert verdicts.kept_by_gates(times, np.zeros(128), 5).verdict is FAILS  # nothing has an effect
    assert verdicts.kept_by_gates(np.full(8, 9.0), np.ones(8), 5).verdict is OPEN  # all keep


def test_the_deviation_is_that_of_units_drawn_by_lot():
    effects = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    drawn = [(a + b) / 20 for a, b in itertools.combinations(effects, 2)]
    found = verdicts.kept_by_gates(np.array([9.0, 9.0, 1, 1, 1]), effects, 5)
    assert found.deviation == pytest.approx(np.std(drawn)) and found.chance == np.mean(drawn)


def traced(gap, error):
    C, o = np.array([[0.5, -2.0]]), np.array([[0.25, 1.0]])
    values = {"o": o, "C": C, "h": o * np.tanh(C) + [[gap, 0.0]]}
    return Trace([values], np.zeros((1, 2)), (), error)


@pytest.mark.parametrize("gap, error, found", [(0, 0, HOLDS), (2e-5, 0, FAILS), (0, 2e-5, FAILS)])
def test_the_equations_are_all_the_layer_does(gap, error, found):
    verdict = verdicts.equations_hold([traced(0, 0), traced(gap, error)])
    assert verdict.verdict is found
    assert verdict.gap == pytest.approx(gap, abs=1e-12) and verdict.error == error


def test_a_cell_without_an_output_gate_has_no_gap():
    verdict = verdicts.equations_hold([Trace([{"h": np.zeros((1, 2))}], np.zeros((1, 2)), (), 0.0)])
    assert verdict.gap is None and verdict.verdict is HOLDS


def test_a_gradient_vanishes_or_survives():
    assert verdicts.share_left(np.array([0.5, 1.0, 2.0]), 0) == 0.25
    assert math.isnan(verdicts.share_left(np.zeros(3), 0))
    assert verdicts.Vanishes(9e-4, 1.0).verdict is HOLDS
    assert verdicts.Vanishes(0.0, 1.0).verdict is HOLDS  # less than float32 can say
    assert verdicts.Vanishes(1.1e-3, 1e-9).verdict is FAILS
    assert verdicts.Vanishes(math.nan, 1.0).verdict is OPEN
    assert verdicts.SurvivesAlongState(0.5, 0.3).verdict is HOLDS
    assert verdicts.SurvivesAlongState(0.5, 9e-4).verdict is FAILS  # it came back another way
    assert verdicts.SurvivesAlongState(math.nan, math.nan).verdict is OPEN


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
    "after, found", [({"a": 0.5, "b": 0.4}, HOLDS), ({"a": 0.4, "b": 0.5}, FAILS)]
)
def test_the_answer_stands_without_the_best_unit(after, found):
    verdict = verdicts.spread({"a": 0.9, "b": 0.1}, after, "a")
    assert verdict.verdict is found and verdict.before == 0.9 and verdict.after == after["a"]
    # of who never knew nothing can be told
    assert verdicts.spread({"a": 0.1, "b": 0.9}, after, "a").verdict is OPEN


@pytest.mark.parametrize(
    "figures, found",
    [
        ((20.0, 29.0, 2.2, 2.1), HOLDS),
        ((30.0, 20.0, 2.2, 2.1), FAILS),
        ((20.0, 29.0, 2.0, 2.1), FAILS),
        ((20.0, 29.0, 2.101, 2.1), OPEN),  # as weak, as far as one run tells
        ((28.9, 29.0, 2.2, 2.1), OPEN),  # as fast
        ((20.0, 29.0, 6.2, 6.0), OPEN),  # neither has learnt more than how often letters come
        ((20.0, 29.0, math.nan, 2.0), OPEN),  # nothing was held out
    ],
)
def test_the_sentence_on_a_race(figures, found):
    assert verdicts.FasterButWeaker(*figures, frequencies=5.5).verdict is found


def test_the_sentence_on_parameters():
    assert verdicts.FourTimes(40, 10).verdict is HOLDS
    assert verdicts.FourTimes(41, 10).verdict is FAILS


def test_an_untrained_model_is_drawn_anew_and_leaves_chance_alone():
    config = ModelConfig(hidden_size=4, embedding_size=3)
    trained = Generator(drawn(config, TOKENIZER.vocab_size), TOKENIZER, name="mine")
    random.seed(7)
    expected = random.random()
    random.seed(7)
    first, second = untrained(trained), untrained(trained)
    assert random.random() == expected
    assert first.name == "mine untrained (seed 1)" and type(first) is Generator
    for name, weight in first.network.weights.items():
        np.testing.assert_array_equal(weight, second.network.weights[name])
    other = untrained(trained, seed=2).network.embeddings
    assert not np.array_equal(first.network.embeddings, other)
