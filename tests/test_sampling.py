"""Transforms on four tokens, with answers known by hand; and what must hold for any logits."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.backend import ops
from textgen.generation.sampling import (
    LONGEST_NGRAM,
    NEVER,
    TRANSFORMS,
    MinP,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    TypicalP,
)
from textgen.options import options_of

P = [0.5, 0.25, 0.15, 0.1]
NINE = [0, 1, 2, 3, 3, 2, 1, 0, 1]
NO_HISTORY = np.full((1, 4), -1, np.int32)


def apply(transform, probabilities=P, history=NO_HISTORY):
    logits = np.log(np.array([probabilities], np.float32))
    return ops.convert_to_numpy(transform(ops.convert_to_tensor(logits), np.asarray(history)))[0]


def kept(transform, **kwargs):
    return (apply(transform, **kwargs) > NEVER / 2).tolist()


def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


def test_temperature_one_half_squares_the_probabilities():
    squared = np.square(P)
    np.testing.assert_allclose(softmax(apply(Temperature(0.5))), squared / squared.sum(), rtol=1e-5)


@pytest.mark.parametrize("k, n", [(1, 1), (2, 2), (4, 4), (9, 4)])
def test_top_k_keeps_k(k, n):
    assert kept(TopK(k)) == [i < n for i in range(4)]


@pytest.mark.parametrize("p, n", [(0.4, 1), (0.6, 2), (0.8, 3), (0.95, 4), (1.0, 4)])
def test_top_p_keeps_the_smallest_set_that_reaches_p(p, n):
    assert kept(TopP(p)) == [i < n for i in range(4)]


@pytest.mark.parametrize("p, n", [(0.6, 1), (0.4, 2), (0.25, 3), (0.0, 4)])
def test_min_p_is_relative_to_the_likeliest(p, n):
    assert kept(MinP(p)) == [i < n for i in range(4)]


def test_tokens_as_likely_as_the_last_one_kept_stay():
    assert kept(MinP(1.0), probabilities=[0.4, 0.4, 0.2]) == [True, True, False]
    assert kept(TopK(1), probabilities=[0.4, 0.4, 0.2]) == [True, True, False]
    assert kept(TopP(0.3), probabilities=[0.4, 0.4, 0.2]) == [True, True, False]


def test_typical_p_may_drop_the_likeliest():
    # entropy of [.6 .2 .2]: 0.950 nats; surprises 0.51, 1.61, 1.61; distances .44, .66, .66
    assert kept(TypicalP(0.5), probabilities=[0.6, 0.2, 0.2]) == [True, False, False]
    # entropy of [.4 .3 .2 .1]: 1.280; surprises .916 1.204 1.609 2.303; .3 is the most typical
    assert kept(TypicalP(0.2), probabilities=[0.4, 0.3, 0.2, 0.1]) == [False, True, False, False]


def test_repetition_penalty_divides_positive_and_multiplies_negative_logits():
    logits = ops.convert_to_tensor(np.array([[0.5, -2.0, 2.0, -2.0]], np.float32))
    found = RepetitionPenalty(2.0)(logits, np.array([[-1, 0, 1, 1]], np.int32))
    assert ops.convert_to_numpy(found)[0].tolist() == [0.25, -4.0, 2.0, -2.0]


@pytest.mark.parametrize(
    "n, history, forbidden",
    [
        (1, [-1, -1, 2, 3], {2, 3}),  # no token twice
        (2, [-1, 1, 2, 1], {2}),  # "1 2" stands already, and the newest is 1
        (3, [0, 1, 2, 0, 1], {2}),
        (3, [3, 1, 2, 0, 1], set()),  # "0 1" was not followed by anything yet
        (2, [-1, -1, -1, 1], set()),
        (2, [-1, 1, 0, 1], {0}),  # the first id of the vocabulary is one like any other
        (2, [-1, 0, 2, 0], {2}),
        (LONGEST_NGRAM, [*NINE, 2, *NINE], {2}),
        (LONGEST_NGRAM, [2, *NINE[1:], 2, *NINE], set()),
    ],
)
def test_no_repeat_ngram(n, history, forbidden):
    found = kept(NoRepeatNgram(n), history=np.array([history], np.int32))
    assert {i for i in range(4) if not found[i]} == forbidden


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=30),
    st.sampled_from([TopK(3), TopP(0.7), MinP(0.2), TypicalP(0.7), Temperature(0.7)]),
)
@settings(deadline=None, max_examples=60)
def test_something_always_stays_and_order_is_kept(logits, transform):
    raw = np.array([logits], np.float32)
    found = ops.convert_to_numpy(transform(ops.convert_to_tensor(raw), NO_HISTORY))[0]
    alive = found > NEVER / 2
    assert alive.any()
    if not isinstance(transform, TypicalP):
        assert alive[raw[0].argmax()]
    order = np.argsort(raw[0][alive], kind="stable")
    assert (np.diff(found[alive][order]) >= 0).all()


@pytest.mark.parametrize(
    "transform",
    [
        RepetitionPenalty(1.5),
        NoRepeatNgram(2),
        Temperature(0.7),
        TopK(2),
        TopP(0.6),
        MinP(0.4),
        TypicalP(0.6),
    ],
)
def test_the_rows_of_a_batch_do_not_meet(transform):
    logits = np.log(np.array([P, [0.05, 0.05, 0.1, 0.8]], np.float32))
    history = np.array([[0, 1, 3, 1], [2, -1, 2, 2]], np.int32)
    found = ops.convert_to_numpy(transform(ops.convert_to_tensor(logits), history))
    alone = [
        ops.convert_to_numpy(transform(ops.convert_to_tensor(logits[i, None]), history[i, None]))
        for i in range(2)
    ]
    np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-6)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_each_is_a_value(transform):
    made = transform()
    assert made == transform() and hash(made) == hash(transform())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(made)[0].name, 0.5)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_each_declares_one_option_with_range_and_help(transform):
    ((name, (rule, default, kind)),) = options_of(transform).items()
    assert rule.help and rule.low is not None and rule.high is not None
    assert kind in (int, float) and getattr(transform(), name) == default
