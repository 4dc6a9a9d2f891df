"""Gradients from a process of its own: the one that asks stays small, and answers others meanwhile.

The process begins with the first gradient and stays, since the importing of TensorFlow and the
tracing of a graph are what takes long. It ends when the one that began it does.

`multiprocessing` would import the main file of the process that asks once more in the new one,
which for the app is a page; so the two speak by pickles over a pipe.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

from textgen.errors import RunError
from textgen.interpret.goals import Goal, Gradients, gradients
from textgen.network import Network

KNOWN = 16  # networks whose graphs the process keeps

_lock = threading.Lock()
_process: subprocess.Popen[bytes] | None = None


def gradients_apart(network: Network, ids: Sequence[int], goal: Goal) -> Gradients:
    """What `gradients` returns, or raises. `RunError` where the process was killed over it."""
    asked = pickle.dumps((_digest(network), network, list(ids), goal))
    with _lock:
        process = _running()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(asked)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError) as error:
            process.kill()
            raise RunError(
                "the process that computes gradients has ended: free some memory, and try again"
            ) from error
    if isinstance(answer, Exception):
        raise answer
    found: Gradients = answer
    return found


def _running() -> subprocess.Popen[bytes]:
    global _process
    if _process is None or _process.poll() is not None:
        command = [sys.executable, "-m", "textgen.interpret.apart"]
        _process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return _process


@functools.lru_cache(maxsize=KNOWN)
def _digest(network: Network) -> str:
    """Which network this is, in any process."""
    whole = hashlib.sha256(repr(network.config).encode())
    for name, weight in sorted(network.weights.items()):
        whole.update(name.encode() + weight.tobytes())
    return whole.hexdigest()


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    known: dict[str, Network] = {}
    while True:
        try:
            digest, network, ids, goal = pickle.load(asked)
        except EOFError:
            return
        if digest not in known and len(known) == KNOWN:
            known.clear()
        network = known.setdefault(digest, network)
        try:
            answer: Gradients | Exception = gradients(network, ids, goal)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    # whatever a library prints must not come between the answers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
