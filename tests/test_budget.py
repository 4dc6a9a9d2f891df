"""`--budget`: from minutes to settings. The speed is given here, so that no test is timed."""

import dataclasses
import logging
import math
import time

import numpy as np
import pytest

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, TokenizerError
from textgen.network import weight_shapes
from textgen.tokenizers.tokenizer import CharTokenizer, SentencePieceTokenizer
from textgen.training import budget, speed
from textgen.training.cost import expected_seconds, weights_per_token
from textgen.training.optimizers import FASTER
from textgen.training.train import start
from textgen.tuning.trials import NOT_BUDGETED
from tiny import TEXT

PRODUCTS = 2e10  # a second: what the machine of these tests multiplies


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Speed falls as the products of a token grow, as on a machine of one speed."""
    monkeypatch.setattr(
        speed, "speed", lambda model, vocab, _: PRODUCTS / weights_per_token(model, vocab)
    )


def planned(tokens, seconds, model=None, training=None, fixed=()):
    settings = model or ModelConfig(), training or TrainConfig()
    return budget.plan(tokens, 65, seconds, *settings, fixed)


def steps_of(model, training):
    """That the time allows, in batches of 32 x 64."""
    return training.max_seconds * PRODUCTS / weights_per_token(model, 65) / (32 * 64)


@pytest.mark.parametrize(
    "text, seconds", [("90s", 90), ("3m", 180), ("1.5h", 5400), ("45", 45), (" 3 m ", 180)]
)
def test_a_budget_is_a_time(text, seconds):
    assert budget.seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "3 days", "-3m", "5s", "0", "m", "1e3", "1m30s", "nan", "9" * 400, "721h"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="budget is"):
        budget.seconds_of(text)


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
    assert training.epochs >= budget.PASSES[model.cell]


@pytest.mark.parametrize("tokens", [200_000, 500_000])
def test_a_model_has_no_more_weights_than_its_text_can_teach(tokens):
    (small, often), (large, _) = (planned(tokens, s) for s in (36_000, 36_000_000))
    assert small == large and small.hidden_size < max(budget.SIZES)
    assert weights_per_token(small, 65) <= budget.WEIGHTS_PER_TOKEN * tokens
    assert often.epochs == budget.MAX_PASSES


def test_a_text_that_is_read_more_often_gets_more_dropout():
    model = ModelConfig(hidden_size=384, cell="gru")
    shares = [
        planned(1_000_000, 600, model, TrainConfig(epochs=n))[0].dropout for n in (5, 15, 30, 60)
    ]
    assert shares[0] == 0.0  # less than `LEAST_DROPOUT` is none
    assert shares[1] >= budget.LEAST_DROPOUT > shares[1] - budget.DROPOUT_OF_DOUBLING
    assert np.diff(shares[1:]) == pytest.approx([budget.DROPOUT_OF_DOUBLING] * 2, abs=0.011)


def test_a_large_model_on_a_short_text_gets_more_dropout():
    large = ModelConfig(hidden_size=1024)
    shares = [planned(n, 600, large)[0].dropout for n in (50_000, 1_000_000, 50_000_000)]
    assert shares == sorted(shares, reverse=True) and shares[0] == 0.5 and shares[-1] == 0.0


@pytest.mark.parametrize("tokens, seconds", [(1_000_000, 180), (1_000_000, 1800), (4_000_000, 600)])
def test_the_weights_decay_by_the_same_factor_however_long_adamw_trains(tokens, seconds):
    model, training = planned(tokens, seconds, fixed=("optimizer",))
    shrunk = (1 - training.learning_rate / 2 * training.weight_decay) ** steps_of(model, training)
    assert np.exp(-1.15 * budget.DECAYED) < shrunk < np.exp(-0.9 * budget.DECAYED)


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


def test_muon_takes_the_steps_but_of_a_gru_that_drops_or_where_another_is_asked_for():
    assert planned(1_000_000, 60)[1].optimizer == "muon"
    assert planned(100_000, 600)[1].optimizer == "muon"
    assert planned(1_000_000, 60, fixed=("optimizer",))[1].optimizer == "adamw"
    gru = ModelConfig(cell="gru")
    model, training = planned(100_000, 600, gru, fixed=("cell",))
    assert model.dropout and training.optimizer == "adamw"
    assert planned(100_000, 600, gru, fixed=("cell", "dropout"))[1].optimizer == "muon"
    begun = budget.plan(1_000_000, 65, 60, ModelConfig(), TrainConfig(), begun=True)
    assert begun[1].optimizer == "adamw"


def test_with_muon_weights_decay_as_much_in_each_pass_however_long_the_text():
    shrunk = []
    for tokens in (1_000_000, 2_000_000, 3_000_000):
        _, training = planned(tokens, 60)
        of_pass = tokens / (training.batch_size * training.sequence_length)
        a_step = FASTER * training.learning_rate / 2 * training.weight_decay
        shrunk.append(a_step * of_pass * budget.SHRUNK_IN)
    assert shrunk == pytest.approx([1, 1, 1], rel=0.1)
    few = planned(20_000, 60, fixed=("dropout",))[1]
    assert few.optimizer == "muon" and few.weight_decay == budget.MAX_DECAY_OF_MUON


def test_of_a_long_text_adamw_takes_the_steps_and_who_asks_for_muon_gets_enough_decay():
    assert planned(20_000_000, 600)[1].optimizer == "adamw"
    asked = TrainConfig(optimizer="muon")
    assert planned(20_000_000, 600, training=asked)[1].weight_decay == budget.MIN_DECAY_OF_MUON


def test_few_steps_do_not_decay_without_bounds():
    adamw = ("optimizer",)
    assert planned(10**10, 60, fixed=adamw)[1].weight_decay <= budget.MAX_DECAY
    once = TrainConfig(epochs=1)
    assert planned(1_000_000, 60, training=once, fixed=adamw)[1].weight_decay == 0.5
    assert planned(1_000_000, 600, fixed=("weight_decay",))[1].weight_decay == 0.1


def test_many_tokens_get_wide_embeddings():
    def width(vocab_size, tokens=1_000_000, **settings):
        asked = ModelConfig(**settings), TrainConfig()
        return budget.plan(tokens, vocab_size, 600, *asked)[0].embedding_size

    default = ModelConfig().embedding_size
    assert (
        width(budget.LARGE_VOCABULARY - 1)
        == default
        < width(budget.LARGE_VOCABULARY)
        == budget.WIDE_EMBEDDING
    )
    assert width(800, tokens=30_000) == default < width(800, tokens=100_000)  # too short to teach
    assert width(4000, embedding_size=32) == 32
    assert width(4000, tie_weights=True, hidden_size=default) == default


@pytest.mark.parametrize("seconds", [600, 6000])
def test_of_a_long_text_enough_is_read_for_each_weight(seconds):
    """And the next larger model would read less, so that minutes make both grow."""
    tokens = 10**9
    chosen = planned(tokens, seconds)[0]
    larger = budget.SIZES[budget.SIZES.index(chosen.hidden_size) - 1]
    for size, enough in ((chosen.hidden_size, True), (larger, False)):
        model, training = planned(tokens, seconds, ModelConfig(hidden_size=size))
        read = budget.TRAINED * steps_of(model, training) * 32 * 64
        assert (read >= 0.99 * budget.READ_PER_WEIGHT * weights_per_token(model, 65)) is enough
    assert planned(tokens, 10 * seconds)[0].hidden_size > chosen.hidden_size


def test_a_text_too_long_for_the_time_is_read_until_the_time_is_up():
    model, training = planned(10**10, 60)
    assert model.hidden_size == min(budget.SIZES) and training.epochs == 1
    assert 0 < training.max_seconds <= 60


def test_a_time_that_is_over_when_the_plan_is_made_still_trains_a_little():
    _, training = planned(1_000_000, -26.1)  # a machine so busy that measuring took all of it
    assert training.epochs == 1 and training.max_seconds == 1.0


@pytest.fixture
def within(tmp_path, monkeypatch):
    """within(left, max_seconds): of 30 seconds so many are left once the speed is measured."""
    (tmp_path / "a.txt").write_text(TEXT)
    data = read_training_data(tmp_path / "a.txt", TrainConfig())

    def planned_in(left, max_seconds=0.0):
        def plan(tokens, size, seconds, model, training, *_):
            return model, dataclasses.replace(training, max_seconds=float(left))

        monkeypatch.setattr(budget, "plan", plan)
        settings = ModelConfig(), TrainConfig(max_seconds=max_seconds)
        budget.within(30.0, data, CharTokenizer.train(TEXT), *settings)

    return planned_in


@pytest.mark.parametrize("measuring, given, told", [(1, 0, False), (25, 0, True), (25, 5, False)])
def test_a_budget_that_went_into_measuring_is_told_of(within, caplog, measuring, given, told):
    caplog.set_level(logging.INFO)
    within(30 - measuring, float(given))
    assert ("give a longer --budget" in caplog.text) is told
    assert f"in {30 - measuring} s: " in caplog.text


def test_a_budget_of_which_nothing_is_left_after_measuring_is_refused(within):
    with pytest.raises(ConfigError, match="and measuring how fast this machine trains"):
        within(1)


def test_the_passes_are_those_of_the_seconds_where_they_are_given():
    settings = TrainConfig(max_seconds=60.0)
    _, training = planned(1_000_000, -5, ModelConfig(hidden_size=192), settings)
    assert training.max_seconds == 60.0
    assert training.epochs == planned(1_000_000, 60, ModelConfig(hidden_size=192))[1].epochs > 3


def test_a_short_text_gets_small_batches_and_not_more_passes_than_help():
    _, training = planned(30_000, 600)
    assert training.batch_size * training.sequence_length * budget.STEPS_OF_PASS <= 30_000
    assert training.epochs == budget.MAX_PASSES


def test_a_model_that_knows_a_language_learns_less_by_heart():
    settings = ModelConfig(hidden_size=256), TrainConfig(), ("hidden_size", "learning_rate")
    anew = budget.plan(8000, 987, 180, *settings)[0].dropout
    begun, training = budget.plan(8000, 987, 180, *settings, begun=True)
    assert 0.3 < begun.dropout < anew == budget.MAX_DROPOUT
    assert training.learning_rate == TrainConfig.learning_rate
    own = ModelConfig(hidden_size=256, dropout=0.2)
    of_more = budget.plan(1_000_000, 987, 180, own, *settings[1:], begun=True)[0]
    assert of_more.dropout == 0.2  # no less than it was trained with
    asked = own, TrainConfig(), ("cell", "hidden_size", "dropout")
    assert budget.plan(8000, 987, 180, *asked, begun=True)[0] == own


@pytest.mark.parametrize(
    "asked, sizes",
    [({}, budget.SIZES), ({"hidden_size": 96}, (96,)), ({"embedding_size": 80}, (80,))],
)
def test_what_is_read_out_with_the_embeddings_is_as_wide_as_they_are(asked, sizes):
    model, _ = planned(1_000_000, 60, ModelConfig(tie_weights=True, **asked))
    assert model.embedding_size == model.hidden_size in sizes


def test_short_epochs_of_a_streamed_text_fill_the_time_too():
    settings = TrainConfig(stream=True, steps_per_epoch=10)
    whole, short = (planned(300_000, 600, training=one)[1] for one in (TrainConfig(), settings))
    steps = 300_000 / (whole.batch_size * whole.sequence_length) * whole.epochs
    assert short.epochs * 10 == pytest.approx(steps, rel=0.05)
    assert planned(300_000, 1e6, training=settings)[1].epochs > budget.MAX_PASSES


def test_what_was_asked_for_stays():
    asked = ModelConfig(hidden_size=100, dropout=0.45, cell="gru")
    settings = TrainConfig(epochs=3, batch_size=16, warmup=0.1)
    model, training = planned(1_000_000, 600, asked, settings)
    assert model == asked
    assert (training.epochs, training.batch_size, training.warmup) == (3, 16, 0.1)


@pytest.mark.parametrize("seconds", [60, 180, 1800])
def test_the_rate_rises_for_as_many_steps_however_long_it_trains(seconds):
    model, training = planned(1_000_000, seconds)
    assert training.warmup * steps_of(model, training) == pytest.approx(
        budget.WARMUP_STEPS, rel=0.15
    )


def test_of_few_steps_the_rate_rises_for_a_fifth():
    assert planned(1_000_000, 600, training=TrainConfig(epochs=1))[1].warmup == budget.MAX_WARMUP


def test_what_was_asked_for_stays_though_it_is_the_default():
    fixed = ("cell", "hidden_size", "dropout", "batch_size")
    model, training = planned(1_000_000, 600, fixed=fixed)
    assert model == ModelConfig() and training.batch_size == TrainConfig().batch_size
    assert training.epochs > TrainConfig().epochs
    _, training = planned(1_000_000, 600, fixed=("epochs",))
    assert training.epochs == TrainConfig().epochs and 0 < training.max_seconds <= 600


def test_a_trial_of_a_sweep_settles_all_but_the_passes():
    asked = ModelConfig(), TrainConfig()
    model, training = budget.plan(1_000_000, 4000, 600, *asked, fixed=NOT_BUDGETED)
    filled = {"epochs": training.epochs, "max_seconds": training.max_seconds}
    assert (model, training) == (ModelConfig(), dataclasses.replace(TrainConfig(), **filled))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "mingru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_products_are_the_matrices_that_a_token_meets(cell, layers):
    config = ModelConfig(cell=cell, num_layers=layers, hidden_size=24, embedding_size=10)
    shapes = weight_shapes(config, 65)
    matrices = [shape for name, shape in shapes.items() if "kernel" in name]
    assert weights_per_token(config, 65) == sum(map(math.prod, matrices))


def test_a_task_has_no_passes(tmp_path):
    with pytest.raises(ConfigError, match="is a task"):
        start("speaker-ko.toml", tmp_path / "run", budget=60)


def test_a_budget_that_reading_took_is_refused_before_the_text_is_cut_into_tokens(
    monkeypatch, text_file, tmp_path
):
    monkeypatch.setattr(CharTokenizer, "train", None)
    with pytest.raises(ConfigError, match="went into reading the text"):
        start(text_file, tmp_path / "run", budget=1.0)


class Slow(CharTokenizer):
    learned_per_second = 1000


@pytest.fixture
def learning(monkeypatch):
    monkeypatch.setattr(budget, "LEAST_LEARNED", 200)
    monkeypatch.setattr(budget, "STRETCHES", 10)


def test_pieces_are_learned_from_as_much_of_a_text_as_there_is_time_for(learning):
    text = "".join(chr(0xAC00 + k) for k in range(10_000))  # nothing stands there twice
    for seconds, most in ((10, 1000), (1, 200), (0.1, 200)):
        parts = budget.to_learn_from(text, Slow, seconds).split("\n")
        assert len(parts) == 10 and sum(map(len, parts)) == most
        assert all(part in text for part in parts)
        places = [text.index(part) for part in parts]
        assert places == sorted(places) and places[-1] >= 9000  # from everywhere
    assert budget.to_learn_from(text, Slow, 100) == text
    assert budget.to_learn_from(text, CharTokenizer, 0.1) == text  # that takes no time
    assert budget.to_learn_from(text[:200], Slow, 0.1) == text[:200]


def test_what_a_part_of_a_text_has_no_pieces_for_says_that_it_was_a_part(
    learning, monkeypatch, text_file, tmp_path
):
    monkeypatch.setattr(SentencePieceTokenizer, "learned_per_second", 1)
    pieces = TokenizerConfig("sentencepiece", 600)
    with pytest.raises(
        TokenizerError, match=r"it learned from 20. of .* or give a longer --budget"
    ):
        start(text_file, tmp_path / "run", tokenizer_config=pieces, budget=30)
    assert not (tmp_path / "run" / "config.json").exists()


def test_the_fastest_step_counts(monkeypatch):
    monkeypatch.undo()
    durations = iter([0.05, 0.05, 0.02, 0.05])  # seconds; the first compiles

    class Trainer:
        def __init__(self, model, lanes):
            self.lanes = lanes

        def prepare(self, optimizer):
            return self.step

        def step(self, batches):
            inputs, targets, _ = next(batches)
            assert inputs.shape == targets.shape == (self.lanes, 16)
            time.sleep(next(durations))
            return {"loss": 0.0}

    monkeypatch.setattr(speed, "LaneTrainer", Trainer)
    monkeypatch.setattr(speed, "build_model", lambda *given: None)
    monkeypatch.setattr(speed, "TIMED_SECONDS", 0.1)
    small = dataclasses.replace(TrainConfig(), batch_size=8, sequence_length=16)
    assert 0 < speed.speed(ModelConfig(), 20, small) <= 8 * 16 / 0.02


@pytest.mark.slow
def test_the_speed_of_this_machine_is_measured(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(speed, "TIMED_SECONDS", 0.05)
    small = dataclasses.replace(TrainConfig(), batch_size=8, sequence_length=16)
    assert speed.speed(ModelConfig(hidden_size=16, embedding_size=8), 20, small) > 0


def test_more_weights_and_more_text_take_longer():
    small, large = (ModelConfig(hidden_size=size) for size in (128, 512))
    fast, slow = expected_seconds(small, 65, 1_000_000)
    assert 0 < fast < slow
    assert expected_seconds(small, 65, 2_000_000) == (2 * fast, 2 * slow)
    assert expected_seconds(large, 65, 1_000_000)[0] > 10 * fast


def test_it_is_said_that_the_machine_is_measured_where_it_is(caplog):
    with caplog.at_level(logging.INFO):
        planned(100_000, 60, fixed=("hidden_size", "epochs"))
        assert "measuring" not in caplog.text
        planned(100_000, 60)
    assert caplog.text.count("measuring how fast this machine trains") == 1
