"""States swapped and read off over many documents, units silenced, and where they fire together."""

import dataclasses

import numpy as np
import pytest

import tiny
from textgen import shipped
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.data import recall_documents
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError
from textgen.evaluation.recall_probe import Scorer
from textgen.generation.generator import Generator
from textgen.interpret import (
    Match,
    Override,
    SilencedNetwork,
    exchange,
    firing,
    flips,
    linear_probe,
    matches,
    outputs,
    pairs,
    patterns,
    readable,
    stored,
    trace,
    transplant,
)
from textgen.interpret.storage import Readable
from textgen.interpret.verdicts import Verdict
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import only

SPEAKER = read_task(shipped.TASKS / "speaker-en.toml")
# twelve facts are enough, and read in less time
TASK = dataclasses.replace(
    SPEAKER, pairs={k: dict(list(group.items())[:6]) for k, group in SPEAKER.pairs.items()}
)
RANDOM = np.random.default_rng(0)


def drawn(cell, num_layers=2):
    """A scorer of a model whose every weight is drawn at random."""
    letters = "".join(sorted({c for d in documents(24) for c in d.text}))
    tokenizer = CharTokenizer.train(letters)
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=5, num_layers=num_layers)
    network = tiny.drawn(config, tokenizer.vocab_size, scale=0.5)
    return Scorer(Generator(network, tokenizer, name="drawn"), TASK)


def documents(number, distance=40):
    return recall_documents.documents(TASK, distance, number)


def ids_of(scorer, document):
    return [scorer.tokenizer.start_id, *scorer.encode(document.before)]


# --- pairs of documents, and their states swapped -------------------------------------------------


def test_a_pair_differs_in_the_fact_and_its_answer_alone():
    number = len(TASK.facts) * 3
    found = pairs(TASK, 60, number)
    assert len(found) == number
    for receiver, donor in found:
        assert receiver.answer != donor.answer
        assert receiver.before[receiver.fact_end :] == donor.before[donor.fact_end :]
        # a Korean, an Egyptian
        a, b = (d.before.replace(d.word, "").replace(" an ", " a ") for d in (receiver, donor))
        assert a == b
    assert len({(a.fact, b.fact) for a, b in found}) == number


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_an_exchange_is_a_transplant_of_each_pair(cell):
    scorer = drawn(cell)
    model, names = scorer.generator.network, scorer.generator.network.cell.state_names
    for parts in (names, names[-1:], ()):
        found = exchange(scorer, pairs(TASK, 40, 3), 7, parts)
        for row, (receiver, donor) in zip(found, pairs(TASK, 40, 3), strict=True):
            a, b = ids_of(scorer, receiver), ids_of(scorer, donor)
            state = transplant(model, a, b, len(a) - 7, parts)
            (expected,) = scorer.shares_of(state, [receiver.ending])
            np.testing.assert_allclose(row, expected, atol=1e-5)
    everything = exchange(scorer, pairs(TASK, 40, 3), 0, names)
    donors = scorer.shares([donor for _, donor in pairs(TASK, 40, 3)])
    np.testing.assert_allclose(everything, donors, atol=1e-5)


@pytest.mark.parametrize("left, parts, what", [(10_000, ("h",), "left is"), (3, ("C",), "parts")])
def test_what_cannot_be_handed_over_is_told(left, parts, what):
    with pytest.raises(ConfigError, match=what):
        exchange(drawn("gru"), pairs(TASK, 40, 2), left, parts)


def test_flips_counts_whose_answer_came_out():
    scorer = drawn("lstm")
    whole, nothing = (flips(scorer, 40, 7, parts, number=24) for parts in (("h", "C"), ()))
    assert whole.n == nothing.n == 24
    expected = exchange(scorer, pairs(TASK, 40, 24), 7, ("h", "C")).argmax(1)
    answers = TASK.answers
    given = [
        answers[k] == b.answer for k, (_, b) in zip(expected, pairs(TASK, 40, 24), strict=True)
    ]
    assert whole.share == np.mean(given) and whole.low <= whole.share <= whole.high
    kept = [d.answer for d, _ in pairs(TASK, 40, 24)]
    alone = scorer.shares([d for d, _ in pairs(TASK, 40, 24)]).argmax(1)
    assert nothing.unmoved == np.mean([answers[k] == a for k, a in zip(alone, kept, strict=True)])
    assert whole.verdict is Verdict.FAILS  # a model that never learnt the task


# --- what can be read off -------------------------------------------------------------------------


def test_readable_looks_at_every_part_from_the_blank_back_to_the_beginning():
    scorer = drawn("lstm", 1)
    course = readable(scorer, 40, fillers=5)
    assert list(course.accuracy) == ["h", "C"] and course.n == 5 * len(TASK.facts)
    for shares in course.accuracy.values():
        assert min(shares) == 0 and len(shares) <= 17
        longest = max(len(ids_of(scorer, d)) for d in documents(course.n))
        assert max(shares) >= longest  # where nothing has been read yet
    shares = course.accuracy["C"]
    assert course.least("C", max(shares)) == min(shares.values())
    assert course.least("C", 0) == shares[0]


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (0.9, Verdict.HOLDS),
        (0.52, Verdict.OPEN),  # the interval reaches down to less than half
        (0.3, Verdict.OPEN),
        (0.03, Verdict.FAILS),  # it reaches chance
        (0.0, Verdict.FAILS),
    ],
)
def test_what_is_readable_is_judged_against_half_and_against_chance(right, verdict):
    course = Readable({"C": {0: 1.0, 4: right, 8: 0.0}}, 400)
    assert course.verdict("C", 4, 0.02) is verdict


@pytest.mark.slow
def test_what_is_stored_is_what_a_probe_reads_off_each_state():
    scorer, facts = drawn("lstm"), len(TASK.facts)
    texts, groups = documents(facts * 5), np.arange(facts * 5) // facts
    lefts = [0, 12, 500]  # the last before every document
    found = stored(scorer, texts, lefts, "C", groups)
    rows = [ids_of(scorer, text) for text in texts]
    labels = [text.answer for text in texts]
    for left, accuracy in zip(lefts[:2], found, strict=False):
        model = scorer.generator.network
        states = [trace(model, row[: len(row) - left]).state[-1][1][0] for row in rows]
        assert accuracy == pytest.approx(linear_probe(np.array(states), labels, groups=groups))
    assert found[2] <= 2 / facts  # nothing was read yet
    with pytest.raises(ConfigError, match="part is 'x'"):
        stored(scorer, texts, lefts, "x", groups)


@pytest.mark.parametrize("cell", CELLS)
def test_silenced_units_stay_at_zero_and_change_what_follows(cell):
    model = drawn(cell).generator.network
    ids = [1, 4, 2, 7, 3]
    end, before = silenced(model, ids, [2, 5]), trace(model, ids).state
    for part, old in zip(end[0], before[0], strict=True):
        assert (part[0, [2, 5]] == 0).all() and (old[0, [2, 5]] != 0).all()
    assert not np.allclose(end[1][0], before[1][0], atol=1e-4)
    np.testing.assert_allclose(silenced(model, ids, [])[1][0], before[1][0], atol=1e-6)
    names = model.cell.state_names
    replaced = [Override(0, name, None, unit, 0.0) for name in names for unit in (2, 5)]
    for layer, expected in zip(end, trace(model, ids, replaced).state, strict=True):
        np.testing.assert_allclose(layer, expected, atol=1e-6)


def silenced(model, ids, units):
    """The state after ids, these units of the first layer silent."""
    network = SilencedNetwork(model, 0, units)
    return network.read(np.array(ids)[:, None], network.initial_state(1))[1]


# --- where units fire together --------------------------------------------------------------------


@pytest.mark.parametrize("length", [5, 31, 64])
def test_a_long_text_is_read_in_rows_that_overlap(monkeypatch, length):
    monkeypatch.setattr(patterns, "LANE", 16)
    monkeypatch.setattr(patterns, "WARM", 200)
    model = drawn("gru").generator.network
    ids = RANDOM.integers(0, model.vocab_size, length).tolist()
    found = outputs(model, ids, 1)
    assert found.shape == (length, 8) and found.dtype == np.float16
    # what was read long ago no longer matters to these small weights
    whole = trace(model, [ids[0]] * 200 + ids).layers[1]["h"][200:]
    np.testing.assert_allclose(found[:16], whole[:16], atol=2e-3)


def test_units_fire_with_one_sign_at_every_token():
    h = np.array([[0.9, -0.9, 0.9, 0.1], [0.4, -0.3, -0.9, 0.9]])
    assert firing(h, 0.3).tolist() == [0, 1]
    assert firing(h, 0.4).tolist() == [0]


def test_stretches_where_the_same_units_fire():
    text = np.zeros((100, 4))
    text[:, 0] = 1.0  # fires everywhere: counts nothing
    text[20:23, 1] = -1.0
    text[20:25, 2] = 1.0
    text[60:63, 1] = -1.0  # half of the pattern
    text[80:83, 1] = 1.0  # the other sign
    span = np.array([[1.0, -1.0, 1.0, 0.0]] * 3)
    units, found = matches(span, text, 0.5)
    assert units.tolist() == [0, 1, 2]
    assert [match.start for match in found] == [20, 60]
    assert found[0].share == 1.0
    rare, common = -np.log2(6 / 100), -np.log2(5 / 100)
    assert found[1] == Match(60, pytest.approx(rare / (rare + common)))
    assert matches(span[:, [0]], text[:, [0]], 0.5)[1] == []


def test_a_span_longer_than_the_text_is_told():
    with pytest.raises(ConfigError, match="the span has 3 tokens"):
        matches(np.zeros((3, 2)), np.zeros((2, 2)), 0.5)
