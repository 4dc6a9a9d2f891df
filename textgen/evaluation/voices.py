"""Is a voice worth something? How well a model predicts what is held out of each label, begun in
its own voice, in another's, and in none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from textgen.data.labelled_text import LabelledText
from textgen.evaluation.batch_reader import nats_of
from textgen.generation.generator import Generator
from textgen.terminal import Report, table


@dataclasses.dataclass(frozen=True)
class VoiceRow:
    """Bits per character of the documents of a label, each read for itself, in its `own` voice, in
    an `other` and in `none`. The others take turns from document to document; None where there are
    none."""

    label: str
    documents: int
    characters: int
    own: float
    other: float | None
    none: float


def bits_by_voice(model: Generator, data: LabelledText) -> list[VoiceRow]:
    """A row for each label that something is held out of, and one for all of them.

    data: the text that the model was trained on.
    """
    labels = [label for label in data.labels if label in model.voices]
    end, tokenizer = data.corpus.separator, model.tokenizer
    networks = {label: model.in_voice(label).network for label in labels}
    rows: list[tuple[str, np.ndarray]] = []
    for place, label in enumerate(labels):
        texts = [d.text + end for d in data.documents[1] if d.label == label]
        if not texts:
            continue
        ids = [[tokenizer.start_id, *tokenizer.encode(text)] for text in texts]
        others = labels[place + 1 :] + labels[:place]
        own = nats_of(networks[label], ids).sum()
        turns = [nats_of(networks[one], ids[k :: len(others)]) for k, one in enumerate(others)]
        other = sum(nats.sum() for nats in turns)
        none = nats_of(model.network, ids).sum()
        rows.append((label, np.array([len(texts), sum(map(len, texts)), own, other, none])))
    if len(rows) > 1:
        rows.append(("all", np.sum([numbers for _, numbers in rows], axis=0)))
    return [_row(label, *numbers) for label, numbers in rows]


def _row(label: str, documents: float, characters: float, *nats: float) -> VoiceRow:
    own, other, none = (float(n) / math.log(2) / characters for n in nats)
    return VoiceRow(label, int(documents), int(characters), own, other or None, none)


def report(rows: Sequence[VoiceRow]) -> Report:
    """A table for a terminal."""
    head = ["bits/char, begun in", "documents", "its voice", "another", "none", "against none"]
    lines = [
        [
            row.label,
            f"{row.documents:,}",
            f"{row.own:.4f}",
            "-" if row.other is None else f"{row.other:.4f}",
            f"{row.none:.4f}",
            f"{row.own / row.none - 1:+.1%}",
        ]
        for row in rows
    ]
    return [table(head, lines)]
