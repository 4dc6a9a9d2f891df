"""From minutes to settings. The speed is given here, so that no test is timed."""

import dataclasses
import logging

import numpy as np
import pytest

from textgen.config import ModelConfig, TrainConfig
from textgen.training import plan as rule
from textgen.training import speed
from textgen.training.cost import weights_per_token
from textgen.training.optimizers import FASTER
from textgen.training.plan import plan
from textgen.tuning.trials import NOT_BUDGETED

PRODUCTS = 2e10  # a second: what the machine of these tests multiplies


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Speed falls as the products of a token grow, as on a machine of one speed."""
    monkeypatch.setattr(
        speed, "speed", lambda model, vocab, _: PRODUCTS / weights_per_token(model, vocab)
    )


def planned(tokens, seconds, model=None, training=None, fixed=()):
    settings = model or ModelConfig(), training or TrainConfig()
    return plan(tokens, 65, seconds, *settings, fixed)


def steps_of(model, training):
    """That the time allows, in batches of 32 x 64."""
    return training.max_seconds * PRODUCTS / weights_per_token(model, 65) / (32 * 64)


def test_more_time_is_a_larger_model():
    models = [planned(1_000_000, s)[0] for s in (30, 180, 600, 3600)]
    sizes = [model.hidden_size for model in models]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


@pytest.mark.parametrize("seconds", [60, 600])
def test_the_passes_fit_into_the_time_and_are_enough(seconds):
    model, training = planned(1_000_000, seconds)
    a_pass = 1_000_000 * weights_per_token(model, 65) / PRODUCTS
    assert 0.9 * seconds < a_pass * training.epochs <= seconds + a_pass  # time cuts the last short
    assert 0.9 * seconds < training.max_seconds <= seconds
    assert training.epochs >= (rule.MANY if model.cell == rule.MANY_PASSES else rule.FEW)


@pytest.mark.parametrize("tokens", [200_000, 500_000])
def test_a_model_has_no_more_weights_than_its_text_can_teach(tokens):
    (small, often), (large, _) = (planned(tokens, s) for s in (36_000, 36_000_000))
    assert small == large and small.hidden_size < max(rule.SIZES)
    assert weights_per_token(small, 65) <= rule.WEIGHTS_PER_TOKEN * tokens
    assert often.epochs == rule.MAX_PASSES


def test_a_text_that_is_read_more_often_gets_more_dropout():
    model = ModelConfig(hidden_size=384, cell="gru")
    shares = [
        planned(1_000_000, 600, model, TrainConfig(epochs=n))[0].dropout for n in (5, 15, 30, 60)
    ]
    assert shares[0] == 0.0  # less than `LEAST_DROPOUT` is none
    assert shares[1] >= rule.LEAST_DROPOUT > shares[1] - rule.DROPOUT_OF_DOUBLING
    assert np.diff(shares[1:]) == pytest.approx([rule.DROPOUT_OF_DOUBLING] * 2, abs=0.011)


def test_a_large_model_on_a_short_text_gets_more_dropout():
    large = ModelConfig(hidden_size=1024)
    shares = [planned(n, 600, large)[0].dropout for n in (50_000, 1_000_000, 50_000_000)]
    assert shares == sorted(shares, reverse=True) and shares[0] == 0.5 and shares[-1] == 0.0


@pytest.mark.parametrize("tokens, seconds", [(1_000_000, 180), (1_000_000, 1800), (4_000_000, 600)])
def test_the_weights_decay_by_the_same_factor_however_long_adamw_trains(tokens, seconds):
    model, training = planned(tokens, seconds, fixed=("optimizer",))
    shrunk = (1 - training.learning_rate / 2 * training.weight_decay) ** steps_of(model, training)
    assert np.exp(-1.15 * rule.DECAYED) < shrunk < np.exp(-0.9 * rule.DECAYED)


def test_few_passes_are_for_a_gru_and_many_of_a_short_text_for_an_lstm():
    model, _ = planned(1_000_000, 60)
    assert model.dropout == 0.0 and model.cell == "gru"
    model, _ = planned(100_000, 600)
    assert model.dropout and model.cell == "lstm"
    assert planned(100_000, 600, fixed=("dropout",))[0].cell == "gru"
    assert planned(100_000, 600, ModelConfig(cell="gru"), fixed=("cell",))[0].cell == "gru"
    assert planned(1_000_000, 60, fixed=("cell",))[0].cell == "lstm"
    assert planned(1_000_000, 60, fixed=("forget_bias",))[0].cell == "lstm"
    dropped = ModelConfig(dropout=0.3)
    assert planned(1_000_000, 10, dropped)[0].cell == "gru"
    assert planned(1_000_000, 3600, dropped)[0].cell == "lstm"
    assert planned(1_000_000, 3600, dropped, fixed=("optimizer",))[0].cell == "gru"
    epochs = [TrainConfig(epochs=n) for n in (2, 60)]  # as many as are asked for
    sized = [planned(1_000_000, 600, ModelConfig(hidden_size=512), one)[0] for one in epochs]
    assert [model.cell for model in sized] == ["gru", "lstm"]


def test_an_lstm_that_is_asked_for_leaves_as_many_passes_as_any_other_cell():
    lstm, training = planned(1_000_000, 180, fixed=("cell",))
    gru = planned(1_000_000, 180)[0]
    assert (lstm.cell, gru.cell) == ("lstm", "gru")
    larger = rule.SIZES[rule.SIZES.index(lstm.hidden_size) - 1]
    of_larger = planned(1_000_000, 180, ModelConfig(hidden_size=larger), fixed=("cell",))[1]
    assert training.epochs >= rule.FEW
    assert rule.TRAINED * steps_of(lstm, training) * 32 * 64 >= 0.99 * rule.FEW * 1_000_000
    assert of_larger.epochs <= rule.FEW


def test_muon_takes_the_steps_but_of_a_gru_that_drops_or_where_another_is_asked_for():
    assert planned(1_000_000, 60)[1].optimizer == "muon"
    assert planned(100_000, 600)[1].optimizer == "muon"
    assert planned(1_000_000, 60, fixed=("optimizer",))[1].optimizer == "adamw"
    gru = ModelConfig(cell="gru")
    model, training = planned(100_000, 600, gru, fixed=("cell",))
    assert model.dropout and training.optimizer == "adamw"
    assert planned(100_000, 600, gru, fixed=("cell", "dropout"))[1].optimizer == "muon"
    begun = plan(1_000_000, 65, 60, ModelConfig(), TrainConfig(), begun=True)
    assert begun[1].optimizer == "adamw"


def test_with_muon_weights_decay_as_much_in_each_pass_however_long_the_text():
    shrunk = []
    for tokens in (1_000_000, 2_000_000, 3_000_000):
        _, training = planned(tokens, 60)
        of_pass = tokens / (training.batch_size * training.sequence_length)
        a_step = FASTER * training.learning_rate / 2 * training.weight_decay
        shrunk.append(a_step * of_pass * rule.SHRUNK_IN)
    assert shrunk == pytest.approx([1, 1, 1], rel=0.1)
    few = planned(20_000, 60, fixed=("dropout",))[1]
    assert few.optimizer == "muon" and few.weight_decay == rule.MAX_DECAY_OF_MUON


def test_of_a_long_text_adamw_takes_the_steps_and_who_asks_for_muon_gets_enough_decay():
    assert planned(20_000_000, 600)[1].optimizer == "adamw"
    asked = TrainConfig(optimizer="muon")
    assert planned(20_000_000, 600, training=asked)[1].weight_decay == rule.MIN_DECAY_OF_MUON


def test_few_steps_do_not_decay_without_bounds():
    adamw = ("optimizer",)
    assert planned(10**10, 60, fixed=adamw)[1].weight_decay <= rule.MAX_DECAY
    once = TrainConfig(epochs=1)
    assert planned(1_000_000, 60, training=once, fixed=adamw)[1].weight_decay == 0.5
    assert planned(1_000_000, 600, fixed=("weight_decay",))[1].weight_decay == 0.1


def test_many_tokens_get_wide_embeddings():
    def width(vocab_size, tokens=1_000_000, **settings):
        asked = ModelConfig(**settings), TrainConfig()
        return plan(tokens, vocab_size, 600, *asked)[0].embedding_size

    default = ModelConfig().embedding_size
    assert (
        width(rule.LARGE_VOCABULARY - 1)
        == default
        < width(rule.LARGE_VOCABULARY)
        == rule.WIDE_EMBEDDING
    )
    assert width(800, tokens=30_000) == default < width(800, tokens=100_000)  # too short to teach
    assert width(4000, embedding_size=32) == 32
    assert width(4000, tie_weights=True, hidden_size=default) == default


@pytest.mark.parametrize("seconds", [600, 6000])
def test_of_a_long_text_enough_is_read_for_each_weight(seconds):
    """And the next larger model would read less, so that minutes make both grow."""
    tokens = 10**9
    chosen = planned(tokens, seconds)[0]
    larger = rule.SIZES[rule.SIZES.index(chosen.hidden_size) - 1]
    for size, enough in ((chosen.hidden_size, True), (larger, False)):
        model, training = planned(tokens, seconds, ModelConfig(hidden_size=size))
        read = rule.TRAINED * steps_of(model, training) * 32 * 64
        assert (read >= 0.99 * rule.READ_PER_WEIGHT * weights_per_token(model, 65)) is enough
    assert planned(tokens, 10 * seconds)[0].hidden_size > chosen.hidden_size


def test_a_text_too_long_for_the_time_is_read_until_the_time_is_up():
    model, training = planned(10**10, 60)
    assert model.hidden_size == min(rule.SIZES) and training.epochs == 1
    assert 0 < training.max_seconds <= 60


def test_a_time_that_is_over_when_the_plan_is_made_still_trains_a_little():
    _, training = planned(1_000_000, -26.1)  # a machine so busy that measuring took all of it
    assert training.epochs == 1 and training.max_seconds == 1.0


def test_the_passes_are_those_of_the_seconds_where_they_are_given():
    settings = TrainConfig(max_seconds=60.0)
    _, training = planned(1_000_000, -5, ModelConfig(hidden_size=192), settings)
    assert training.max_seconds == 60.0
    assert training.epochs == planned(1_000_000, 60, ModelConfig(hidden_size=192))[1].epochs > 3


def test_a_short_text_gets_small_batches_and_not_more_passes_than_help():
    _, training = planned(30_000, 600)
    assert training.batch_size * training.sequence_length * rule.STEPS_OF_PASS <= 30_000
    assert training.epochs == rule.MAX_PASSES


def test_a_model_that_knows_a_language_learns_less_by_heart():
    settings = ModelConfig(hidden_size=256), TrainConfig(), ("hidden_size", "learning_rate")
    anew = plan(8000, 987, 180, *settings)[0].dropout
    begun, training = plan(8000, 987, 180, *settings, begun=True)
    assert 0.3 < begun.dropout < anew == rule.MAX_DROPOUT
    assert training.learning_rate == TrainConfig.learning_rate
    own = ModelConfig(hidden_size=256, dropout=0.2)
    of_more = plan(1_000_000, 987, 180, own, *settings[1:], begun=True)[0]
    assert of_more.dropout == 0.2  # no less than it was trained with
    asked = own, TrainConfig(), ("cell", "hidden_size", "dropout")
    assert plan(8000, 987, 180, *asked, begun=True)[0] == own


@pytest.mark.parametrize(
    "asked, sizes",
    [({}, rule.SIZES), ({"hidden_size": 96}, (96,)), ({"embedding_size": 80}, (80,))],
)
def test_what_is_read_out_with_the_embeddings_is_as_wide_as_they_are(asked, sizes):
    model, _ = planned(1_000_000, 60, ModelConfig(tie_weights=True, **asked))
    assert model.embedding_size == model.hidden_size in sizes


def test_short_epochs_of_a_streamed_text_fill_the_time_too():
    settings = TrainConfig(stream=True, steps_per_epoch=10)
    whole, short = (planned(300_000, 600, training=one)[1] for one in (TrainConfig(), settings))
    steps = 300_000 / (whole.batch_size * whole.sequence_length) * whole.epochs
    assert short.epochs * 10 == pytest.approx(steps, rel=0.05)
    assert planned(300_000, 1e6, training=settings)[1].epochs > rule.MAX_PASSES


def test_what_was_asked_for_stays():
    asked = ModelConfig(hidden_size=100, dropout=0.45, cell="gru")
    settings = TrainConfig(epochs=3, batch_size=16, warmup=0.1)
    model, training = planned(1_000_000, 600, asked, settings)
    assert model == asked
    assert (training.epochs, training.batch_size, training.warmup) == (3, 16, 0.1)


@pytest.mark.parametrize("seconds", [60, 180, 1800])
def test_the_rate_rises_for_as_many_steps_however_long_it_trains(seconds):
    model, training = planned(1_000_000, seconds)
    assert training.warmup * steps_of(model, training) == pytest.approx(rule.WARMUP_STEPS, rel=0.15)


def test_of_few_steps_the_rate_rises_for_a_fifth():
    assert planned(1_000_000, 600, training=TrainConfig(epochs=1))[1].warmup == rule.MAX_WARMUP


def test_what_was_asked_for_stays_though_it_is_the_default():
    fixed = ("cell", "hidden_size", "dropout", "batch_size")
    model, training = planned(1_000_000, 600, fixed=fixed)
    assert model == ModelConfig() and training.batch_size == TrainConfig().batch_size
    assert training.epochs > TrainConfig().epochs
    _, training = planned(1_000_000, 600, fixed=("epochs",))
    assert training.epochs == TrainConfig().epochs and 0 < training.max_seconds <= 600


def test_a_trial_of_a_sweep_settles_all_but_the_passes():
    asked = ModelConfig(), TrainConfig()
    model, training = plan(1_000_000, 4000, 600, *asked, fixed=NOT_BUDGETED)
    filled = {"epochs": training.epochs, "max_seconds": training.max_seconds}
    assert (model, training) == (ModelConfig(), dataclasses.replace(TrainConfig(), **filled))


def test_it_is_said_that_the_machine_is_measured_where_it_is(caplog):
    with caplog.at_level(logging.INFO):
        planned(100_000, 60, fixed=("hidden_size", "epochs"))
        assert "measuring" not in caplog.text
        planned(100_000, 60)
    assert caplog.text.count("measuring how fast this machine trains") == 1
