"""What it is worth to begin from a model: against training anew in the same time, and what is
forgotten.

    make build/corpora/ko.txt build/corpora/en.txt
    python -m benchmarks.begin [--seconds 180] [--languages ko,en] [--sizes 20,100]
                               [--rates 0.0005,0.001,0.002] [--share 0.2]
                               [--json FILE] [--markdown FILE]

The model is the shipped writer of the language. New to it are the stories in `corpora/*/stories`:
the first so many kB of them, of each file as much; what all are judged by stands behind that in
each. The old text is judged by the end that was held out of it. Each training has so many seconds
as its budget, and ends before where it gets no better. The JSON is written after each, and what it
has is not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processors import machine
from textgen import shipped
from textgen.api import load, train
from textgen.data.sources import find_training_text
from textgen.runs.run_config import RunConfig
from textgen.text.corpus import load_corpus
from textgen.training.beginning import RATE, bits_per_char

NOTES = Path(__file__).with_name("begin_notes.md")
JUDGED = 1200  # characters of each file
LANGUAGES = {"ko": "Korean", "en": "English"}
ONE = ("language", "kilobytes", "way", "rate", "share")  # tell a training from the others
WAYS = ("anew", "from", "replay")


def new_text(language: str, kilobytes: int) -> tuple[str, str]:
    """(so many kB to train on, what is judged by), of the files of stories."""
    files = load_corpus(shipped.CORPORA / language / "stories").documents
    each = 1000 * kilobytes // len(files)
    begins = [text.encode()[:each].decode(errors="ignore") for text in files]
    judged = [text[-JUDGED:] for text in files]
    return "\n\n".join(begins), "\n\n".join(judged)


def measured(
    home: Path, language: str, kilobytes: int, way: str, rate: float, share: float, seconds: float
) -> dict[str, Any]:
    """Train one way, and judge by what was held out of the new text and of the old one."""
    name = f"{language}-lstm-char"
    before = load(name)
    old = find_training_text(before.card, shipped.HOME)
    if old is None:
        raise SystemExit(f"the text of {name} is missing: make build/corpora/{language}.txt")
    text, judged = new_text(language, kilobytes)
    file = home / f"{language}-{kilobytes}.txt"
    file.write_text(text, encoding="utf-8")
    settings: dict[str, Any] = {"sample_length": 0}
    if way != "anew":
        settings |= {"begin_from": name, "learning_rate": rate}
    if way == "replay":
        replayed = home / f"old-{language}.txt"
        replayed.write_text(old.text, encoding="utf-8")  # nothing that is held out
        settings |= {"replay": f"{replayed}={share}"}
    begin, used = time.perf_counter(), time.process_time()
    out = home / f"{language}-{kilobytes}-{way}-{rate}-{share}"
    after = train(file, out, budget=f"{seconds:g}s", **settings)
    return {
        "language": language,
        "kilobytes": kilobytes,
        "way": way,
        "rate": rate,
        "share": share,
        "model": f"{after.config.num_layers} x {after.config.hidden_size} {after.config.cell}",
        "budget": seconds,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begin, 1),
        "of_a_core": round(time.process_time() - used, 1),
        "best_epoch": RunConfig.from_dict(after.card).metrics["epoch"],
        "new_before": bits_per_char(before, judged),
        "new": bits_per_char(after, judged),
        "old_before": bits_per_char(before, old.held_out_text),
        "old": bits_per_char(after, old.held_out_text),
    }


def tables(rows: list[dict[str, Any]]) -> str:
    """One for each machine and budget."""
    kinds = dict.fromkeys((row["machine"], row["budget"]) for row in rows)
    return "\n\n".join(
        table([row for row in rows if (row["machine"], row["budget"]) == kind]) for kind in kinds
    )


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown: each way beside training anew, and beside the model before."""
    lines = [
        f"A budget of {rows[0]['budget']:g} seconds each, on {rows[0]['machine']}. Bits per "
        "character:",
        "",
        "| text | new | way | rate | passes | seconds of a core | new text | against anew "
        "| old text | forgotten |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    anew = {(r["language"], r["kilobytes"]): r["new"] for r in rows if r["way"] == "anew"}
    for row in rows:
        base = anew.get((row["language"], row["kilobytes"]))
        head = f"| {LANGUAGES[row['language']]} | {row['kilobytes']} kB "
        spent = f"{row['best_epoch']} | {row['of_a_core']:.0f}"
        if row["way"] == "anew":
            lines.append(f"{head}| anew, {row['model']} | | {spent} | {row['new']:.3f} | | | |")
            continue
        way = "`--from`" + (f", `--replay` {row['share']}" if row["share"] else "")
        gain = f"{row['new'] / base - 1:+.1%}" if base else ""
        lost = f"{row['old'] / row['old_before'] - 1:+.1%}"
        lines.append(
            f"{head}| {way} | {row['rate']} | {spent} | {row['new']:.3f} | {gain} "
            f"| {row['old_before']:.3f} to {row['old']:.3f} | {lost} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="what it is worth to begin from a model")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--languages", default="ko,en")
    parser.add_argument("--sizes", default="20,100", help="kB of new text")
    parser.add_argument("--rates", default=str(RATE), help="of learning, from a model")
    parser.add_argument("--share", type=float, default=0.2, help="of a replay")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    done = {tuple(row[name] for name in ONE) for row in rows}
    with tempfile.TemporaryDirectory() as home:
        for language in parsed.languages.split(","):
            for size in map(int, parsed.sizes.split(",")):
                for way in parsed.ways.split(","):
                    rates = [0.0] if way == "anew" else map(float, parsed.rates.split(","))
                    share = parsed.share if way == "replay" else 0.0
                    for rate in rates:
                        one = (language, size, way, rate, share)
                        if one in done:
                            continue
                        rows.append(measured(Path(home), *one, parsed.seconds))
                        print(rows[-1], flush=True)
                        if parsed.json:
                            parsed.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(tables(rows))
    if parsed.markdown:
        page = NOTES.read_text(encoding="utf-8").replace("{table}", tables(rows))
        parsed.markdown.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
