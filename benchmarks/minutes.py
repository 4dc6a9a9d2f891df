"""Whether quality grows with minutes, as it should, on texts of 5, 20 and 100 million characters.

    python -m benchmarks.minutes [--millions 5,20,100] [--minutes 1,3,10] [--json FILE]
                                 [--markdown FILE] [--page-only]

The text is the Python source of the installed packages: real, written by thousands, of any length
up to 100 million characters, and on every machine that has the project. Files are taken in a random
order, each once, however often it is installed. Judged is each time the same text of other files,
but for the one that the cut goes through. What is in the JSON already is not measured again; that
of other kinds of processor is kept beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.charts import INK, on_any_ground
from benchmarks.command import textgen
from benchmarks.processors import kind, kind_of, machine
from textgen.runs.run_folder import read_history

HERE = Path(__file__).parent
NOTES = HERE / "minutes_notes.md"
PICTURE, WHAT = "minutes.svg", "bits per character, dashed with n-grams"
JUDGED = 200_000  # characters
STREAMED = 100  # million characters, from which on the text is read from a file
COLOURS = {5: "#0072b2", 20: "#e69f00", 100: "#009e73"}


def source(characters: int) -> tuple[str, str]:
    """(a text of so many characters, the text that judges)."""
    files = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py"))
    np.random.default_rng(1).shuffle(files)
    parts, known, length = [], set(), 0
    for file in files:
        try:
            text = file.read_text("ascii").replace("\r", "")
        except (UnicodeDecodeError, OSError):
            continue  # with other letters the vocabulary would be another for each length
        digest = hashlib.sha256(text.encode()).digest()
        if digest not in known:
            known.add(digest)
            parts.append(text)
            length += len(text)
        if length >= characters + JUDGED:
            break
    else:
        raise SystemExit(f"the installed packages have {length:,} characters of source")
    whole = "\n".join(parts)
    return whole[JUDGED : JUDGED + characters], whole[:JUDGED]


def measure(millions: int, minutes: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        text, judged, run, found = (Path(folder) / n for n in ("text", "judged", "run", "found"))
        for path, content in zip((text, judged), source(millions * 1_000_000), strict=True):
            path.write_text(content, "utf-8")
        begin = time.perf_counter()
        budget = ["--budget", f"{minutes * 60:g}s", "--sample-length", 0]
        textgen("train", text, "--out", run, *budget, *["--stream"] * (millions >= STREAMED))
        wall = time.perf_counter() - begin
        textgen("evaluate", run, judged, "--sample-length", 0, "--json", found)
        card, rows = json.loads((run / "config.json").read_text()), read_history(run)
        training = card["training"]
        return {
            "millions": millions,
            "minutes": minutes,
            "wall_seconds": round(wall, 1),
            "cell": card["model"]["cell"],
            "hidden_size": card["model"]["hidden_size"],
            "tokens": int(rows[-1]["step"]) * training["batch_size"] * training["sequence_length"],
            "bits_per_char": {
                row["name"]: round(row["bits_per_char"], 4)
                for row in json.loads(found.read_text())["rows"]
            },
            "machine": machine(),
        }


# --- the page -------------------------------------------------------------------------------------


def of_network(row: dict[str, Any]) -> tuple[float, float]:
    """Bits per character of the network alone, and with its n-grams where it kept any."""
    bits = row["bits_per_char"]
    alone = bits["model, state carried"]
    return alone, bits.get("model and its n-grams together", alone)


def best_counted(row: dict[str, Any]) -> str:
    """Of the n-grams alone; of a text that is streamed they are not counted."""
    bits = [bits for name, bits in row["bits_per_char"].items() if name.endswith("-gram")]
    return f"{min(bits):.3f}" if bits else ""


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["# Minutes", "", "Written by `python -m benchmarks.minutes`.", ""]
    lines += [NOTES.read_text("utf-8").strip(), ""] if NOTES.is_file() else []
    lines += [
        f"Bits per character of {JUDGED:,} characters of other files, state carried. The chart is "
        "of the first table's machine.",
        "",
    ]
    for part in of_machines(rows):
        lines += table(part)
    return "\n".join([*lines, f"![Bits per character against minutes]({PICTURE})", ""])


def of_machines(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows of each kind of processor, that of the most rows first."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kinds.setdefault(kind_of(row["machine"]), []).append(row)
    return sorted(kinds.values(), key=len, reverse=True)


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"{rows[0]['machine']}:",
        "",
        "| text | minutes | chosen | read | network alone | with its n-grams | best n-gram "
        "| seconds in all |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        alone, mixed = of_network(row)
        lines.append(
            f"| {row['millions']} M | {row['minutes']:g} | {row['cell']} {row['hidden_size']} "
            f"| {row['tokens'] / 1e6:.1f} M | {alone:.3f} | {mixed:.3f} | {best_counted(row)} "
            f"| {row['wall_seconds']:.0f} |"
        )
    return [*lines, ""]


def chart(rows: list[dict[str, Any]], path: Path) -> None:
    import altair as alt
    import pandas as pd

    points = pd.DataFrame(
        {
            "text": f"{row['millions']} M",
            "minutes": row["minutes"],
            "bits per character": bits,
            "who": who,
        }
        for row in rows
        for who, bits in zip(("network alone", "with n-grams"), of_network(row), strict=True)
    )
    scale = alt.Scale(domain=[f"{m} M" for m in COLOURS], range=list(COLOURS.values()))
    lines = alt.Legend(symbolType="stroke", symbolSize=300, titleColor=INK)
    drawn = (
        alt.Chart(points)
        .mark_line(point=True)
        .encode(
            x=alt.X("minutes:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=[1, 3, 10, 60])),
            y=alt.Y("bits per character:Q", title=WHAT, scale=alt.Scale(zero=False)),
            color=alt.Color("text:N", scale=scale, legend=lines),
            strokeDash=alt.StrokeDash("who:N", legend=None),
        )
        .properties(width=480, height=260)
    )
    on_any_ground(drawn).save(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description="bits per character against minutes")
    parser.add_argument("--millions", default="5,20,100", help="characters, with commas")
    parser.add_argument("--minutes", default="1,3,10", help="with commas")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--page-only", action="store_true", help="write the page of what is there")
    parsed = parser.parse_args()

    rows: list[dict[str, Any]] = []
    if parsed.json and parsed.json.is_file():
        rows = json.loads(parsed.json.read_text("utf-8"))
    here = kind()
    done = {(r["millions"], r["minutes"]) for r in rows if kind_of(r["machine"]) == here}
    for minutes in map(float, parsed.minutes.split(",")):
        for millions in map(int, parsed.millions.split(",")):
            if parsed.page_only or (millions, minutes) in done:
                continue
            row = measure(millions, minutes)
            print(row, flush=True)
            rows = sorted([*rows, row], key=lambda r: (r["millions"], r["minutes"]))
            if parsed.json:
                parsed.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    if parsed.markdown:
        chart(of_machines(rows)[0], parsed.markdown.with_name(PICTURE))
        parsed.markdown.write_text(markdown(rows), "utf-8")


if __name__ == "__main__":
    main()
