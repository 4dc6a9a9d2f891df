"""A text whose documents bear labels: an author, a kind, a place. Each document begins in the voice
of its label, a state that is learned with the weights, where any other text begins with zeros.

The documents lie in lanes as a text does (lanes.py), but each begins a window of its lane, where
its voice takes the place of what the lane carried; behind its end the window is padded. They are
shuffled within their lanes for every pass. A share of them is read without its label, from zeros,
so that a model can still be asked for none.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from textgen.arrays import Dataset
from textgen.data.batches import generated, padded_texts
from textgen.data.text_in_memory import TextInMemory
from textgen.data.training_data import digest
from textgen.errors import ConfigError, CorpusError, shown
from textgen.runs.run_config import DataConfig
from textgen.runs.voices import LONGEST_LABEL, MOST_LABELS
from textgen.text.columns import listed
from textgen.tokenizers.tokenizer import Tokenizer

CARRIED, NONE = -1, 0  # what begins in a row: nothing, a document without a voice, or voice 1, 2 ..
UNLABELLED = 0.1  # share of the documents of a pass that are read without their labels

# its ids and the one after it, and what begins there
Window: TypeAlias = tuple[np.ndarray, int]
# a `Batch`, and what begins in each of its rows [B]
LabelledBatch: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Labelled(NamedTuple):
    """A document. label: "" for none."""

    label: str
    text: str


@dataclasses.dataclass(frozen=True)
class LabelledText(TextInMemory):
    """A text, read document by document, each in the voice of its label."""

    @property
    def config(self) -> DataConfig:
        both = "\0".join((self.corpus.text, *self.corpus.labels))
        return dataclasses.replace(super().config, sha256=digest(both), labels=[*self.labels])

    def __post_init__(self) -> None:
        """Raises `CorpusError` where there are no labels, too many, or one alone."""
        by, labels = shown(self.settings.label_by), self.labels
        if not labels:
            raise CorpusError(
                f"label_by is {by}, and no document has such a label: name a column of a table, or "
                "file for the names of files"
            )
        if len({*self.corpus.labels}) == 1:
            raise CorpusError(
                f"label_by is {by}, and every document has the label {shown(labels[0])}: a voice "
                "is learned beside others; add documents with another, or leave it out"
            )
        longest = max(map(len, labels))
        if len(labels) > MOST_LABELS or longest > LONGEST_LABEL:
            raise CorpusError(
                f"label_by is {by}, which gives {len(labels):,} labels of up to {longest:,} "
                f"characters: name a column of at most {MOST_LABELS:,}, none over {LONGEST_LABEL} "
                "characters"
            )

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """Those of the documents, in the order of their voices, from 1."""
        return tuple(sorted({*self.corpus.labels} - {""}))

    @functools.cached_property
    def documents(self) -> tuple[list[Labelled], list[Labelled]]:
        """(those trained on, those held out). Raises `ConfigError` where none can be held out."""
        settings, corpus = self.settings, self.corpus
        share, way = settings.validation_fraction, settings.held_out
        out = held_out_places(corpus.labels, share, way)
        if share and not out:
            raise ConfigError(
                f"validation_fraction is {share:g}, and no label has documents enough to hold out "
                f"one: {_remedy(corpus.labels)}"
            )
        parts: tuple[list[Labelled], list[Labelled]] = ([], [])
        for place, one in enumerate(map(Labelled, corpus.labels, corpus.documents)):
            parts[place in out].append(one)
        return parts

    def held_out_of(self, labels: Collection[str]) -> str:
        """The documents held out of some labels, joined. Raises `ConfigError` where there are
        none."""
        texts = [document.text for document in self.documents[1] if document.label in labels]
        if not texts:
            raise ConfigError(
                f"nothing is held out of {listed(labels)}: give a text of its own that the model "
                "has not seen"
            )
        return self.corpus.separator.join(texts)

    @functools.cached_property
    def _parts(self) -> tuple[str, str]:
        text, out = (self.corpus.separator.join(d.text for d in part) for part in self.documents)
        return text, out

    def batches(self, tokenizer: Tokenizer) -> LabelledLanes:
        return self._lanes(tokenizer, self.documents[0], UNLABELLED)

    def held_out(self, tokenizer: Tokenizer) -> LabelledLanes | None:
        documents = self.documents[1]
        return self._lanes(tokenizer, documents, 0.0) if documents else None

    def _lanes(
        self, tokenizer: Tokenizer, documents: Sequence[Labelled], unlabelled: float
    ) -> LabelledLanes:
        numbers = {label: number for number, label in enumerate(("", *self.labels))}
        end, start = self.corpus.separator, tokenizer.start_id
        settings = self.settings
        return LabelledLanes(
            [np.array([start, *tokenizer.encode(d.text + end)], np.int32) for d in documents],
            [numbers[d.label] for d in documents],
            settings.batch_size,
            settings.sequence_length,
            settings.seed,
            unlabelled,
        )


def _remedy(labels: Sequence[str]) -> str:
    """What lets a document of the largest label be held out."""
    most = max(Counter(labels).values())
    if most == 1:  # more of a text than half of it is never held out
        return "part the text with sample_by paragraph, or set validation_fraction to 0"
    return f"give a --validation-fraction of at least {math.ceil(100 / most) / 100:g}, or 0"


def held_out_places(labels: Sequence[str], share: float, way: str) -> set[int]:
    """Which documents are held out: of those of each label its share, the last ones ("end") or
    some at equal distances ("documents")."""
    places = defaultdict(list)
    for place, label in enumerate(labels):
        places[label].append(place)
    out: set[int] = set()
    for own in places.values():
        number = int(len(own) * share)
        if way == "end":
            out.update(own[len(own) - number :])
        else:  # where the share of the first k grows by one
            out.update(p for k, p in enumerate(own) if int((k + 1) * share) > int(k * share))
    return out


@dataclasses.dataclass(frozen=True)
class LabelledLanes:
    """Batches of windows in which documents begin, or go on. Batch k depends on the fields and on
    k alone.

    documents: the ids of each, with the one that a text begins with. labels: the number of each
    one's, 0 for none. most: lanes; a text of fewer documents has fewer. length: tokens of a window.
    unlabelled: share of the documents of a pass that are read without their labels.
    """

    documents: Sequence[np.ndarray]
    labels: Sequence[int]
    most: int
    length: int
    seed: int
    unlabelled: float

    @property
    def batch_size(self) -> int:
        return min(self.most, len(self.documents))

    @functools.cached_property
    def steps(self) -> int:
        """Batches of a pass: the windows of the longest lane."""
        return max(sum(self._windows(n) for n in lane) for lane in self._lanes)

    @property
    def steps_of_text(self) -> int:
        return self.steps

    def _windows(self, document: int) -> int:
        return -(-(len(self.documents[document]) - 1) // self.length)

    @functools.cached_property
    def _lanes(self) -> list[list[int]]:
        """The documents of each lane: the longest first, each given to the lane that is shortest
        until then, so that all become about as long."""
        lanes: list[list[int]] = [[] for _ in range(self.batch_size)]
        lengths = [(0, lane) for lane in range(len(lanes))]
        for document in sorted(range(len(self.documents)), key=self._windows, reverse=True):
            length, lane = heapq.heappop(lengths)
            lanes[lane].append(document)
            heapq.heappush(lengths, (length + self._windows(document), lane))
        return lanes

    def dataset(self, start: int = 0) -> Dataset:
        """An endless `tf.data.Dataset` from batch `start` of the run on, of (inputs, targets,
        weights) [batch_size, T], and what begins in each row [batch_size]: `CARRIED`, `NONE`, or
        the number of a voice."""

        def batches() -> Iterator[LabelledBatch]:
            first, skipped = divmod(start, self.steps)
            for number in itertools.count(first):
                yield from itertools.islice(self._pass(number), skipped, None)
                skipped = 0

        return generated(batches, (self.batch_size, None), begins=True)

    def _pass(self, number: int) -> Iterator[LabelledBatch]:
        rng = np.random.default_rng((self.seed, number))
        without = rng.random(len(self.documents)) < self.unlabelled
        begins = np.where(without, NONE, self.labels)
        lanes = [self._rows(rng.permutation(lane), begins) for lane in self._lanes]
        nothing: Window = (np.zeros(1, np.int32), CARRIED)  # of a lane that has come to its end
        for rows in itertools.zip_longest(*lanes, fillvalue=nothing):
            yield self._batch(rows)

    def _rows(self, documents: Iterable[int], begins: np.ndarray) -> Iterator[Window]:
        """The windows of a lane."""
        for document in documents:
            ids = self.documents[document]
            for at in range(0, len(ids) - 1, self.length):
                yield ids[at : at + self.length + 1], CARRIED if at else int(begins[document])

    def _batch(self, rows: Sequence[Window]) -> LabelledBatch:
        whole = padded_texts(ids for ids, _ in rows)
        inputs, targets, weights = (part[:, : self.length] for part in whole)
        return inputs, targets, weights, np.array([begin for _, begin in rows], np.int32)
