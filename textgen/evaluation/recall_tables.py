"""A `Probe` as a table, for a terminal and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import math

from textgen.evaluation.recall_probe import FEWEST, Probe, ProbeRow
from textgen.terminal import Report, table


def report(probe: Probe) -> Report:
    """The rows as a table, and the horizon, for a terminal."""
    groups = list(probe.rows[0].groups)
    head = ["distance", "tokens", "control", "n", "right", "95 %", "probability", *groups]
    lines = [
        [
            f"{r.distance}",
            f"{r.tokens:.0f}",
            r.control,
            f"{r.n}",
            f"{r.accuracy:.1%}",
            f"{r.low:.1%} to {r.high:.1%}",
            f"{r.probability:.3f}",
            *(f"{r.groups.get(g, math.nan):.1%}" for g in groups),
        ]
        for r in probe.rows
    ]
    reach = f"horizon {probe.horizon} characters"
    asked = min(row.n for row in probe.rows)
    if asked < FEWEST:
        reach += (
            f": {asked} documents of each distance are too few to tell, even if all answers are "
            f"right; give -n {FEWEST} or more"
        )
    return [table(head, lines, words=0), f"chance {probe.chance:.1%}", reach]


def as_csv(probe: Probe) -> str:
    """The rows of a probe as CSV."""
    groups = list(probe.rows[0].groups)
    names = [f.name for f in dataclasses.fields(ProbeRow) if f.name != "groups"]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*names, *groups])
    for row in probe.rows:
        writer.writerow([*(getattr(row, n) for n in names), *(row.groups.get(g) for g in groups)])
    return file.getvalue()
