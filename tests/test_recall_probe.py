import csv
import dataclasses
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import textgen
from textgen import shipped
from textgen.array_ops import log_softmax
from textgen.cells import CELLS
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.recall_documents import documents, sample_texts
from textgen.data.recall_task import read_task
from textgen.data.training_data import digest
from textgen.errors import ConfigError
from textgen.evaluation import recall_probe
from textgen.evaluation.batch_reader import TOGETHER, Reader
from textgen.evaluation.context_length import ContextRow, context_curve, looks_back
from textgen.evaluation.recall_probe import (
    CONTROLS,
    FEWEST,
    LEAST,
    Probe,
    ProbeRow,
    Scorer,
    horizon,
    measure,
    probe,
    report,
    task_of,
    wilson,
)
from textgen.generation.generator import Generator
from textgen.model import trainable
from textgen.runs import run_folder
from textgen.runs.run_folder import read_config
from textgen.tokenizers.tokenizer import CharTokenizer
from textgen.training.train import resume, start
from tiny import TEXT, by_keras, drawn, only

RANDOM = np.random.default_rng(0)
TASK = """
facts = ["I am {}."]
questions = ["So I speak {} well."]
filler = ["filler.txt"]
[pairs.all]
Korean = "Korean"
Brazilian = "Portuguese"
Swiss = "German"
"""


@pytest.fixture(scope="module")
def task_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    (folder / "filler.txt").write_text("It rained.\nThe cat slept.\nWe ate the soup at home.\n")
    (folder / "task.toml").write_text(TASK)
    return folder / "task.toml"


def fresh(task, cell="gru"):
    tokenizer = CharTokenizer.train("".join(sorted(set(TASK + "\n".join(task.filler)))))
    config = ModelConfig(cell=cell, hidden_size=16, embedding_size=8)
    return Generator(drawn(config, tokenizer.vocab_size), tokenizer, name="fresh")


# --- reading many rows ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_rows_of_any_length_are_read_as_one_alone(cell):
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=5, num_layers=2)
    network = drawn(config, 11)
    lengths = [1, 3, 64, 65, 135, *[2] * TOGETHER]  # more rows than are read together
    rows = [RANDOM.integers(0, 11, n).tolist() for n in lengths]
    state = Reader(network).read(rows)
    model = trainable(network)
    for k, row in enumerate(rows[:6]):
        _, alone = model(np.array([row]))
        for ours, theirs in zip(state, alone, strict=True):
            for a, b in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(a[k], b[0], atol=1e-5)


def test_a_continuation_has_the_probability_of_its_tokens():
    network = drawn(ModelConfig(cell="lstm", hidden_size=8, embedding_size=5), 11)
    rows = [[1, 2, 3], [4, 5]]
    texts = [[[6], [7, 8, 9]], [[1, 2], [3] * 10]]
    found = Reader(network).continuations(Reader(network).read(rows), texts)
    for row, choices, own in zip(rows, texts, found, strict=True):
        for text, logprob in zip(choices, own, strict=True):
            logprobs = log_softmax(by_keras(network, [row + text])[0])
            expected = sum(logprobs[len(row) - 1 + k, token] for k, token in enumerate(text))
            assert logprob == pytest.approx(expected, abs=1e-4)


# --- the probe ------------------------------------------------------------------------------------


def test_wilson_interval():
    # Wilson's 95 % interval of 95 in 100, and of all of 10
    assert wilson(95, 100) == pytest.approx((0.88825, 0.97846), abs=1e-5)
    assert wilson(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)


def row(distance, low, control="none"):
    return ProbeRow(distance, distance, control, 400, low + 0.02, low, low + 0.04, 0.5, {})


@pytest.mark.parametrize(
    "rows, reach",
    [
        ([row(20, 0.99), row(50, 0.95), row(100, 0.89)], 50),
        ([row(20, 0.99), row(50, 0.80), row(100, 0.95)], 20),  # a hole ends it
        ([row(20, 0.90)], 0),  # the bound must lie above 90 %
        ([row(100, 0.95), row(20, 0.95)], 100),  # in any order
        ([row(20, 0.95), row(20, 0.1, "removed")], 20),  # controls do not count
    ],
)
def test_horizon_is_the_greatest_distance_without_a_hole_before(rows, reach):
    assert horizon(rows) == reach


def test_a_horizon_of_too_few_documents_says_so():
    assert wilson(FEWEST, FEWEST)[0] > LEAST > wilson(FEWEST - 1, FEWEST - 1)[0]
    for n, said in ((FEWEST - 1, f"horizon 0 characters: {FEWEST - 1} documents"), (FEWEST, None)):
        answered = dataclasses.replace(row(20, wilson(n, n)[0]), n=n)
        lines = report(Probe([answered], horizon([answered]), 1 / 3, {}))
        assert lines[-1].startswith(said or "horizon 20 characters")


@pytest.mark.parametrize("control", ["none", "removed", "swapped", "zeroed"])
def test_an_untrained_model_is_at_chance(task_file, control):
    found = probe(
        Scorer(fresh(read_task(task_file)), read_task(task_file)), [30, 60], 300, [control]
    )
    assert found.chance == pytest.approx(1 / 3) and found.horizon == 0
    for one in found.rows:
        assert one.accuracy == pytest.approx(1 / 3, abs=0.05)


def test_controls_read_what_they_say(task_file, monkeypatch):
    task = read_task(task_file)
    scorer = Scorer(fresh(task), task)
    texts = documents(task, 40, 3, held_out=())
    read = []
    monkeypatch.setattr(scorer.reader, "read", lambda rows: read.extend(rows))
    # what is said of the answers is not looked at here
    monkeypatch.setattr(scorer, "shares_of", lambda state, endings: np.zeros((len(endings), 3)))
    seen = {}
    for control in CONTROLS:
        read.clear()
        measure(scorer, 40, 3, control, held_out=())
        seen[control] = [scorer.tokenizer.decode(ids) for ids in read]
    told = [d.before[: d.opening_end] for d in texts]
    rest = [d.before[d.opening_end :] for d in texts]
    assert seen["none"] == ["\n" + d.before for d in texts]
    assert seen["removed"] == ["\n" + text.lstrip() for text in rest]
    assert seen["zeroed"] == rest
    assert seen["swapped"] == [f"\n{t}{r}" for t, r in zip([*told[1:], told[0]], rest, strict=True)]


class Oracle(Scorer):
    """Answers what the text itself says of the one it asks about, in Korean."""

    def shares(self, texts, control="none"):
        return np.array([np.eye(len(self.task.answers))[self.answer(d.before)] for d in texts])

    def answer(self, text):
        sentences = text.split(".")
        asked = self.other(sentences[-1])
        told = [s for s in sentences if any(fact in s for fact in self.task.facts)]
        (sentence,) = (s for s in told if self.other(s) == asked)
        (fact,) = (fact for fact in self.task.facts if fact in sentence)
        return self.task.answers.index(self.task.answer_to(fact))

    def other(self, sentence):
        return any(who in sentence for who in self.task.distractor.who)


@pytest.mark.parametrize("n", [408, 409, 5])
@pytest.mark.parametrize("control", ["none", "swapped"])
def test_who_reads_what_is_told_of_the_one_asked_about_is_always_right(n, control):
    task = read_task("speaker-ko.toml").in_few_words
    scorer = Oracle(fresh(task), task)
    for variant in ("plain", "distractor"):
        row = measure(scorer, 60, n, control, variant)
        assert row.accuracy == row.probability == 1.0 and row.n == n


def test_a_batch_is_small_where_the_candidates_are_many(task_file, monkeypatch):
    task = read_task(task_file)
    scorer = Scorer(fresh(task), task)
    whole = measure(scorer, 40, 7)
    monkeypatch.setattr(recall_probe, "READ_TOGETHER", 6)
    sizes = []
    state = scorer.state
    monkeypatch.setattr(
        scorer, "state", lambda d, control: sizes.append(len(d)) or state(d, control)
    )
    parts = measure(scorer, 40, 7)
    assert sizes == [2, 2, 2, 1]
    assert parts.probability == pytest.approx(whole.probability, abs=1e-5)


def test_the_tokens_are_those_from_the_fact_asked_about(task_file):
    task = read_task("speaker-en.toml")
    scorer = Scorer(fresh(task), task)
    plain, distractor = (measure(scorer, 60, 48, variant=v).tokens for v in ("plain", "distractor"))
    assert plain == 60 < distractor


def test_a_setting_that_makes_no_documents(task_file):
    task = read_task(task_file)
    scorer = Scorer(fresh(task), task)
    with pytest.raises(ConfigError, match="has plain"):
        probe(scorer, [20], variant="distractor")
    with pytest.raises(ConfigError, match=r"controls is \['none', 'swaped'\]: give a list of none"):
        probe(scorer, [20], controls=["none", "swaped"])
    with pytest.raises(ConfigError, match="held_out is 'filler': give a list of filler, phrasing"):
        probe(scorer, [20], held_out="filler")


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"distances": [0]}, "distances is 0: give a value of at least 1 and at most 100000"),
        ({"distances": [10**9]}, "distances is 1000000000: give a value of at least 1 and at most"),
        ({"distances": [2.5]}, "distances is 2.5: give a value of type int"),
        ({"distances": [math.nan]}, "distances is nan: give a value of type int"),
        ({"distances": []}, "distances is empty: give at least one whole number"),
        ({"distances": 20}, "distances is 20: give a list of whole numbers"),
        ({"distances": "20"}, "distances is '20': give a list of whole numbers"),
        ({"controls": None}, "controls is None: give a list of none, removed"),
        ({"controls": []}, "controls is empty: give at least one of none"),
        ({"controls": [["none"]]}, r"controls is \[\['none'\]\]: give a list of none"),
        ({"n": 0}, "n is 0: give a value of at least 1"),
        ({"n": 8.5}, "n is 8.5: give a value of type int"),
        ({"n": 10**9}, "n is 1000000000: give a value of at least 1 and at most"),
        ({"seed": "x"}, "seed is 'x': give a value of type int"),
        ({"seed": -1}, "seed is -1: give a value of at least 0"),
    ],
)
def test_what_a_probe_refuses(task_file, monkeypatch, wrong, message):
    monkeypatch.setattr(recall_probe, "measure", lambda *_: pytest.fail("it was measured"))
    task = read_task(task_file)
    with pytest.raises(ConfigError, match=message) as caught:
        probe(Scorer(fresh(task), task), **({"distances": [20], "n": 3} | wrong))
    assert "\n" not in str(caught.value)


def test_a_probe_takes_numbers_of_numpy(task_file):
    task = read_task(task_file)
    found = probe(Scorer(fresh(task), task), np.array([40, 30]), np.int64(3), seed=np.int32(2))
    assert [row.distance for row in found.rows] == [30, 40]
    assert json.loads(json.dumps(found.as_dict()))["settings"]["seed"] == 2


def settings(**training):
    return (
        ModelConfig(cell="gru", hidden_size=48, embedding_size=16, chrono=60),
        TokenizerConfig(),
        TrainConfig(
            **(
                {
                    "epochs": 4,
                    "steps_per_epoch": 60,
                    "batch_size": 32,
                    "distance": 40,
                    "learning_rate": 8e-3,
                    "answer_weight": 30.0,
                    "sample_length": 0,
                    "patience": 99,
                }
                | training
            )
        ),
    )


@pytest.mark.slow
def test_a_model_trained_on_a_task_remembers(task_file, tmp_path):
    run = start(task_file, tmp_path / "run", *settings())
    model = textgen.load(run)
    with pytest.raises(ConfigError, match=r"the task 'task.toml', which does not come with"):
        task_of(model)
    task = read_task(task_file)
    found = probe(Scorer(model, task), [20, 40], 150, ["none", "removed", "swapped", "zeroed"])
    by_control = {(r.distance, r.control): r.accuracy for r in found.rows}
    assert by_control[20, "none"] > 0.95 and by_control[20, "swapped"] > 0.95
    for control in ("removed", "zeroed"):
        assert by_control[20, control] == pytest.approx(1 / 3, abs=0.1)
    looks = [json.loads(line) for line in (run / "recall.jsonl").read_text().splitlines()]
    assert [look["epoch"] for look in looks] == [1, 2, 3, 4]
    assert looks[-1]["rows"][0]["accuracy"] > 0.95
    assert "the task task.toml" in (run / "README.md").read_text()
    command = [sys.executable, "-m", "textgen", "probe", run, "-n", "30", "--distances", "20,30"]
    command += ["--task", task_file]
    files = ["--json", tmp_path / "p.json", "--csv", tmp_path / "p.csv", "--controls"]
    shown = subprocess.run([*command, *files], capture_output=True, text=True, check=True).stdout
    assert "horizon" in shown and "swapped" in shown
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    saved = json.loads((tmp_path / "p.json").read_text())
    assert len(rows) == len(saved["rows"]) == 8 and saved["settings"]["n"] == 30
    assert float(rows[0]["accuracy"]) == saved["rows"][0]["accuracy"]


@pytest.mark.slow
def test_a_task_goes_on_where_it_stopped(task_file, tmp_path):
    short = settings(epochs=2, steps_per_epoch=5)
    whole = start(task_file, tmp_path / "whole", *short)
    parts = start(task_file, tmp_path / "parts", *settings(epochs=1, steps_per_epoch=5))
    assert not np.array_equal(*(weights(run)["head.kernel"] for run in (whole, parts)))
    resume(parts, epochs=2)
    # the learning rate falls over the whole run, so only the course is the same
    steps = [
        (run / "history.csv").read_text().splitlines()[-1].split(",")[1] for run in (whole, parts)
    ]
    assert steps == ["10", "10"]


def weights(run):
    return run_folder.read_weights(run / "model.safetensors")[0]


def test_a_model_of_ordinary_text_has_no_task(runs):
    with pytest.raises(ConfigError, match="was not trained on a task: name one with --task"):
        task_of(textgen.load(runs()))


# --- the task of a model --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model_of():
    """model_of(corpus): a model whose config.json says this of what it was trained on."""
    model = fresh(read_task("speaker-ko.toml"))
    return lambda corpus: Generator(model.network, model.tokenizer, {"corpus": corpus}, name="m")


def test_the_shipped_task_of_a_model_is_known_by_its_name(model_of):
    for folder in sorted(shipped.MODELS.glob("speaker-*")):
        corpus = read_config(folder)["corpus"]
        assert task_of(model_of(corpus)).path == shipped.TASKS / corpus["task"]


def test_a_task_of_ones_own_with_a_shipped_name_is_known_by_its_hash(model_of, caplog):
    card = {"source": "mine/speaker-ko.toml", "task": "speaker-ko.toml"}
    task = read_task("speaker-ko.toml")
    assert task_of(model_of(card | {"sha256": digest(sample_texts(task))})) == task
    assert not caplog.messages
    with pytest.raises(ConfigError, match=r"'speaker-ko.toml', which does not come with textgen"):
        task_of(model_of(card | {"sha256": "0" * 64}))
    assert task_of(model_of(card | {"source": "tasks/speaker-ko.toml", "sha256": "0" * 64})) == task
    assert "was trained on speaker-ko.toml as it was then" in caplog.text


@pytest.mark.parametrize("named", ["pipe.toml", "speaker-ko.toml", "../pipe.toml", 3, None, "\0"])
def test_nothing_is_opened_because_a_config_names_it(model_of, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pipe.toml", "speaker-ko.toml"):
        os.mkfifo(tmp_path / name)  # who opens one waits without end
    for source in (
        str(tmp_path / "pipe.toml"),
        str(tmp_path / "speaker-ko.toml"),
        ["pipe.toml"],
        3,
    ):
        with pytest.raises(ConfigError, match="--task FILE"):
            task_of(model_of({"source": source, "task": named, "sha256": "0" * 64}))


@pytest.mark.parametrize("corpus", [None, [], "speaker-ko.toml", {}, {"source": "speaker-ko.toml"}])
def test_a_config_that_names_no_task(model_of, corpus):
    with pytest.raises(ConfigError, match="was not trained on a task: name one with --task"):
        task_of(model_of(corpus))


@pytest.mark.parametrize("path", sorted(shipped.RECIPES.glob("speaker-*.toml")), ids=str)
def test_recipes_name_a_shipped_task(path):
    assert read_task(path.read_text().split('corpus = "')[1].split('"')[0]).facts


# --- ordinary text --------------------------------------------------------------------------------


def test_loss_against_context_is_that_of_the_cut_text(runs):
    model = textgen.load(runs())
    rows = context_curve(model, TEXT, contexts=(1, 5, 40), n=30, seed=3)
    assert [r.context for r in rows] == [1, 5, 40]
    ids = model.tokenizer.encode(TEXT)
    keras_model = trainable(model.network)
    places = np.random.default_rng(3).choice(np.arange(40, len(ids)), 30, replace=False)
    for one in rows:
        bits = []
        for t in places:
            logits, _ = keras_model(np.array([ids[t - one.context : t]]))
            bits.append(-float(log_softmax(np.asarray(logits)[0, -1])[ids[t]]) / np.log(2))
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
