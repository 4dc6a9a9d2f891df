"""Korean that is right: does a model find the right one of two sentences the likelier?

    python -m benchmarks.korean_pairs [--number 1000] [--train SECONDS] [--cells lstm,gru,...]
                                      [--tokenizers char,sentencepiece,jamo]
                                      [--json FILE] [--markdown docs/korean.md]

The pairs are those of benchmarks/korean_sentences.py. A pair is right where the whole right
sentence has the higher probability, as `textgen score` has it. Asked are the shipped Korean
writers, n-grams, and with --train every cell with every tokenizer, each trained for so many seconds
on corpora/ko. The JSON is written after each training; what it has of the same seconds and pairs is
shown, and not trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import processors
from benchmarks.korean import write_both
from benchmarks.korean_sentences import BANDS, KINDS, Pair, pairs
from textgen import shipped
from textgen.api import load
from textgen.backend import cores
from textgen.cells import CELLS
from textgen.evaluation.batch_reader import nats_of
from textgen.evaluation.ngram import NGram
from textgen.generation.generator import Generator
from textgen.runs.run_folder import read_history
from textgen.text.corpus import load_corpus
from textgen.tokenizers.tokenizer import TOKENIZERS

HERE = Path(__file__).parent
NOTES = HERE / "korean_pairs_notes.md"
CORPUS = shipped.CORPORA / "ko"
UNITS = 256  # of a model that is trained here
TOGETHER = 256  # sentences that are read side by side
INTRODUCTION = """\
# Right and wrong Korean, in pairs

Written by `python -m benchmarks.korean_pairs`: {number:,} pairs of each kind. A pair is two
sentences that differ in one place; it counts where the model gives the whole right one the higher
probability. Of each kind the one form is right in half of the pairs, and the other in the other
half, so that chance, or always the same form, has 50 %. At 90 % of 1,000 pairs the 95 % interval
reaches 1.9 to either side. One seed; {machine}.
"""
KOREAN = {
    "# Right and wrong Korean, in pairs": "# 맞는 한국어와 틀린 한국어, 짝으로",
    r"(?s)Written by (`[^`]*`): ([\d,]+) pairs.*One seed; "
    r"cores: (\d+), (\S+) (\w+) bfloat16[^.]*\.": (
        r"\1로 쟀습니다. 갈래마다 짝이 \2개입니다. 짝은 한 곳만 다른 두 문장이고, 맞는\n"
        "문장 전체에 더 높은 확률을 주면 맞힌 것으로 셉니다. 갈래마다 한 형태가 맞는 짝이 반,\n"
        "다른 형태가 맞는 짝이 반이어서, 찍거나 늘 같은 형태를 고르면 50 %입니다. 1,000짝에서\n"
        r"90 %라면 95 % 구간은 위아래로 1.9입니다. 시드 하나, 코어 \3개, \4 \5 bfloat16."
    ),
    r"\| right \| wrong \|": "| 맞음 | 틀림 |",
    r"\| particle": "| 조사",
    r"\| honorific": "| 높임",
    r"\| spacing": "| 띄어쓰기",
    "## Per cent right": "## 맞힌 백분율",
    r"n-grams of (\d+) characters": r"\1글자 n-gram",
    r"The models named by cell and tokenizer: (\d+) units, (`[^`]*`) each on (`[^`]*`) "
    r"\([^)]*\): ": (
        r"셀과 토크나이저로 부르는 모델: \1유닛, \3로 저마다 \2 (떼어 둔 10분의 1의 "
        "글자당 비트, 괄호 안은 코어 시간 초): "
    ),
    "## Honorific agreement, by distance": "## 높임의 호응, 거리에 따라",
    "## Spacing, by distance": "## 띄어쓰기, 거리에 따라",
    r"Characters between the cue and the place\.": "단서와 그 자리 사이의 글자 수.",
    r"\| (\d+) to (\d+) ": r"| \1~\2 ",
    r"(\d+) and more": r"\1 이상",
    "## Each form where it is the right one": "## 그 형태가 맞는 자리에서",
    r"honoured \| plain \| apart \| together": "높임 | 예사 | 띄움 | 붙임",
    "## Particles": "## 조사",
    "## Spacing, by what is spaced": "## 띄어쓰기, 무엇을 띄우나에 따라",
    r"\| words \|": "| 낱말 |",
    r" without bfloat16\.\n": ", bfloat16 없음.\n",
    r" with bfloat16\.\n": ", bfloat16 있음.\n",
    "(?s)## What it says.*": NOTES.with_suffix(".ko.md").read_text(encoding="utf-8"),
}
ORDER = 5  # of the n-grams
Row = dict[str, Any]


def logprobs(model: Generator, sentences: Sequence[str]) -> np.ndarray:
    """Natural log of the probability of each sentence after a newline [N]."""
    tokenizer = model.tokenizer
    ids = [[tokenizer.start_id, *tokenizer.encode(sentence)] for sentence in sentences]
    order = sorted(range(len(ids)), key=lambda k: len(ids[k]))  # those alike in length together
    found = np.zeros(len(ids))
    for at in range(0, len(ids), TOGETHER):
        rows = order[at : at + TOGETHER]
        found[rows] = -nats_of(model.network, [ids[k] for k in rows]).sum(axis=1)
    return found


def counted(asked: Sequence[Pair], score: Callable[[Sequence[str]], np.ndarray]) -> list[list[Any]]:
    """[kind, part, case, band, pairs, those that are right], of each group of pairs."""
    right, wrong = score([p.right for p in asked]), score([p.wrong for p in asked])
    groups = [(p.kind, p.part, p.case, p.band) for p in asked]
    number = Counter(groups)
    hits = Counter(g for g, is_right in zip(groups, right > wrong, strict=True) if is_right)
    return [[*group, number[group], hits[group]] for group in number]


def digest(asked: Sequence[Pair]) -> str:
    """Tells these pairs from others."""
    return hashlib.sha256("\n".join(p.right + p.wrong for p in asked).encode()).hexdigest()[:12]


def row_of(name: str, model: Generator, asked: Sequence[Pair]) -> Row:
    sentences = [text for pair in asked for text in (pair.right, pair.wrong)]
    unknown = sum(bool(model.tokenizer.unknown_characters(text)) for text in sentences)
    config = model.config
    return {
        "name": name,
        "model": f"{config.num_layers} x {config.hidden_size} {config.cell}",
        "cell": config.cell,
        "tokenizer": model.tokenizer.name,
        "unknown": unknown / len(sentences),
        "counts": counted(asked, lambda texts: logprobs(model, texts)),
    }


def of_ngrams(text: str, asked: Sequence[Pair]) -> Row:
    """What counting the characters of a text achieves."""
    counts = NGram(text, ORDER)

    def score(texts: Sequence[str]) -> np.ndarray:
        return np.array([-counts.nats("\n" + text)[-1, 1:].sum() for text in texts])

    name = f"n-grams of {ORDER} characters"
    return {"name": name, "model": "", "tokenizer": "char", "counts": counted(asked, score)}


def core_seconds() -> float:
    """What the processes that this one began, and that have ended, used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def trained(cell: str, tokenizer: str, seconds: float, asked: Sequence[Pair]) -> Row:
    """Train in a process of its own, as a user would."""
    before = core_seconds()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        settings = f"--cell={cell} --tokenizer={tokenizer} --budget={seconds:g}s"
        settings += f" --hidden-size={UNITS} --sample-length=0"
        command = [sys.executable, "-m", "textgen", "train", str(CORPUS), f"--out={run}"]
        subprocess.run([*command, *settings.split()], check=True, stderr=subprocess.PIPE)
        used = core_seconds() - before
        judged = [row for row in read_history(run) if row["val_bits_per_char"]]
        row = row_of(f"{cell}, {tokenizer}", load(run), asked)
    bits = min(float(row["val_bits_per_char"]) for row in judged)
    return row | {
        "pairs": digest(asked),
        "seconds": seconds,
        "bits_per_char": bits,
        "of_a_core": round(used, 1),
    }


def share(row: Row, **wanted: Any) -> str:
    """Of the pairs of these groups, the per cent that are right."""
    names = ("kind", "part", "case", "band")
    fits = [c for c in row["counts"] if all(c[names.index(k)] == v for k, v in wanted.items())]
    number, right = sum(c[4] for c in fits), sum(c[5] for c in fits)
    return f"{100 * right / number:.1f}" if number else ""


def table(rows: Sequence[Row], columns: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """A line for each model, and a column for each group of pairs."""
    lines = ["| | " + " | ".join(head for head, _ in columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for row in rows:
        lines.append(
            f"| {row['name']} | " + " | ".join(share(row, **want) for _, want in columns) + " |"
        )
    return [*lines, ""]


def markdown(rows: Sequence[Row], asked: Sequence[Pair], machine: str) -> str:
    ends = [f" to {end - 1}" for end in BANDS[1:]] + [" and more"]
    bands = [f"{least}{end}" for least, end in zip(BANDS, ends, strict=True)]
    examples = {(pair.kind, pair.case): pair for pair in reversed(asked)}
    lines = [
        INTRODUCTION.format(number=len(asked) // len(KINDS), machine=machine),
        "| | right | wrong |",
        "|---|---|---|",
        *(
            f"| {pair.kind} | {pair.right} | {pair.wrong} |"
            for _, pair in sorted(examples.items(), key=lambda item: KINDS.index(item[0][0]))
        ),
        "",
        "## Per cent right",
        "",
        *table(rows, [(kind, {"kind": kind}) for kind in KINDS]),
    ]
    ours = [row for row in rows if "seconds" in row]
    if ours:
        lines += [
            f"The models named by cell and tokenizer: {UNITS} units, `--budget "
            f"{ours[0]['seconds']:g}s` each on `corpora/ko` (bits per character of the "
            "held-out tenth; seconds of a core that it had): "
            + "; ".join(
                f"{r['name']} {r['bits_per_char']:.2f} ({r['of_a_core']:.0f})" for r in ours
            )
            + ".",
            "",
        ]
    for title, kind in (("Honorific agreement", "honorific"), ("Spacing", "spacing")):
        lines += [f"## {title}, by distance", "", "Characters between the cue and the place.", ""]
        lines += table(rows, [(b, {"kind": kind, "band": k}) for k, b in enumerate(bands)])
    lines += ["## Each form where it is the right one", ""]
    forms = [("honorific", "honoured"), ("honorific", "plain")]
    forms += [("spacing", "apart"), ("spacing", "together")]
    lines += table(rows, [(case, {"kind": kind, "case": case}) for kind, case in forms])
    for title, kind in (("Particles", "particle"), ("Spacing, by what is spaced", "spacing")):
        parts = dict.fromkeys(pair.part for pair in asked if pair.kind == kind)
        lines += [f"## {title}", "", *table(rows, [(p, {"kind": kind, "part": p}) for p in parts])]
    return "\n".join(lines) + NOTES.read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="right and wrong Korean sentences, in pairs")
    parser.add_argument("--number", type=int, default=1000, help="pairs of each kind")
    parser.add_argument("--train", type=float, metavar="SECONDS", help="train each for so long")
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--tokenizers", default=",".join(TOKENIZERS))
    parser.add_argument("--json", type=Path, default=HERE / "korean_pairs.json")
    parser.add_argument("--markdown", type=Path, default=HERE.parent / "docs/korean.md")
    parsed = parser.parse_args()
    asked = pairs(parsed.number)
    before = json.loads(parsed.json.read_text(encoding="utf-8")) if parsed.json.exists() else []
    names = sorted(path.name for path in shipped.MODELS.glob("ko-*"))
    rows = [row_of(name, load(name), asked) for name in names] + [
        of_ngrams(load_corpus(CORPUS).text, asked)
    ]
    rows += [
        row
        for row in before
        if row.get("pairs") == digest(asked) and row["seconds"] == (parsed.train or row["seconds"])
    ]
    wanted = [(c, t) for c in parsed.cells.split(",") for t in parsed.tokenizers.split(",")]
    for cell, tokenizer in wanted if parsed.train else ():
        if f"{cell}, {tokenizer}" not in [row["name"] for row in rows]:
            rows.append(trained(cell, tokenizer, parsed.train, asked))
            print(rows[-1]["name"], *(share(rows[-1], kind=kind) for kind in KINDS), flush=True)
            parsed.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")
    parsed.json.write_text(json.dumps(rows, ensure_ascii=False) + "\n", "utf-8")
    machine = (
        f"cores: {cores()}, {platform.machine()} {processors.WORDS[processors.kind()]} in hardware"
    )
    write_both(parsed.markdown, markdown(rows, asked, machine), KOREAN)


if __name__ == "__main__":
    main()
