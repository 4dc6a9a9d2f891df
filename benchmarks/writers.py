"""What the shipped writers write: twenty texts each, unchosen, beside those that counting writes.

    make build/corpora/ko.txt build/corpora/en.txt
    textgen train --config benchmarks/ko-lstm-stories.toml --out build/ko-lstm-stories
    textgen train --config benchmarks/en-lstm-stories.toml --out build/en-lstm-stories
    python -m benchmarks.writers [WRITER ...] [--json FILE] [--markdown FILE]

The last two are not shipped: they were trained on stories alone. Every writer goes on from the
beginning that the page Write suggests for it, with the seeds 1 to 20, and so does the n-gram model
that predicts its held-out text best. What was held out, cut into as many texts of that length,
stands beside them: it, too, has runs that stand elsewhere, and words that no list has. Where
hunspell is installed, with hunspell-en-us and hunspell-ko, its dictionaries know words as well.
Who holds one person and one thing was judged by reading: writers_judged.toml has a judgement of
each text, for the weights with that hash. The JSON keeps what was measured of other writers; the
page is written from all of it.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpora.measure_stories import words_of
from textgen import shipped
from textgen.api import Model, load
from textgen.arrays import Array
from textgen.data.sources import find_training_text
from textgen.data.text_in_memory import TextInMemory
from textgen.evaluation import particles
from textgen.evaluation.copying import SHORTEST, CopyMeter, covered
from textgen.evaluation.evaluate import carried_nats
from textgen.evaluation.ngram import NGram
from textgen.evaluation.variety import repetition
from textgen.ngrams.witten_bell import probabilities
from textgen.runs.run_config import RunConfig

HERE = Path(__file__).parent
NOTES = HERE / "writers_notes.md"
JUDGED = HERE / "writers_judged.toml"
WRITERS = (
    "ko-lstm-char",
    "ko-gru-sentencepiece",
    "en-lstm-char",
    "build/ko-lstm-stories",
    "build/en-lstm-stories",
)
SEEDS = range(1, 21)
OPENING = 0.8  # the temperature that the page Write opens with; its texts are shown and judged
TEMPERATURES = (1.0, OPENING, 0.5)
LENGTHS = {"ko": 250, "en": 450}  # characters of a text: five sentences and more
HIGHEST_ORDER = 8  # of the n-grams
DICTIONARIES = {"ko": "ko_KR", "en": "en_US"}
# what may follow a Korean word; the longest is found
PARTICLE = re.compile(
    "(?<=.)(?:에게서?|한테서?|에서[는도]?|에[는도]?|으?로는?|이?라[고는]|이?랑|이?나|이[고다야]|까지|부터|"
    "처럼|보다|마다|하고|만큼|대로|밖에|조차|[은는이가을를과와의도만야아께])$"
)


class NGramWriter(NGram):
    """Draws from the probabilities by which an `NGram` predicts."""

    def write(self, prompt: str, length: int, temperature: float, seed: int) -> str:
        """`prompt` and what follows it, `length` characters in all."""
        generator, text = np.random.default_rng(seed), prompt
        while len(text) < length:
            p = self.next_probabilities(text)[:-1] ** (1 / temperature)  # never the unknown one
            text += chr(self._characters[generator.choice(len(p), p=p / p.sum())])
        return text

    def next_probabilities(self, before: str) -> Array:
        """p of each character that was counted, and last of an unknown one, after `before`:
        float64 [characters + 1]."""
        return probabilities(self._counts, self._encode(before))


# --- measuring ------------------------------------------------------------------------------------


class Judge:
    """Measures texts against the text that a writer was trained on."""

    def __init__(self, training_text: str, language: str) -> None:
        self.language = language
        self.meter = CopyMeter(training_text)
        self.in_particles = set(particles.words_of(training_text))
        self.words = set(words_of(training_text))
        if language == "ko":
            self.words |= {stem(word) for word in self.words}

    def figures(self, texts: Sequence[str], prompt: str = "") -> dict[str, Any]:
        """The figures of several texts together, without the `prompt` that they begin with."""
        texts = [text.removeprefix(prompt) for text in texts]
        spans = [self.meter.spans(text) for text in texts]
        copied = sum(
            int((covered(found, len(text)) > 0).sum())
            for found, text in zip(spans, texts, strict=True)
        )
        set_right = particles.particles("", "\n".join(texts), self.in_particles)
        # the last word of a text may be cut
        words = [word for text in texts for word in words_of(text)[:-1]]
        unknown = [word for word in words if not self.knows(word)]
        misspelt = in_no_dictionary(self.language, unknown)
        return {
            "copied": copied / sum(map(len, texts)),
            "longest_copy": max((span.length for found in spans for span in found), default=0),
            "repeated": float(np.mean([repetition(text) for text in texts])),
            "particles": sum(set_right.right.values()) + sum(set_right.wrong.values()),
            "particles_right": set_right.share,
            "words": len(words),
            "words_known": 1 - len(unknown) / len(words),
            "words_listed": None
            if misspelt is None
            else 1 - sum(word in misspelt for word in unknown) / len(words),
            "unknown": sorted(set(unknown if misspelt is None else misspelt)),
        }

    def knows(self, word: str) -> bool:
        """Whether the training text has the word; of a Korean one with whichever particle."""
        return word in self.words or (self.language == "ko" and stem(word) in self.words)


def stem(word: str) -> str:
    """A Korean word without what looks like a particle."""
    return PARTICLE.sub("", word)


def in_no_dictionary(language: str, words: Iterable[str]) -> set[str] | None:
    """Those of `words` that hunspell does not know; None where it or its dictionary is missing."""
    if shutil.which("hunspell") is None:
        return None
    ran = subprocess.run(
        ["hunspell", "-i", "utf-8", "-l", "-d", DICTIONARIES[language]],
        input="\n".join(words),
        capture_output=True,
        text=True,
    )
    return None if ran.returncode else set(ran.stdout.split())


def measure(name: str) -> dict[str, Any]:
    """Read what was held out of the writer's text, and let it write."""
    model = load(name)
    data = find_training_text(model.card, shipped.HOME)
    if data is None:
        raise SystemExit(
            f"the text of {name} is missing: make build/corpora/ko.txt build/corpora/en.txt"
        )
    language = Path(name).name[:2]
    prompt, length = RunConfig.from_dict(model.card).training.prompt, LENGTHS[language]
    predicted = prediction(model, data)
    counting = NGramWriter(data.text, predicted["order"])
    judge = Judge(data.text, language)
    out, size = data.held_out_text, len(data.held_out_text)
    cut = [out[k : k + length] for k in range(0, size - length, max(size // len(SEEDS), length))]
    found: dict[str, Any] = {
        "name": name,
        "hash": model.hash,
        "text": data.config.source,
        "prompt": prompt,
        "length": length,
        "parameters": model.num_parameters,
        "model": f"{model.config.cell.upper()} {model.config.num_layers} x "
        f"{model.config.hidden_size}, {model.tokenizer.name}",
        "prediction": predicted,
        "held out": judge.figures(cut),
        "writing": {},
    }
    for temperature in TEMPERATURES:
        ways = {
            "model": [
                prompt
                + model.generate(
                    prompt, max_new_tokens=length, temperature=temperature, seed=seed
                ).text
                for seed in SEEDS
            ],
            "counting": [counting.write(prompt, length, temperature, seed) for seed in SEEDS],
        }
        for who, texts in ways.items():
            texts = [text[:length] for text in texts]
            figures = judge.figures(texts, prompt)
            shown = texts if temperature == OPENING else []
            found["writing"][f"{who} {temperature}"] = {"figures": figures, "texts": shown}
    return found


def prediction(model: Model, data: TextInMemory) -> dict[str, Any]:
    """How well the writer predicts what was held out, and the best of the n-grams."""
    out = data.held_out_text
    bits = float(carried_nats(model, model.tokenizer.encode(out)).sum()) / math.log(2)
    counted = NGram(data.text, HIGHEST_ORDER).nats(out).sum(axis=1) / math.log(2)
    order = int(counted.argmin())
    return {
        "characters": len(out),
        "bytes": len(out.encode()),
        "bits": bits,
        "order": order + 1,
        "counted_bits": float(counted[order]),
    }


# --- the page -------------------------------------------------------------------------------------


def markdown(rows: Sequence[Mapping[str, Any]], judged: Mapping[str, Any]) -> str:
    """The page, of what was measured and of what was judged by reading."""
    lines = ["# What the writers write", "", "Written by `python -m benchmarks.writers`.", ""]
    lines += [NOTES.read_text(encoding="utf-8").strip(), ""] if NOTES.is_file() else []
    lines += ["## How well they predict", "", *predictions(rows), ""]
    lines += ["## How they write", "", *ways(rows, judged), ""]
    for row in rows:
        lines += samples(row, judgements(row, judged))
    return "\n".join(lines)


def predictions(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = [
        "What was held out of the text of each, the state carried, beside the n-gram model that "
        "predicts it best, counted on the same text (Witten-Bell, in brackets its order, up to "
        f"{HIGHEST_ORDER}).",
        "",
        "| writer | | parameters | text | bits/char | bits/byte | best n-gram | against it |",
        "|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        found = row["prediction"]
        bits, counted = (found[kind] / found["characters"] for kind in ("bits", "counted_bits"))
        source = row["text"] if isinstance(row["text"], list) else [row["text"]]
        lines.append(
            f"| `{row['name']}` | {row['model']} | {row['parameters']:,} "
            f"| {', '.join(f'`{part}`' for part in source)} | {bits:.3f} "
            f"| {found['bits'] / found['bytes']:.3f} | {counted:.3f} ({found['order']}) "
            f"| {bits / counted - 1:+.0%} |"
        )
    return lines


def ways(rows: Iterable[Mapping[str, Any]], judged: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{len(SEEDS)} texts each: {LENGTHS['ko']} Korean or {LENGTHS['en']} English characters",
        "",
        "- *copied*: characters in runs of "
        f"{SHORTEST} and more that stand in the training text; *longest*: of those runs.",
        f"- *repeated*: characters in runs of {SHORTEST} and more that the text had before.",
        "- *particles*: Korean ones that fit the sound before them.",
        "- *words known*: those that the training text has, a Korean one with whichever particle; "
        "*listed*: those, and those that hunspell's dictionary has.",
        "- *hold*: texts that keep one person and one thing through five sentences, judged one by "
        "one: see below.",
        "",
        "| writer | temperature | copied | longest | repeated | particles | words known | listed "
        "| hold |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        order = row["prediction"]["order"]
        for who in ("model", "counting"):
            name = f"`{row['name']}`" if who == "model" else f"{order}-gram of its text"
            for temperature in TEMPERATURES:
                figures = row["writing"][f"{who} {temperature}"]["figures"]
                verdicts = judgements(row, judged) if who == "model" else []
                hold = held(verdicts) if temperature == OPENING and verdicts else ""
                lines.append(f"| {name} | {temperature} | {cells(figures)} | {hold} |")
        lines.append(f"| held out of its text | | {cells(row['held out'])} | |")
    return lines


def cells(figures: Mapping[str, Any]) -> str:
    right = f"{figures['particles_right']:.1%}" if figures["particles"] else ""
    listed = "" if figures["words_listed"] is None else f"{figures['words_listed']:.1%}"
    return (
        f"{figures['copied']:.0%} | {figures['longest_copy']} | {figures['repeated']:.0%} "
        f"| {right} | {figures['words_known']:.1%} | {listed}"
    )


def judgements(row: Mapping[str, Any], judged: Mapping[str, Any]) -> list[str]:
    """One of each text, as "yes: why"; none where other weights were judged."""
    found = judged.get(row["name"], {})
    if found.get("hash") != row["hash"] or found.get("temperature") != OPENING:
        return []
    verdicts: list[str] = found["texts"]
    return verdicts


def held(verdicts: Iterable[str]) -> str:
    verdicts = list(verdicts)
    return f"{sum(verdict.startswith('yes') for verdict in verdicts)} of {len(verdicts)}"


def samples(row: Mapping[str, Any], verdicts: Sequence[str]) -> list[str]:
    """The texts of a writer, and folded away those of counting."""
    written, counted = (
        row["writing"][f"{who} {OPENING}"]["texts"] for who in ("model", "counting")
    )
    hold = f"; {held(verdicts)} hold one person and one thing" if verdicts else ""
    return [
        f"## `{row['name']}`",
        "",
        f"`textgen generate {row['name']} --prompt {json.dumps(row['prompt'], ensure_ascii=False)} "
        f"--max-new-tokens {row['length']} --temperature {OPENING} --seed SEED`, the first "
        f"{row['length']} characters (weights {row['hash']}){hold}.",
        "",
        "| seed | text | holds |",
        "|---:|---|---|",
        *(
            f"| {seed} | {in_table(text)} | {verdict} |"
            for seed, text, verdict in zip(
                SEEDS, written, verdicts or [""] * len(written), strict=True
            )
        ),
        "",
        f"<details><summary>The {row['prediction']['order']}-gram of its text</summary>",
        "",
        "| seed | text |",
        "|---:|---|",
        *(f"| {seed} | {in_table(text)} |" for seed, text in zip(SEEDS, counted, strict=True)),
        "",
        "</details>",
        "",
    ]


def in_table(text: str) -> str:
    """A text in a cell, its lines kept, and nothing in it read as markup."""
    text = re.sub(r"([\\`*_{}\[\]()#+\-!|<>~$&])", r"\\\1", text.strip())
    return re.sub(r"\n+", "<br>", text)


def in_order(rows: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [rows[name] for name in WRITERS if name in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="what the shipped writers write")
    parser.add_argument("names", nargs="*", metavar="WRITER")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    if parsed.json and parsed.json.is_file():
        before = json.loads(parsed.json.read_text(encoding="utf-8"))
        rows = {row["name"]: row for row in before}
    for name in parsed.names or ([] if rows else WRITERS):
        found = measure(name)
        rows[found["name"]] = found
        if parsed.json:
            told = json.dumps(in_order(rows), ensure_ascii=False, indent=1)
            parsed.json.write_text(told + "\n", encoding="utf-8")
    page = markdown(in_order(rows), tomllib.loads(JUDGED.read_text(encoding="utf-8")))
    if parsed.markdown:
        parsed.markdown.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
