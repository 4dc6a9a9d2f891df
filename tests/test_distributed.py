"""Two processes that train one model, on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from textgen.data.batches import make_lanes
from textgen.errors import ConfigError
from textgen.runs import run_folder
from textgen.training.distributed import Workers

FLAGS = [
    "--hidden-size=32",
    "--embedding-size=16",
    "--batch-size=4",
    "--sequence-length=16",
    "--sample-length=0",
    "--dtype=float32",
    "--patience=99",
]


def told(addresses, index):
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def free_addresses(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def begin(number, arguments):
    """`number` processes of `textgen train`."""
    addresses = free_addresses(number)
    processes = []
    for index in range(number):
        environment = os.environ | ({"TF_CONFIG": told(addresses, index)} if number > 1 else {})
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "textgen", "train", *map(str, arguments)],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


def end(processes, codes=(0,)):
    errors = [process.communicate(timeout=240)[1] for process in processes]
    for process, error in zip(processes, errors, strict=True):
        assert process.returncode in codes, error[-2000:]
        assert "Traceback" not in error
    return errors


def course(run):
    return [
        (float(row["loss"]), float(row["val_loss"]))
        for row in run_folder.read_history(run)
        if row["val_loss"]
    ]


def weights(run):
    return run_folder.read_weights(run / run_folder.WEIGHTS)[0]


@pytest.mark.slow
def test_two_workers_take_the_steps_of_one(text_file, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    end(begin(1, [text_file, "--out", one, "--epochs=2", *FLAGS]))
    end(begin(2, [text_file, "--out", two, "--epochs=2", *FLAGS]))
    np.testing.assert_allclose(course(two), course(one), rtol=1e-4)
    first, second = weights(two), weights(two / "worker-1")
    for name, array in weights(one).items():
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_allclose(first[name], array, atol=2e-3)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_survived(text_file, tmp_path):
    whole, run = tmp_path / "whole", tmp_path / "run"
    end(begin(2, [text_file, "--out", whole, "--epochs=12", *FLAGS]))
    processes = begin(2, [text_file, "--out", run, "--epochs=12", *FLAGS])
    try:
        history = run / "history.csv"
        while not (history.is_file() and len(course(run)) > 1):
            assert all(process.poll() is None for process in processes)
            time.sleep(0.05)
        processes[1].kill()
        _, error = processes[0].communicate(timeout=200)
        assert processes[0].returncode == 2
        assert error.splitlines()[-1].startswith("error: another worker is gone: start all")
    finally:
        for process in processes:
            process.kill()
    assert len(course(run)) < 12
    end(begin(2, ["--resume", run]))
    for name, array in weights(whole).items():
        np.testing.assert_array_equal(weights(run)[name], array, err_msg=name)


@pytest.mark.slow
def test_all_stop_where_one_is_asked_to(text_file, tmp_path):
    run = tmp_path / "run"
    processes = begin(2, [text_file, "--out", run, "--epochs=500", "--patience=500", *FLAGS[:-1]])
    while not (run / "worker-1/status.json").is_file():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGTERM)
    for error in end(processes, codes=(130,)):
        assert error.splitlines()[-1].startswith("stopped and saved")
    statuses = [json.loads((f / "status.json").read_text()) for f in (run, run / "worker-1")]
    assert statuses[0]["step"] == statuses[1]["step"]
    assert [status["state"] for status in statuses] == ["stopped", "stopped"]


def test_shares_are_the_whole():
    lanes = make_lanes(np.arange(500), 4, 8)
    workers = [Workers(told(["a:1", "b:1"], index)) for index in range(2)]
    parts = [list(worker.share(lanes).dataset(3).take(2)) for worker in workers]
    for k, whole in enumerate(lanes.dataset(3).take(2)):
        for i, array in enumerate(whole):
            joined = np.concatenate([np.asarray(part[k][i]) for part in parts])
            np.testing.assert_array_equal(joined, array)
    assert workers[0].share(lanes).batch_size == 2
    with pytest.raises(ConfigError, match="a batch has 4 rows, which 3 workers cannot share"):
        Workers(told(["a:1"] * 3, 0)).share(lanes)


def test_alone_nothing_changes(tmp_path):
    workers, lanes = Workers(""), make_lanes(np.arange(500), 4, 8)
    assert workers.number == 1 and workers.share(lanes) is lanes
    assert workers.folder(tmp_path) == tmp_path and workers.earliest(7) == 7
    assert workers.agreed_to_stop(True) and not workers.agreed_to_stop(False)
    assert Workers(told(["a:1", "b:1"], 1)).folder(tmp_path) == tmp_path / "worker-1"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        '{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}',
        told(["a:1"], 1),
        told(["a:1"], -1),
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
        "[" * 100_000,
    ],
)
def test_a_cluster_that_is_none(text):
    with pytest.raises(ConfigError, match="TF_CONFIG is"):
        Workers(text)
