"""`--workers N`: one command, several processes of this machine."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import fails

from run_files import same_weights
from textgen import backend
from textgen.cli.arguments import parser
from textgen.training.launch import _deaths, _wait, again, asked_to_stop
from workers import FLAGS, course, end, told


def launched(*arguments, **settings):
    return subprocess.Popen(
        [sys.executable, "-m", "textgen", "train", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


@pytest.mark.slow
def test_one_flag_is_two_workers(together, text_file, tmp_path):
    run = tmp_path / "run"
    (said,) = end([launched(text_file, "--out", run, "--workers=2", *FLAGS)])
    assert said.count("epoch 1/12") == 1 and said.count("saved to") == 1
    same_weights(run, together)  # as by TF_CONFIG, bit for bit
    same_weights(run / "worker-1", together)


@pytest.mark.slow
def test_a_run_whose_workers_were_stopped_and_killed_ends_as_if_they_were_not(
    together, text_file, tmp_path, capsys
):
    run = tmp_path / "run"
    process = launched(text_file, "--out", run, "--workers", 2, *FLAGS)
    wait_for(run / "worker-1/status.json", process)
    process.send_signal(signal.SIGTERM)
    assert_stopped(process, run)
    assert "began with 2 workers, not 1: go on with" in fails(capsys, "train", "--resume", run)

    process = launched("--resume", run, "--workers", 2)
    wait_for_an_epoch(run, process)
    (child,) = workers_of(process, index=1)
    os.kill(child, signal.SIGTERM)  # one is asked to, both stop
    assert_stopped(process, run)

    process = launched("--resume", run, "--workers", 2)
    wait_for_an_epoch(run, process)
    (child,) = workers_of(process, index=1)
    os.kill(child, signal.SIGKILL)
    (error,) = end([process], codes=(128 + signal.SIGKILL,))
    assert "error: another worker is gone: start all of them again with --resume" in error
    assert error.splitlines()[-1] == "worker 1 of 2 ended: by signal 9"
    assert len(course(run)) < 12

    end([launched("--resume", run, "--workers", 2)])
    same_weights(run, together)


def assert_stopped(process, run):
    """Both workers have saved, at the same step."""
    (error,) = end([process], codes=(130,))
    assert error.splitlines()[-1].startswith("stopped and saved") and "worker 1" not in error
    statuses = [json.loads((f / "status.json").read_text()) for f in (run, run / "worker-1")]
    assert [status["state"] for status in statuses] == ["stopped", "stopped"]
    assert statuses[0]["step"] == statuses[1]["step"]


def wait_for_an_epoch(run, process):
    """Until one more has ended."""
    before = len(course(run))
    while len(course(run)) <= before:
        assert process.poll() is None
        time.sleep(0.05)


def wait_for(path, process):
    while not path.is_file():
        assert process.poll() is None
        time.sleep(0.05)


def workers_of(process, index):
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1]
            if int(parent) == process.pid:
                environment = Path(f"/proc/{name}/environ").read_text()
                if f'"index": {index}' in environment:
                    yield int(name)
        except OSError:
            pass


def test_bad_numbers_of_workers_are_one_line(capsys, monkeypatch, text_file, tmp_path):
    asked = ["train", text_file, "--out", tmp_path / "run", "--workers"]
    for number in (0, -1):
        assert f"workers is {number}: give at least 1" in fails(capsys, *asked, number)
    monkeypatch.setattr(backend, "gpus", lambda: ["0"])
    assert "the number of GPUs 1: give no more workers than GPUs" in fails(capsys, *asked, 2)
    monkeypatch.setenv("TF_CONFIG", told(["a:1", "b:1"], 0))
    assert "named twice" in fails(capsys, *asked, 2)
    assert not (tmp_path / "run").exists()


def test_a_time_for_several_workers_is_refused_before_they_begin(
    capsys, monkeypatch, text_file, tmp_path
):
    monkeypatch.setattr(subprocess, "Popen", None)
    asked = ["train", text_file, "--out", tmp_path / "run", "--workers", 2]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[training]\nmax_seconds = 60")
    for name, flags in (
        ("budget", ["--budget", "3m"]),
        ("max_seconds", ["--max-seconds", 60]),
        ("max_seconds", ["--config", recipe]),
    ):
        assert f"{name} is for one process, and these are 2 workers" in fails(
            capsys, *asked, *flags
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_what_all_workers_refuse_is_said_once(tmp_path):
    process = launched(tmp_path / "none.txt", "--out", tmp_path / "run", "--workers=2")
    (error,) = end([process], codes=(2,))
    (line,) = error.splitlines()
    assert line.startswith("error: ") and "none.txt" in line


def test_gpus_are_those_that_were_given(monkeypatch):
    found = backend.tf.config.list_physical_devices("CPU") * 3
    monkeypatch.setattr(backend.tf.config, "list_physical_devices", lambda kind=None: found)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert backend.gpus() == ["0", "1", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 7,GPU-ab")
    assert backend.gpus() == ["4", "7", "GPU-ab"]


def test_the_command_is_passed_on_without_the_flag():
    line = "train a.txt -- -b.txt"
    flags = [
        "--workers=2",
        "--out=r",
        "--tie-weights",
        "--no-deterministic",
        "--prompt=-x y",
        "--learning-rate=1e-05",
    ]
    parsed = parser().parse_args([line.split()[0], *flags, *line.split()[1:]])
    values = {"tie_weights": True, "deterministic": False, "prompt": "-x y", "learning_rate": 1e-05}
    same = parser().parse_args(again(parsed, values))
    assert vars(same) == vars(parsed) | {"workers": None}


@pytest.mark.parametrize("resume", [["--resume"], ["--resume=r"], []])
def test_the_workers_of_a_resumed_run_resume_it(resume):
    given = ["train", "a.txt", "--out=r", "--workers=2", *resume]
    parsed = parser().parse_args(given)
    same = parser().parse_args(again(parsed, {}))
    assert vars(same) == vars(parsed) | {"workers": None}


def test_a_closed_terminal_is_heard_unless_it_is_to_be_ignored():
    heard = []
    for ignored in (False, True):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        try:
            with asked_to_stop(lambda number, frame: heard.append(number)):
                for number in (signal.SIGINT, signal.SIGTERM, *[signal.SIGHUP] * (not ignored)):
                    os.kill(os.getpid(), number)
            assert signal.getsignal(signal.SIGHUP) == (
                signal.SIG_IGN if ignored else signal.SIG_DFL
            )
        finally:
            signal.signal(signal.SIGHUP, before)
    assert heard == [2, 15, 1, 2, 15]


def test_exit_codes_are_those_of_a_shell(monkeypatch):
    monkeypatch.setattr("textgen.training.launch.PATIENCE", (0.3, 0.3))
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    codes = ["import sys; sys.exit(2)", "import os; os.kill(os.getpid(), 9)", deaf]
    workers = [subprocess.Popen([sys.executable, "-c", code]) for code in codes]
    assert _wait(workers) == [2, 137, None]


def test_what_is_said_of_those_that_died():
    gone = [io.BytesIO(b"error: another worker is gone: start all")]
    full, silent = [io.BytesIO(b"x\nerror: cannot write y: disk full\n")], [io.BytesIO()]
    assert _deaths([0, 0], silent, False) == []
    assert _deaths([2, 2], full, False) == []  # both were refused: the first one has said so
    assert _deaths([2, 2], full, True) == [(1, "cannot write y: disk full")]
    assert _deaths([None, 2], full, False) == [(1, "cannot write y: disk full")]
    assert _deaths([137, 2], gone, False) == [(0, "by signal 9")]
    assert _deaths([130, 130], full, False) == []
    assert _deaths([2, 1], silent, True) == [(1, "with exit code 1")]
