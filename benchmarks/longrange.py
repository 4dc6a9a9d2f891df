"""What the speaker recipes reach: the horizon of every cell, over several seeds.

    python -m benchmarks.longrange [RECIPE ...] [--seeds 5] [--settings] [--shipped] [--jobs 2]
                                   [--keep FOLDER] [--json FILE] [--markdown FILE]

Each recipe in recipes/speaker-*.toml is trained with each seed, by the command a user would give,
on one core; then it is probed on filler it has never seen. `--jobs` trainings run side by side,
each on a core of its own. `--settings` also trains the LSTM and the GRU with one setting changed
at a time, to see what each does. `--shipped` trains nothing: it probes the models in models/. The
JSON is written after each training; what it has is not trained again. `--keep` keeps the runs, as
FOLDER/RECIPE-SEED.

What strangers might type is in longrange_open.py, the page in longrange_tables.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from benchmarks.longrange_tables import DISTANCES, RECIPES, N, markdown

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models"
# what is changed, and by which flags, for which cells
SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "forget bias 1": ("--forget-bias 1", ("lstm",)),
    "chrono 200": ("--chrono 200", ("lstm", "gru")),
    "answer counts as any token": ("--answer-weight 1", ("lstm", "gru")),
}
SETTINGS_TONGUE = "ko"


def jobs_of(recipes: list[str], seeds: int, settings: bool) -> Iterator[tuple[str, str, int]]:
    """(recipe, what is changed, seed)."""
    for seed in range(1, seeds + 1):
        for recipe in recipes or sorted(path.stem for path in RECIPES.glob("speaker-*.toml")):
            yield recipe, "", seed
    if settings:
        for seed in range(1, seeds + 1):
            for name, (_, cells) in SETTINGS.items():
                for cell in cells:
                    yield f"speaker-{cell}-{SETTINGS_TONGUE}", name, seed


def measure_shipped(recipe: str, n: int, core: int) -> dict[str, Any]:
    """Probe a model as it is, in a process of its own."""
    folder = MODELS / recipe
    card = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    asked = ("--probe", str(folder), "--n", str(n))
    found = json.loads(on_core(core, "-m", "benchmarks.longrange", *asked))
    return {
        "recipe": recipe,
        "setting": "",
        "seed": card["training"]["seed"],
        "seconds": card["metrics"]["seconds"],
        "bytes": (folder / "model.safetensors").stat().st_size,
    } | found


def measure(
    recipe: str, setting: str, seed: int, core: int, keep: Path | None = None
) -> dict[str, Any]:
    """Train and probe in a process of its own, kept on one core. keep: where the run stays."""
    flags = shlex.split(SETTINGS[setting][0]) if setting else []
    with tempfile.TemporaryDirectory() as folder:
        run = keep / f"{recipe}-{seed}" if keep and not setting else Path(folder) / "run"
        begin = time.perf_counter()
        on_core(
            core,
            "-m",
            "textgen",
            "train",
            f"--config={RECIPES / recipe}.toml",
            f"--out={run}",
            f"--seed={seed}",
            *flags,
        )
        seconds = time.perf_counter() - begin
        found = json.loads(on_core(core, "-m", "benchmarks.longrange", "--probe", str(run)))
        size = sum(file.stat().st_size for file in run.glob("model.safetensors"))
    return {
        "recipe": recipe,
        "setting": setting,
        "seed": seed,
        "seconds": seconds,
        "bytes": size,
    } | found


def on_core(core: int, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    ).stdout


def probe_run(run: Path, n: int = N) -> dict[str, Any]:
    from benchmarks.longrange_open import measured
    from textgen.evaluation.recall_probe import Scorer, measure, probe, task_of
    from textgen.generation.generator import load

    model = load(run)
    scorer = Scorer(model, task_of(model))
    far = probe(scorer, DISTANCES, n)
    rows = {row.distance: row for row in far.rows}

    def at(distance: int, **settings: Any) -> float:
        return measure(scorer, distance, n, **settings).accuracy

    return {
        "candidates": len(scorer.task.answers),
        "horizon": far.horizon,
        "accuracy": {d: row.accuracy for d, row in rows.items()},
        "groups": rows[300].groups,
        "seen filler": at(100, held_out=()),
        "held-out filler": rows[100].accuracy,
        **{
            variant: at(150 if variant == "passing" else 100, variant=variant)
            for variant in scorer.task.variants
            if variant != "plain"
        },
        "removed": at(100, control="removed"),
        "swapped": at(100, control="swapped"),
        "zeroed": at(100, control="zeroed"),
        "n": n,
        "open": measured(str(run), few=n < N),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="what the speaker recipes reach")
    parser.add_argument("recipes", nargs="*", help="speaker-lstm-ko ...; default all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--settings", action="store_true", help="also one setting changed each")
    parser.add_argument("--shipped", action="store_true", help="probe models/, train nothing")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side, a core each")
    parser.add_argument("--n", type=int, default=N, help="documents at each distance, of --shipped")
    parser.add_argument("--keep", type=Path, help="keep the runs in this folder")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.probe:
        print(json.dumps(probe_run(parsed.probe, parsed.n)))
        return

    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    done = {(row["recipe"], row["setting"], row["seed"]) for row in rows}
    wanted = [
        job
        for job in jobs_of(parsed.recipes, 1 if parsed.shipped else parsed.seeds, parsed.settings)
        if job not in done
    ]
    cores: SimpleQueue[int] = SimpleQueue()
    for core in sorted(os.sched_getaffinity(0))[: parsed.jobs]:
        cores.put(core)

    def one(job: tuple[str, str, int]) -> None:
        core = cores.get()
        try:
            if parsed.shipped:
                row = measure_shipped(job[0], parsed.n, core)
            else:
                row = measure(*job, core, parsed.keep)
        finally:
            cores.put(core)
        rows.append(json.loads(json.dumps(row)))
        print(*job, f"horizon {row['horizon']}, {row['seconds']:.0f} s", flush=True)
        if parsed.json:
            parsed.json.write_text(json.dumps(rows, indent=1) + "\n")

    with ThreadPoolExecutor(parsed.jobs) as pool:
        list(pool.map(one, wanted))
    print(markdown(rows))
    if parsed.markdown:
        parsed.markdown.write_text(markdown(rows))


if __name__ == "__main__":
    main()
