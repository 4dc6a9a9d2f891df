import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import textgen
from textgen import shipped
from textgen.backend import ops
from textgen.cells import CELLS
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError
from textgen.evaluation.batch_reader import BLOCK, Reader
from textgen.evaluation.context_length import ContextRow, context_curve, looks_back
from textgen.evaluation.recall_probe import Row, Scorer, horizon, probe, task_of, wilson, written
from textgen.generation.generator import Generator
from textgen.model import build_model
from textgen.runs import run_folder
from textgen.tokenizers.tokenizer import CharTokenizer
from textgen.training.train import resume, start
from tiny import TEXT

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
    model = build_model(
        ModelConfig(cell=cell, hidden_size=16, embedding_size=8), tokenizer.vocab_size
    )
    return Generator(model, tokenizer, name="fresh")


# --- reading many rows ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_rows_of_any_length_are_read_as_one_alone(cell):
    model = build_model(ModelConfig(cell=cell, hidden_size=8, embedding_size=5, num_layers=2), 11)
    rows = [RANDOM.integers(0, 11, n).tolist() for n in (1, 3, BLOCK, BLOCK + 1, 2 * BLOCK + 7)]
    state = Reader(model).read(rows)
    for k, row in enumerate(rows):
        _, alone = model(np.array([row]))
        for ours, theirs in zip(state, alone, strict=True):
            for a, b in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(a[k], b[0], atol=1e-5)


def test_a_continuation_has_the_probability_of_its_tokens():
    model = build_model(ModelConfig(cell="lstm", hidden_size=8, embedding_size=5), 11)
    rows = [[1, 2, 3], [4, 5]]
    texts = [[[6], [7, 8, 9]], [[1, 2], [3] * 10]]
    found = Reader(model).continuations(Reader(model).read(rows), texts)
    for row, choices, own in zip(rows, texts, found, strict=True):
        for text, logprob in zip(choices, own, strict=True):
            logits, _ = model(np.array([row + text]))
            logprobs = np.asarray(ops.log_softmax(logits))[0]
            expected = sum(logprobs[len(row) - 1 + k, token] for k, token in enumerate(text))
            assert logprob == pytest.approx(expected, abs=1e-4)


# --- the probe ------------------------------------------------------------------------------------


def test_wilson_interval():
    # Wilson's 95 % interval of 95 in 100, and of all of 10
    assert wilson(95, 100) == pytest.approx((0.88825, 0.97846), abs=1e-5)
    assert wilson(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)


def row(distance, low, control="none"):
    return Row(distance, distance, control, 400, low + 0.02, low, low + 0.04, 0.5, {})


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
    documents = [d for d, _ in zip(written(task, 40, "plain", (), 1), range(3), strict=False)]
    read = []
    monkeypatch.setattr(scorer.reader, "read", lambda rows: read.extend(rows))
    texts = {}
    for control in ("none", "removed", "swapped", "zeroed"):
        read.clear()
        scorer.state(documents, control)
        texts[control] = [scorer.tokenizer.decode(ids) for ids in read]
    told = [d.before[: d.told] for d in documents]
    rest = [d.before[d.told :] for d in documents]
    assert texts["none"] == ["\n" + d.before for d in documents]
    assert texts["removed"] == ["\n" + text.lstrip() for text in rest]
    assert texts["zeroed"] == rest
    assert texts["swapped"] == [
        f"\n{t}{r}" for t, r in zip([*told[1:], told[0]], rest, strict=True)
    ]
    swapped = [task.answers[k] for k in scorer.wanted(documents, "swapped")]
    assert swapped == ["Portuguese", "German", "Korean"]


def test_a_setting_that_makes_no_documents(task_file):
    task = read_task(task_file)
    scorer = Scorer(fresh(task), task)
    with pytest.raises(ConfigError, match="whole numbers from 1"):
        probe(scorer, [0])
    with pytest.raises(ConfigError, match="has plain"):
        probe(scorer, [20], variant="distractor")


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
    task = task_of(model)
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


@pytest.mark.parametrize("path", sorted(shipped.RECIPES.glob("speaker-*.toml")), ids=str)
def test_recipes_name_a_shipped_task(path):
    assert read_task(path.read_text().split('corpus = "')[1].split('"')[0]).facts


# --- ordinary text --------------------------------------------------------------------------------


def test_loss_against_context_is_that_of_the_cut_text(runs):
    model = textgen.load(runs())
    rows = context_curve(model, TEXT, contexts=(1, 5, 40), n=30, seed=3)
    assert [r.context for r in rows] == [1, 5, 40]
    ids = model.tokenizer.encode(TEXT)
    places = np.random.default_rng(3).choice(np.arange(40, len(ids)), 30, replace=False)
    for one in rows:
        bits = []
        for t in places:
            logits, _ = model.model(np.array([ids[t - one.context : t]]))
            bits.append(-float(ops.log_softmax(logits[0, -1])[ids[t]]) / np.log(2))
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
    with pytest.raises(ConfigError, match="twice the shortest context, 5"):
        context_curve(textgen.load(runs()), "나는", contexts=(5, 10))
