"""What needs TensorFlow, from a process of its own: gradients, and the first values of a model.

The process that asks stays small, and answers others meanwhile. The other one begins when it is
first asked and stays, since the importing of TensorFlow and the tracing of a graph are what takes
long; it ends when the one that began it does.

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
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from textgen.config import ModelConfig
from textgen.errors import RunError
from textgen.interpret.goals import Goal, Gradients, gradients
from textgen.interpret.untrained import first_network
from textgen.network import Network

KNOWN = 16  # networks whose graphs the process keeps

_lock = threading.Lock()
_process: subprocess.Popen[bytes] | None = None


def gradients_apart(network: Network, ids: Sequence[int], goal: Goal) -> Gradients:
    """What `gradients` returns, or raises. `RunError` where the process was killed over it."""
    found: Gradients = _ask(_gradients, _digest(network), network, list(ids), goal)
    return found


def first_network_apart(config: ModelConfig, vocab_size: int, seed: int = 1) -> Network:
    """What `first_network` returns. `RunError` where the process was killed over it."""
    found: Network = _ask(first_network, config, vocab_size, seed)
    return found


def _ask(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns there; what it raises is raised here."""
    asked = pickle.dumps((function, arguments))
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
    return answer


def _running() -> subprocess.Popen[bytes]:
    global _process
    if _process is None or _process.poll() is not None:
        # not `-m`: what is pickled has to be found under this file's own name
        command = [sys.executable, "-c", f"from {__name__} import main; main()"]
        _process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return _process


@functools.lru_cache(maxsize=KNOWN)
def _digest(network: Network) -> str:
    """Which network this is, in any process."""
    whole = hashlib.sha256(repr((network.config, sorted(network.silent.items()))).encode())
    for name, weight in sorted(network.weights.items()):
        whole.update(name.encode() + weight.tobytes())
    return whole.hexdigest()


# --- in the other process -------------------------------------------------------------------------

_known: dict[str, Network] = {}


def _gradients(digest: str, network: Network, ids: Sequence[int], goal: Goal) -> Gradients:
    """`gradients` of the network of this digest that came first: it has its graph already."""
    if digest not in _known and len(_known) == KNOWN:
        _known.clear()
    return gradients(_known.setdefault(digest, network), ids, goal)


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    while True:
        try:
            function, arguments = pickle.load(asked)
        except EOFError:
            return
        try:
            answer = function(*arguments)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def main() -> None:
    # whatever a library prints must not come between the answers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
