import math

import numpy as np
import pytest

from textgen.errors import ConfigError
from textgen.interpret import linear_probe, saturation, time_scale


def test_saturation_counts_tokens_beyond_a_tenth_and_nine_tenths():
    gate = np.array([[0.05, 0.5], [0.09, 0.95], [0.1, 0.91], [0.99, 0.9]])
    left, right = saturation(gate)
    np.testing.assert_array_equal(left, [0.5, 0.0])
    np.testing.assert_array_equal(right, [0.25, 0.5])


def test_a_time_scale_is_when_all_but_1_over_e_is_lost():
    keep = np.array([[math.exp(-1 / 20), 1.0, 0.5, 0.0], [math.exp(-1 / 20), 0.8, 0.5, 0.0]])
    np.testing.assert_allclose(time_scale(keep)[:3], [20, -1 / math.log(0.9), 1 / math.log(2)])
    assert time_scale(keep)[3] == 0
    assert time_scale(np.ones((2, 1)))[0] == math.inf


RANDOM = np.random.default_rng(1)


def test_a_probe_reads_a_label_that_is_there():
    labels = np.arange(120) % 4
    states = RANDOM.normal(size=(120, 10))
    states[:, :4] += 8 * np.eye(4)[labels]
    assert linear_probe(states, labels) == 1.0
    assert linear_probe(states, np.array(list("abcd"))[labels]) == 1.0


def test_a_probe_stays_at_chance_where_no_label_is():
    labels = np.arange(800) % 4
    states = RANDOM.normal(size=(800, 10))
    states[:, 0] = 7.0  # a unit that never moves
    # three standard deviations of a share of 800
    assert linear_probe(states, labels) == pytest.approx(0.25, abs=0.046)


def test_states_alike_but_for_the_label_are_held_out_together():
    # fillers read with every fact, by a model that has forgotten the fact
    fillers, facts = 60, 8
    states = np.repeat(RANDOM.normal(size=(fillers, 30)), facts, 0)
    states += 1e-3 * RANDOM.normal(size=states.shape)
    labels, groups = np.arange(fillers * facts) % facts, np.arange(fillers * facts) // facts
    assert linear_probe(states, labels) < 0.06  # it knows what the label is not
    assert linear_probe(states, labels, groups=groups) == pytest.approx(1 / facts, abs=0.046)


@pytest.mark.parametrize(
    "states, labels, folds, groups",
    [
        (np.zeros((10, 2)), [0] * 10, 5, None),
        (np.zeros((10, 2)), [0] * 8 + [1] * 2, 5, None),
        (np.zeros((10, 2)), [0, 1] * 5, 1, None),
        (np.zeros((10, 2)), [0, 1] * 5, 5, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
        (np.zeros((9, 2)), [0, 1] * 5, 5, None),
        (np.zeros((10, 2)), [0, 1] * 5, 5, [0, 1]),
        (np.zeros((0, 2)), [], 5, None),
    ],
)
def test_what_cannot_be_probed_is_told(states, labels, folds, groups):
    with pytest.raises(ConfigError, match="give"):
        linear_probe(states, labels, folds, groups)
