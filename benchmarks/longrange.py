"""What the speaker recipes reach: the horizon of every cell, over several seeds.

    python -m benchmarks.longrange [RECIPE ...] [--seeds 5] [--settings] [--shipped] [--jobs 2]
                                   [--json FILE] [--markdown FILE]

Each recipe in recipes/speaker-*.toml is trained with each seed, by the command a user would give,
on one core; then it is probed on filler it has never seen. `--jobs` trainings run side by side,
each on a core of its own. `--settings` also trains the LSTM and the GRU with one setting changed
at a time, to see what each does. `--shipped` trains nothing: it probes the models in models/. The
JSON is written after each training; what it has is not trained again.

What strangers might type is in longrange_open.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).parent.parent
RECIPES, MODELS = ROOT / "recipes", ROOT / "models"
NOTES = Path(__file__).with_name("longrange_notes.md")
DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)
N = 408
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


def measure(recipe: str, setting: str, seed: int, core: int) -> dict[str, Any]:
    """Train and probe in a process of its own, kept on one core."""
    flags = shlex.split(SETTINGS[setting][0]) if setting else []
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
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


# column: what benchmarks.longrange_open measures
OPEN = {
    "tell": "facts held out at 150",
    "ask": "questions held out at 150",
    "both": "both held out at 150",
    "stranger tells": "strangers tell",
    "stranger asks": "strangers ask",
    "stranger both": "strangers both",
    "noise": "held-out noise at 300",
    "unseen names": "unseen names at 50",
    "invented": "invented names at 50",
}
TYPED = """The lesson's sentence in ten spellings: in how many its own fact, Korean, has at least
95 % of the probability, and how often any of the facts is right (N 420). Fillers of strangers'
kinds, 300 characters of each of 31 with every fact (N 1,302). Ways to tell and to ask that are
held out by grammar, and such as strangers wrote, at 150 characters (N 420 each). Kinds of noise
never trained on, at 300 (N 420). Names of six countries never trained on, and of six that there are
not, among each other at 50 characters: chance is 17 % (N 420).""".splitlines()


# --- the tables -----------------------------------------------------------------------------------


def markdown(rows: list[dict[str, Any]]) -> str:
    plain = [row for row in rows if not row["setting"]]
    changed = [row for row in rows if row["setting"]]
    lines = [
        "# How far back each cell remembers",
        "",
        "Written by `python -m benchmarks.longrange`. Each model is trained on one core, and "
        f"probed on filler it has never seen, {N} documents at each distance. The horizon is the "
        "greatest distance at which the lower end of the 95 % interval is above 90 %, there and at "
        f"all shorter ones; {DISTANCES[-1]:,} is the greatest that was tried.",
        "",
        *NOTES.read_text(encoding="utf-8").splitlines(),
        "",
        "## Horizon in characters, by seed",
        "",
        *horizons(plain),
        "",
        "## Right answers at each distance, mean over the seeds",
        "",
        *accuracies(plain),
        "",
        "## What was typed that nobody trained on, mean over the seeds",
        "",
        *TYPED,
        "",
        *opened(plain),
        "",
        "## The fillers of strangers, one by one",
        "",
        *fillers(plain),
        "",
        "## Variants and controls, mean over the seeds",
        "",
        "At 100 characters; others in passing at 150, copyable and associative pairs at 300.",
        "",
        *variants(plain),
    ]
    if changed:
        lines += ["", "## What each setting does", "", *settings(plain, changed)]
    return "\n".join(lines) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    return [
        "| " + " | ".join(cells) + " |" for cells in (head, ["---", *["---:"] * (len(head) - 1)])
    ] + ["| " + " | ".join(row) + " |" for row in rows]


def by(rows: list[dict[str, Any]], *keys: str) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda r: r["seed"]):
        key = tuple(row[k] for k in keys)
        found.setdefault(key if len(keys) > 1 else key[0], []).append(row)
    return found


def mean(values: Iterable[float | None]) -> str:
    """Of the seeds; a dash for what their task has no words for."""
    found = [value for value in values if value is not None]
    return f"{statistics.fmean(found):.1%}" if found else "–"


def between(values: Iterable[float]) -> str:
    """The least and the greatest, or the one."""
    ends = (f"{end:.0f}" for end in sorted(values))
    least, *_, greatest = [*ends] * 2
    return least if least == greatest else f"{least} to {greatest}"


def horizons(rows: list[dict[str, Any]]) -> list[str]:
    head = ["horizon of each seed", "seeds", "N", "seconds by the clock, one core", "kB"]
    return table(
        ["recipe", "task", "trained up to", "chance", *head],
        (
            [
                f"`{recipe}`",
                *trained_on(recipe),
                f"{1 / found[0]['candidates']:.1%}",
                ", ".join(f"{r['horizon']:,}" for r in found),
                f"{len(found)}",
                f"{found[0].get('n', N)}",
                between(r["seconds"] for r in found),
                f"{found[0]['bytes'] / 1000:.0f}",
            ]
            for recipe, found in by(rows, "recipe").items()
        ),
    )


def trained_on(recipe: str) -> tuple[str, str]:
    """(task, greatest distance in training)."""
    settings = tomllib.loads((RECIPES / f"{recipe}.toml").read_text(encoding="utf-8"))
    return f"`{Path(settings['corpus']).stem}`", f"{settings['training']['distance']}"


def accuracies(rows: list[dict[str, Any]]) -> list[str]:
    return table(
        ["recipe", *(f"{d:,}" for d in DISTANCES)],
        (
            [f"`{recipe}`", *(mean(r["accuracy"][str(d)] for r in found) for d in DISTANCES)]
            for recipe, found in by(rows, "recipe").items()
        ),
    )


def variants(rows: list[dict[str, Any]]) -> list[str]:
    names = (
        "seen filler",
        "held-out filler",
        "distractor",
        "correction",
        "passing",
        "removed",
        "swapped",
        "zeroed",
    )
    groups = ("copyable", "associative")
    return table(
        ["recipe", *groups, *names],
        (
            [
                f"`{recipe}`",
                *(mean(r["groups"][g] for r in found) for g in groups),
                *(mean(r.get(n) for r in found) for n in names),
            ]
            for recipe, found in by(rows, "recipe").items()
        ),
    )


def opened(rows: list[dict[str, Any]]) -> list[str]:
    names = list(OPEN)
    return table(
        ["recipe", "spellings sure of each seed", "any fact", "fillers", *names],
        (
            [
                f"`{recipe}`",
                ", ".join(f"{r['open']['lesson']['spellings']}" for r in found),
                mean(r["open"]["lesson"]["any fact"] for r in found),
                mean(r["open"]["fillers"]["mean"] for r in found),
                *(mean(r["open"][OPEN[n]] for r in found) for n in names),
            ]
            for recipe, found in by(rows, "recipe").items()
        ),
    )


def fillers(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each kind, a column for each recipe."""
    recipes = by(rows, "recipe")
    kinds = next(iter(recipes.values()))[0]["open"]["fillers"]["kinds"]
    return table(
        ["filler", *(f"`{recipe.removeprefix('speaker-')}`" for recipe in recipes)],
        (
            [
                kind,
                *(mean(r["open"]["fillers"]["kinds"][kind] for r in f) for f in recipes.values()),
            ]
            for kind in kinds
        ),
    )


def settings(plain: list[dict[str, Any]], changed: list[dict[str, Any]]) -> list[str]:
    cells = dict.fromkeys(row["recipe"] for row in changed)
    as_it_is = [row for row in plain if row["recipe"] in cells]
    found = by(
        [r | {"setting": r["setting"] or "as shipped"} for r in as_it_is + changed],
        "recipe",
        "setting",
    )
    return table(
        ["recipe", "setting", "horizon of each seed", "right at 150", "at 700", "distractor"],
        (
            [
                f"`{recipe}`",
                setting,
                ", ".join(f"{r['horizon']:,}" for r in rows),
                mean(r["accuracy"]["150"] for r in rows),
                mean(r["accuracy"]["700"] for r in rows),
                mean(r["distractor"] for r in rows),
            ]
            for (recipe, setting), rows in sorted(found.items(), key=lambda item: item[0][0])
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="what the speaker recipes reach")
    parser.add_argument("recipes", nargs="*", help="speaker-lstm-ko ...; default all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--settings", action="store_true", help="also one setting changed each")
    parser.add_argument("--shipped", action="store_true", help="probe models/, train nothing")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side, a core each")
    parser.add_argument("--n", type=int, default=N, help="documents at each distance, of --shipped")
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
            row = measure_shipped(job[0], parsed.n, core) if parsed.shipped else measure(*job, core)
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
