"""Training killed, starved of disk and stopped, over and over: what is lost?

    python -m benchmarks.faults [--kills 50] [--json FILE] [--machine NAME] [--work FOLDER]

One run trains undisturbed. Others of the same settings (`--deterministic`) are ended in every way
below and resumed until they are through; then their weights, and all that their last save holds,
have to be the undisturbed run's, bit for bit. After each end the newest save must load.

So that there is a save to be killed in every few steps, a run here saves every `SAVE_SECONDS`, not
every minute.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from textgen.runs import array_file, run_folder

SAVE_SECONDS = 0.3
TRAIN = f"import textgen.training.loop as loop; loop.SAVE_SECONDS = {SAVE_SECONDS}; "
TRAIN += "from textgen.cli.main import main; main()"
SETTINGS = (
    "--deterministic",
    "--hidden-size=128",
    "--num-layers=2",
    "--dropout=0.1",
    "--batch-size=8",
    "--sequence-length=32",
    "--epochs=40",
    "--patience=40",
    "--sample-length=20",
)
OF_A_KILL = ("killed at a random moment", "killed while it saves")


@dataclasses.dataclass
class Row:
    """A fault, how often it was tried, and how often anything was amiss."""

    fault: str
    tried: int = 0
    unreadable: int = 0  # times that no save, or no model, could be read afterwards
    wrong_end: int = 0  # times that the process did not say in one line what was wrong
    differing: int = 0  # runs that did not end at the undisturbed run's weights
    halfway: int = 0  # kills that left a half written file behind


class Run:
    """A training in a process of its own."""

    def __init__(self, text: Path, folder: Path) -> None:
        self.text, self.folder = text, folder

    def start(self, before: Callable[[], None] | None = None, under: tuple[str, ...] = ()) -> Any:
        what = [str(self.text), "--out", str(self.folder), *SETTINGS]
        if (self.folder / run_folder.CONFIG).is_file():
            what = ["--resume", str(self.folder)]
        return subprocess.Popen(
            [*under, sys.executable, "-c", TRAIN, "train", *what],
            preexec_fn=before,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_a_step(self, process: Any) -> None:
        """Until this process has trained, and saved, or ended."""
        status = self.folder / "status.json"
        while process.poll() is None:
            try:
                if json.loads(status.read_text())["pid"] == process.pid:
                    return
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.02)

    def begin(self) -> None:
        """Train a little, then stop and save."""
        process = self.start()
        self.wait_for_a_step(process)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        process.communicate()

    def finish(self) -> str:
        process = self.start()
        _, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"{self.folder} did not finish: {errors[-500:]}")
        return str(errors)

    def readable(self) -> bool:
        from textgen.errors import TextgenError
        from textgen.training.saves import read_save

        try:
            if (self.folder / run_folder.CONFIG).is_file():
                read_save(self.folder)
            if (self.folder / run_folder.WEIGHTS).is_file():
                array_file.read_arrays(self.folder / run_folder.WEIGHTS)
        except TextgenError as error:
            print(error, file=sys.stderr)
            return False
        return True

    def half_written(self) -> bool:
        return any(self.folder.glob(".training*.tmp")) or any(self.folder.glob(".model*.tmp"))


def same(one: Path, other: Path) -> bool:
    """Whether two finished runs hold the same weights, optimizer, generators and history."""
    from textgen.training.saves import read_save

    pairs = [
        [array_file.read_arrays(folder / run_folder.WEIGHTS)[0] for folder in (one, other)],
        [dict(read_save(folder).arrays) for folder in (one, other)],
    ]
    for a, b in pairs:
        if a.keys() != b.keys() or not all(np.array_equal(a[k], b[k]) for k in a):
            return False
    states = [read_save(folder).state for folder in (one, other)]
    if any(states[0].step != s.step or states[0].best != s.best for s in states):
        return False
    return _course(one) == _course(other)


def _course(folder: Path) -> list[tuple[str, ...]]:
    """What history.csv and samples.jsonl say at the end of each epoch, the clock left out."""
    rows = [
        tuple(row[name] for name in ("epoch", "step", "loss", "val_loss", "learning_rate"))
        for row in run_folder.read_history(folder)
        if row["val_loss"]
    ]
    texts = (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return rows + [(text,) for text in texts]


def killed(text: Path, folder: Path, whole: Path, kills: int, seed: int) -> list[Row]:
    """One run, killed `kills` times: by turns at a random moment and in the midst of a save."""
    rng, run = random.Random(seed), Run(text, folder)
    rows = [Row(name) for name in OF_A_KILL]
    for number in range(kills):
        row = rows[number % 2]
        process = run.start()
        if number % 2 == 0:
            if rng.random() < 0.8:  # else perhaps before the first step
                run.wait_for_a_step(process)
            time.sleep(rng.uniform(0, 3))
        else:
            run.wait_for_a_step(process)
            end = time.monotonic() + 20
            while not run.half_written() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.0003)
        over = process.poll() is not None
        process.kill()
        _, errors = process.communicate()
        if over:
            if process.returncode:
                raise SystemExit(f"it ended by itself: {errors[-500:]}")
            break  # finished before all kills were spent
        row.tried += 1
        row.halfway += run.half_written()
        row.unreadable += not run.readable()
        print(f"{row.fault}: {row.tried}", file=sys.stderr)
    else:
        run.finish()
    rows[0].differing = rows[1].differing = int(not same(folder, whole))
    return rows


def stopped(text: Path, folder: Path, whole: Path, number: int, name: str) -> Row:
    """Asked to stop at some step; saves, says so and can be resumed."""
    row, run = Row(name), Run(text, folder)
    for turn in range(5):
        process = run.start()
        run.wait_for_a_step(process)
        time.sleep(0.3 * turn)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        row.tried += 1
        said = errors.strip().splitlines()[-1:] == [
            f"stopped and saved: textgen train --resume {folder} goes on"
        ]
        row.wrong_end += not (process.returncode == 130 and said and "Traceback" not in errors)
        row.unreadable += not run.readable()
    run.finish()
    row.differing = int(not same(folder, whole))
    return row


def starved(text: Path, folder: Path, whole: Path) -> Row:
    """No file may grow past a limit, from some moment on: what a full disk does to a save."""
    row, run = Row("disk full (no file may grow beyond 4 kB to 1 MB)"), Run(text, folder)
    run.begin()
    for limit in (4 << 10, 64 << 10, 256 << 10, 1 << 20):

        def limited(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        process = run.start(limited)
        _, errors = process.communicate(timeout=120)
        _count_refusal(row, run, process, errors)
    run.finish()
    row.differing = int(not same(folder, whole))
    return row


def read_only(text: Path, folder: Path, whole: Path) -> Row:
    """The folder may be read but not written; root goes without the right to write anyway."""
    row, run = Row("folder read-only"), Run(text, folder)
    run.begin()
    rights = "-dac_override,-dac_read_search"
    under = ("setpriv", f"--bounding-set={rights}") if os.getuid() == 0 else ()
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    process = run.start(under=under)
    _, errors = process.communicate(timeout=120)
    _count_refusal(row, run, process, errors)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    run.finish()
    row.differing = int(not same(folder, whole))
    return row


def _count_refusal(row: Row, run: Run, process: Any, errors: str) -> None:
    row.tried += 1
    last = errors.strip().splitlines()[-1:]
    refused = bool(last) and last[0].startswith("error: cannot write")
    row.wrong_end += not (process.returncode == 2 and refused and "Traceback" not in errors)
    if not refused:
        print(errors[-800:], file=sys.stderr)
    row.unreadable += not run.readable()


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| fault | tried | in the midst of a write | no readable save after | ended wrongly "
        "| other weights |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.fault} | {r.tried} | {r.halfway or ''} | {r.unreadable} | {r.wrong_end} "
        f"| {r.differing} |"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--machine", default=platform.platform(), help="what to call this machine")
    parser.add_argument("--work", type=Path)
    parsed = parser.parse_args()
    work = parsed.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    text = work / "text.txt"
    corpus = Path(__file__).parents[1] / "corpora/en/prose/tales.txt"
    text.write_text(corpus.read_text(encoding="utf-8")[:30_000], encoding="utf-8")
    whole = work / "whole"
    began = time.monotonic()
    Run(text, whole).finish()
    print(f"undisturbed: {time.monotonic() - began:.0f} s", file=sys.stderr)
    rows = killed(text, work / "killed", whole, parsed.kills, parsed.seed)
    rows.append(stopped(text, work / "sigint", whole, signal.SIGINT, "SIGINT"))
    rows.append(stopped(text, work / "sigterm", whole, signal.SIGTERM, "SIGTERM"))
    rows.append(starved(text, work / "starved", whole))
    rows.append(read_only(text, work / "read-only", whole))
    print(table(rows))
    if parsed.json:
        told = {
            "machine": parsed.machine,
            "cores": os.cpu_count(),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        parsed.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
