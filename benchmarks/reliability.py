"""docs/reliability.md, from what the other measurements left behind.

    python -m benchmarks.reliability

Reads faults.json, fuzz.json, load.json, coverage.json and mutants.json beside this file; what was
not measured is not told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import faults, fuzz, mutants

HERE = Path(__file__).parent
HEAD = """# Reliability

What was tried against textgen, how often, and what was lost. Every figure here is written by
`python -m benchmarks.reliability` from what the named script measured.
"""


def of_faults(told: dict[str, Any]) -> str:
    rows = [faults.Row(**row) for row in told["rows"]]
    tried = sum(row.tried for row in rows)
    return f"""## Training that is ended

`python -m benchmarks.faults` ({told["machine"]}): a run with `--deterministic` is ended
{tried} times in all and resumed, then compared with one that was never disturbed. *Other weights*
counts runs whose weights, optimizer, generators, history or samples were not the same, bit for bit.
*No readable save* counts ends after which the newest save or the model could not be read. *Ended
wrongly* counts processes that did not say in one line what was wrong, or that they had saved.

{faults.table(rows)}

In the suite, `tests/test_resume.py` lets each single touch of the disk fail in its turn (opening,
writing, half of a write, fsync, the move, the folder's fsync, clearing up), as a killed process, a
full disk, a read-only disk and a broken one would: every time the newest whole save is found.

A run that was rolled back from a runaway loss, or ended by `--max-seconds`, depends on the clock,
and is not promised to be the same bit for bit."""


def of_fuzz(told: dict[str, Any]) -> str:
    rows = [fuzz.Row(**row) for row in told["rows"]]
    number = sum(row.number for row in rows)
    return f"""## Run folders from strangers

`python -m benchmarks.fuzz` ({told["cores"]} cores): {number:,} folders, each spoiled in one of
{len(rows)} ways, loaded in a process of its own. *Anything else* would be another error than a
`TextgenError`, a crash, a hang, a model whose output is no number, or a load that writes a file,
opens a connection, unpickles or starts a foreign program.

{fuzz.table(rows)}

The longest times are those of a machine that did other things as well."""


def of_load(told: dict[str, Any]) -> str:
    stop = told["stop_median"]
    rows = [
        ("sessions, texts written to their end", f"{told['sessions']}, {told['texts']:,}"),
        ("texts or pages that failed", f"{told['failures']}"),
        ("messages with another's prompt in them", f"{told['foreign']}"),
        ("from the press to the first letters, median", f"{told['first_median']:.1f} s"),
        ("the same, 19 of 20 within", f"{told['first_worst_of_20']:.1f} s"),
        ("a whole text of 200 tokens, median", f"{told['whole_median']:.1f} s"),
        (
            "Stop pressed, and from there to a page at rest (median)",
            f"{told['stops']} times, {stop:.1f} s" if stop else "never",
        ),
        ("pages left while a text was written", f"{told['left']}"),
        (
            "memory of the app, warm and at the end",
            f"{told['megabytes_warm']:.0f} MB, {told['megabytes_end']:.0f} MB",
        ),
        ("growth", f"{told['growth']:.1%}"),
        ("cores in use 5 s after all had left", f"{told['idle_cores_after']:.2f}"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    failed = f" What failed: {'; '.join(told['reasons'])}." if told["failures"] else ""
    return f"""## Many at once

`python -m benchmarks.load`: {told["people"]} websocket clients, each of which writes all the time,
on {told["cores"]} cores for {told["minutes"]:g} minutes.{failed}

| | |
|---|---|
{table}

Each session writes in turns of a few tokens (`textgen/generation/fair_queue.py`), as many at once
as there are cores, at most 2,000 tokens at a press. All sessions share one copy of a model."""


def of_coverage(told: dict[str, Any]) -> str:
    files = told["files"]
    total = told["totals"]
    low = sorted((f["summary"]["percent_covered"], name) for name, f in files.items())[:5]
    worst = ", ".join(f"`{name}` {percent:.0f} %" for percent, name in low)
    return f"""## What the tests reach

`make test` reaches {total["percent_covered"]:.1f} % of {total["num_statements"]:,} statements of
`textgen/` (coverage.py's report as JSON; `make test-all` writes it to build/tests). Least: {worst}.
Processes that a test starts (the command line, the app in a browser) are not counted."""


def of_mutants(told: list[dict[str, Any]]) -> str:
    lines = ["| module | mutants | tried | alike | killed of the others |", "|---|---|---|---|---|"]
    for row in told:
        lines.append(
            f"| `{row['module']}` | {row['mutants']} | {row['tried']} | {len(row['alike'])} "
            f"| {mutants.killed_of(row):.0%} |"
        )
    survivors, alike = (
        "\n".join(f"- {told}" for row in told for told in row[kind]) or "None."
        for kind in ("survived", "alike")
    )
    return f"""## What the tests notice

`python -m benchmarks.mutants` puts a small error into a module, a random draw of all that there
are, and runs its tests. *Alike* are those that change nothing that a test could see. This was
measured before the files were laid out in packages: `sampling` lies in `generation/` now,
`tokenizer` in `tokenizers/`, and `checkpoint` became `runs/`.

{chr(10).join(lines)}

Those that lived, for most of which a test has been written since (what lived in earlier draws had
its tests already):

{survivors}

Those alike, and why:

{alike}"""


PARTS: dict[str, Callable[[Any], str]] = {
    "faults": of_faults,
    "fuzz": of_fuzz,
    "load": of_load,
    "coverage": of_coverage,
    "mutants": of_mutants,
}


def main() -> None:
    parts = [HEAD.rstrip()]
    for name, write in PARTS.items():
        path = HERE / f"{name}.json"
        if path.is_file():
            parts.append(write(json.loads(path.read_text())))
    (HERE.parent / "docs/reliability.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
