"""docs/longrange.md, from the rows that longrange.py measured."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parent.parent / "recipes"
NOTES = Path(__file__).with_name("longrange_notes.md")
DISTANCES = (20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)
N = 408
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
SECOND = """The texts above were known when the tasks were last changed: what failed on them showed
which kinds of text were missing. These were written by somebody who had read nothing of a task but
its pairs, and were measured when all was done (a recipe of the Korean LSTM had been chosen with
them before): ten spellings, 30 fillers (N 1,260), ten ways to tell and ten to ask.""".splitlines()
# column: what `longrange_open.as_typed` measures
AS_TYPED = {
    "forms": "forms",
    "chat": "chat",
    "capitals alone": "shouting",
    "other words": "other words",
    "strangers both": "strangers of both sets, as they stand",
    "in small letters": "strangers of both sets, small",
    "in capitals": "strangers of both sets, capitals",
}
FORMS = """Twelve forms and profiles, twelve texts of a chat (the English ones in small letters),
six in capitals, by another who had read nothing of a task, each with every fact (N 252 to 504). The
lesson's sentence of both sets with the other words of a task, such as Britain (N 420). And what
strangers tell and ask in English, in small letters and in capitals alone (N 420).""".splitlines()


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
        "## A second set of strangers' texts",
        "",
        *SECOND,
        "",
        *opened(plain, second=True),
        "",
        "## As it is typed",
        "",
        *FORMS,
        "",
        *as_typed(plain),
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


def opened(rows: list[dict[str, Any]], second: bool = False) -> list[str]:
    """second: what was found with the second set of strangers' texts."""

    def of(row: dict[str, Any]) -> dict[str, Any]:
        return row["open"]["second set"] if second else row["open"]

    names = [name for name, key in OPEN.items() if all(key in of(row) for row in rows)]
    return table(
        ["recipe", "spellings sure of each seed", "any fact", "fillers", *names],
        (
            [
                f"`{recipe}`",
                ", ".join(f"{of(r)['lesson']['spellings']}" for r in found),
                mean(of(r)["lesson"]["any fact"] for r in found),
                mean(of(r)["fillers"]["mean"] for r in found),
                *(mean(of(r)[OPEN[name]] for r in found) for name in names),
            ]
            for recipe, found in by(rows, "recipe").items()
        ),
    )


def as_typed(rows: list[dict[str, Any]]) -> list[str]:
    return table(
        ["recipe", *AS_TYPED],
        (
            [f"`{recipe}`", *(mean(r["open"].get(key) for r in found) for key in AS_TYPED.values())]
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
