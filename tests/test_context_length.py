"""The loss against the length of the context, of ordinary text."""

import math

import numpy as np
import pytest

import textgen
from textgen.array_ops import log_softmax
from textgen.errors import ConfigError
from textgen.evaluation.context_length import ContextRow, context_curve, looks_back
from textgen.model import trainable
from tiny import TEXT


def test_loss_against_context_is_that_of_the_cut_text(runs):
    model = textgen.load(runs())
    rows = context_curve(model, TEXT, contexts=(1, 5, 40), n=30, seed=3)
    assert [r.context for r in rows] == [1, 5, 40]
    ids = model.tokenizer.encode(TEXT)
    keras_model = trainable(model.network)
    places = np.random.default_rng(3).choice(np.arange(40, len(ids)), 30, replace=False)
    for one in rows:
        logits, _ = keras_model(np.array([ids[t - one.context : t] for t in places]))
        logprobs = log_softmax(np.asarray(logits)[:, -1])
        bits = [-logprobs[k, ids[t]] / np.log(2) for k, t in enumerate(places)]
        assert one.bits == pytest.approx(np.mean(bits), abs=1e-3)
        assert one.low < one.bits < one.high
    assert rows[-1].lost == rows[-1].lost_error == 0.0
    assert rows[0].lost > 0.5  # one letter says less than forty


def test_how_far_a_model_looks():
    def one(context, lost, error):
        return ContextRow(context, 2.0, 1.9, 2.1, lost, error)

    rows = [one(1, 1.0, 0.1), one(5, 0.2, 0.1), one(10, 0.02, 0.1), one(50, 0.0, 0.0)]
    assert looks_back(rows) == 10
    assert looks_back(rows[2:]) == 10


def test_a_text_too_short_for_any_context(runs):
    model = textgen.load(runs())
    for text, contexts in (("나는", (5, 10)), ("나는", (1,)), ("나", (1,)), ("", (1,)), (TEXT, ())):
        with pytest.raises(ConfigError, match="at least 3 tokens and of twice the shortest"):
            context_curve(model, text, contexts)


def test_a_text_of_three_tokens_is_enough(runs):
    (row,) = context_curve(textgen.load(runs()), "나는 ", contexts=(1, 2))
    assert row.context == 1 and math.isfinite(row.low) and math.isfinite(row.high)
