"""How fast a list is written, and how much of what is drawn has to be refused.

    python -m benchmarks.lists [--seconds 60] [--json FILE]

400 made-up Korean names are learned line by line for so many seconds; then 200 are asked for, none
twice and none of the 400, with the NumPy engine.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from textgen.api import load
from textgen.backend import cores
from textgen.generation.lists import ListWriter

SURNAMES = "김이박최정강조윤장임한오서신권황안송류홍"
FIRST, LAST = "민서지예하도준유채은수현시주연재태승", "준윤우아은서진현린빈호원율영희수민겸"
KNOWN, WANTED = 400, 200


def names(number: int) -> list[str]:
    """So many different ones, in an order by chance."""
    every = [a + b + c for a in SURNAMES for b in FIRST for c in LAST if b != c]
    return random.Random(1).sample(every, number)


def main() -> None:
    parser = argparse.ArgumentParser(description="how fast a list is written")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    known = names(KNOWN)
    with tempfile.TemporaryDirectory() as home:
        text, run = Path(home) / "names.txt", Path(home) / "run"
        text.write_text("\n".join(known), encoding="utf-8")
        command = ["train", text, "--sample-by", "line", "--out", run]
        command += ["--budget", f"{parsed.seconds:g}s", "--sample-length", "0"]
        subprocess.run(
            [sys.executable, "-m", "textgen", *map(str, command)],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        model = load(run)
        writer = ListWriter(model, unique=True, known=known)
        begin, used = time.perf_counter(), time.process_time()
        items = [item.text for item in writer.write(WANTED, seed=1, engine="numpy")]
        seconds, used = time.perf_counter() - begin, time.process_time() - used
    assert len(set(items)) == WANTED and not set(items) & set(known)
    found = {
        "model": f"{model.config.num_layers} x {model.config.hidden_size} {model.config.cell}",
        "cores": cores(),
        "seconds": round(seconds, 2),
        "of_a_core": round(used, 2),
        "a_second": round(WANTED / seconds),
        "refused": dict(writer.refused),
        "items": items[:20],
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if parsed.json:
        parsed.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
