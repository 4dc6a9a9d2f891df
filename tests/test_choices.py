"""Answers weighed against each other: where they part, and none for being short."""

import numpy as np

from textgen.evaluation import choices

WORDS = [[1, 2, 9], [1, 3, 4, 4, 9], [5, 9]]  # two begin alike; the last parts at once


def test_a_choice_is_made_where_the_words_part():
    assert choices.decisive(WORDS) == [[1, 2], [1, 3], [5]]
    p = np.full((1, 3, 2), 1e-30)
    p[0, :2, 0], p[0, 2, 0] = 0.3, 0.1  # of the first token: 3 to 1
    p[0, 0, 1], p[0, 1, 1] = 0.02, 0.06  # of the second: 1 to 3
    (shares,) = choices.shared_out(np.log(p), choices.decisive(WORDS))
    np.testing.assert_allclose(shares, [0.75 * 0.25, 0.75 * 0.75, 0.25])


def test_no_word_is_likelier_for_being_short():
    words = [[k, *[20] * k] for k in range(8)]  # 1 to 8 tokens
    logprobs = np.full((1, 8, 8), np.log(1 / 30))
    np.testing.assert_allclose(choices.shared_out(logprobs, words), 1 / 8)


def test_a_word_that_another_goes_on_from_has_what_is_left():
    words = choices.decisive([[1], [1, 2]])
    logprobs = np.log([[[0.4, 1.0], [0.4, 0.25]]])
    np.testing.assert_allclose(choices.shared_out(logprobs, words), [[0.75, 0.25]])


def test_words_alike_share():
    assert choices.decisive([[1, 2], [1, 2]]) == [[1], [1]]
    np.testing.assert_allclose(choices.shared_out(np.zeros((1, 2, 1)), [[1], [1]]), [[0.5, 0.5]])
