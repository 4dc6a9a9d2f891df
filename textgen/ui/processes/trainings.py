"""Training as a process of its own: started, watched by its files, stopped, resumed.

A run is known by its folder alone, so a reloaded page, or a restarted app, finds it again.
Streamlit has no place for threads of the app; `runs/NAME.pid` and `runs/NAME.log` lie beside the
folder, because the folder belongs to the process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, cast

import pandas as pd

from textgen.errors import ConfigError, CorpusError, RunError
from textgen.runs.run_folder import CONFIG, WEIGHTS
from textgen.text.files import PACKED, TEXT_FILES
from textgen.text.readers import READERS
from textgen.ui.messages import t
from textgen.ui.models import RUNS

UPLOADS, TASKS = RUNS / "uploads", RUNS / "tasks"
LARGEST_UPLOAD = 50  # MB
STALE = 120.0  # seconds of silence after which another's process counts as gone
_NAME = re.compile(r"\w[\w.-]{0,59}")
_WORDS = ("state", "message")
_NUMBERS = (
    "pid",
    "epoch",
    "epochs",
    "step",
    "steps",
    "seconds",
    "seconds_left",
    "tokens_per_second",
    "bits_per_char",
)
_KEPT = re.compile(rf"{re.escape(str(UPLOADS))}/(\S+?)-[0-9a-f]{{8}}(?=\.)")
_ROLLED_BACK = ("step", "to", "learning_rate")


class RolledBack(TypedDict):
    """A training that ran away at a step and went back to another, with a lower learning rate."""

    step: int
    to: int
    learning_rate: float


class Status(TypedDict, total=False):
    """What status.json says of a training, of what the pages show. seconds_left: while it runs;
    bits_per_char: of the training text."""

    state: str
    message: str
    pid: int
    epoch: int
    epochs: int
    step: int
    steps: int
    seconds: float
    seconds_left: float
    tokens_per_second: float
    bits_per_char: float
    rolled_back: RolledBack


_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclasses.dataclass(frozen=True)
class Run:
    """What the files of a run say. state: starting, running, finished, stopped or failed."""

    name: str
    state: str
    status: Status
    message: str = ""

    @property
    def folder(self) -> Path:
        return RUNS / self.name

    @property
    def alive(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def resumable(self) -> bool:
        return self.state in ("stopped", "failed") and (self.folder / CONFIG).is_file()

    @property
    def writable(self) -> bool:
        return not self.alive and (self.folder / WEIGHTS).is_file()


# --- names and texts ----------------------------------------------------------------------------


def checked_name(name: str) -> str:
    """The name for a new run. Raises `ConfigError` when it is no plain name, or taken."""
    name = unicodedata.normalize("NFC", name.strip())
    if not _NAME.fullmatch(name) or name in (UPLOADS.name, TASKS.name):
        raise ConfigError(t("problem.name", name=name))
    if (RUNS / name).exists() or _pid_file(name).exists():
        raise ConfigError(t("problem.taken", name=name))
    return name


def free_name(stem: str) -> str:
    """`stem`-1, or the next number that is free."""
    stem = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", stem)).strip("-_")[:40] or "run"
    number = 1
    while (RUNS / f"{stem}-{number}").exists() or _pid_file(f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"


def keep_upload(name: str, data: bytes) -> Path:
    """Put an uploaded text where training finds it; the same text only once."""
    if len(data) > LARGEST_UPLOAD << 20:
        size = len(data) >> 20
        raise CorpusError(t("problem.too_large", name=name, size=size, most=LARGEST_UPLOAD))
    if not data.strip():
        raise CorpusError(t("problem.empty", name=name))
    path = Path(unicodedata.normalize("NFC", name))
    stem = re.sub(r"[^\w-]+", "-", path.stem).strip("-")[:40] or "text"
    packing = path.suffix.lower() if path.suffix.lower() in PACKED else ""
    suffix = (path.with_suffix("") if packing else path).suffix.lower()
    suffix = (suffix if suffix in (*TEXT_FILES, *READERS) else ".txt") + packing
    upload = UPLOADS / f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}{suffix}"
    if not upload.is_file():
        try:
            UPLOADS.mkdir(parents=True, exist_ok=True)
            temporary = upload.with_suffix(".part")
            temporary.write_bytes(data)
            temporary.replace(upload)
        except OSError as error:
            raise RunError(t("problem.upload", name=name, reason=error.strerror)) from error
    return upload


# --- processes ----------------------------------------------------------------------------------


def start(source: str | Path, name: str, options: Mapping[str, object]) -> None:
    """Train on `source` into runs/`name`."""
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    _spawn(name, ["train", str(source), f"--out={RUNS / name}", *flags])


def start_recipe(recipe: Path, name: str, **options: object) -> None:
    """Train by a recipe into runs/`name`; `options` go before what it says."""
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    _spawn(name, ["train", f"--config={recipe}", f"--out={RUNS / name}", *flags])


def start_race(
    source: Path, name: str, cells: Sequence[str], options: Mapping[str, object]
) -> None:
    """Race `cells` on `source`: a run of each in runs/`name`."""
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    cells_flag = f"--cells={','.join(cells)}"
    _spawn(name, ["race", str(source), f"--out={RUNS / name}", cells_flag, *flags])


def resume(name: str) -> None:
    """Go on with the run runs/`name` where it was stopped."""
    _spawn(name, ["train", f"--resume={RUNS / name}"])


def _spawn(name: str, arguments: list[str]) -> None:
    try:
        _log_file(name).parent.mkdir(parents=True, exist_ok=True)
        with open(_log_file(name), "ab") as log:
            # a session of its own: Ctrl-C in the app's terminal does not reach it
            child = subprocess.Popen(
                [sys.executable, "-m", "textgen", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _children[child.pid] = child
        _pid_file(name).write_text(str(child.pid))
    except OSError as error:
        raise RunError(t("problem.start", reason=error.strerror)) from error


def stop(name: str) -> None:
    """Ask for a stop that saves everything, as Ctrl-C does."""
    pid = _pid(name, _read_status(RUNS / name))
    if pid is not None and _lives(pid, name):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGINT)


# --- what the files say -------------------------------------------------------------------------


def all_runs() -> list[Run]:
    """Every run, newest first."""
    if not RUNS.is_dir():
        return []
    names = {
        p.parent.name for pattern in (CONFIG, "status.json") for p in RUNS.glob(f"*/{pattern}")
    }
    names |= {p.stem for p in RUNS.glob("*.pid")}
    newest = sorted(names - {UPLOADS.name, TASKS.name}, key=lambda name: -_last_sign(name))
    return [read(name) for name in newest]


def read(name: str) -> Run:
    """What the files of runs/`name` say."""
    status = _read_status(RUNS / name)
    pid = _pid(name, status)
    state = _state(status, pid)
    if pid is not None and state in ("", "running"):
        if _lives(pid, name):
            return Run(name, state or "starting", status)
        status = _read_status(RUNS / name)  # it may have ended since it was read
        state = _state(status, pid)
    if state in ("finished", "stopped", "failed"):
        return Run(name, state, status, status.get("message", ""))
    if pid is None and (RUNS / name / WEIGHTS).is_file():  # copied here from elsewhere
        return Run(name, "finished", status)
    message = _last_words(name)
    return Run(name, "stopped" if message.startswith("stopped") else "failed", status, message)


def _state(status: Status, pid: int | None) -> str:
    """What a status says of this process; nothing where an earlier one left it."""
    return status.get("state", "") if status.get("pid") == pid else ""


def history(name: str) -> pd.DataFrame:
    """history.csv, also while it is being written."""
    try:
        rows = pd.read_csv(RUNS / name / "history.csv", on_bad_lines="skip")
        return rows.apply(pd.to_numeric, errors="coerce").dropna(subset=["step", "bits_per_char"])
    except (OSError, ValueError, KeyError):
        return pd.DataFrame()


def latest_samples(name: str, number: int) -> list[dict[str, object]]:
    """The last texts written between epochs, newest first."""
    try:
        lines = (RUNS / name / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    samples = []
    for line in reversed(lines[-number:]):
        with contextlib.suppress(ValueError, RecursionError):
            samples.append(json.loads(line))
    return [sample for sample in samples if isinstance(sample, dict)]


def recall(name: str) -> pd.DataFrame:
    """recall.jsonl, also while it is being written: seconds, distance, accuracy."""
    try:
        text = (RUNS / name / "recall.jsonl").read_text(encoding="utf-8")
        probes = [json.loads(line) for line in text.splitlines()]
        return pd.DataFrame(
            [
                (probe["seconds"], row["distance"], row["accuracy"])
                for probe in probes
                for row in probe["rows"]
            ],
            columns=["seconds", "distance", "accuracy"],
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return pd.DataFrame()


def _read_status(folder: Path) -> Status:
    try:
        status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return _checked_status(status)


def _checked_status(status: object) -> Status:
    """What of `status` is as `Recorder` writes it: a folder may come from anyone."""
    if not isinstance(status, dict):
        return {}
    checked = {name: status[name] for name in _WORDS if isinstance(status.get(name), str)}
    checked |= {name: status[name] for name in _NUMBERS if _is_number(status.get(name))}
    back = status.get("rolled_back")
    if isinstance(back, dict) and all(_is_number(back.get(name)) for name in _ROLLED_BACK):
        checked["rolled_back"] = {name: back[name] for name in _ROLLED_BACK}
    return cast(Status, checked)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e15


def _pid(name: str, status: Status) -> int | None:
    try:
        return int(_pid_file(name).read_text())
    except (OSError, ValueError):
        pid = status.get("pid")  # begun on the command line
        return pid if isinstance(pid, int) and pid > 1 else None  # 0 would be all of us


def _lives(pid: int, name: str) -> bool:
    if pid in _children:  # without `poll` a dead child would still answer
        return _children[pid].poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    # not our child: after a restart of the machine the number may be anyone's
    return _is_textgen(pid) and time.time() - _last_sign(name) < STALE


def _is_textgen(pid: int) -> bool:
    """As far as the system tells: a folder from elsewhere may name any process."""
    if not Path("/proc/self/cmdline").is_file():
        return True
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word == b"textgen" or word.endswith(b"/textgen") for word in words)


def _last_sign(name: str) -> float:
    files = (RUNS / name / "status.json", RUNS / name / CONFIG, _log_file(name), _pid_file(name))
    return max((f.stat().st_mtime for f in files if f.is_file()), default=0.0)


def _last_words(name: str) -> str:
    """The error line a process ended with, or that it was stopped; what else it wrote last, such as
    a sample, is no reason."""
    try:
        text = _log_file(name).read_bytes()[-4000:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    stops = [line for line in lines[-1:] if line.startswith("stopped")]
    # an upload by the name that it came with, not by where it is kept
    return _KEPT.sub(r"\1", (errors or stops or [""])[-1])


def _pid_file(name: str) -> Path:
    return RUNS / f"{name}.pid"


def _log_file(name: str) -> Path:
    return RUNS / f"{name}.log"
