"""What it is worth to begin from a model: against training anew in the same seconds, and what is
forgotten.

    python -m benchmarks.begin [--seconds 180] [--languages ko,en] [--sizes 20,100]
                               [--rates 0.0005,0.001,0.002] [--json FILE] [--markdown FILE]

Old is `corpora/*/stories`, new is `corpora/*/prose`: the first so many kB of each of its files in
turn, while the last tenth of each file is what all are judged by. A model is trained on the old
text, then on the new one: anew, from the old model, and from it with replay. Each training is the
command that a user would give, for so many seconds. The JSON is written after each, and what it has
is not run again.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from textgen import shipped
from textgen.backend import cores, has_bfloat16
from textgen.data.sources import as_trained_on
from textgen.generation.generator import load
from textgen.text.corpus import load_corpus
from textgen.training.beginning import RATE, bits_per_char

NOTES = Path(__file__).with_name("begin_notes.md")
REPLAY, JUDGED = 0.2, 0.1
LANGUAGES = {"ko": "Korean", "en": "English"}
WAYS = ("anew", "from", "replay")


def new_text(language: str, kilobytes: int) -> tuple[str, str]:
    """(about so many kB to train on, what is judged by), of the files of prose."""
    files = load_corpus(shipped.CORPORA / language / "prose").documents
    ends = [int(len(text) * (1 - JUDGED)) for text in files]
    whole = sum(len(text[:end].encode()) for text, end in zip(files, ends, strict=True))
    share = min(1.0, 1000 * kilobytes / whole)
    taken = (text[: int(end * share)] for text, end in zip(files, ends, strict=True))
    return "\n\n".join(taken), "\n\n".join(t[e:] for t, e in zip(files, ends, strict=True))


def train(text: Path, out: Path, seconds: float, *flags: object) -> dict[str, Any]:
    """The card of the run that `textgen train` makes."""
    command = ["train", text, "--out", out, "--budget", f"{seconds:g}s", "--sample-length", 0]
    run = [sys.executable, "-m", "textgen", *map(str, [*command, *flags])]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    card: dict[str, Any] = json.loads((out / "config.json").read_text(encoding="utf-8"))
    return card


def measured(
    home: Path, language: str, kilobytes: int, way: str, seconds: float, rate: float
) -> dict[str, Any]:
    """Train one way, and judge by what was held out of the new text and of the old one."""
    stories, old = shipped.CORPORA / language / "stories", home / f"old-{language}"
    if not old.exists():
        train(stories, old, seconds)
    text, judged = new_text(language, kilobytes)
    file, out = home / f"{language}-{kilobytes}.txt", home / f"{language}-{kilobytes}-{way}-{rate}"
    file.write_text(text, encoding="utf-8")
    flags: list[object] = []
    if way != "anew":
        flags = ["--from", old, "--learning-rate", rate]
    if way == "replay":
        flags += ["--replay", f"{stories}={REPLAY}"]
    card = train(file, out, seconds, *flags)
    before, after = load(old), load(out)
    known = as_trained_on(before.card, stories)
    kept = known.held_out_text if known else ""
    return {
        "language": language,
        "kilobytes": len(text.encode()) / 1000,
        "size": kilobytes,
        "way": way,
        "rate": rate,
        "seconds": seconds,
        "trained_seconds": card["metrics"]["seconds"],
        "epoch": card["metrics"]["epoch"],
        "new_before": bits_per_char(before, judged),
        "new": bits_per_char(after, judged),
        "old_before": bits_per_char(before, kept),
        "old": bits_per_char(after, kept),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown: a row for each way, beside training anew and beside the model before."""
    bfloat16 = "with" if has_bfloat16() else "without"
    lines = [
        f"{rows[0]['seconds']:g} seconds each, on {cores()} cores ({platform.machine()}, {bfloat16}"
        " bfloat16):",
        "",
        "| text | new, kB | way | rate | bits/char, new | against anew | old text, before | after "
        "| forgotten |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    anew = {(r["language"], r["size"]): r["new"] for r in rows if r["way"] == "anew"}
    for row in rows:
        base = anew.get((row["language"], row["size"]))
        is_anew = row["way"] == "anew"
        gain = "" if base is None or is_anew else f"{row['new'] / base - 1:+.1%}"
        lost = "" if is_anew else f"{row['old'] / row['old_before'] - 1:+.1%}"
        old = ("", "") if is_anew else (f"{row['old_before']:.3f}", f"{row['old']:.3f}")
        ways = {"from": "`--from`", "replay": f"`--from`, `--replay` {REPLAY}"}
        way = ways.get(row["way"], "anew")
        lines.append(
            f"| {LANGUAGES[row['language']]} | {row['kilobytes']:.0f} | {way} | "
            f"{'' if is_anew else row['rate']} | {row['new']:.3f} | {gain} | {old[0]} | {old[1]} | "
            f"{lost} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="what it is worth to begin from a model")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--languages", default="ko,en")
    parser.add_argument("--sizes", default="20,100", help="kB of new text")
    parser.add_argument("--rates", default=str(RATE), help="of learning, from a model")
    parser.add_argument("--home", type=Path, help="where the runs are made, and stay")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    wanted = [
        (language, int(size), way, rate)
        for language in parsed.languages.split(",")
        for size in parsed.sizes.split(",")
        for way in WAYS
        for rate in ([0.0] if way == "anew" else map(float, parsed.rates.split(",")))
    ]
    done = {(row["language"], row["size"], row["way"], row["rate"]) for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        home = parsed.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        for one in wanted:
            if one in done:
                continue
            rows.append(measured(home, *one[:3], parsed.seconds, one[3]))
            print(rows[-1], flush=True)
            if parsed.json:
                parsed.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))
    if parsed.markdown:
        page = NOTES.read_text(encoding="utf-8").replace("{table}", table(rows))
        parsed.markdown.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
