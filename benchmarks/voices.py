"""What a voice is worth: bits per character in the right one, another and none; whose a text is
that was written in one; and a voice more, learned from 5 kB.

    python -m benchmarks.voices [--epochs 8] [--texts ko/stories,en/stories] [--json FILE]

The labels are the files of a folder of `corpora/`, which are kinds of text. Of each a tenth of its
paragraphs, in stories whole ones, is held out. Texts are written in each voice, and named by naive
Bayes over the character n-grams of what was trained on; beside that stands how many of the held-out
documents it names right, which no writer could be expected to beat. The voice more is of a kind of
prose (`corpora/*/prose`) that a model of stories never saw: 5 kB of it are learned from, and the
rest is judged.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processors import machine
from textgen import shipped
from textgen.api import Model, train
from textgen.data.labelled_text import Labelled, LabelledText
from textgen.data.sources import as_trained_on
from textgen.evaluation.batch_reader import nats_of
from textgen.evaluation.voices import bits_by_voice
from textgen.runs.run_config import RunConfig
from textgen.text.corpus import load_corpus
from textgen.text.read_config import ReadConfig
from textgen.training.new_voice import learn_voice

# Pieces, because 128 letters of English say little of what a story is about.
SETTINGS: dict[str, Any] = {
    "tokenizer": "sentencepiece",
    "vocab_size": 1000,
    "embedding_size": 96,
    "label_by": "file",
    "sample_by": "paragraph",
    "held_out": "documents",
    "cell": "gru",
    "hidden_size": 160,
    "dropout": 0.1,
    "batch_size": 16,
    "sequence_length": 128,
    "learning_rate": 8e-3,
    "sample_length": 0,
}
TEXTS, LENGTH = 100, 600  # written in all, and the characters of one
TEMPERATURE = 0.8
LEARNED = 5000  # bytes that a voice more is learned from
MORE = {"ko": ("diaries", "essays", "tales"), "en": ("letters", "dialogues", "tales")}
PLACES = (10, 30, 100, 300, 1000)  # characters from the beginning of a document
SIZES, SMOOTHING = (1, 2, 3, 4), 0.1  # of the n-grams


class NaiveBayes:
    """Whose a text is, by its character n-grams, as if each came for itself."""

    def __init__(self, documents: Iterable[Labelled]) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        for document in documents:
            self.counts[document.label].update(ngrams(document.text))
        known = len(set().union(*self.counts.values()))
        self.totals = {
            label: sum(counts.values()) + SMOOTHING * known for label, counts in self.counts.items()
        }

    def name(self, text: str) -> str:
        def logarithm(label: str) -> float:
            counts, total = self.counts[label], self.totals[label]
            return math.fsum(math.log((counts[one] + SMOOTHING) / total) for one in ngrams(text))

        return max(sorted(self.counts), key=logarithm)


def ngrams(text: str) -> list[str]:
    return [text[at : at + n] for n in SIZES for at in range(len(text) - n + 1)]


def gain_by_place(model: Model, data: LabelledText) -> dict[str, list[float]]:
    """Bits per character of the first so many characters of the held-out documents, up to the last
    token that ends within them, begun in their own voice and in none; and what a label could be
    worth at most: log2 of how many there are, once a document, to a reader who infers it from the
    text as well as can be."""
    sums = np.zeros((len(PLACES), 3))  # bits in the own voice, in none, and characters
    documents = 0
    for label in data.labels:
        texts = [d.text for d in data.documents[1] if d.label == label]
        ids = [[model.tokenizer.start_id, *model.tokenizer.encode(text)] for text in texts]
        own, none = (
            nats_of(network, ids) / math.log(2)
            for network in (model.in_voice(label).network, model.network)
        )
        documents += len(texts)
        for row, one in enumerate(ids):
            ends = np.cumsum([len(model.tokenizer.token(i)) for i in one[1:]])
            for k, place in enumerate(PLACES):
                read = int(np.searchsorted(ends, place, "right"))
                if read:
                    sums[k] += own[row, :read].sum(), none[row, :read].sum(), ends[read - 1]
    most = math.log2(len(data.labels)) * documents
    return {
        str(place): [own / read, none / read, most / read]
        for place, (own, none, read) in zip(PLACES, sums.tolist(), strict=True)
    }


def named_right(model: Model, data: LabelledText) -> dict[str, Any]:
    """How many of the texts written in each voice, and of what is held out, are named right."""
    judge, right = NaiveBayes(data.documents[0]), Counter[str]()
    numbers = {
        label: TEXTS * (k + 1) // len(data.labels) - TEXTS * k // len(data.labels)
        for k, label in enumerate(data.labels)
    }
    held_out_text = data.held_out_text
    tokens = LENGTH * len(model.tokenizer.encode(held_out_text)) // len(held_out_text)
    samples = {}
    for label, number in numbers.items():
        texts = model.in_voice(label).generate_batch(
            [""] * number, max_new_tokens=tokens, temperature=TEMPERATURE, seed=1
        )
        samples[label] = texts[0].text[:120]
        right[label] = sum(judge.name(text.text) == label for text in texts)
    unvoiced = model.generate_batch(
        [""] * 18, max_new_tokens=tokens, temperature=TEMPERATURE, seed=1
    )
    held_out = data.documents[1]
    return {
        "written": TEXTS,
        "named_right": right.total(),
        "by_label": {label: [right[label], number] for label, number in numbers.items()},
        "held_out": len(held_out),
        "held_out_named_right": sum(judge.name(d.text) == d.label for d in held_out),
        "of_none": dict(Counter(judge.name(text.text) for text in unvoiced)),
        "samples": samples,
    }


def one_more(model: Model, path: Path) -> dict[str, Any]:
    """A voice learned from the first `LEARNED` bytes of a file, and its worth on the rest."""
    documents = load_corpus(path, ReadConfig(sample_by="paragraph")).documents
    learned: list[str] = []
    while sum(len(text.encode()) for text in learned) < LEARNED:
        learned.append(documents[len(learned)])
    rest = [text + "\n\n" for text in documents[len(learned) :]]
    begin = time.perf_counter()
    found = learn_voice(model, learned)
    seconds = time.perf_counter() - begin
    voiced = Model(
        model.network, model.tokenizer, voices={**model.voices, path.stem: found.state}
    ).in_voice(path.stem)
    tokenizer, characters = model.tokenizer, sum(map(len, rest))
    ids = [[tokenizer.start_id, *tokenizer.encode(text)] for text in rest]
    none, own = (
        float(nats_of(network, ids).sum()) / math.log(2) / characters
        for network in (model.network, voiced.network)
    )
    return {
        "file": path.name,
        "learned_from": sum(len(text.encode()) for text in learned),
        "judged_characters": characters,
        "none": none,
        "own": own,
        "seconds": round(seconds, 1),
    }


def measured(text: str, epochs: int, home: Path) -> dict[str, Any]:
    """Train on a folder of `corpora/`, and measure its voices."""
    source, (language, _, name) = shipped.CORPORA / text, text.partition("/")
    begin, used = time.perf_counter(), time.process_time()
    model = train(source, home / text.replace("/", "-"), epochs=epochs, **SETTINGS)
    spent = time.perf_counter() - begin, time.process_time() - used
    data = as_trained_on(model.card, source)
    assert isinstance(data, LabelledText)
    return {
        "text": text,
        "characters": len(data.corpus.text),
        "epoch": RunConfig.from_dict(model.card).metrics["epoch"],
        "seconds": round(spent[0], 1),
        "of_a_core": round(spent[1], 1),
        "kB_of_voices": round(sum(state.nbytes for state in model.voices.values()) / 1000, 1),
        "rows": [dataclasses.asdict(row) for row in bits_by_voice(model, data)],
        "by_place": gain_by_place(model, data),
        "naming": named_right(model, data),
        "more": [
            one_more(model, shipped.CORPORA / language / "prose" / f"{kind}.txt")
            for kind in MORE[language] * (name == "stories")
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="what a voice is worth")
    parser.add_argument("--epochs", type=int, default=8, help="of each training")
    parser.add_argument("--texts", default="ko/stories,en/stories,ko/prose")
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    found: dict[str, Any] = {
        "machine": machine(),
        "settings": SETTINGS,
        "texts": [],
    }
    with tempfile.TemporaryDirectory() as home:
        for text in parsed.texts.split(","):
            found["texts"].append(measured(text, parsed.epochs, Path(home)))
            print(json.dumps(found["texts"][-1], ensure_ascii=False, indent=1), flush=True)
            if parsed.json:
                written = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
                parsed.json.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
