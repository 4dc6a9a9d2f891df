"""Spoiled run folders, by the thousand: each is refused in one line, or is a valid model.

    python -m benchmarks.fuzz [--number 2400] [--seed 1] [--json FILE]

A process of its own loads them, so that a crash or a hang is seen as one; it is told of what it
must not do by Python's audit hooks. Measured for each: seconds, and how far the memory rose.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import platform
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from benchmarks.hostile import spoiled

SECONDS, MEGABYTES = 2.0, 500.0
LOADS = 150  # by one process; what Keras keeps of each model would be measured else
TOKENIZERS = ("char", "jamo", "sentencepiece")
TEXT = "나는 한국사람이야. 그래서 나는 한국어를 할 줄 알아.\nThe rain fell on the road.\n" * 40
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.remove",
    "os.rename",
    "socket.connect",
    "pickle.find_class",
    "marshal.loads.code",
    "shutil.",
    "ctypes.dlopen",
)


# --- the process that loads ----------------------------------------------------------------------


def load_all() -> None:
    """Load each folder named on stdin; a line of JSON for each."""
    import numpy as np

    from textgen.backend import keras
    from textgen.errors import TextgenError
    from textgen.generation.generator import load
    from textgen.runs.run_folder import load_model

    load(sys.stdin.readline().strip())  # what the first load alone takes: TensorFlow, its caches
    done: list[str] = []
    watched, folder = False, Path()

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if not watched:
            return
        if event == "open" and _writes(arguments) and not _is_scratch(str(arguments[0]), folder):
            done.append(f"writes {arguments[0]}")
        if event.startswith(FORBIDDEN):
            done.append(event)
        if event == "subprocess.Popen" and arguments[0] != sys.executable:
            done.append(f"starts {arguments[0]}")

    sys.addaudithook(audit)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        folder = Path(line.strip())
        keras.backend.clear_session()
        _forget_peak()
        before, began = _memory("VmRSS"), time.monotonic()
        done.clear()
        watched = True
        try:
            network, tokenizer, _ = load_model(folder)
            outcome, text = "loaded", ""
        except TextgenError as error:
            outcome, text = "refused", str(error)
        except BaseException as error:
            outcome, text = "other error", f"{type(error).__name__}: {error}"
        watched = False
        found = {
            "outcome": outcome,
            "text": text[:300],
            "seconds": time.monotonic() - began,
            "megabytes": _memory("VmHWM") - before,
            "done": list(done),
        }
        if outcome == "refused" and ("\n" in text or len(text) > 2000):
            found["outcome"] = "not one line"
        if outcome == "loaded":
            ids = np.array([tokenizer.encode("나는 rain")], np.int32)
            hidden, _ = network.read(ids.T, network.initial_state(1))
            logits = network.read_out(hidden)
            valid = logits.shape == (ids.shape[1], 1, tokenizer.vocab_size)
            if not (valid and np.isfinite(logits).all() and tokenizer.decode([0, 1, 2])):
                found["outcome"] = "no valid model"
        print(json.dumps(found), flush=True)


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be written; a number is a pipe to a child."""
    path, mode, _ = arguments
    return not isinstance(path, int) and bool(set(mode or "r") & set("wax+"))


def _is_scratch(path: str, folder: Path) -> bool:
    """Whether TensorFlow writes there what it compiles."""
    return path.startswith(tempfile.gettempdir()) and not path.startswith(str(folder))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


class Loader:
    """The process that loads, from outside."""

    def __init__(self, valid: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fuzz", "--load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self.loads = 0
        self._answer_to(valid, 120)

    def load(self, folder: Path) -> dict[str, Any]:
        """What became of it: also "hang" and "crash", after which this loader is done for."""
        self.loads += 1
        return self._answer_to(folder, 30)

    def _answer_to(self, folder: Path, seconds: float) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{folder}\n")
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        answer = self.process.stdout.readline() if ready else ""
        if answer:
            return dict(json.loads(answer))
        self.loads = LOADS
        what = "crash" if ready else "hang"
        return {"outcome": what, "text": "", "seconds": seconds, "megabytes": 0.0, "done": []}

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


# --- the driver ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Row:
    """One way of spoiling. late, large: beyond `SECONDS`, `MEGABYTES`."""

    way: str
    number: int = 0
    refused: int = 0
    loaded: int = 0
    amiss: int = 0
    late: int = 0
    large: int = 0
    longest: float = 0.0
    largest: float = 0.0


def fuzz(sources: list[Path], number: int, seed: int, work: Path) -> list[Row]:
    rows: dict[str, Row] = collections.defaultdict(lambda: Row(""))
    with contextlib.closing(_loaders(sources[0])) as loaders:
        for turn in range(number):
            folder = work / str(turn)
            # another source each time that every way has been taken
            source = sources[turn // 12 % len(sources)]
            way = spoiled(source, folder, turn, seed)
            found = next(loaders).load(folder)
            _count(rows[way], way, found)
            if (
                found["outcome"] not in ("refused", "loaded")
                or found["done"]
                or found["seconds"] > SECONDS
            ):
                print(f"{turn} {way} of {source.name}: {found}", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    return list(rows.values())


def _loaders(valid: Path) -> Generator[Loader, None, None]:
    """The loader to use next; another from time to time."""
    loader = Loader(valid)
    try:
        while True:
            yield loader
            if loader.loads >= LOADS:
                loader.end()
                loader = Loader(valid)
    finally:
        loader.end()


def _count(row: Row, way: str, found: dict[str, Any]) -> None:
    row.way = way
    row.number += 1
    row.refused += found["outcome"] == "refused"
    row.loaded += found["outcome"] == "loaded"
    row.amiss += found["outcome"] not in ("refused", "loaded") or bool(found["done"])
    row.late += found["seconds"] > SECONDS
    row.large += found["megabytes"] > MEGABYTES
    row.longest = max(row.longest, found["seconds"])
    row.largest = max(row.largest, found["megabytes"])


def make_sources(work: Path) -> list[Path]:
    """A tiny model of each tokenizer."""
    from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
    from textgen.training.train import start

    text = work / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    return [
        start(
            text,
            work / name,
            ModelConfig(hidden_size=32, embedding_size=16, cell=cell),
            TokenizerConfig(tokenizer=name, vocab_size=280),
            TrainConfig(epochs=1, batch_size=4, sequence_length=16, sample_length=0),
        )
        for name, cell in zip(TOKENIZERS, ("lstm", "gru", "rnn"), strict=True)
    ]


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| spoiled by | folders | refused | loaded, valid | anything else | over 2 s | over 500 MB "
        "| longest | most memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.way.replace('_', ' ')} | {r.number} | {r.refused} | {r.loaded} | {r.amiss} "
        f"| {r.late} | {r.large} | {r.longest:.2f} s | {r.largest:.0f} MB |"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.load:
        load_all()
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rows = fuzz(make_sources(work), parsed.number, parsed.seed, work)
    print(table(rows))
    if parsed.json:
        told = {
            "machine": platform.platform(),
            "cores": os.cpu_count(),
            "seed": parsed.seed,
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        parsed.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
