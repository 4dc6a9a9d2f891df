import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.errors import ConfigError, CorpusError
from textgen.evaluation.ngram import NGram
from tiny import TEXT

LETTERS = "ab나 \n"


def by_hand(train, text, order):
    """-ln p by the recursion as it is written, with dictionaries."""
    size = len(set(train)) + 1
    after = [defaultdict(Counter) for _ in range(order)]
    for n in range(order):
        for i in range(n, len(train) + (n > 0)):
            after[n][train[i - n : i]][train[i : i + 1]] += 1  # "" is the end of the text

    def p(n, history, x):
        if n < 0:
            return 1 / size
        lower = p(n - 1, history, x)
        found = after[n].get(history[len(history) - n :]) if n <= len(history) else None
        if not found:
            return lower
        return (found[x] + (len(found) + found[""]) * lower) / (found.total() + len(found))

    return [
        [-math.log(p(n, text[max(0, i - n) : i], x)) for i, x in enumerate(text)]
        for n in range(order)
    ]


@given(
    train=st.text(LETTERS, min_size=1, max_size=40),
    text=st.text(LETTERS + "?", max_size=12),
    order=st.integers(1, 4),
)
def test_every_order_is_the_recursion(train, text, order):
    found = NGram(train, order).nats(text)
    assert found.shape == (order, len(text))
    np.testing.assert_allclose(found, np.reshape(by_hand(train, text, order), found.shape))


@given(train=st.text(LETTERS, min_size=1, max_size=40), history=st.text(LETTERS + "?", max_size=5))
def test_the_probabilities_of_what_may_follow_sum_to_one(train, history):
    model = NGram(train, 3)
    total = sum(np.exp(-model.nats(history + x)[:, -1]) for x in [*set(train), "\U0010ffff"])
    np.testing.assert_allclose(total, 1)


def test_a_longer_history_helps_on_text_like_the_trained():
    bits = NGram(TEXT[:2000], 5).nats(TEXT[2000:]).mean(1)
    assert (np.diff(bits) < 0).all() and bits[-1] < 0.2


def test_what_cannot_be_counted():
    assert NGram("abc", 2).unknown("abxy") == 2
    with pytest.raises(CorpusError, match="empty"):
        NGram("")
    with pytest.raises(ConfigError, match="order is 0"):
        NGram("abc", 0)
