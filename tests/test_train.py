import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import textgen
from run_files import rows, same_weights, weights
from textgen.backend import keras
from textgen.cli.main import main
from textgen.config import TrainConfig
from textgen.errors import ConfigError, CorpusError, RunError
from textgen.training import budget, loop
from textgen.training.history import History
from textgen.training.loop import Training
from textgen.training.optimizers import FINAL_RATE, optimizer
from textgen.training.progress import Progress
from textgen.training.state import RunState
from textgen.training.stop_request import Interrupted
from textgen.training.time_limit import TimeLimit
from textgen.training.train import resume, start
from tiny import TEXT, interrupt, only, tiny


def test_a_model_learns_its_text(text_file, tmp_path):
    settings = tiny(epochs=14, sequence_length=32, sample_length=0)
    run = start(text_file, tmp_path / "run", *settings)
    ends = [float(r["val_bits_per_char"]) for r in rows(run) if r["val_bits_per_char"]]
    assert len(ends) == 14 and ends[-1] < 1.0 < 2.5 < ends[0]
    assert textgen.load(run).score(TEXT[:300]).bits_per_char < 1.2


@pytest.mark.slow
def test_validation_loss_is_that_of_the_saved_model(text_file, tmp_path):
    model, tokens, config = tiny(epochs=3)
    run = start(text_file, tmp_path / "run", model, tokens, config)
    held_out = TEXT[int(len(TEXT) * 0.9) :]
    recorded = json.loads((run / "config.json").read_text())["metrics"]["val_bits_per_char"]
    # lanes begin with an empty state, a scored text reads on: near, not equal
    assert textgen.load(run).score(held_out).bits_per_char == pytest.approx(recorded, rel=0.05)


@pytest.mark.slow
def test_the_best_epoch_is_kept_and_patience_ends_the_run(text_file, tmp_path):
    # a rate this high unlearns: validation gets worse after its best
    run = start(text_file, tmp_path / "run", *tiny(epochs=40, patience=2, learning_rate=0.5))
    losses = [float(r["val_loss"]) for r in rows(run) if r["val_loss"]]
    assert len(losses) < 40
    best = json.loads((run / "config.json").read_text())["metrics"]
    assert best["val_loss"] == pytest.approx(min(losses), abs=1e-4)
    assert best["epoch"] == 1 + losses.index(min(losses))
    assert json.loads((run / "status.json").read_text())["message"] == "stopped early"


@pytest.mark.parametrize(
    "cell, layers, dtype, optimizer, stop_after",
    only(
        [("lstm", 1, "float32", "adamw", 23)],
        [
            ("lstm", 2, "float32", "adamw", 3),
            ("lstm", 2, "bfloat16", "adamw", 23),
            ("lstm", 2, "auto", "muon", 40),
            ("gru", 1, "float32", "muon", 23),
            ("gru", 2, "bfloat16", "muon", 23),
            ("mingru", 2, "bfloat16", "adamw", 23),
        ],
    ),
)
def test_a_stopped_run_resumes_to_the_same_weights(
    text_file, tmp_path, monkeypatch, cell, layers, dtype, optimizer, stop_after
):
    settings = tiny(cell=cell, epochs=2, dtype=dtype, optimizer=optimizer)
    settings = (dataclasses.replace(settings[0], dropout=0.2, num_layers=layers), *settings[1:])
    whole = start(text_file, tmp_path / "whole", *settings)
    interrupt(monkeypatch, stop_after)
    with pytest.raises(Interrupted):
        start(text_file, tmp_path / "run", *settings)
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "stopped"
    assert textgen.load(tmp_path / "run").generate("나", max_new_tokens=3).text
    monkeypatch.undo()
    run = resume(tmp_path / "run")
    same_weights(whole, run)
    steps = [int(r["step"]) for r in rows(run)]
    assert steps == sorted(steps) and steps[-1] == int(rows(whole)[-1]["step"])


@pytest.mark.slow
def test_training_ends_in_time_and_is_judged(text_file, tmp_path):
    settings = tiny(epochs=10_000, patience=10_000, max_seconds=1.5, sample_length=0)
    run = start(text_file, tmp_path / "run", *settings)
    first, *_, last = rows(run)
    assert first["step"] == "1"
    assert 1.5 <= float(last["seconds"]) - float(first["seconds"]) < 6
    assert last["val_bits_per_char"]
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
    speeds = [float(r["steps_per_second"]) for r in rows(run)[1:]]
    assert min(speeds) > 2 * float(first["steps_per_second"])  # the first step is compiled


@pytest.mark.parametrize("step, said", [(30, "epoch 3/3: "), (24, "epoch 3/3, cut short at 40%: ")])
def test_the_line_of_an_epoch_tells_whether_it_is_whole(tmp_path, caplog, step, said):
    history = History(tmp_path, 3, 10, (1.0, 1.0), lambda: 0.1)
    history.epoch = 2
    with caplog.at_level("INFO", "textgen"):
        Progress(history).after_epoch(RunState(0.1, step=step), 1.0, None)
    assert caplog.messages[0].startswith(said)


def test_the_step_that_is_compiled_foretells_nothing_after_a_resume_either(tmp_path):
    history = History(tmp_path, 3, 10, (1.0, 1.0), lambda: 0.1)
    for step in (0, 20):
        state = RunState(0.1, step=step)
        history.go_on_from(state)
        history.begin_epoch(step // 10, state)
        state.step, state.tokens = step + 1, 5.0
        history.after_step(state)
        history.write_status(state, "running")
        assert json.loads((tmp_path / "status.json").read_text())["seconds_left"] is None


@pytest.mark.slow
def test_the_rate_has_fallen_when_time_is_up(text_file, tmp_path):
    settings = tiny(epochs=10_000, patience=10_000, max_seconds=3.0, sample_length=0)
    run = start(text_file, tmp_path / "run", *settings)
    first, *_, last = [float(row["learning_rate"]) for row in rows(run)]
    assert last < 0.1 * settings[2].learning_rate and first < settings[2].learning_rate


def test_the_rate_follows_whichever_is_further_on():
    gone = keras.Variable(0.0)
    config = TrainConfig(learning_rate=1.0, warmup=0.0)
    by_steps, in_time = optimizer(config, 100), optimizer(config, 100, gone)

    def rates(step):
        for made in (by_steps, in_time):
            made.iterations.assign(step)
        return float(by_steps.learning_rate), float(in_time.learning_rate)

    assert rates(40)[0] == pytest.approx(rates(40)[1])
    gone.assign(0.4)
    assert rates(40)[0] == pytest.approx(rates(10)[1]) != rates(10)[0]
    assert rates(70)[0] == pytest.approx(rates(70)[1])
    gone.assign(1.0)
    assert rates(3)[1] == pytest.approx(FINAL_RATE)


@pytest.mark.parametrize(("before", "ended"), [(0.0, False), (9.999, True)])
def test_a_resumed_training_has_only_the_time_that_is_left(before, ended):
    limit = TimeLimit(10.0, before)
    assert float(limit.gone) == pytest.approx(before / 10)
    over = False
    for _ in range(2):
        over = limit.is_over()
        time.sleep(0.002)
    assert over is ended and (float(limit.gone) == 1.0) is ended


@pytest.mark.slow
def test_more_epochs_on_resume(runs, tmp_path):
    run = shutil.copytree(runs(), tmp_path / "run")
    resume(run, epochs=3)
    assert rows(run)[-1]["epoch"] == "3"


@pytest.mark.slow
def test_resume_with_another_text(text_file, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(TEXT + "more", encoding="utf-8")
    run = start(text_file, tmp_path / "run", *tiny(epochs=1))
    with pytest.raises(RunError, match="is not the one"):
        resume(run, other)


def test_a_run_is_never_overwritten(runs, text_file):
    before = weights(runs())
    with pytest.raises(RunError, match="holds a run already: add --resume"):
        start(text_file, runs(), *tiny())
    assert weights(runs()).keys() == before.keys()


def test_a_text_shorter_than_one_window(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("짧은 글", encoding="utf-8")
    with pytest.raises(CorpusError, match="smaller --sequence-length"):
        start(path, tmp_path / "run", *tiny())
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_text_of_a_few_lines_trains(tmp_path):
    path = tmp_path / "small.txt"
    path.write_text(TEXT[:120], encoding="utf-8")
    run = start(path, tmp_path / "run", *tiny(epochs=1))
    assert rows(run)[-1]["val_loss"]


@pytest.mark.slow
def test_nothing_held_out(text_file, tmp_path):
    run = start(text_file, tmp_path / "run", *tiny(epochs=1, validation_fraction=0.0))
    assert rows(run)[-1]["val_loss"] == ""
    assert textgen.load(run).generate("나", max_new_tokens=3).text


def spoil(monkeypatch, *steps):
    """Make the loss at each of `steps` no number, by the weights as in life."""
    take, left = Training.take_step, list(steps)

    def spoiled(self):
        if left and self.state.step == left[0] - 1:
            left.pop(0)
            for weight in self.trainer.trainable_variables:
                weight.assign(weight * np.nan)
        take(self)

    monkeypatch.setattr(Training, "take_step", spoiled)


@pytest.mark.slow
def test_a_loss_that_is_no_number_goes_back_and_on_at_a_lower_rate(
    text_file, tmp_path, monkeypatch, caplog
):
    settings = tiny(epochs=3, learning_rate=0.01, sample_length=0)
    steps = 40  # of an epoch
    bad = steps + 3
    spoil(monkeypatch, bad)
    run = start(text_file, tmp_path / "run", *settings)
    assert (
        f"the loss is no longer a number at step {bad}: back to step {steps}, "
        "learning rate lowered from 0.01 to 0.003" in caplog.text
    )
    status = json.loads((run / "status.json").read_text())
    assert status["state"] == "finished"
    assert status["rolled_back"]["to"] == steps
    ends = [row for row in rows(run) if row["val_loss"]]
    assert [row["step"] for row in ends] == [str(steps * n) for n in (1, 2, 3)]
    assert float(ends[2]["loss"]) < float(ends[0]["loss"])
    planned = optimizer(settings[2], 3 * steps)
    for row, share in zip(ends, (1, 0.3, 0.3), strict=True):
        planned.iterations.assign(int(row["step"]))
        rate = share * float(planned.learning_rate)
        assert float(row["learning_rate"]) == pytest.approx(rate, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "told"), [(30.0, True), (0.01, False)])
def test_a_model_that_predicts_worse_than_by_guessing_is_told_of(
    text_file, tmp_path, caplog, rate, told
):
    start(text_file, tmp_path / "run", *tiny(epochs=1, learning_rate=rate, sample_length=0))
    assert ("worse than by guessing" in caplog.text) == told


@pytest.mark.slow
def test_weights_too_large_to_be_loaded_again_end_the_run_with_advice(
    text_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop.array_file, "LARGEST_VALUE", 1.5)  # embeddings begin within 1
    settings = tiny(epochs=9, learning_rate=1.0, sample_length=0)
    with pytest.raises(ConfigError, match=r"grew too large at step \d+, again .*rate 0.004"):
        start(text_file, tmp_path / "run", *settings)


@pytest.mark.slow
def test_a_second_time_training_stops_with_advice(text_file, tmp_path, monkeypatch):
    spoil(monkeypatch, 5, 7)
    arguments = ["train", str(text_file), "--out", str(tmp_path / "run"), "--hidden-size=32"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--epochs=1", "--batch-size=4", "--sequence-length=16"])
    assert ended.value.code == 2
    status = json.loads((tmp_path / "run/status.json").read_text())
    assert status["state"] == "failed"
    assert status["message"] == (
        "the loss is no longer a number at step 7, again after the learning rate was lowered to "
        "0.0012: train anew with --learning-rate 0.0004, or with a smaller --clip-norm, "
        "and another --out"
    )
    monkeypatch.undo()
    resume(tmp_path / "run")  # what was good is still there
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "finished"


@pytest.mark.slow
def test_a_disk_that_fills_up_while_training(text_file, tmp_path, monkeypatch):
    run = start(text_file, tmp_path / "run", *tiny(epochs=1))
    before = {p.name: p.read_bytes() for p in run.iterdir()}

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        resume(run, epochs=2)
    monkeypatch.undo()
    for name in ("config.json", "model.safetensors", "training.safetensors"):
        assert (run / name).read_bytes() == before[name]
    assert not list(run.glob(".*"))
    resume(run, epochs=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number, beginning", [(signal.SIGINT, "status.json"), (signal.SIGTERM, "tokenizer.json")]
)
def test_a_stop_from_outside(text_file, tmp_path, number, beginning):
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "textgen",
        "train",
        str(text_file),
        "--out",
        str(run),
        "--epochs",
        "500",
        "--hidden-size",
        "32",
        "--patience",
        "500",
        "--sample-length",
        "0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (run / beginning).is_file():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == f"stopped and saved: textgen train --resume {run} goes on"
    assert "Traceback" not in errors
    assert textgen.load(run).generate("나", max_new_tokens=3).text


# --- samples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_it_begins_leaves_nothing(text_file, tmp_path, monkeypatch, capsys, number):
    def stopped(*given):
        os.kill(os.getpid(), number)

    monkeypatch.setattr(budget, "within", stopped)  # while the speed is measured
    out = tmp_path / "runs/new"
    with pytest.raises(SystemExit) as end:
        main(["train", str(text_file), f"--out={out}", "--budget=20s"])
    assert end.value.code == 130 and "there is no run yet" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_prompt_that_the_text_lacks_is_refused_before_training(text_file, tmp_path):
    with pytest.raises(ConfigError, match="prompt is 'Ж': none of its characters is in the text"):
        start(text_file, tmp_path / "run", *tiny(prompt="Ж"))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_no_sample_ends_a_run(runs, tmp_path, caplog):
    run = shutil.copytree(runs(), tmp_path / "run")
    card = json.loads((run / "config.json").read_text())
    card["training"]["prompt"] = "Ж"  # as a run of an older version may have it
    (run / "config.json").write_text(json.dumps(card))
    resume(run, epochs=3)
    assert rows(run)[-1]["epoch"] == "3"
    assert "note: no sample after epoch 3: the prompt 'Ж' has only characters" in caplog.text
