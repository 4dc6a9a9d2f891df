"""Which cell remembers what, after how many tokens and seconds: each at its own best rate.

    python -m benchmarks.memory [--tasks copy,recall] [--cells gru,lstm] [--json FILE]
                                [--markdown FILE] [--page-only]

The tasks are those of memory_tasks.py. For each cell the rates of `RATES` are tried for a quarter
of a task's seconds; the one that did best goes on to the end of them, and twice as many units are
tried at it, too. A training ends before where the task is solved. What is judged are examples never
seen; the figure is the loss as a share of what no memory gives: 0 is solved, 1 has learned nothing.
What is in the JSON already is not measured again, so that a stopped sweep goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.charts import on_any_ground
from benchmarks.memory_tasks import BATCH, TASKS, Task
from textgen.backend import keras, ops, tf
from textgen.cells import CELLS, make_cell
from textgen.cells.layer import RecurrentLayer

HERE = Path(__file__).parent
NOTES = HERE / "memory_notes.md"
PICTURE = "memory.svg"
RATES = (0.001, 0.003, 0.01)
NARROW, WIDE = 64, 128  # units
FIRST, LOOKS = 0.25, 16  # of the seconds, for each rate; how often a whole training is judged
SOLVED = 0.05
UNSEEN = 6  # batches that judge


class Model(keras.Model):
    """One cell and a linear read-out: of the last output, or of all."""

    def __init__(self, cell: str, units: int, task: Task) -> None:
        super().__init__()
        # the gates are told the length of the task, which few cells solve otherwise
        self.recurrent = RecurrentLayer(make_cell(cell), units, chrono=task.length)
        self.head, self.single = keras.layers.Dense(task.outputs), task.outputs == 1

    def call(self, x: Any) -> Any:
        hidden, _ = self.recurrent(x, self.recurrent.initial_state(BATCH))
        return self.head(hidden[-1] if self.single else hidden)

    def loss_of(self, x: Any, answers: Any, counts: Any) -> Any:
        """The mean of the squared error, or of the cross-entropy, over the answers that count."""
        found = self(x)
        if self.single:
            losses = ops.square(found - answers)
        else:
            losses = ops.sparse_categorical_crossentropy(answers, found, from_logits=True)
        return ops.sum(losses * counts) / ops.sum(counts)


class Trial:
    """A training that can be gone on with. curve: (tokens, seconds of a core, share of loss)."""

    def __init__(self, name: str, cell: str, units: int, rate: float) -> None:
        keras.utils.set_random_seed(1)
        self.name, self.cell, self.units, self.rate = name, cell, units, rate
        self.task = TASKS[name]
        self.model = Model(cell, units, self.task)
        self.random = np.random.default_rng(1)
        self.curve: list[tuple[int, float, float]] = []
        self.seconds, self.tokens = 0.0, 0
        self.without = self.task.without_memory()
        self.loss = tf.function(self.model.loss_of)
        self.step = self._compiled()

    def _compiled(self) -> Any:
        optimizer = keras.optimizers.Adam(self.rate, global_clipnorm=1.0)
        first = self.task.draw(np.random.default_rng(4))
        self.model.loss_of(*first)
        optimizer.build(self.model.trainable_variables)

        @tf.function
        def step(*examples: Any) -> None:
            with tf.GradientTape() as tape:
                loss = self.model.loss_of(*examples)
            weights = self.model.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)

        fresh = [w.numpy() for w in [*self.model.variables, *optimizer.variables]]
        step(*first)  # compiled outside of the seconds
        for weight, value in zip([*self.model.variables, *optimizer.variables], fresh, strict=True):
            weight.assign(value)
        return step

    @property
    def share(self) -> float:
        return self.curve[-1][2] if self.curve else 1.0

    @property
    def solved(self) -> bool:
        return self.share <= SOLVED

    def run(self, seconds: float) -> Trial:
        """Train until so many seconds of a core are spent, or the task is solved."""
        while self.seconds < seconds and not self.solved:
            look = min(seconds, self.seconds + self.task.seconds / LOOKS)
            while self.seconds < look:
                examples = self.task.draw(self.random)
                begin = time.process_time()
                self.step(*examples)
                self.seconds += time.process_time() - begin
                self.tokens += examples[0].shape[0] * BATCH
            unseen = np.random.default_rng(2)
            losses = [float(self.loss(*self.task.draw(unseen))) for _ in range(UNSEEN)]
            share = sum(losses) / UNSEEN / self.without
            self.curve.append((self.tokens, round(self.seconds, 2), share))
        return self

    def row(self) -> dict[str, Any]:
        return {
            "task": self.name,
            "cell": self.cell,
            "units": self.units,
            "rate": self.rate,
            "curve": [(tokens, s, round(share, 4)) for tokens, s, share in self.curve],
        }


def measure(name: str, cell: str) -> Iterable[dict[str, Any]]:
    """The rows of a cell on a task: three rates, of which the best is trained to the end; then that
    rate with twice as many units."""
    task = TASKS[name]
    trials = [Trial(name, cell, NARROW, rate).run(FIRST * task.seconds) for rate in RATES]
    best = min(trials, key=lambda trial: (max(trial.share, SOLVED), trial.tokens))
    best.run(task.seconds)
    yield from (trial.row() for trial in trials)
    yield Trial(name, cell, WIDE, best.rate).run(task.seconds).row()


# --- the page -------------------------------------------------------------------------------------


def best_of(rows: list[dict[str, Any]], name: str, cell: str) -> dict[str, Any] | None:
    """The training that solved the task in the fewest seconds, or came nearest to it."""
    found = [r for r in rows if (r["task"], r["cell"]) == (name, cell)]
    return min(found, key=lambda r: (max(share_of(r), SOLVED), r["curve"][-1][1]), default=None)


def share_of(row: dict[str, Any]) -> float:
    return float(row["curve"][-1][2])


def in_table(row: dict[str, Any] | None) -> str:
    """Where a task was solved, the million tokens and the seconds that took; else the share."""
    if row is None:
        return ""
    tokens, seconds, share = row["curve"][-1]
    if share <= SOLVED:
        return f"**{tokens / 1e6:.2f} M, {seconds:.0f} s**"
    return f"{share:.2f}"


def ranked(rows: list[dict[str, Any]]) -> list[str]:
    """Cells by the tasks that they solved, then by what they left of the others."""

    def rank(cell: str) -> tuple[int, float]:
        shares = [share_of(r) for name in TASKS if (r := best_of(rows, name, cell))]
        return -sum(share <= SOLVED for share in shares), sum(max(s, SOLVED) for s in shares)

    return sorted((cell for cell in CELLS if any(r["cell"] == cell for r in rows)), key=rank)


def markdown(rows: list[dict[str, Any]]) -> str:
    cells = ranked(rows)
    measured = {name: task for name, task in TASKS.items() if any(r["task"] == name for r in rows)}
    lines = ["# Memory", "", "Written by `python -m benchmarks.memory`.", ""]
    lines += [NOTES.read_text(encoding="utf-8").strip(), ""]
    lines += [
        f"{os.cpu_count()} cores, {platform.machine()}; batches of {BATCH}, {NARROW} and {WIDE} "
        f"units, Adam, rates {', '.join(map(str, RATES))}, chrono initialisation with the task's "
        "length. **Solved**: tokens read until at most a twentieth of what no memory gives was "
        "left, and seconds of a core; else the share that was left.",
        "",
        "| task | " + " | ".join(f"`{cell}`" for cell in cells) + " | seconds at most |",
        "|---|" + "---:|" * (len(cells) + 1),
    ]
    for name, task in measured.items():
        found = [in_table(best_of(rows, name, cell)) for cell in cells]
        lines.append(f"| {name} | " + " | ".join(found) + f" | {task.seconds:.0f} |")
    lines += ["", f"![Share of the loss against tokens]({PICTURE})", "", "The best settings:", ""]
    lines += ["| task | " + " | ".join(f"`{cell}`" for cell in cells) + " |"]
    lines += ["|---|" + "---:|" * len(cells)]
    for name in measured:
        best = [best_of(rows, name, cell) for cell in cells]
        said = [f"{r['rate']}, {r['units']} units" if r else "" for r in best]
        lines.append(f"| {name} | " + " | ".join(said) + " |")
    lines += ["", "Tasks: " + "; ".join(f"{n}: {t.source}" for n, t in measured.items()) + ".", ""]
    if waiting := [name for name in TASKS if name not in measured]:
        lines += [f"Written, but not run yet: {', '.join(waiting)}.", ""]
    return "\n".join(lines)


def chart(rows: list[dict[str, Any]], path: Path) -> None:
    """The best training of each cell on each task: share of the loss against tokens."""
    import altair as alt
    import pandas as pd

    points = pd.DataFrame(
        {"task": name, "cell": cell, "million tokens": tokens / 1e6, "share": min(share, 1.5)}
        for name in TASKS
        for cell in CELLS
        if (row := best_of(rows, name, cell))
        for tokens, _, share in [(0, 0.0, 1.0), *row["curve"]]
    )
    colours = alt.Scale(domain=list(CELLS), range=[cell.colour for cell in CELLS.values()])
    drawn = (
        alt.Chart(points)
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X("million tokens:Q"),
            y=alt.Y("share:Q", title="share of the loss"),
            color=alt.Color("cell:N", title=None, scale=colours),
        )
        .properties(width=200, height=130)
        .facet(facet=alt.Facet("task:N", title=None, sort=list(TASKS)), columns=3)
        .resolve_scale(x="independent")
    )
    on_any_ground(drawn).save(str(path))


def names(asked: str, known: Iterable[str]) -> list[str]:
    wanted = asked.split(",")
    return [n for n in known if not asked or n in wanted or n.split(" ")[0] in wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description="which cell remembers what")
    parser.add_argument("--tasks", default="", help="by name or first word, with commas")
    parser.add_argument("--cells", default="", help="with commas")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--page-only", action="store_true", help="write the page of what is there")
    parsed = parser.parse_args()

    rows: list[dict[str, Any]] = []
    if parsed.json and parsed.json.is_file():
        rows = json.loads(parsed.json.read_text(encoding="utf-8"))
    done = {(row["task"], row["cell"]) for row in rows}
    for name in names(parsed.tasks, TASKS):
        for cell in names(parsed.cells, CELLS):
            if parsed.page_only or (name, cell) in done:
                continue
            rows += measure(name, cell)
            if parsed.json:
                parsed.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
            print(name, cell, in_table(best_of(rows, name, cell)), flush=True)
    if parsed.markdown:
        chart(rows, parsed.markdown.with_name(PICTURE))
        parsed.markdown.write_text(markdown(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
