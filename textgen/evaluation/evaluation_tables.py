"""An `Evaluation` as tables, for a terminal and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textgen.errors import counted
from textgen.evaluation.evaluate import Evaluation, PredictionRow
from textgen.evaluation.particles import PAIRS
from textgen.terminal import Report, table

if TYPE_CHECKING:
    from rich.table import Table

MOST_SHOWN = 20  # wrong words of a text; the JSON has them all


def report(evaluation: Evaluation) -> Report:
    """Tables for a terminal."""
    size = f"{counted(evaluation.characters, 'character')}, {counted(evaluation.bytes, 'byte')}"
    size += f" in UTF-8, {counted(evaluation.tokens, 'token')}"
    parts: list[str | Table] = [size, "", _loss_table(evaluation)]
    if evaluation.unknown:
        parts += [
            "",
            f"{counted(evaluation.unknown, 'token')} of the text the model does not know: each "
            "counts as one unknown character; to spell that out would cost "
            f"{evaluation.spelling_bits:.4f} bits/char more",
        ]
    parts += ["", _position_table(evaluation), "", _kind_table(evaluation)]
    if evaluation.variety:
        parts += ["", *_variety_table(evaluation)]
    if evaluation.particles:
        parts += ["", *_particle_table(evaluation)]
    return parts


def _loss_table(evaluation: Evaluation) -> Table:
    head = ["", "bits/char", "bits/byte", "nats/char", "perplexity/token", "seconds"]
    rows = [
        [
            r.name,
            f"{r.bits_per_char:.4f}",
            f"{r.bits_per_byte:.4f}",
            f"{r.nats_per_char:.4f}",
            f"{r.perplexity:.2f}",
            f"{r.seconds:.1f}",
        ]
        for r in evaluation.rows
    ]
    return table(head, rows)


def _position_table(evaluation: Evaluation) -> Table:
    head = [f"tokens seen of a window of {evaluation.window}", "bits/token"]
    return table(
        head, [[name, f"{bits:.4f}"] for name, bits in positions(evaluation.position)], words=0
    )


def _kind_table(evaluation: Evaluation) -> Table:
    rows = [
        [k.name, f"{k.characters:,}", f"{k.bits_per_char:.4f}", f"{k.share_of_bits:.1%}"]
        for k in evaluation.kinds
    ]
    return table(["characters", "of the text", "bits/char", "of all bits"], rows)


def positions(bits: Sequence[float]) -> list[tuple[str, float]]:
    """Places put together, up to each power of two: (name, mean bits)."""
    rows = []
    low, high = 1, 1
    while low <= len(bits):
        high = min(high, len(bits))
        name = str(low) if high == low else f"{low} to {high}"
        rows.append((name, float(np.mean(bits[low - 1 : high]))))
        low, high = high + 1, 2 * high
    return rows


def _variety_table(evaluation: Evaluation) -> Report:
    parts = evaluation.variety
    named = {"sample": f"model, seed {evaluation.seed}", "text": "the text"}
    rows = [["characters", *(f"{v.characters:,}" for v in parts)]]
    if parts[0].copied is not None:
        copied = f"copied, spans of at least {evaluation.shortest}"
        rows.append([copied, *(f"{v.copied:.1%}" for v in parts)])
        rows.append(["longest copied span", *(f"{v.longest_copy:,}" for v in parts)])
    rows.append(["repeated within itself", *(f"{v.repetition:.1%}" for v in parts)])
    rows.append(
        ["distinct-1, 2, 3 of words", *(" ".join(f"{d:.2f}" for d in v.distinct) for v in parts)]
    )
    lines: list[str | Table] = [table(["", *(named[v.name] for v in parts)], rows)]
    longest = parts[0].longest_text
    if longest:
        shown = longest if len(longest) <= 200 else longest[:197] + "..."
        lines.append(f"the model's longest copied span: {shown!r}")
    if parts[0].copied is None:
        lines.append(
            "no n-grams and no copies: the training text is not at hand; give it, or of one that "
            "was streamed a part, with --train"
        )
    return lines


def _particle_table(evaluation: Evaluation) -> Report:
    """Right particles of all, by pair; beside the model a text by a person."""
    parts = evaluation.particles
    names = {"sample": f"model, seed {evaluation.seed}", "text": "the text"}
    rows = [
        [pair, *(_of_all(p.right.get(pair, 0), p.wrong.get(pair, 0)) for p in parts)]
        for pair in map("/".join, PAIRS)
    ]
    totals = [_of_all(sum(p.right.values()), sum(p.wrong.values())) for p in parts]
    head = ["particles that fit the sound before", *(names[p.name] for p in parts)]
    lines: list[str | Table] = [table(head, [*rows, ["all", *totals]])]
    for part in parts:
        if part.words:
            lines.append(f"do not fit, {names[part.name]}: {_some(part.words)}")
    return lines


def _some(words: Sequence[tuple[str, int]]) -> str:
    """The most frequent of `words`, and how many more there are."""
    shown = ", ".join(w if n == 1 else f"{w} ({n})" for w, n in words[:MOST_SHOWN])
    more = len(words) - MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _of_all(right: int, wrong: int) -> str:
    return f"{right:,} of {right + wrong:,}, {right / (right + wrong):.1%}" if right + wrong else ""


def as_csv(evaluation: Evaluation) -> str:
    """The table of predictions, one row each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in dataclasses.fields(PredictionRow))
    writer.writerows(dataclasses.astuple(row) for row in evaluation.rows)
    return out.getvalue()
