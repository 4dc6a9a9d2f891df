import numpy as np
import pytest

from textgen.cells import CELLS
from textgen.errors import ConfigError
from textgen.evaluation import neural_cache
from textgen.evaluation.dynamic_evaluation import dynamic_nats
from textgen.evaluation.evaluate import carried_nats
from textgen.evaluation.neural_cache import cache_nats
from tiny import TEXT, only

NEW = "우산을 걷는다 rain 한국어를 the 온다. " * 30  # words it knows, in an order it does not


@pytest.fixture(scope="module")
def model(loaded):
    return loaded()


def test_the_cache_is_the_weighted_share_of_what_followed():
    random = np.random.default_rng(1)
    hidden = random.normal(size=(9, 4)).astype(np.float32)
    follows = random.integers(0, 3, 9)
    before, size = 5, 6  # the last four rows are read now, and see at most six back
    at_hand = (hidden[before:], hidden, follows, follows[before:], before, size)
    found, spread = neural_cache._cache(*at_hand, spread=0.0)
    seen = [range(max(0, t - size), t) for t in range(before, 9)]
    products = [
        [hidden[t] @ hidden[i] for i in rows] for t, rows in zip(range(5, 9), seen, strict=True)
    ]
    assert spread == pytest.approx(np.std(np.concatenate(products)), rel=1e-4)
    for sharp, p in found.items():
        for k, rows in enumerate(seen):
            weights = np.exp(sharp * np.array(products[k]) / spread)
            same = [follows[i] == follows[before + k] for i in rows]
            assert p[k] == pytest.approx((weights * same).sum() / weights.sum(), rel=1e-4)


def test_the_cache_pays_where_a_text_repeats_itself_and_nothing_is_lost(model):
    ids = model.tokenizer.encode(NEW)
    own, cached = carried_nats(model, ids), cache_nats(model, ids, 200)
    assert len(cached) == len(ids)
    assert cached[256:].mean() < 0.95 * own[256:].mean()
    # float32, summed in another order
    np.testing.assert_allclose(
        cached[: neural_cache.WEIGHED], own[: neural_cache.WEIGHED], rtol=1e-6
    )
    with pytest.raises(ConfigError, match="cache is 0"):
        cache_nats(model, ids, 0)


@pytest.mark.parametrize("nats", [cache_nats, pytest.param(dynamic_nats, marks=pytest.mark.slow)])
def test_no_token_sees_what_comes_after_it(model, nats):
    ids, known = model.tokenizer.encode(NEW), model.tokenizer.encode(TEXT)
    other = [*ids[:300], *known[:100]]
    found = [nats(model, text, 100 if nats is cache_nats else known) for text in (ids, other)]
    np.testing.assert_allclose(found[0][:300], found[1][:300], atol=1e-4)


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_dynamic_evaluation_learns_the_text_and_leaves_the_model_as_it_was(loaded, cell):
    model = loaded("char", cell)
    ids, known = model.tokenizer.encode(NEW), model.tokenizer.encode(TEXT)
    own = carried_nats(model, ids)
    learned = dynamic_nats(model, ids, known, rate=1e-2)
    half = len(ids) // 2  # by then it has had time to learn
    assert len(learned) == len(ids) and learned[half:].mean() < 0.9 * own[half:].mean()
    np.testing.assert_array_equal(carried_nats(model, ids), own)


@pytest.mark.slow
def test_without_a_rate_nothing_is_learned(model):
    ids, known = model.tokenizer.encode(NEW), model.tokenizer.encode(TEXT)
    np.testing.assert_allclose(
        dynamic_nats(model, ids, known, rate=0.0), carried_nats(model, ids), atol=1e-4
    )


def test_dynamic_evaluation_needs_some_training_text(model):
    with pytest.raises(ConfigError, match="has 5 tokens"):
        dynamic_nats(model, [1, 2, 3], [1, 2, 3, 4, 5])
