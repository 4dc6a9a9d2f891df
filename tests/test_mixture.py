"""The n-grams of a run and the network, as one distribution."""

import dataclasses
import json
import math
import os
import re
import signal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import textgen
from textgen.array_ops import softmax
from textgen.cli.main import main
from textgen.config import EvaluateConfig, TokenizerConfig
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, RunError
from textgen.evaluation.evaluate import evaluate, read_carried
from textgen.generation import scoring
from textgen.ngrams import counts as counts_module
from textgen.ngrams.counts import NGrams
from textgen.ngrams.mixture import TERMS, Mixture, doubts, fit
from textgen.runs.array_file import read_arrays, write_arrays
from textgen.runs.ngrams import FITTED, NGRAMS, read_ngrams, write_ngrams
from textgen.runs.run_config import RunConfig
from textgen.runs.run_folder import (
    save_model,
    weights_hash,
    write_config,
    write_tokenizer,
)
from textgen.training.ngrams import add_ngrams
from textgen.training.stop_request import StopRequest
from textgen.ui import models, samples
from tiny import TEXT, drawn_model, once, tiny

SIZE = 5
IDS = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=60)


def mixture_of(ids, order=4, most=None, seed=1, size=SIZE):
    counts = NGrams.count(np.array(ids), size, order, most)
    return Mixture(counts, np.random.default_rng(seed).normal(size=(order, TERMS)))


def by_loop(mixture, text, before, p):
    """The recursion as it is written, over a text that was counted whole."""
    doubt = math.log(1.001 - p.max())
    for n, terms in enumerate(mixture.terms, 1):
        history = before[len(before) - n + 1 :]
        places = [i for i in range(n - 1, len(text) + (n > 1)) if text[i - n + 1 : i] == history]
        if len(before) < n - 1 or not places:
            break
        after = [text[i] for i in places if i < len(text)]
        kinds = len({*after}) + len(places) - len(after)
        parts = np.array([1, math.log(len(places)), math.log(kinds), doubt])
        weight = 1 / (1 + math.exp(-parts @ terms))
        times = np.bincount(after, minlength=len(p)) / len(places)
        p = weight * times + (1 - weight * len(after) / len(places)) * p
    return p


@given(
    text=IDS,
    before=st.lists(st.integers(-1, SIZE - 1), min_size=1, max_size=6),
    most=st.one_of(st.none(), st.integers(1, 40)),
    seed=st.integers(0, 99),
)
def test_the_probabilities_sum_to_one(text, before, most, seed):
    mixture = mixture_of(text, most=most, seed=seed)
    logits = np.random.default_rng(seed).normal(size=(1, SIZE), scale=4).astype(np.float32)
    logprobs = mixture.logprobs_after(logits, np.array([before]))
    assert np.exp(logprobs.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)
    if most is not None:
        assert len(mixture.counts) <= most + SIZE


@given(text=IDS, before=st.lists(st.integers(0, SIZE - 1), max_size=5), seed=st.integers(0, 99))
def test_it_is_the_recursion(text, before, seed):
    mixture = mixture_of(text, seed=seed)
    logits = np.random.default_rng(seed).normal(size=SIZE)
    found = mixture.logprobs_after(logits[None], np.array([[-1, -1, -1, *before]]))[0]
    expected = by_loop(mixture, text, before, softmax(logits))
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-4, atol=1e-7)


@given(st.lists(st.integers(0, 6)), st.integers(7, 60))
def test_few_possible_keys_are_counted_as_many_are_sorted(keys, bound):
    keys = np.array(keys, np.int64)
    expected = np.unique(keys, return_inverse=True, return_counts=True)
    for ours, theirs in zip(counts_module._distinct(keys, bound), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_by_hand():
    # 0 1 0 1 0 2: after 0 came 1 twice and 2 once, so a half of the weight goes to them as 2 : 1
    mixture = Mixture(NGrams.count(np.array([0, 1, 0, 1, 0, 2]), 3, 2), np.zeros((2, TERMS)))
    network = np.log([[0.2, 0.2, 0.6]])
    alone = 0.5 * np.array([3, 2, 1]) / 6 + 0.5 * np.array([0.2, 0.2, 0.6])
    expected = 0.5 * np.array([0, 2, 1]) / 3 + 0.5 * alone
    found = mixture.logprobs_after(network, np.array([[1, 0]]))
    np.testing.assert_allclose(np.exp(found[0]), expected, rtol=1e-5)
    # after a token that was never met there is what all of them have in common
    unmet = mixture.logprobs_after(network, np.array([[0, -1]]))
    np.testing.assert_allclose(np.exp(unmet[0]), alone, rtol=1e-5)


def test_a_text_is_read_as_it_is_written():
    random = np.random.default_rng(2)
    mixture = mixture_of(random.integers(0, SIZE, 300), most=150)
    ids, logits = random.integers(0, SIZE, 40), random.normal(size=(40, SIZE))
    histories = mixture.counts.histories(np.append(-1, ids[:-1]))
    logprobs = mixture.logprobs(logits, histories)
    p = softmax(logits)
    own = p[np.arange(40), ids]
    read = mixture.predicted(own, doubts(p.max(-1)), histories, ids)
    np.testing.assert_allclose(np.log(read.p), logprobs[np.arange(40), ids], rtol=1e-4)
    assert (read.of_network <= read.p + 1e-12).all() and (read.of_network > 0).all()


def test_no_probability_is_nought():
    # weights of 1, after a history that went on otherwise each time
    mixture = Mixture(NGrams.count(np.array([0, 1, 0, 1]), 3, 2), np.full((2, TERMS), 50.0))
    ids, nothing = np.array([2]), np.full(1, -0.01)
    with np.errstate(all="raise"):
        p = mixture.predicted(np.full(1, 0.5), nothing, mixture.counts.histories(ids * 0), ids).p
        assert 0 < p[0] < 1e-9 and np.isfinite(np.log(p))


def test_a_voice_has_the_network_alone(model):
    voice = np.zeros((1, 2, 8), np.float32)
    voiced = model.over(model.network)
    voiced.voices = {"철수": voice}
    assert voiced.mixture is not None and voiced.in_voice("철수").mixture is None


def test_what_is_learned_leans_on_who_knows_more():
    text = np.tile([0, 1, 2, 3, 4, 2, 1], 60)
    counts = NGrams.count(text[:300], SIZE, 3)
    ids = text[300:]
    histories = counts.histories(text[299:-1])
    for p, likeliest, better in ((0.2, 0.2, 0.9), (0.999, 0.999, 0.99)):
        own, doubt = np.full(len(ids), p), doubts(np.full(len(ids), likeliest))
        mixture = Mixture(counts, fit(counts, own, doubt, histories, ids))
        mixed = mixture.predicted(own, doubt, histories, ids).p
        assert np.exp(np.log(mixed).mean()) > better


def test_who_predicted_a_token(model):
    ids = model.tokenizer.encode("한국")
    sample = samples.Sample("나는 ", [samples.Token(i, -1.0, []) for i in ids])
    shares = samples.counted(model, "나는 ", ids)
    assert len(shares) == 2 and all(0.5 < share <= 1 for share in shares)
    data = samples.strip_data(sample, model.tokenizer, counted=shares)
    assert [group["counted"] for group in data["groups"]] == shares
    assert samples.counted(model.without_ngrams(), "나는 ", ids) == []
    assert samples.strip_data(sample, model.tokenizer)["groups"][0]["counted"] is None


def test_who_predicted_is_the_same_in_windows_of_any_length(model, monkeypatch):
    ids = model.tokenizer.encode(TEXT[:50])
    whole = scoring.of_ngrams(model.network, ids, model.mixture)
    monkeypatch.setattr(scoring, "WINDOW", 7)
    np.testing.assert_allclose(
        scoring.of_ngrams(model.network, ids, model.mixture), whole, atol=1e-5
    )
    assert len(whole) == 49 and len(scoring.of_ngrams(model.network, ids[:1], model.mixture)) == 0


# --- in a run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed_run(shared, text_file):
    from textgen.training.train import start  # it imports TensorFlow

    settings = tiny(validation_fraction=0.4, epochs=1, sample_length=0)
    return once(shared, "with-ngrams", lambda path: start(text_file, path, *settings))


@pytest.fixture(scope="module")
def model():
    """A drawn network with the n-grams of `TEXT`: quickly made."""
    model = drawn_model()
    model.network.bias[model.tokenizer.unk_id] = -30  # it is never written
    ids = model.tokenizer.encode_array(TEXT)
    counts = NGrams.count(ids, model.tokenizer.vocab_size, 6)
    terms = np.tile([1, 0, -0.5, 0.0], (6, 1))  # a history that went on in one way is trusted
    model.mixture = Mixture(counts, terms)
    return model


def test_it_draws_from_both_and_can_be_asked_not_to(model):
    options = {"max_new_tokens": 60, "temperature": 0.0, "seed": 1}
    both = model.generate("나는 한국", **options)
    assert both.prompt + both.text in TEXT
    alone = model.generate("나는 한국", ngrams=False, **options)
    assert alone == model.without_ngrams().generate("나는 한국", **options) != both
    assert [t.logprob for t in model.score("\n나는").tokens] != [
        t.logprob for t in model.without_ngrams().score("\n나는").tokens
    ]


def test_what_it_writes_it_scores_as_it_drew_it(model):
    one = model.generate("", max_new_tokens=30, seed=3, top_logprobs=2)
    scored = model.score(one.text)
    np.testing.assert_allclose(one.logprobs, [t.logprob for t in scored.tokens], atol=1e-4)
    alone = model.without_ngrams().score(one.text)
    assert scored.network_bits_per_char == pytest.approx(alone.bits_per_char, rel=1e-6)


def test_a_batch_beams_and_a_guard(model):
    many = model.generate_batch(["나는 ", "The "], max_new_tokens=20, seed=5)
    alone = model.generate("나는 ", max_new_tokens=20, seed=5)
    assert many[0].text == alone.text
    beams = model.generate("The rain", max_new_tokens=12, num_beams=3)
    assert beams.text == " fell on the"
    guarded = model.generate("", max_new_tokens=80, seed=1, guard=model.guard(6, TEXT))
    spans = [guarded.text[i : i + 7] for i in range(len(guarded.text) - 6)]
    assert not any(span in TEXT for span in spans)
    with pytest.raises(ConfigError, match="engine is 'tensorflow': with n-grams"):
        model.generate("", engine="tensorflow")


def test_both_figures_of_an_evaluation(model):
    config = EvaluateConfig(window=16, order=2, sample_length=0)
    found = evaluate(model, TEXT[:200], None, config)
    rows = {row.name: row for row in found.rows}
    assert rows["model and its n-grams together"].bits_per_char == pytest.approx(
        model.score(TEXT[:200]).bits_per_char, rel=1e-4
    )
    ids = model.tokenizer.encode(TEXT[:200])
    nats = read_carried(model, ids).mixed(model, model.mixture)
    assert len(nats) == 200
    alone = evaluate(model.without_ngrams(), TEXT[:200], None, config)
    assert rows["model, state carried"].bits_per_char == alone.rows[0].bits_per_char
    assert "model and its n-grams together" not in {row.name for row in alone.rows}


def test_the_file_comes_back_as_it_was(model, tmp_path):
    write_ngrams(tmp_path, Mixture(model.mixture.counts, model.mixture.terms, 7), "abc")
    back = read_ngrams(tmp_path, model.tokenizer.vocab_size, "abc")
    assert back.fitted == 7 and len(back.counts) == len(model.mixture.counts)
    logits = np.zeros((1, model.tokenizer.vocab_size), np.float32)
    before = np.array([model.tokenizer.encode("나는 한국")])
    np.testing.assert_array_equal(
        back.logprobs_after(logits, before), model.mixture.logprobs_after(logits, before)
    )


def test_of_other_weights_it_is_left_out(model, tmp_path, caplog):
    write_ngrams(tmp_path, model.mixture, "abc")
    assert read_ngrams(tmp_path, model.tokenizer.vocab_size, "def") is None
    assert "belongs to other weights" in caplog.text


def changed(arrays, note, name):
    """A file that was tampered with in one way."""
    if name == "a token that is none":
        arrays["tokens.2"] = arrays["tokens.2"].astype(np.uint16) + 60_000
    elif name == "more followers than there are":
        arrays["followers.3"] = arrays["followers.3"] + np.uint8(1)
    elif name == "a count above that of its history":
        arrays["counts.3"] = np.full_like(arrays["counts.3"], 250)
    elif name == "out of order":
        arrays["tokens.1"] = arrays["tokens.1"][::-1]
    elif name == "no whole level":
        del arrays["counts.2"]
    elif name == "floats":
        arrays["counts.1"] = arrays["counts.1"].astype(np.float32)
    elif name == "terms without an end":
        arrays["terms"] = arrays["terms"] * np.inf
    elif name == "a note that is none":
        note = "[]"
    elif name == "learned on more than there may be":
        note = json.dumps({"weights": "abc", "fitted": FITTED + 1})
    return arrays, note


@pytest.mark.parametrize(
    "name",
    [
        "a token that is none",
        "more followers than there are",
        "a count above that of its history",
        "out of order",
        "no whole level",
        "floats",
        "terms without an end",
        "a note that is none",
        "learned on more than there may be",
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_file_of_a_stranger_is_refused(model, tmp_path, name):
    write_ngrams(tmp_path, model.mixture, "abc")
    arrays, note = read_arrays(tmp_path / NGRAMS)
    write_arrays(tmp_path / NGRAMS, *changed(dict(arrays), note, name))
    with pytest.raises(RunError, match=r"ngrams\.safetensors does not fit the model"):
        read_ngrams(tmp_path, model.tokenizer.vocab_size, "abc")


WORDS = re.findall(r"\S+\s", TEXT[: len(TEXT) // 25])


def written(seed, words):
    """A text of the words of `TEXT`, in an order of its own."""
    return "".join(np.random.default_rng(seed).choice(WORDS, words))


def run_in(path, text):
    """A run folder as training leaves it, but for its n-grams, and the text of the run, of which
    the last 2/5 are held out."""
    (path / "text.txt").write_text(text, encoding="utf-8")
    model, (_, _, settings) = drawn_model(), tiny(validation_fraction=0.4)
    data = read_training_data(path / "text.txt", settings)
    config = RunConfig(
        model.config,
        TokenizerConfig("char", model.tokenizer.vocab_size),
        settings,
        data.config,
        metrics={"epoch": 1, "seconds": 1.0, "bits_per_char": 5.0},
    )
    run = path / "run"
    run.mkdir()
    write_tokenizer(run, model.tokenizer)
    save_model(run, model.network)
    write_config(run, config)
    return run, data, config


@pytest.fixture
def folder(tmp_path):
    return run_in(tmp_path, written(1, 1200))


@pytest.fixture
def unlike(tmp_path):
    """A run whose text ends with characters in an order of chance, so that what was learned of
    n-grams on the part before is of no use there."""
    text = written(1, 1200)
    shuffled = np.random.default_rng(2).permutation([*text[: len(text) // 5]])
    return run_in(tmp_path, text[: -len(shuffled)] + "".join(shuffled))


def test_the_end_of_a_run(folder, caplog):
    run, data, config = folder
    assert textgen.load(run).mixture is None
    with caplog.at_level("INFO"):
        add_ngrams(run, data, StopRequest(), config)
    assert "n-grams of up to 8 tokens" in caplog.text
    model = textgen.load(run)
    assert model.mixture.fitted == len(data.held_out_text) // 2
    metrics = model.card["metrics"]
    assert metrics["mixed_bits_per_char"] < metrics["network_bits_per_char"]
    assert f"{metrics['mixed_bits_per_char']:.3f}" in (run / "README.md").read_text("utf-8")
    rest = data.held_out_text[model.mixture.fitted :]
    assert model.score(rest).bits_per_char == pytest.approx(
        metrics["mixed_bits_per_char"], abs=0.05
    )


def says_that_it_is_alone(run, before, log):
    """Nothing of n-grams is left in a run folder, and one line says so."""
    assert "the network predicts alone" in log and log.count("\n") == 1
    assert not (run / NGRAMS).exists() and textgen.load(run).mixture is None
    card = textgen.load(run).card
    assert card["metrics"] == dict(before.metrics)
    return True


def test_n_grams_that_do_not_help_are_not_kept(unlike, caplog):
    run, data, config = unlike
    stale = {"network_bits_per_char": 5.0, "mixed_bits_per_char": 4.0}
    (run / NGRAMS).write_bytes(b"of an earlier end")
    ended = dataclasses.replace(config, metrics={**config.metrics, **stale})
    with caplog.at_level("INFO"):
        add_ngrams(run, data, StopRequest(), ended)
    assert "n-grams do not help" in caplog.text
    assert says_that_it_is_alone(run, config, caplog.text)
    assert NGRAMS not in (run / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (MemoryError(), "no n-grams are kept (too little memory)"),
        (OSError("no space"), "no n-grams are kept (no space)"),
        (RunError("tokens.u8 is missing"), "no n-grams are kept (tokens.u8 is missing)"),
    ],
)
def test_no_trouble_with_n_grams_fails_a_training(folder, caplog, monkeypatch, trouble, said):
    run, data, config = folder

    def fail(*arguments):
        raise trouble

    monkeypatch.setattr("textgen.training.ngrams.NGrams.count", fail)
    add_ngrams(run, data, StopRequest(), config)
    assert said in caplog.text and says_that_it_is_alone(run, config, caplog.text)


def test_a_full_disk_leaves_the_network_alone(folder, caplog, monkeypatch):
    run, data, config = folder

    def fill(folder, mixture, weights):
        (folder / NGRAMS).write_bytes(b"half of it")
        raise RunError("the disk is full")

    monkeypatch.setattr("textgen.training.ngrams.write_ngrams", fill)
    add_ngrams(run, data, StopRequest(), config)
    assert says_that_it_is_alone(run, config, caplog.text)


def test_ctrl_c_ends_the_counting_at_once(folder, caplog, monkeypatch):
    run, data, config = folder

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it went on")

    monkeypatch.setattr("textgen.training.ngrams.NGrams.count", interrupted)
    with StopRequest() as stop:
        add_ngrams(run, data, stop, config)
    assert "was stopped" in caplog.text and says_that_it_is_alone(run, config, caplog.text)


def test_the_app_sees_n_grams_that_come_later_and_go(folder, model):
    run = folder[0]
    assert models.load(run).mixture is None
    write_ngrams(run, model.mixture, weights_hash(run))
    assert models.load(run).mixture is not None
    (run / NGRAMS).unlink()
    assert models.load(run).mixture is None


def test_a_damaged_file_is_one_line(folder, capsys):
    (folder[0] / NGRAMS).write_bytes(b"\1" * 99)
    with pytest.raises(SystemExit) as end:
        main(["generate", str(folder[0])])
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_a_run_counts_at_its_end_and_says_what_it_brings(mixed_run, text_file, capsys):
    model = textgen.load(mixed_run)
    held_out = int(len(TEXT) * 0.4)
    assert abs(model.mixture.fitted - held_out // 2) < 60
    metrics = model.card["metrics"]
    assert metrics["mixed_bits_per_char"] < metrics["network_bits_per_char"]
    assert "ngrams.safetensors" in (mixed_run / "README.md").read_text(encoding="utf-8")
    assert json.loads((mixed_run / "status.json").read_text())["state"] == "finished"

    main(["evaluate", str(mixed_run), str(text_file), "--sample-length", "0", "--order", "1"])
    out = capsys.readouterr().out
    assert f"but for its first {model.mixture.fitted:,} characters" in out
    assert "model and its n-grams together" in out
    main(["score", str(mixed_run), "나는 한국사람이야"])
    assert "of the network alone" in capsys.readouterr().out
    texts = []
    for flag in ([], ["--no-ngrams"]):
        main(["generate", str(mixed_run), "--seed", "1", "--max-new-tokens", "40", *flag])
        texts.append(capsys.readouterr().out)
    assert texts[0] != texts[1]


@pytest.mark.slow
def test_without_them_nothing_is_counted(tmp_path, text_file):
    from textgen.training.train import start

    settings = tiny(validation_fraction=0.4, epochs=1, sample_length=0, ngrams=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NGRAMS).write_bytes(b"of other weights")  # which the first save takes away
    run = start(text_file, tmp_path / "run", *settings)
    assert not (run / NGRAMS).exists() and textgen.load(run).mixture is None


def test_too_little_is_held_out(folder, text_file, caplog):
    run, _, config = folder
    with caplog.at_level("INFO"):
        add_ngrams(run, read_training_data(text_file, tiny()[2]), StopRequest(), config)
    assert "too little is held out" in caplog.text
    assert says_that_it_is_alone(run, config, caplog.text)
