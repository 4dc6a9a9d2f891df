"""Transforms on four tokens, with answers known by hand; and what must hold for any logits."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.backend import ops, tf
from textgen.generation.sampling import (
    LONGEST_NGRAM,
    NEVER,
    POSSIBLE,
    TRANSFORMS,
    MinP,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
    TypicalP,
    draw,
)
from textgen.options import options_of

P = [0.5, 0.25, 0.15, 0.1]
NINE = [0, 1, 2, 3, 3, 2, 1, 0, 1]
NO_HISTORY = np.full((1, 4), -1, np.int32)


def apply(transform, probabilities=P, history=NO_HISTORY):
    logits = np.log(np.array([probabilities], np.float32))
    return transform(logits, np.asarray(history))[0]


def kept(transform, **kwargs):
    return (apply(transform, **kwargs) > NEVER / 2).tolist()


def test_no_repeat_ngram_forbids_nothing_rather_than_everything():
    every = np.array([[3, 1, 0, 2]], np.int32)
    np.testing.assert_array_equal(
        apply(NoRepeatNgram(1), history=every), np.log(np.array(P, np.float32))
    )
    # so it is where what is left over is never sampled
    logits = np.array([[NEVER, 1.0, 2.0, 3.0]], np.float32)
    found = NoRepeatNgram(1)(logits, np.array([[1, 2, 3, 1]], np.int32))
    np.testing.assert_array_equal(np.asarray(found), logits)


def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


def test_temperature_one_half_squares_the_probabilities():
    squared = np.square(P)
    np.testing.assert_allclose(softmax(apply(Temperature(0.5))), squared / squared.sum(), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0, 0.0, 1e-320, 1e-39, 1e-31])
def test_temperature_zero_leaves_the_likeliest(temperature):
    assert kept(Temperature(temperature)) == [True, False, False, False]
    assert kept(Temperature(temperature), probabilities=[0.2, 0.4, 0.4]) == [False, True, False]


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
    logits = np.array([[0.5, -2.0, 2.0, -2.0]], np.float32)
    found = RepetitionPenalty(2.0)(logits, np.array([[-1, 0, 1, 1]], np.int32))
    assert np.asarray(found)[0].tolist() == [0.25, -4.0, 2.0, -2.0]


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
    found = np.asarray(transform(raw, NO_HISTORY))[0]
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
    found = np.asarray(transform(logits, history))
    alone = [np.asarray(transform(logits[i, None], history[i, None])) for i in range(2)]
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


# --- at every allowed value -----------------------------------------------------------------------

TOKENS, TEXTS, PLACES = 6, 3, 9
SMALLEST = (5e-324, 1e-320, 1e-45, 1e-39, 1e-38, 1e-30)  # of what float64, float32 or XLA can tell


def values(transform, off):
    """Every value that a transform allows; its default too where `off`."""
    ((_, (rule, default, kind)),) = options_of(transform).items()
    if kind is int:
        found = st.integers(rule.low, rule.high)
    else:
        ends = [rule.high, *SMALLEST, *([] if rule.low_open else [rule.low])]
        ends = [end for end in ends if end >= rule.low]
        found = st.floats(rule.low, rule.high, exclude_min=rule.low_open) | st.sampled_from(ends)
    return found if off else found.filter(lambda value: value != default)


LOGITS = st.floats(-30, 30, width=32) | st.sampled_from([0.0, -1e4, 1e4, -1e15, 1e15, 1e-45])


def arrays(strategy, shape, kind):
    size = int(np.prod(shape))
    return st.lists(strategy, min_size=size, max_size=size).map(
        lambda flat: np.array(flat, kind).reshape(shape)
    )


SITUATIONS = st.tuples(
    arrays(LOGITS, (TEXTS, TOKENS), np.float32),
    arrays(st.integers(-1, TOKENS - 1), (TEXTS, PLACES), np.int32),
    arrays(st.booleans(), TOKENS, bool).filter(np.any),
    arrays(st.floats(0, 1 - 2**-20, width=32), TEXTS, np.float32),
)


def drawn(kinds, given, logits, history, allowed, uniform):
    """(logits after the transforms, ids), as the compiled loop comes to them."""
    logits = ops.where(allowed, logits, NEVER)
    for kind, value in zip(kinds, given, strict=True):
        logits = kind(value)(logits, history)
    return logits, draw(logits, allowed, uniform)


@functools.cache
def compiled(kinds):
    return tf.function(functools.partial(drawn, kinds), jit_compile=True)


def holds(program, given, situation):
    """No number is missing, something allowed is left, and what is drawn is allowed."""
    logits, ids = map(ops.convert_to_numpy, program(given, *situation))
    allowed = situation[2]
    assert not np.isnan(logits).any()
    assert (logits[:, allowed] > POSSIBLE).any(-1).all()
    assert allowed[ids].all()


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(tuple(TRANSFORMS), id="all"),
        *(pytest.param((k,), id=k.__name__, marks=pytest.mark.slow) for k in TRANSFORMS),
    ],
)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_value_draws_what_is_banned_in_the_compiled_loop(kinds, data):
    given = data.draw(st.tuples(*(values(kind, off=False) for kind in kinds)))
    given = [np.asarray(v, np.int32 if isinstance(v, int) else np.float32) for v in given]
    holds(compiled(kinds), given, data.draw(SITUATIONS))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_combination_draws_what_is_banned(data):
    every = [t(data.draw(values(t, off=True))) for t in TRANSFORMS]
    changed = [t for t in every if t != type(t)()]
    given = [next(iter(vars(t).values())) for t in changed]
    holds(functools.partial(drawn, list(map(type, changed))), given, data.draw(SITUATIONS))


def test_a_running_sum_that_is_rounded_steps_on_no_impossible_token():
    logits = np.array([[0.0, NEVER, 0.0, NEVER]], np.float32)
    allowed = np.array([False, True, True, True])
    for uniform in (0.0, 0.3, 0.9999999):
        ids = draw(logits, allowed, np.array([uniform], np.float32))
        assert ops.convert_to_numpy(ids).tolist() == [2]
