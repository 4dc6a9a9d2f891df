"""Tokens per second of training, beside PyTorch and plain Keras, and what they cost in memory.

    python -m benchmarks.train [--rounds 2] [--json FILE] [--markdown FILE] [--only-write]

What is timed is a whole training step on random tokens: embedding, recurrent layers, logits,
cross-entropy, gradient, clipping, AdamW. Each figure is the best of several rounds; in a round
every peer has its turn, each in a process of its own, so that a busy machine slows all of them and
none profits from the memory of another. The JSON keeps one run for each kind of processor, and the
page is written from all of them.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import processors
from benchmarks.train_steps import (
    CELLS,
    PEERS,
    SCALING,
    SHAPES,
    SMALL,
    SMALL_CELLS,
    VOCAB,
    Shape,
    measure,
)
from textgen import backend

# --- all of them ----------------------------------------------------------------------------------


def apart(*what: Any) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.train", "--measure", json.dumps(what)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    if ran.returncode:
        raise RuntimeError(f"{what}: {ran.stderr[-2000:]}")
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def cases(dtypes: list[str], shape: Shape) -> list[tuple[str, str, str]]:
    """(library, cell, dtype)."""
    cells, peers = (SMALL_CELLS, SMALL_CELLS) if shape in SMALL else (CELLS, PEERS)
    return [
        *(("textgen", cell, dtype) for cell in cells for dtype in dtypes),
        *(("torch", cell, dtype) for cell in peers for dtype in dtypes),
        *(("keras", cell, "float32") for cell in peers),
    ]


def run(rounds: int) -> dict[str, Any]:
    def best(what: tuple[Any, ...]) -> dict[str, float]:
        return min(results[what], key=lambda r: r["seconds"])

    # bfloat16 that is not in hardware is emulated, many times slower: nobody's choice
    dtypes = ["float32", "bfloat16"] if backend.has_bfloat16() else ["float32"]
    results: dict[tuple[Any, ...], list[dict[str, float]]] = {}
    everything = [(*case, shape) for shape in (*SHAPES, *SMALL) for case in cases(dtypes, shape)]
    everything += [("products", "", dtype, SHAPES[0]) for dtype in dtypes]
    for _ in range(rounds):
        for what in everything:
            results.setdefault(what, []).append(apart(*what))
            print(*what, results[what][-1], file=sys.stderr, flush=True)
    rows = []
    for what in everything:
        library, cell, dtype, shape = what
        tokens = shape.batch * shape.length / best(what)["seconds"]
        rows.append(
            {
                "library": library,
                "cell": cell,
                "dtype": dtype,
                "shape": list(shape),
                "tokens_per_second": round(tokens) if library != "products" else None,
                "gflops": round(2 * 2048**3 / best(what)["seconds"] / 1e9)
                if library == "products"
                else None,
                "peak_mb": round(best(what)["peak_mb"]),
                "growth_mb": round(best(what)["growth_mb"]),
            }
        )
    scaling = {
        axis: [
            {"shape": list(shape), **apart("textgen", "lstm", "auto", shape)} for shape in shapes
        ]
        for axis, shapes in SCALING.items()
    }
    return {"machine": machine(), "dtypes": dtypes, "rows": rows, "scaling": scaling}


def machine() -> str:
    import torch

    return (
        f"{processors.machine()}, PyTorch {torch.__version__}, "
        f"TensorFlow {backend.tf.__version__}, Keras {backend.keras.__version__}"
    )


# --- the page -------------------------------------------------------------------------------------

TARGETS = """Targets, in the default type: `lstm`, `gru` and `rnn` at least 1.15x PyTorch's best and
plain Keras's speed, `lstm` and `gru` in batches of 32 x 64 at least 1.1x PyTorch's; `peephole` and
`coupled` within 1.3x of `lstm`'s time; `mingru` at least 4x PyTorch's float32 GRU; peak memory at
most 1.5x PyTorch's."""

GPU = """`lstm` and `gru` take Keras's cuDNN path there, the other cells the scan.
`python -m benchmarks.gpu` says which path each took and its speed beside PyTorch; no GPU was at
hand, so it has not been run."""

MORE_THAN_ALL = (
    " It need not do all of them: the vector of a letter is multiplied by the kernel once, not "
    "wherever the letter stands."
)
NOTES = Path(__file__).with_name("train_notes.md")
KINDS = {
    processors.TILES: "With tiles of bfloat16: AMX",
    processors.VECTORS: "With vectors of bfloat16: AVX-512",
    processors.NONE: "Without bfloat16: the processor that most people have",
}


def markdown(all_found: dict[str, Any]) -> str:
    """The page. all_found: a run for each of `KINDS`, or for one of them."""
    lines = ["# Training speed", "", "Measured by `benchmarks/train.py`.", "", TARGETS, ""]
    lines += [NOTES.read_text(encoding="utf-8").strip(), ""]
    for kind, title in KINDS.items():
        if kind in all_found:
            lines += [f"## {title}", "", *of_machine(all_found[kind])]
    return "\n".join([*lines, "## On a GPU", "", GPU]) + "\n"


def of_machine(found: dict[str, Any]) -> list[str]:
    dtypes = found["dtypes"]
    rows = {(r["library"], r["cell"], r["dtype"], tuple(r["shape"])): r for r in found["rows"]}
    shapes = [s for s in (*SHAPES, *SMALL) if ("textgen", "lstm", "float32", s) in rows]
    lines = [f"{found['machine']}.", ""]
    if len(dtypes) == 1:
        lines += ["The default type is float32 here.", ""]
    lines += ["Missed in this run:", ""]
    lines += [*(missed(rows, dtypes, shapes) or ["- nothing"]), ""]
    for shape in shapes:
        lines += [
            f"### {shape.layers}x{shape.hidden}, batch {shape.batch} x {shape.length}",
            "",
            "Thousands of tokens per second. Peak memory of the process in MB, and in brackets "
            "what of it came after the library's import.",
            "",
            *speeds(rows, shape, dtypes),
            "",
            limit(rows, shape, dtypes[-1]),
            "",
        ]
    lines += ["### How the cost grows", "", "`lstm`, default type.", ""]
    lines += ["| varied | shape | ms a step | thousand tokens/s | peak MB |"]
    lines += ["|---|---|---:|---:|---:|"]
    for axis, points in found["scaling"].items():
        for r in points:
            shape = Shape(*r["shape"])
            speed = shape.batch * shape.length / r["seconds"]
            lines.append(
                f"| {axis} | {shape} | {1000 * r['seconds']:.0f} | {thousands(speed)} "
                f"| {r['peak_mb']:.0f} |"
            )
    return [*lines, ""]


def missed(rows: dict[Any, Any], dtypes: list[str], shapes: list[Shape]) -> list[str]:
    """A line for each target that a shape falls short of."""
    default, lines = dtypes[-1], []

    def compare(
        shape: Shape, cell: str, peer: str, dtype: str, what: str, library: str = "torch"
    ) -> float:
        own, other = rows["textgen", cell, default, shape], rows[library, peer, dtype, shape]
        return float(own[what] / other[what])

    for shape in shapes:
        small = shape in SMALL
        name, least = str(shape), 1.1 if small else 1.15
        ratio = functools.partial(compare, shape)
        for cell in SMALL_CELLS if small else PEERS:
            speed = min(ratio(cell, cell, dtype, "tokens_per_second") for dtype in dtypes)
            if speed < least:
                lines.append(f"- `{cell}` at {name}: {speed:.2f}x PyTorch's best, not {least}x")
            if small:
                continue
            speed = ratio(cell, cell, "float32", "tokens_per_second", "keras")
            if speed < least:
                lines.append(f"- `{cell}` at {name}: {speed:.2f}x plain Keras's, not {least}x")
            grown, whole = (ratio(cell, cell, default, w) for w in ("growth_mb", "peak_mb"))
            if max(grown, whole) > 1.5:
                lines.append(
                    f"- memory of `{cell}` at {name}: {whole:.2f}x PyTorch's, not 1.5x; without "
                    f"what importing TensorFlow and PyTorch takes, {grown:.2f}x"
                )
        if small:
            continue
        for cell in ("peephole", "coupled"):
            time = 1 / ratio(cell, "lstm", default, "tokens_per_second", "textgen")
            if time > 1.3:
                lines.append(f"- `{cell}` at {name}: {time:.2f}x the time of `lstm`, not 1.3x")
        parallel = ratio("mingru", "gru", "float32", "tokens_per_second")
        if parallel < 4:
            lines.append(f"- `mingru` at {name}: {parallel:.2f}x PyTorch's float32 GRU, not 4x")
    return lines


def speeds(rows: dict[Any, Any], shape: Shape, dtypes: list[str]) -> list[str]:
    """The table of one shape; the default type is the last of `dtypes`."""

    def speed(library: str, cell: str, dtype: str) -> int:
        found: int = rows[library, cell, dtype, shape]["tokens_per_second"]
        return found

    head = ["cell"]
    head += [f"{name} {dtype}" for name in ("textgen", "PyTorch") for dtype in dtypes]
    head += ["Keras", *(f"default / PyTorch {dtype}" for dtype in dtypes)]
    head += ["time / `lstm`'s", "MB, textgen", "MB, PyTorch"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for cell in SMALL_CELLS if shape in SMALL else CELLS:
        if ("textgen", cell, dtypes[-1], shape) not in rows:
            continue  # the cell is younger than the measurement
        # a cell that PyTorch lacks is compared with the one it stands in for
        own = cell in PEERS
        peer = cell if own else "gru" if cell == "mingru" else "lstm"
        default = speed("textgen", cell, dtypes[-1])
        theirs = [speed("torch", peer, dtype) for dtype in dtypes]
        memory = [
            rows[library, name, dtypes[-1], shape]
            for library, name in (("textgen", cell), ("torch", peer))
        ]
        row = [
            f"`{cell}`" + ("" if own else f" (against `{peer}`)"),
            *(thousands(speed("textgen", cell, dtype)) for dtype in dtypes),
            *(thousands(t) if own else "" for t in theirs),
            thousands(speed("keras", cell, "float32")) if own else "",
            *(f"{default / t:.2f}x" for t in theirs),
            f"{speed('textgen', 'lstm', dtypes[-1]) / default:.2f}x",
            *(f"{m['peak_mb']} ({m['growth_mb']})" for m in memory),
        ]
        lines.append("| " + " | ".join(row) + " |")
    return lines


def limit(rows: dict[Any, Any], shape: Shape, dtype: str) -> str:
    """How far an LSTM is from the speed at which its products alone could be done."""
    # kernel and recurrent kernel of each layer, and the head; forward once, backward twice
    weights = shape.layers * 8 * shape.hidden**2 + VOCAB * shape.hidden
    gflops = rows["products", "", dtype, SHAPES[0]]["gflops"]
    top = gflops * 1e9 / (6 * weights)
    own, theirs = (
        rows[library, "lstm", dtype, shape]["tokens_per_second"] for library in ("textgen", "torch")
    )
    return (
        f"The products of the LSTM alone, at the speed of one large {dtype} product "
        f"({gflops:,} GFLOP/s), would allow {thousands(top)} thousand tokens/s: `lstm` reaches "
        f"{own / top:.0%} of that, PyTorch {theirs / top:.0%}."
        + (MORE_THAN_ALL if own > top else "")
    )


def thousands(speed: float) -> str:
    return f"{speed / 1000:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="training speed beside PyTorch and Keras")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--only-write", action="store_true", help="the page, from the JSON")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        library, cell, dtype, shape = json.loads(parsed.measure)
        print(json.dumps(measure(library, cell, dtype, Shape(*shape))))
        return
    found: dict[str, Any] = {}
    if parsed.json and parsed.json.is_file():
        found = json.loads(parsed.json.read_text(encoding="utf-8"))
    if not parsed.only_write:
        new = run(parsed.rounds)
        found[processors.kind()] = new
    print(markdown(found))
    if parsed.json:
        parsed.json.write_text(json.dumps(found, indent=1) + "\n")
    if parsed.markdown:
        parsed.markdown.write_text(markdown(found))


if __name__ == "__main__":
    main()
