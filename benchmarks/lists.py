"""How fast a list is written, and how much of what is drawn has to be refused.

    python -m benchmarks.lists [--epochs 12] [--json FILE]

400 made-up Korean names are learned line by line, in so many passes; then 200 are asked for, none
twice and none of the 400, with the NumPy engine.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from textgen.api import load, train
from textgen.backend import cores
from textgen.generation.lists import ListWriter

SURNAMES = "김이박최정강조윤장임한오서신권황안송류홍"
FIRST, LAST = "민서지예하도준유채은수현시주연재태승", "준윤우아은서진현린빈호원율영희수민겸"
KNOWN, WANTED = 400, 200
SETTINGS: dict[str, Any] = {
    "sample_by": "line",
    "cell": "gru",
    "hidden_size": 128,
    "batch_size": 8,
    "learning_rate": 8e-3,
    "patience": 99,
    "sample_length": 0,
}


def names(number: int) -> list[str]:
    """So many different ones, in an order by chance."""
    every = [a + b + c for a in SURNAMES for b in FIRST for c in LAST if b != c]
    return random.Random(1).sample(every, number)


def main() -> None:
    parser = argparse.ArgumentParser(description="how fast a list is written")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    known = names(KNOWN)
    with tempfile.TemporaryDirectory() as home:
        text, run = Path(home) / "names.txt", Path(home) / "run"
        text.write_text("\n".join(known), encoding="utf-8")
        train(text, run, epochs=parsed.epochs, **SETTINGS)
        model = load(run)  # the best, by what is held out
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
        "a_second_of_a_core": round(WANTED / used),
        "refused": dict(writer.refused),
        "items": items[:20],
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if parsed.json:
        parsed.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
