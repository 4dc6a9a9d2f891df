"""To begin from a model: what it knew stays, what is new is added, and nothing contradicts it."""

import dataclasses
import json
import logging

import numpy as np
import pytest

import textgen
from run_files import card_of, same_weights
from textgen.backend import tf
from textgen.cli.main import main
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.replayed_text import ReplayedText, replay_of
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, RunError
from textgen.generation.generator import Generator
from textgen.model import trainable
from textgen.network import Network
from textgen.runs.ngrams import NGRAMS
from textgen.runs.run_config import Origin, RunConfig
from textgen.tokenizers.tokenizer import CharTokenizer, JamoTokenizer, SentencePieceTokenizer
from textgen.training import interpolation
from textgen.training.beginning import (
    AXES,
    OF_NEW,
    Beginning,
    bits_per_char,
    grown,
    known_texts,
    rates,
)
from textgen.training.interpolation import between
from textgen.training.optimizers import optimizer
from textgen.training.stop_request import Interrupted
from textgen.training.train import resume, start
from textgen.training.trainer import LaneTrainer
from tiny import TEXT, drawn, interrupt, tiny

NEW = "Ökonomie ist die Lehre vom Wirtschaften, 나는 한국사람이야.\n" * 40
SMALL = {"batch_size": 8, "sequence_length": 16, "sample_length": 0}


def a_model(**settings):
    tokenizer = CharTokenizer.train(TEXT)
    config = ModelConfig(hidden_size=8, embedding_size=8, **settings)
    return Generator(drawn(config, tokenizer.vocab_size), tokenizer, name="old", hash="01234567")


@pytest.fixture
def new_file(tmp_path):
    path = tmp_path / "new.txt"
    path.write_text(NEW, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [CharTokenizer, JamoTokenizer])
def test_a_vocabulary_grows_and_keeps_its_ids(kind):
    old = kind.train(TEXT)
    more = old.extended(NEW)
    assert old.decode(old.encode(TEXT)) == more.decode(old.encode(TEXT)) == TEXT
    assert more.encode(TEXT) == old.encode(TEXT)
    assert old.unknown_characters(NEW) and not more.unknown_characters(NEW)
    assert more.extended(NEW).vocab_size == more.vocab_size
    assert kind.from_bytes(more.to_bytes()).encode(NEW) == more.encode(NEW)


@pytest.mark.parametrize("tied", [False, True])
def test_new_tokens_begin_at_the_mean(tied):
    network = a_model(tie_weights=tied).network
    size = network.vocab_size
    model = Beginning("old", Generator(network, CharTokenizer.train(TEXT)))
    more = model.network(ModelConfig(**dataclasses.asdict(network.config)), size + 3)
    ids = np.array([5, 6])
    before, _ = network.step(ids, network.initial_state(2))
    after, _ = more.step(ids, more.initial_state(2))
    np.testing.assert_allclose(after[:, :size], before, rtol=1e-5)
    means = np.repeat(before.mean(1, keepdims=True), 3, 1)
    np.testing.assert_allclose(after[:, size:], means, 1e-4, 1e-5)
    mean = np.repeat(network.embeddings.mean(0, keepdims=True), 3, 0)
    np.testing.assert_allclose(more.embeddings[size:], mean, 1e-6)
    assert ("head.kernel" in grown(network.weights, size)) is not tied


@pytest.mark.parametrize("tied", [False, True])
def test_new_tokens_are_learned_faster(tied):
    """The first step of Adam goes as far for every number: the rate, and OF_NEW times that."""
    network = a_model(tie_weights=tied).network
    known, size = network.vocab_size, network.vocab_size + 3
    model = trainable(Network(network.config, size, grown(network.weights, size)))
    trainer = LaneTrainer(model, 4, rates=rates(network.config, size, known))
    step = trainer.prepare(optimizer(TrainConfig(learning_rate=0.01, warmup=0, weight_decay=0), 9))
    before = {name: weight.numpy() for name, weight in model.named_weights().items()}
    ids = np.random.default_rng(0).integers(size, size=(4, 200))
    ids[0, :size] = np.arange(size)
    batch = ids[:, :-1], ids[:, 1:], np.ones((4, 199), np.float32)
    step(iter([tuple(map(tf.convert_to_tensor, batch))]))
    for name, weight in model.named_weights().items():
        moved = abs(weight.numpy() - before[name])
        if name in AXES:
            old, new = np.split(moved, [known], AXES[name])
            np.testing.assert_allclose([old.max(), new.max()], [0.01, 0.01 * OF_NEW], rtol=1e-3)
        else:
            assert moved.max() < 0.0101


def test_the_settings_are_those_of_the_model():
    begin = Beginning("runs/old", a_model(cell="gru", dropout=0.1))
    config = begin.settle(RunConfig(), fixed=())
    assert config.model == begin.model.config and config.tokenizer == TokenizerConfig()
    assert config.training.learning_rate < TrainConfig.learning_rate
    named = RunConfig(ModelConfig(dropout=0.3), training=TrainConfig(learning_rate=0.5))
    config = begin.settle(named, fixed={"dropout", "learning_rate"})
    assert (config.model.dropout, config.training.learning_rate) == (0.3, 0.5)
    with pytest.raises(ConfigError, match="hidden_size is 64, but runs/old was made with 8"):
        begin.settle(RunConfig(ModelConfig(hidden_size=64)), fixed={"hidden_size"})
    with pytest.raises(ConfigError, match="tokenizer is 'jamo', but runs/old was made with 'char'"):
        begin.settle(RunConfig(tokenizer=TokenizerConfig("jamo")), fixed={"tokenizer"})


def test_a_model_of_pieces_keeps_them(caplog):
    tokenizer = SentencePieceTokenizer.train(TEXT, vocab_size=300)
    config = ModelConfig(hidden_size=8, embedding_size=8)
    begin = Beginning("old", Generator(drawn(config, 300), tokenizer))
    assert begin.settle(RunConfig(), ()).tokenizer == TokenizerConfig("sentencepiece", 300)
    with caplog.at_level(logging.INFO):
        assert begin.tokenizer(NEW) is tokenizer
    assert "keeps its 300 pieces" in caplog.text
    letters = Beginning("old", Generator(drawn(config, 3), CharTokenizer.train("a")))
    with caplog.at_level(logging.INFO):
        letters.tokenizer("ab")
        letters.tokenizer("abc")
    assert "1 character is new to old: " in caplog.text
    assert "2 characters are new to old: " in caplog.text
    with pytest.raises(ConfigError, match="model_type is 'bpe'"):
        begin.settle(RunConfig(tokenizer=TokenizerConfig(model_type="bpe")), {"model_type"})


def test_what_a_model_lacks_costs_its_name():
    model = a_model()
    assert bits_per_char(model, "ß" * 50) > 20 > bits_per_char(model, TEXT[:50])


def test_where_a_run_came_from_is_read_back():
    origin = Origin("runs/old", "01234567", {"new": 2.5}, 40)
    config = RunConfig(data=None, origin=origin)
    assert Origin.from_dict(json.loads(json.dumps(config.to_dict()))["from"]) == origin
    older = {"run": "runs/old", "hash": "01234567"}
    assert Origin.from_dict(older) == Origin.from_dict(older | {"vocab_size": "many"})
    assert Origin.from_dict(older).to_dict() == older | {"bits": {}}
    for foreign in (None, [], {"run": 3}, {"hash": ""}):
        assert Origin.from_dict(foreign) is None


def test_each_batch_has_its_share_of_the_old_text(new_file, text_file):
    settings = TrainConfig(**SMALL, replay=f"{text_file}=0.25")
    data = read_training_data(new_file, settings)
    assert isinstance(data, ReplayedText) and set(known_texts(data, {})) == {"new", "old"}
    tokenizer = CharTokenizer.train(data.text)
    batches = data.batches(tokenizer)
    assert (batches.batch_size, batches.new.batch_size, batches.old.batch_size) == (8, 6, 2)
    later = iter(batches.dataset(batches.steps + 1))
    for k in (1, 2):
        inputs, _, weights = (part.numpy() for part in next(later))
        assert inputs.shape == weights.shape == (8, 16)
        old = (batches.steps + k) % batches.old.steps * 16
        np.testing.assert_array_equal(inputs[:6], batches.new.inputs[:, k * 16 : k * 16 + 16])
        np.testing.assert_array_equal(inputs[6:], batches.old.inputs[:, old : old + 16])


@pytest.mark.parametrize("replay", ["old.txt", "=0.2", "old.txt=0", "old.txt=0.95", "a=b"])
def test_what_names_no_replay_is_refused(replay):
    with pytest.raises(ConfigError, match="give TEXT=SHARE"):
        replay_of(TrainConfig(replay=replay))
    assert replay_of(TrainConfig(replay="a=b.txt=0.5")) == ("a=b.txt", 0.5)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--from=nowhere"], "no run folder at nowhere"),
        (["--from={run}", "--cell=gru"], "cell is 'gru', but {run} was made with 'lstm'"),
        (["--from={run}", "--replay=gone.txt=0.2"], "gone.txt"),
        (["--replay=x=2"], "replay is 'x=2'"),
        (["--from={run}/config.json"], "config.json is a file: begin from a run folder"),
        (["--from={run}", "--replay={tiny}=0.2"], "replay {tiny}: the text has"),
        (["--from={run}", "--no-interpolate"], "interpolate would have no effect: it is for a run"),
        (["--no-interpolate", "--replay={run}/x=0.2"], "the run begins from no model"),
        (["--resume", "--from={run}"], "from cannot change on --resume"),
    ],
)
def test_bad_input_is_one_line(runs, new_file, tmp_path, capsys, flags, message):
    run, out = str(runs()), tmp_path / "out"
    named = {"run": run, "tiny": tmp_path / "tiny.txt"}
    named["tiny"].write_text("가", encoding="utf-8")
    if "--resume" in flags:
        out.mkdir()
    with pytest.raises(SystemExit) as end:
        main(["train", str(new_file), f"--out={out}", *(flag.format(**named) for flag in flags)])
    said = capsys.readouterr().err
    assert end.value.code == 2 and message.format(**named) in said.splitlines()[-1]
    assert not out.exists() or not list(out.iterdir())


def test_a_run_begins_from_a_model(runs, new_file, text_file, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        model = textgen.train(
            new_file,
            tmp_path / "run",
            begin_from=runs(),
            replay=f"{text_file}=0.25",
            epochs=2,
            **SMALL,
        )
    card, old = card_of(tmp_path / "run"), textgen.load(runs())
    assert card["from"]["run"] == str(runs()) and card["from"]["hash"] == old.hash
    assert set(card["from"]["bits"]) == {"new", "old"}
    assert model.config == old.config and not model.tokenizer.unknown_characters(NEW)
    assert model.tokenizer.encode(TEXT) == old.tokenizer.encode(TEXT)
    assert "new text" in caplog.text and "old text" in caplog.text
    assert bits_per_char(model, NEW[-300:]) < card["from"]["bits"]["new"]


def test_between_two_models_new_tokens_stay_as_they_were_trained():
    before = a_model().network.weights
    after = {name: array + 1 for name, array in grown(before, len(before["head.bias"]) + 4).items()}
    half = between(before, after, 0.5)
    assert half.keys() == after.keys()
    for name, axis in AXES.items():
        known = before[name].shape[axis]
        old, new = np.split(half[name], [known], axis)
        np.testing.assert_allclose(old, before[name] + 0.5, rtol=1e-5)
        np.testing.assert_array_equal(new, np.split(after[name], [known], axis)[1])
    kernel = "recurrent.0.recurrent_kernel"
    np.testing.assert_allclose(half[kernel], before[kernel] + 0.5, rtol=1e-5)
    whole = between(before, after, 1.0)
    for name, array in after.items():
        np.testing.assert_allclose(whole[name], array, rtol=1e-5)


def weather(lines, shares):
    rng = np.random.default_rng(1)
    return "".join(f"산에 {rng.choice([*'비눈해달'], p=shares)} 온다. " for _ in range(lines))


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ({1.0: 1.02}, {}, 1.0),  # nothing is forgotten
        ({1.0: 1.3, 0.9: 1.2, 0.8: 1.02}, {}, 0.8),  # the furthest place that is allowed
        ({1.0: 1.3, 0.9: 1.2, 0.8: 1.1}, {0.7: 1.11}, 0.8),  # none is, before the new text pays
        ({1.0: 1.1, 0.9: 1.2, 0.8: 1.3}, {0.7: 1.11}, 1.0),  # going back makes it worse
    ],
)
def test_how_far_a_run_goes_back(monkeypatch, old, new, expected):
    """The losses of both texts at each share of the way, beside those before and at the end."""
    network, tokenizer = a_model().network, CharTokenizer.train(TEXT)
    after = Network(
        network.config, network.vocab_size, {k: w + 1 for k, w in network.weights.items()}
    )

    def nats(at, tokenizer, text):
        share = round(float(at.embeddings[0, 0] - network.embeddings[0, 0]), 2)
        return (old if text == "old" else new).get(share, 1.0)

    monkeypatch.setattr(interpolation, "_nats", nats)
    texts = {"new": "new", "old": "old"}
    assert interpolation._best(network, after, tokenizer, texts) == expected


@pytest.fixture
def old_run(tmp_path):
    """A model that knows its text, which it would forget: that it rains as often as it snows."""
    text = tmp_path / "old.txt"
    text.write_text(weather(600, [0.25, 0.25, 0.25, 0.25]), "utf-8")
    settings = SMALL | {"learning_rate": 0.02, "validation_fraction": 0.2, "ngrams": False}
    textgen.train(text, tmp_path / "old", hidden_size=16, epochs=12, **settings)
    return tmp_path / "old", text


def trained_on(new_file, old_run, out, **settings):
    settings = SMALL | {"learning_rate": 0.02, "validation_fraction": 0.2, "epochs": 6} | settings
    run, text = old_run
    new_file.write_text(weather(300, [0.05, 0.05, 0.05, 0.85]), "utf-8")
    return textgen.train(new_file, out, begin_from=run, replay=f"{text}=0.25", **settings)


def stopped(new_file, old_run, run, monkeypatch):
    interrupt(monkeypatch, 5)
    with pytest.raises(Interrupted):
        trained_on(new_file, old_run, run, ngrams=False)
    monkeypatch.undo()


def test_a_run_goes_back_so_far_that_the_old_text_is_kept(new_file, old_run, tmp_path, caplog):
    forgetful = trained_on(
        new_file, old_run, tmp_path / "forgetful", ngrams=False, interpolate=False
    )
    run = tmp_path / "run"
    with caplog.at_level(logging.INFO):
        model = trained_on(new_file, old_run, run, ngrams=False)
    share = card_of(run)["metrics"]["interpolation"]
    assert 0.4 <= share < 1.0 and "of the way back" in caplog.text
    assert f"{share:.0%} of the way" in (run / "README.md").read_text("utf-8")
    before, trained = textgen.load(old_run[0]).network.weights, forgetful.network.weights
    for name, array in between(before, trained, share).items():
        np.testing.assert_allclose(model.network.weights[name], array, rtol=1e-4, atol=1e-6)
    settings = TrainConfig(**SMALL, validation_fraction=0.2, replay=f"{old_run[1]}=0.25")
    data = read_training_data(new_file, settings)
    old = known_texts(data, {})["old"]
    assert bits_per_char(model, old) < bits_per_char(forgetful, old)
    was = card_of(tmp_path / "forgetful")["metrics"]["val_bits_per_char"]
    now = card_of(run)["metrics"]["val_bits_per_char"]
    assert was * 1.001 < now < was * 1.11
    measured = bits_per_char(model, known_texts(data, {})["new"])  # not in lanes
    assert now == pytest.approx(measured, rel=0.1)


def test_a_run_goes_back_once(new_file, old_run, tmp_path):
    run = tmp_path / "run"
    trained_on(new_file, old_run, run, ngrams=False)
    weights = (run / "model.safetensors").read_bytes()
    assert "interpolation" in card_of(run)["metrics"]
    resume(run)
    assert (run / "model.safetensors").read_bytes() == weights


def test_a_run_killed_between_weights_and_config_goes_back_no_further(new_file, old_run, tmp_path):
    run = tmp_path / "run"
    trained_on(new_file, old_run, run, ngrams=False)
    whole, weights = card_of(run), (run / "model.safetensors").read_bytes()
    metrics = whole["metrics"] | {"val_loss": 9.0, "val_bits_per_char": 9.0 / np.log(2)}
    del metrics["interpolation"]
    (run / "config.json").write_text(json.dumps(whole | {"metrics": metrics}))
    (run / NGRAMS).write_bytes(b"of the weights before")
    resume(run)
    assert (run / "model.safetensors").read_bytes() == weights and not (run / NGRAMS).exists()
    now = card_of(run)["metrics"]
    for name in ("interpolation", "val_loss", "val_bits_per_char"):
        assert now[name] == pytest.approx(whole["metrics"][name], rel=1e-4)


def test_where_the_model_is_another_that_is_said(new_file, old_run, tmp_path, caplog, monkeypatch):
    run = tmp_path / "run"
    stopped(new_file, old_run, run, monkeypatch)
    config = card_of(run)
    config["from"]["hash"] = "00000000"
    (run / "config.json").write_text(json.dumps(config))
    resume(run)
    assert "has other weights now: the weights stay as they were trained" in caplog.text


def test_where_the_model_is_gone_that_is_said(new_file, old_run, tmp_path, caplog, monkeypatch):
    run = tmp_path / "run"
    stopped(new_file, old_run, run, monkeypatch)
    old_run[0].rename(tmp_path / "elsewhere")
    resume(run)
    assert f"{old_run[0]}, which it began from, cannot be read" in caplog.text
    assert "interpolation" not in card_of(run)["metrics"]
    assert json.loads((run / "status.json").read_text())["state"] == "finished"


@pytest.mark.slow
def test_a_run_that_began_from_a_model_resumes_to_the_same_weights(
    runs, new_file, text_file, tmp_path, monkeypatch
):
    _, _, training = tiny(epochs=2, dtype="float32", replay=f"{text_file}=0.25", **SMALL)
    settings = {"train_config": training, "begin_from": runs()}
    whole = start(new_file, tmp_path / "whole", **settings)
    interrupt(monkeypatch, 11)
    with pytest.raises(Interrupted):
        start(new_file, tmp_path / "run", **settings)
    monkeypatch.undo()
    run = resume(tmp_path / "run")
    same_weights(run, whole)
    assert card_of(run)["from"] == card_of(whole)["from"]
    other = tmp_path / "other.txt"
    other.write_text(TEXT[:-200], encoding="utf-8")
    config = card_of(run)
    config["training"]["replay"] = f"{other}=0.25"
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="mixed in"):
        resume(run)
