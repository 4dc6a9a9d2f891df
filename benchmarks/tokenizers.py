"""Which tokenizer for Korean? Bits per character at equal minutes, on texts of several sizes.

    python -m benchmarks.tokenizers TEXT:CHARACTERS [...] [--budget 2m] [--cell gru]
                                    [--json FILE] [--markdown FILE]

Each run is the command a user would give, `textgen train --budget`: size, passes and dropout follow
from the time and the text. Judged by the held-out last tenth, the state carried, in bits per
character, which is the same for all tokenizers. Of a text so many characters are taken from its
beginning, so that smaller sizes are parts of the larger. The JSON is written after each run; what
it has is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.processors import machine
from textgen.runs.run_folder import read_history

NOTES = Path(__file__).with_name("tokenizers_notes.md")
# name -> flags
TOKENIZERS = {
    "char": "--tokenizer=char",
    "jamo": "--tokenizer=jamo",
    **{
        f"sentencepiece {size}": f"--tokenizer=sentencepiece --vocab-size={size}"
        for size in (1000, 2000, 4000, 8000)
    },
}


def measure(name: str, text: str, budget: str, cell: str) -> dict[str, Any]:
    """Train in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, run = Path(folder) / "text.txt", Path(folder) / "run"
        corpus.write_text(text, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "textgen",
            "train",
            str(corpus),
            f"--out={run}",
            f"--cell={cell}",
            f"--budget={budget}",
            "--sample-length=0",
            *TOKENIZERS[name].split(),
        ]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:  # such as a vocabulary larger than the text has words for
            return {"failed": ran.stderr.strip().splitlines()[-1]}
        rows = read_history(run)
        card = json.loads((run / "config.json").read_text(encoding="utf-8"))
    judged = [row for row in rows if row["val_loss"]]
    best = min(judged, key=lambda row: float(row["val_bits_per_char"]))
    bits_a_token = float(best["val_loss"]) / math.log(2)
    return {
        "bits_per_char": float(best["val_bits_per_char"]),
        "characters_per_token": bits_a_token / float(best["val_bits_per_char"]),
        "vocab_size": card["tokenizer"]["vocab_size"],
        "hidden_size": card["model"]["hidden_size"],
        "passes": len(judged),
        "seconds": float(rows[-1]["seconds"]),
        "machine": machine(),
    }


def markdown(rows: list[dict[str, Any]], cell: str, budget: str) -> str:
    parts = list(dict.fromkeys((row["text"], row["size"]) for row in rows))
    found = {(row["tokenizer"], row["text"], row["size"]): row for row in rows}
    heads = (f"{text}, {size:,} characters" for text, size in parts)
    machines = dict.fromkeys(row["machine"] for row in rows if "machine" in row)
    lines = [
        "# Tokenizers for Korean",
        "",
        f"Written by `python -m benchmarks.tokenizers`: a `{cell}` trained with `--budget "
        f"{budget}` each, on the beginning of a text. {', '.join(machines)}; "
        "one seed. Bits per character of the held-out last tenth; in brackets units, passes over "
        "the text, characters to a token.",
        "",
        "| tokenizer | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(parts),
    ]
    for name in TOKENIZERS:
        cells = []
        for part in parts:
            row = found.get((name, *part), {})
            cells.append(
                f"{row['bits_per_char']:.3f} ({row['hidden_size']}, {row['passes']}, "
                f"{row['characters_per_token']:.2f})"
                if "bits_per_char" in row
                else too_many(row.get("failed", ""))
            )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n" + NOTES.read_text(encoding="utf-8")


def too_many(failed: str) -> str:
    """What stands in the place of a vocabulary that the text is too short for."""
    most = re.search(r"use at most (\d+)", failed)
    return f"the text has {int(most[1]):,}" if most else failed


def main() -> None:
    parser = argparse.ArgumentParser(description="tokenizers compared at equal minutes")
    parser.add_argument("parts", nargs="+", metavar="TEXT:CHARACTERS")
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    done = {(row["tokenizer"], row["text"], row["size"]) for row in rows}
    for part in parsed.parts:
        path, _, size = part.rpartition(":")
        text = Path(path).read_text(encoding="utf-8")[: int(size)]
        for name in TOKENIZERS:
            key = {"tokenizer": name, "text": Path(path).stem, "size": len(text)}
            if tuple(key.values()) in done:
                continue
            rows.append(key | measure(name, text, parsed.budget, parsed.cell))
            print(rows[-1], flush=True)
            if parsed.json:
                parsed.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    table = markdown(rows, parsed.cell, parsed.budget)
    print(table)
    if parsed.markdown:
        parsed.markdown.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
