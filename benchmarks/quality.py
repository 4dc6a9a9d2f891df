"""How well a model predicts a text after so many minutes: ours, PyTorch's, and counting.

    python -m benchmarks.quality TEXT [--held-out FILE] [--budget 180] [--flags "--cell gru"]
                                 [--peers lstm,gru] [--json FILE] [--markdown FILE]

The first 90 % of the text are trained on, the last 10 % are held out; or, where another file is
held out, the text is trained on but for its last 2 %, which choose the best weights. Ours is
trained by the command a user would give; then a PyTorch LSTM, or each of `--peers`, of the same
size with the same settings, for as long; then n-grams are counted. One after another, each in a
process of its own with all cores.
The JSON keeps what was measured on other texts, with other budgets and on the other kinds of
processor; the page and the charts beside it are written from all of it.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.charts import on_any_ground
from benchmarks.command import textgen
from benchmarks.processors import NONE, TILES, VECTORS, WORDS, kind_of, machine
from textgen.runs.array_file import read_arrays
from textgen.runs.run_folder import WEIGHTS, read_history

HERE = Path(__file__).parent
NOTES = HERE / "quality_notes.md"
SPLIT, SMALL_SPLIT = 0.1, 0.02
WINDOW, ORDER, CACHE, SAMPLE = 256, 6, 2000, 500
WAYS: dict[str, dict[str, Any]] = {
    "drawn": {"seed": 1},
    "drawn, temperature 0.5": {"seed": 1, "temperature": 0.5},
    "greedy": {"top_k": 1},
    "beam search, 4": {"num_beams": 4},
    "beam search, 16": {"num_beams": 16},
}


# --- ours -----------------------------------------------------------------------------------------


def ours(
    text: Path, held_out: Path | None, budget: float, flags: list[str], run: Path
) -> dict[str, Any]:
    """Train within the budget, evaluate, and let it write."""
    command = ["train", text, "--out", run, "--budget", f"{budget:g}s", *flags]
    command += ["--validation-fraction", SMALL_SPLIT if held_out else SPLIT, "--sample-length", 0]
    begin = time.perf_counter()
    textgen(*command)
    wall = time.perf_counter() - begin
    found = run.with_name("evaluation.json")
    textgen(
        "evaluate",
        run,
        held_out or text,
        "--window",
        WINDOW,
        "--order",
        ORDER,
        "--cache",
        CACHE,
        "--dynamic",
        "--sample-length",
        2000,
        "--json",
        found,
    )
    card = json.loads((run / "config.json").read_text())
    return {
        "command": "textgen "
        + shlex.join(["train", "TEXT", *map(str, command[2:])]).replace(str(run), "RUN"),
        "wall_seconds": wall,
        "settings": card["training"] | card["model"],
        "tokenizer": card["tokenizer"],
        "parameters": sum(array.size for array in read_arrays(run / WEIGHTS)[0].values()),
        "curve": curve(run),
        "passes": passes(run),
        "evaluation": json.loads(found.read_text()),
        "writing": apart("writing", str(run), str(text)),
    }


def curve(run: Path) -> list[tuple[float, float]]:
    """(seconds since training began, held-out bits per character) after each epoch."""
    return [
        (float(row["seconds"]), float(row["val_bits_per_char"]))
        for row in read_history(run)
        if row["val_bits_per_char"]
    ]


def passes(run: Path) -> float:
    """How often the text was read; the last time perhaps not to its end."""
    steps = [int(row["step"]) for row in read_history(run) if row["val_bits_per_char"]]
    return steps[-1] / steps[0]


def writing(run: str, text: str) -> list[dict[str, Any]]:
    """How what it writes depends on the way it is asked for."""
    from textgen.data.sources import as_trained_on
    from textgen.evaluation.copying import SHORTEST, CopyMeter
    from textgen.evaluation.variety import variety
    from textgen.generation.generator import load

    model = load(run)
    data = as_trained_on(model.card, text)
    assert data is not None
    meter = CopyMeter(data.text)
    rows = []
    for name, options in WAYS.items():
        written = model.generate("", max_new_tokens=SAMPLE, **options)
        found = variety(name, written.text, meter, SHORTEST)
        rows.append(
            {
                "way": name,
                "bits_per_token": -sum(written.logprobs) / len(written.logprobs) / math.log(2),
                "copied": found.copied,
                "repeated": found.repetition,
                "distinct_2": found.distinct[1],
                "begins": written.text[:120],
            }
        )
    return rows


# --- PyTorch --------------------------------------------------------------------------------------


def peer(
    text: str,
    held_out: str | None,
    cell: str,
    settings: dict[str, Any],
    budget: float,
    judged: int,
) -> dict[str, Any]:
    from benchmarks.torch_lm import train
    from textgen.text.corpus import load_corpus

    parts = load_corpus(text).split(SPLIT)
    if held_out:
        parts = load_corpus(text).text, load_corpus(held_out).text
    return train(*parts, cell, settings, budget, WINDOW, judged)


PARTS: dict[str, Callable[..., Any]] = {"writing": writing, "peer": peer}


def apart(what: str, *arguments: Any) -> Any:
    """A function of this file, in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.quality", "--part", json.dumps([what, *arguments])]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


# --- the page -------------------------------------------------------------------------------------


def measure(
    text: Path, held_out: Path | None, budget: float, flags: list[str], peers: list[str]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        own = ours(text, held_out, budget, flags, Path(folder) / "run")
    settings = {k: v for k, v in own["settings"].items() if isinstance(v, int | float)}
    # without what the n-grams' part in the mixture was learned on
    judged = own["evaluation"]["characters"]
    theirs = {
        f"PyTorch {cell.upper()}": apart(
            "peer", str(text), str(held_out) if held_out else None, cell, settings, budget, judged
        )
        for cell in peers
    }
    return {
        "text": text.name,
        "held_out": held_out.name if held_out else None,
        "budget": budget,
        "machine": machine(),
        "ours": own,
        "peers": theirs,
    }


def rows_of(found: dict[str, Any]) -> list[tuple[str, float, float, str]]:
    """(who, bits per character, nats per character, seconds) in the order of the table."""
    own = found["ours"]
    rows = []
    for row in own["evaluation"]["rows"]:
        model = row["name"].startswith("model, ")
        name = row["name"].replace("model, ", "textgen, ")
        spent = f"{own['curve'][-1][0]:.0f}" if model else f"{row['seconds']:.1f}"
        if model and ("cache" in name or "dynamic" in name):
            spent += f" and {row['seconds']:.0f} to read"
        rows.append((name, row["bits_per_char"], row["nats_per_char"], spent))
    for who, theirs in found["peers"].items():
        for name, key in (
            ("state carried", "carried"),
            (f"windows of {WINDOW} tokens", "windowed"),
        ):
            nats = theirs[key]
            rows.append((f"{who}, {name}", nats / math.log(2), nats, f"{theirs['seconds']:.0f}"))
    return sorted(rows, key=lambda row: row[1])


def markdown(results: list[dict[str, Any]]) -> str:
    lines = ["# Quality", "", "Written by `python -m benchmarks.quality`. What each column is:", ""]
    lines += [EXPLAINED, ""]
    if NOTES.is_file():
        lines += [NOTES.read_text(encoding="utf-8").strip(), ""]
    for found in results:
        own = found["ours"]
        evaluation = own["evaluation"]
        lines += [
            f"## {found['text']}, {found['budget']:g} seconds, {tokens_of(found)}"
            + f", {WORDS[kind_of(found['machine'])]}",
            "",
            f"{found['machine']}. Held out: {of_held_out(found)}, "
            f"{evaluation['characters']:,} characters, {evaluation['bytes']:,} bytes. "
            f"Ours: `{own['command']}`, {own['wall_seconds']:.0f} s with start, saving and all: "
            f"{of_ours(own)}. " + "".join(f"{of_peer(*peer)}. " for peer in found["peers"].items()),
            "",
            "| | bits/char | nats/char | seconds |",
            "|---|---:|---:|---:|",
            *(
                f"| {who} | {bits:.3f} | {nats:.3f} | {s} |"
                for who, bits, nats, s in rows_of(found)
            ),
            "",
            f"![Held-out loss against wall time]({picture(found)})",
            "",
            "Where our loss lies, state carried:",
            "",
            "| characters | number | bits/char | of all bits |",
            "|---|---:|---:|---:|",
            *(
                f"| {k['name']} | {k['characters']:,} | {k['bits_per_char']:.2f} "
                f"| {k['share_of_bits']:.0%} |"
                for k in evaluation["kinds"]
            ),
            "",
            f"What it writes, {SAMPLE} tokens: the bits are what the model itself gives the text.",
            "",
            "| | bits/token | copied | repeated | distinct-2 | begins |",
            "|---|---:|---:|---:|---:|---|",
            *(
                f"| {w['way']} | {w['bits_per_token']:.2f} | {w['copied']:.0%} "
                f"| {w['repeated']:.0%} | {w['distinct_2']:.2f} | {in_table(w['begins'])} |"
                for w in own["writing"]
            ),
            "",
        ]
    return "\n".join(lines)


def of_held_out(found: dict[str, Any]) -> str:
    if found.get("held_out"):
        return (
            f"{found['held_out']} (the curve of ours is of the last {SMALL_SPLIT:.0%} of the "
            "training text, which it is not trained on)"
        )
    return f"the last {SPLIT:.0%}"


def of_ours(own: dict[str, Any]) -> str:
    settings, parameters = own["settings"], own["parameters"]
    return (
        f"{settings['cell'].upper()} {settings['num_layers']} x {settings['hidden_size']}, "
        f"{parameters:,} parameters, {own.get('passes', len(own['curve'])):.3g} passes"
    )


def of_peer(who: str, found: dict[str, Any]) -> str:
    return (
        f"{who}: {found['parameters']:,} parameters, {found['dtype']}, {found['epochs']:.1f} passes"
    )


EXPLAINED = """- *state carried*: every character is predicted from all before it, in one reading of
  the held-out text. *windows*: the text is cut, and each window is read from nothing, as a model
  without a state has to.
- *cache* and *dynamic evaluation*: the model goes on learning from the held-out text, but predicts
  each character before it learns from it (`textgen evaluate --cache 2000 --dynamic`).
- *seconds*: wall time of training, with the looks at the held-out text on the way, which choose the
  best weights, for ours and for PyTorch's; for n-grams the time to count and to predict.
- *n-gram*: Witten-Bell, counted on the same training text. An unknown character counts as one."""


def picture(found: dict[str, Any]) -> str:
    end = {TILES: "", VECTORS: "-avx512", NONE: "-plain"}[kind_of(found["machine"])]
    return f"quality-{Path(found['text']).stem}-{found['budget']:g}-{tokens_of(found)}{end}.svg"


def key(found: dict[str, Any]) -> tuple[str, float, str, str]:
    """What tells a measurement from the others."""
    return found["text"], found["budget"], kind_of(found["machine"]), tokens_of(found)


def tokens_of(found: dict[str, Any]) -> str:
    """What the text was cut into: "characters", "jamo" or "pieces"."""
    name: str = found["ours"]["tokenizer"]["name"]
    return {"char": "characters", "sentencepiece": "pieces"}.get(name, name)


def in_table(text: str) -> str:
    return " / ".join(text.split("\n")).replace("|", "\\|")


# ink and dashes of a line
OURS = ("#0072b2", [1, 0])
PEERS = (("#e69f00", [6, 3]), ("#009e73", [10, 3, 2, 3]))
COUNTED = ("#8c8c8c", [2, 3])


def chart(found: dict[str, Any], path: Path) -> None:
    """Loss against wall time as an SVG that is read on light ground and on dark."""
    import altair as alt
    import pandas as pd

    grams = {
        row["name"]: row["bits_per_char"]
        for row in found["ours"]["evaluation"]["rows"]
        if row["name"].endswith("-gram")
    }
    best = min(grams, key=lambda name: grams[name])
    courses = {
        "textgen": found["ours"]["curve"],
        **{
            who: [(s, nats / math.log(2)) for s, nats in theirs["curve"]]
            for who, theirs in found["peers"].items()
        },
        best: [(0.0, grams[best]), (found["budget"], grams[best])],
    }
    rows = pd.DataFrame(
        [
            {"who": who, "seconds": seconds, "bits": bits}
            for who, points in courses.items()
            for seconds, bits in points
        ]
    )
    lines = [OURS, *PEERS[: len(found["peers"])], COUNTED]
    scale = alt.Scale(domain=list(courses), range=[ink for ink, _ in lines])
    dashes = alt.Scale(domain=list(courses), range=[dash for _, dash in lines])
    base = alt.Chart(rows).encode(
        x=alt.X("seconds:Q", title="seconds"),
        y=alt.Y("bits:Q", title="held-out bits per character", scale=alt.Scale(zero=False)),
        color=alt.Color("who:N", title=None, scale=scale),
        strokeDash=alt.StrokeDash("who:N", title=None, scale=dashes),
    )
    drawn = alt.LayerChart(layer=[base.mark_line()], width=560, height=280)
    on_any_ground(drawn).save(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description="held-out loss beside PyTorch and n-grams")
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--held-out", type=Path, help="a text of its own to judge by")
    parser.add_argument("--budget", type=float, default=180.0, help="seconds of training")
    parser.add_argument("--flags", default="", help="further flags of textgen train")
    parser.add_argument("--peers", default="lstm", help="of PyTorch: lstm, gru, both or none")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.part:
        what, *arguments = json.loads(parsed.part)
        print(json.dumps(PARTS[what](*arguments)))
        return
    results: list[dict[str, Any]] = []
    if parsed.json and parsed.json.is_file():
        results = json.loads(parsed.json.read_text(encoding="utf-8"))
    if parsed.text:
        new = measure(
            parsed.text,
            parsed.held_out,
            parsed.budget,
            shlex.split(parsed.flags),
            [cell for cell in parsed.peers.split(",") if cell],
        )
        results = [r for r in results if key(r) != key(new)] + [new]
        results.sort(key=key)
    if parsed.json:
        parsed.json.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    page = markdown(results)
    print(page)
    if parsed.markdown:
        for found in results:
            chart(found, parsed.markdown.with_name(picture(found)))
        parsed.markdown.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
