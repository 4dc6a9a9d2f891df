"""`textgen train --workers N`: the same command in N processes on loopback, as one.

The processes find each other by TF_CONFIG, as several machines do (distributed.py).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from textgen import backend
from textgen.errors import BAD_INPUT, INTERRUPTED, ConfigError
from textgen.log import logger

POLL = 0.1  # seconds between two polls of the workers
# Seconds that the others may take to notice that one of them died, and then to end when told to.
# One that waits for another to answer hears no signal.
PATIENCE = (60.0, 10.0)


def launch(number: int, arguments: Sequence[str], out: Path) -> int:
    """Run `textgen` with `arguments` in `number` processes; the worst of their exit codes.

    The first worker has the terminal; of the others one line is logged when they die. Ctrl-C and
    SIGTERM are passed on. out: the run folder. Raises `ConfigError`.
    """
    if number < 1:
        raise ConfigError(f"workers is {number}: give at least 1")
    if os.environ.get("TF_CONFIG", "").strip():
        raise ConfigError(
            "workers are named twice, by --workers and by TF_CONFIG: leave one of them out"
        )
    gpus = gpus_for("workers", number)
    addresses = _free_addresses(number)
    logs: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in range(1, number)]  # noqa: SIM115
    workers: list[subprocess.Popen[bytes]] = []

    stopped: list[int] = []

    def pass_on(signum: int, frame: FrameType | None) -> None:
        for worker in workers:  # a second Ctrl-C does not wait
            worker.kill() if stopped else worker.terminate()
        stopped.append(signum)

    try:
        with asked_to_stop(pass_on):
            for index in range(number):
                task = {"type": "worker", "index": index}
                cluster = {"cluster": {"worker": addresses}, "task": task}
                variables = {"TF_CONFIG": json.dumps(cluster)} if number > 1 else {}
                if gpus:
                    variables["CUDA_VISIBLE_DEVICES"] = gpus[index]
                log = logs[index - 1] if index else None  # None: on the terminal
                # a session of its own: Ctrl-C in the terminal reaches this process alone
                workers.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "textgen", *arguments],
                        env=os.environ | variables,
                        stdin=subprocess.DEVNULL,
                        start_new_session=True,
                        stdout=log,
                        stderr=log,
                    )
                )
            codes = _wait(workers)
    finally:
        for worker in workers:
            worker.kill()
    if stopped:  # before they had begun
        codes = [INTERRUPTED if code == 128 + signal.SIGTERM else code for code in codes]
    for index, line in _deaths(codes, logs, _failed(out)):
        logger.warning(f"worker {index} of {number} ended: {line}")
    return max((c for c in codes if c is not None), key=lambda c: (c != 0, c != INTERRUPTED, c))


def gpus_for(name: str, number: int) -> list[str]:
    """The GPUs, one for each of `number` processes; none where there are none.

    name: of the option that asks for so many. Raises `ConfigError` for more than there are.
    """
    gpus = backend.gpus()
    if gpus and number > len(gpus):
        raise ConfigError(
            f"{name} is {number}, the number of GPUs {len(gpus)}: give no more {name} than GPUs"
        )
    return gpus


@contextlib.contextmanager
def asked_to_stop(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """While within, `handler` hears Ctrl-C, SIGTERM, and that the terminal was closed."""
    heard = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:  # `nohup` ignores it
        heard.append(hangup)
    previous = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def again(parsed: argparse.Namespace, values: Mapping[str, object]) -> list[str]:
    """The arguments that `parsed` is of, without --workers. values: those of its options."""
    names = {name: name for name in ("out", "config", "resume", "budget")} | {"from": "begin_from"}
    # `--resume` alone is an empty text: the folder is that of --out
    flags = [f"--{flag}={v}" for flag, k in names.items() if (v := vars(parsed)[k]) is not None]
    for name, value in values.items():
        flag = name.replace("_", "-")
        switch = f"--{'' if value else 'no-'}{flag}"
        flags.append(switch if isinstance(value, bool) else f"--{flag}={value}")
    return ["train", *flags, "--", *parsed.corpus]


def _wait(workers: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Their exit codes, as a shell has them; None for one that was ended, since another died."""
    codes: dict[int, int | None] = {}
    since, asked = None, False
    while len(codes) < len(workers):
        for index, worker in enumerate(workers):
            if index not in codes and (code := worker.poll()) is not None:
                codes[index] = None if asked else (128 - code if code < 0 else code)
        if any(codes.values()):
            since = since or time.monotonic()
            if asked and time.monotonic() - since > sum(PATIENCE):
                for worker in workers:
                    worker.kill()
            elif not asked and time.monotonic() - since > PATIENCE[0]:
                asked = True
                for worker in workers:
                    worker.terminate()
        time.sleep(POLL)
    return [codes[index] for index in range(len(workers))]


def _deaths(
    codes: Sequence[int | None], logs: Sequence[IO[bytes]], failed: bool
) -> list[tuple[int, str]]:
    """(index, what to say) of the workers that died, but for what the first one has said itself.

    failed: the first one failed in the midst of training, and not by what it was given to do.
    """
    deaths = []
    for index, code in enumerate(codes):
        if code in (None, 0, INTERRUPTED) or (code == BAD_INPUT and index == 0):
            continue
        if code == BAD_INPUT and codes[0] == BAD_INPUT and not failed:
            continue  # all were refused for the same reason
        line = "" if index == 0 else _last_line(logs[index - 1])
        if code is not None and code > 128:
            line = f"by signal {code - 128}"
        if "another worker is gone" not in line:
            deaths.append((index, line or f"with exit code {code}"))
    return deaths


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip().removeprefix("error: ") if lines else ""


def _failed(out: Path) -> bool:
    """Whether the run in `out` says that its training failed."""
    try:
        status = json.loads((out / "status.json").read_text(encoding="utf-8"))
        return bool(status["state"] == "failed")
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _free_addresses(number: int) -> list[str]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()
