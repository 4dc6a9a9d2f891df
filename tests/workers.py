"""Processes of `textgen train` that learn one model together, on loopback."""

import json
import os
import socket
import subprocess
import sys

from run_files import ends

FLAGS = [
    "--hidden-size=32",
    "--embedding-size=16",
    "--batch-size=4",
    "--sequence-length=16",
    "--sample-length=0",
    "--dtype=float32",
    "--epochs=12",
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
    """The losses of each epoch."""
    return [(float(row["loss"]), float(row["val_loss"])) for row in ends(run)]
