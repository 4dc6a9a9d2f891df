"""How far back a fact is remembered: the probe, its controls and its horizon."""

import csv
import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import textgen
from own_task import GOOD
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.recall_documents import documents
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError
from textgen.evaluation import recall_probe
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
    task_of,
    wilson,
)
from textgen.evaluation.recall_tables import report
from textgen.generation.generator import Generator
from textgen.runs import array_file
from textgen.tokenizers.tokenizer import CharTokenizer
from textgen.training.train import resume, start
from tiny import drawn

TASK = GOOD + 'Swiss = "German"\n'


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


def test_that_any_answer_comes_is_the_sum_of_whole_answers(task_file):
    task = read_task(task_file)
    tokenizer = CharTokenizer.train(TASK)
    config = ModelConfig(cell="gru", hidden_size=6, embedding_size=4)
    model = Generator(drawn(config, tokenizer.vocab_size), tokenizer)
    some = documents(task, 30, 3)
    found = Scorer(model, task).any_answer(some)
    for document, share in zip(some, found, strict=True):
        told = len(document.before)
        tokens = [model.score(document.before + answer).tokens[told:] for answer in task.answers]
        whole = sum(math.exp(sum(token.logprob for token in answer)) for answer in tokens)
        assert share == pytest.approx(whole, rel=1e-4)


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
    whole = read_task("speaker-ko.toml")
    few = {name: dict(list(group.items())[:3]) for name, group in whole.pairs.items()}
    # what a form tells ends in no full stop, by which the oracle tells sentences apart
    facts = tuple(phrase for phrase in whole.plain.facts if phrase.endswith("."))
    plain = dataclasses.replace(whole.plain, facts=facts)
    task = dataclasses.replace(whole, pairs=few, plain=plain)
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
    return array_file.read_arrays(run / "model.safetensors")[0]
