"""Sweeps: what a space may say, which trial comes next, and real ones on a tiny text."""

import csv
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time

import optuna
import pytest
from test_cli import fails, run

from textgen.config import SweepConfig
from textgen.errors import ConfigError, RunError
from textgen.runs.recipe import as_toml, read_recipe
from textgen.terminal import as_text
from textgen.tuning.search_space import Choices, Range, read_space
from textgen.tuning.sweep import Sweep, _course
from textgen.tuning.trials import FAILED, FINISHED, STOPPED, Trials

SPACE = """
cell = ["gru", "rnn"]
hidden_size = {low = 8, high = 32, step = 8}
learning_rate = {low = 1e-3, high = 1e-2, log = true}
"""
RECIPE = """
[model]
embedding_size = 8
[training]
epochs = 1
batch_size = 4
dtype = "float32"
"""


def written(folder, text, name="space.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_space_of_choices_and_ranges(tmp_path):
    space = read_space(written(tmp_path, SPACE + "dropout = [0, 0.2]\ntie_weights = [true]\n"))
    assert space["cell"] == Choices(("gru", "rnn")) and space["dropout"].values == (0.0, 0.2)
    assert space["hidden_size"].all() == (8, 16, 24, 32)
    assert space["learning_rate"] == Range(1e-3, 1e-2, True, None)
    assert space["learning_rate"].all() is None
    drawn = [optuna.create_study().ask({n: s.distribution() for n, s in space.items()}).params]
    assert set(drawn[0]) == set(space) and drawn[0]["hidden_size"] in (8, 16, 24, 32)


@pytest.mark.parametrize(
    "content, values",
    [
        ("dropout = {low = 0.1, high = 0.3, step = 0.1}", (0.1, 0.2, 0.3)),
        ("dropout = {low = 0, high = 0.5, step = 0.2}", (0.0, 0.2, 0.4)),
        ("num_layers = {low = 1, high = 3}", (1, 2, 3)),
        ("batch_size = {low = 8, high = 30, step = 8}", (8, 16, 24)),
    ],
)
def test_a_range_in_steps_is_all_its_values(tmp_path, content, values):
    (setting,) = read_space(written(tmp_path, content)).values()
    assert setting.all() == values and type(setting.all()[0]) is type(values[0])
    draw = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask
    drawn = {setting.tidy(draw({"x": setting.distribution()}).params["x"]) for _ in range(60)}
    assert drawn == set(values)


def test_a_drawn_number_has_few_digits_and_stays_in_its_range():
    numbers = Range(1.2341e-3, 2.3e-3, True, None)
    assert numbers.tidy(0.00187654321) == 0.001877
    assert numbers.tidy(1.23412e-3) == numbers.low


@pytest.mark.parametrize(
    "content, line",
    [
        ("", "names no setting"),
        ("hidden_sice = [1]", "names 'hidden_sice': settings are cell, hidden_size"),
        ("[model]\ncell = ['gru']", "names 'model'"),
        ("validation_fraction = [0.1, 0.2]", "varies validation_fraction"),
        ("max_seconds = [1.0, 2.0]", "varies max_seconds"),
        ("cell = 'gru'", "cell is 'gru': give a list of choices, or a range"),
        ("cell = []", r"cell is \[\]: give a list"),
        ("cell = ['gru', 'transformer']", "cell is 'transformer': choose one of"),
        ("cell = ['gru', 'gru']", "give each choice once"),
        ("dropout = [0, 0.0]", "give each choice once"),
        ("cell = {low = 1, high = 2}", "cell is not a number"),
        ("tie_weights = {low = 0, high = 1}", "tie_weights is not a number"),
        ("hidden_size = {low = 64}", "give low and high"),
        ("hidden_size = {low = 64, high = 128, by = 2}", "give low and high"),
        ("hidden_size = {low = 128, high = 64}", "goes from 128 to 64: give a low below"),
        ("hidden_size = {low = 0, high = 64}", "hidden_size is 0: give a value of at least 1"),
        ("hidden_size = {low = 1.5, high = 64}", "hidden_size is 1.5: give a value of type int"),
        ("hidden_size = {low = 16, high = 64, step = 0}", "step of hidden_size is 0"),
        ("hidden_size = {low = 16, high = 64, step = 49}", "step of hidden_size is 49"),
        ("hidden_size = {low = 16, high = 64, step = 2, log = true}", "with log leave step out"),
        ("learning_rate = {low = 1e-4, high = inf}", "goes from 0.0001 to inf"),
        ("learning_rate = {low = nan, high = 1.0}", "learning_rate is not a number"),
        ("learning_rate = {low = 1e-4, high = 1e-2, log = 1}", "log of learning_rate is 1"),
        ("dropout = {low = 0.0, high = 0.5, log = true}", "begin above 0"),
        ("cell = [", "is not valid TOML"),
    ],
)
def test_a_bad_space_is_one_line(tmp_path, content, line):
    with pytest.raises(ConfigError, match=line) as raised:
        read_space(written(tmp_path, content))
    assert "\n" not in str(raised.value)


def test_bad_requests_are_one_line_and_leave_nothing(capsys, text_file, tmp_path):
    space, out = written(tmp_path, SPACE), tmp_path / "sweep"
    asked = ["sweep", text_file, "--out", out, "--space", space]
    assert "give a value of at least 10" in fails(capsys, *asked, "--seconds", 5)
    assert "trials is 0" in fails(capsys, *asked, "--trials", 0)
    assert "jobs is 0" in fails(capsys, *asked, "--jobs", 0)
    assert "cannot read the space" in fails(capsys, *asked[:-1], tmp_path / "none.toml")
    assert "no text given" in fails(capsys, "sweep", *asked[2:])
    bare = written(tmp_path, "[training]\nvalidation_fraction = 0.0\n", "bare.toml")
    assert "nothing of the text is held out" in fails(capsys, *asked, "--config", bare)
    assert not out.exists()


def test_a_recipe_is_read_as_it_was_written(tmp_path):
    values = {
        "cell": "gru",
        "hidden_size": 8,
        "dropout": 0.25,
        "tie_weights": True,
        "learning_rate": 1e-05,
        "prompt": '"쉿"\n\\ \x7f',
        "tokenizer": "jamo",
    }
    path = written(tmp_path, as_toml(["a b.txt", "글.txt"], values), "r.toml")
    assert read_recipe(path) == {"corpus": ["a b.txt", "글.txt"], **values}


# --- which trial comes next ----------------------------------------------------------------------


def trials_in(folder, space=None, **shared):
    space = space or {"cell": Choices(("gru", "rnn")), "num_layers": Range(1, 2, False, None)}
    spelt = {name: dataclasses.asdict(setting) for name, setting in space.items()}
    shared = {"text": "x", "space": spelt, "recipe": {}, "seconds": 60.0} | shared
    return Trials(folder / "sweep", ["a.txt"], space, shared)


def end(book, trial, value, state=FINISHED):
    book.record(trial, state, value, seconds=1.0, epochs=3, parameters=100)
    trial.log.close()


def test_nothing_is_tried_twice_and_all_is_tried(tmp_path):
    book = trials_in(tmp_path)
    assert book.sizes == 4
    seen = []
    for number in range(1, 5):
        trial = book.claim(4)
        assert read_recipe(book.path(number, ".toml"))["ngrams"] is False
        assert trial.number == number
        seen.append(tuple(trial.settings.values()))
        end(book, trial, 2.0 + number)
    assert len(set(seen)) == 4 and book.claim(4) is None


def test_the_same_trials_whether_in_one_go_or_in_several(tmp_path):
    def drawn(folder, fresh):
        book, found = trials_in(folder, {"dropout": Range(0.0, 0.5, False, None)}), []
        for _ in range(14):  # random at first, then by what came of those before
            trial = book.claim(99)
            found.append(trial.settings["dropout"])
            end(book, trial, (trial.settings["dropout"] - 0.2) ** 2)
            if fresh:
                book = trials_in(folder, book.space)
        return found

    once = drawn(tmp_path / "once", False)
    assert once == drawn(tmp_path / "again", True) and len(set(once)) == 14


def test_a_trial_is_held_by_one_and_taken_up_when_cut_short(tmp_path):
    mine, other = trials_in(tmp_path), trials_in(tmp_path)
    first, second = mine.claim(3), other.claim(3)
    assert (first.number, second.number) == (1, 2) and first.settings != second.settings
    end(other, second, 3.0)
    # a training that outlives its sweep holds the trial on
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=first.log
    )
    first.log.close()
    third = other.claim(3)
    assert third.number == 3 and other.claim(3) is None
    child.communicate(b"\n")
    again = other.claim(3)
    assert (again.number, again.settings) == (1, first.settings)


def test_one_behind_the_median_is_to_be_stopped(tmp_path):
    book = trials_in(tmp_path, {"dropout": Range(0.0, 0.5, False, None)})
    for bits in (2.0, 2.1, 2.2, 2.3):
        trial = book.claim(9)
        trial.parts = {3: bits + 1, 4: bits + 0.5}
        end(book, trial, bits)
    trial = book.claim(9)
    trial.asked.report(3.1, 3)
    assert not trial.asked.should_prune()
    trial.asked.report(3.0, 4)
    assert trial.asked.should_prune()
    trial.parts = {3: 3.1, 4: 3.0}
    end(book, trial, 2.9, STOPPED)
    end(book, book.claim(9), None, FAILED)
    assert [t.user_attrs["trial"] for t in book.ended()] == [1, 2, 3, 4, 5, 6]
    rows = list(csv.DictReader((book.folder / "trials.csv").open()))
    assert [row["state"] for row in rows] == ["finished"] * 4 + ["stopped early", "failed"]
    assert rows[5]["bits_per_char"] == "" and float(rows[4]["bits_per_char"]) == 2.9
    assert "4 finished, 1 stopped early, 1 failed" in as_text(book.report())


def test_a_folder_of_another_sweep_is_refused(tmp_path):
    trials_in(tmp_path)
    for name, value in {"text": "y", "seconds": 30.0, "recipe": {"cell": "rnn"}}.items():
        with pytest.raises(ConfigError, match=f"another {name}: give the same"):
            trials_in(tmp_path, **{name: value})
    with pytest.raises(ConfigError, match="another space"):
        trials_in(tmp_path, {"cell": Choices(("gru", "lstm"))})
    (tmp_path / "sweep/sweep.json").write_text("[1]")
    with pytest.raises(RunError, match="is no sweep's"):
        trials_in(tmp_path)


def test_a_journal_that_was_torn_or_spoiled(tmp_path):
    book = trials_in(tmp_path)
    end(book, book.claim(4), 2.0)
    journal = book.folder / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')  # as a full disk leaves it
    book = trials_in(tmp_path)
    end(book, book.claim(4), 1.0)
    assert [t.value for t in trials_in(tmp_path).ended()] == [1.0, 2.0]
    journal.write_bytes(b"{]\n" + whole)
    with pytest.raises(RunError, match="is damaged"):
        trials_in(tmp_path)


def test_a_torn_row_of_the_course_is_left_out(tmp_path):
    head = "epoch,seconds,val_bits_per_char\n"
    written(tmp_path, head + "1,2.5,\n1,4.0,3.25\n2,6.0,3", "history.csv")
    assert _course(tmp_path) == [(2.5, None), (4.0, 3.25)]
    assert _course(tmp_path / "none") == []


# --- real ones -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_sweep_goes_on_and_its_best_recipe_trains(capsys, text_file, tmp_path):
    out = tmp_path / "sweep"
    space = SPACE + "sequence_length = [16]\n"
    asked = [
        "sweep",
        text_file,
        "--out",
        out,
        "--space",
        written(tmp_path, space),
        "--config",
        written(tmp_path, RECIPE, "recipe.toml"),
        "--seconds",
        30,
    ]
    code, table, errors = run(capsys, *asked, "--trials", 2, "--jobs", 2)
    assert code == 0, errors
    head, *rows = table.splitlines()
    assert head.split()[:2] == ["trial", "bits/char"] and head.split()[-1] == "sequence_length"
    assert len(rows) == 4 and rows[2].startswith("2 finished; all of them")
    first = (out / "trial-001/config.json").read_bytes()

    code, table, errors = run(capsys, *asked, "--trials", 3)
    assert code == 0 and "trial 3:" in errors and "trial 1: cell" not in errors
    assert (out / "trial-001/config.json").read_bytes() == first
    found = list(csv.DictReader((out / "trials.csv").open()))
    assert [row["trial"] for row in found] == ["1", "2", "3"]
    for row in found:
        card = json.loads((out / f"trial-{int(row['trial']):03}/config.json").read_text())
        assert float(row["bits_per_char"]) == card["metrics"]["val_bits_per_char"]
        assert card["model"]["cell"] == row["cell"] and card["model"]["embedding_size"] == 8
        assert str(card["model"]["hidden_size"]) == row["hidden_size"]
        assert card["training"]["epochs"] == 1 and card["training"]["max_seconds"] == 30.0
    best = min(found, key=lambda row: float(row["bits_per_char"]))
    assert table.splitlines()[1].split()[0] == best["trial"]

    recipe = read_recipe(out / "best.toml")
    assert recipe["cell"] == best["cell"] and "max_seconds" not in recipe
    assert run(capsys, "train", "--config", out / "best.toml", "--out", tmp_path / "run")[0] == 0
    card = json.loads((tmp_path / "run/config.json").read_text())
    assert card["metrics"]["val_bits_per_char"] == pytest.approx(
        float(best["bits_per_char"]), rel=1e-3
    )


def test_a_trial_that_fails_is_said_and_the_sweep_goes_on(capsys, text_file, tmp_path):
    out = tmp_path / "sweep"
    space = written(tmp_path, "cell = ['gru']\nsequence_length = [16, 1000000]\n")
    recipe = written(tmp_path, RECIPE + "clip_norm = 1.0\n[tokenizer]\n", "recipe.toml")
    code, table, errors = run(
        capsys,
        "sweep",
        text_file,
        "--out",
        out,
        "--space",
        space,
        "--config",
        recipe,
        "--seconds",
        30,
    )
    assert code == 0 and "the space holds 2 different trials" in errors
    (line,) = [line for line in errors.splitlines() if "failed" in line]
    assert "1 finished, 1 failed" in table
    (row,) = [r for r in csv.DictReader((out / "trials.csv").open()) if r["state"] == "failed"]
    assert row["sequence_length"] == "1000000" and line.endswith(row["message"])


@pytest.mark.slow
def test_ctrl_c_leaves_all_in_order(text_file, tmp_path):
    out = tmp_path / "sweep"
    recipe = RECIPE.replace("epochs = 1", "epochs = 100000\npatience = 100000")
    asked = [
        "sweep",
        text_file,
        "--out",
        out,
        "--space",
        written(tmp_path, SPACE),
        "--config",
        written(tmp_path, recipe, "recipe.toml"),
        "--seconds",
        600,
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "textgen", *map(str, asked)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    status = out / "trial-001/status.json"
    try:
        while not status.is_file():
            assert process.poll() is None
            time.sleep(0.1)
        child = json.loads(status.read_text())["pid"]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in errors
    assert errors.splitlines()[-1] == "stopped: the same command goes on"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert json.loads(status.read_text())["state"] == "stopped"
    space = read_space(tmp_path / "space.toml")
    sweep = Sweep(
        [str(text_file)],
        out,
        space,
        read_recipe(tmp_path / "recipe.toml"),
        SweepConfig(seconds=600.0),
    )
    again = sweep.known.claim(20)
    assert again.number == 1 and math.isinf(sweep.known.sizes)
