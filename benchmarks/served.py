"""The app as its users run it, in a process of its own: for benchmarks and for browser tests."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds until it answers


@contextlib.contextmanager
def served(home: Path, script: Path | None = None, port: int = 0) -> Iterator[tuple[str, int]]:
    """(host:port, process id) of the app that is run in `home`, where its runs will lie.

    script: another app, of Streamlit. port: 0 takes one that is free. Raises `TimeoutError` when
    it does not answer.
    """
    port = port or free_port()
    if not (home / ".streamlit").exists():
        (home / ".streamlit").symlink_to(ROOT / ".streamlit")
    flags = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    app = ["textgen.ui.app"] if script is None else ["streamlit", "run", str(script)]
    process = subprocess.Popen(
        [sys.executable, "-m", *app, *flags],
        cwd=home,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{address} does not answer") from error
            time.sleep(0.2)
