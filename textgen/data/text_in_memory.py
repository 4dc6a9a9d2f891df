"""A text that fits in memory, a share of which is held out."""

from __future__ import annotations

import dataclasses
import functools

from textgen.data.batches import Batches
from textgen.data.lanes import held_out_lanes, make_lanes
from textgen.data.training_data import TrainingData, digest
from textgen.runs.run_config import DataConfig, as_named
from textgen.text.corpus import MAX_CHARACTERS, Corpus
from textgen.text.oddities import oddities_of_beginning
from textgen.text.source import encodings_of, summary
from textgen.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class TextInMemory(TrainingData):
    """A text, read in lanes."""

    corpus: Corpus

    @property
    def config(self) -> DataConfig:
        corpus = self.corpus
        return DataConfig(
            as_named(self.source),
            encodings=encodings_of(corpus.sources),
            documents=len(corpus.documents),
            characters=len(corpus.text),
            sha256=digest(corpus.text),
        )

    @property
    def text(self) -> str:
        return self._parts[0]

    @property
    def held_out_text(self) -> str:
        return self._parts[1]

    @functools.cached_property
    def _parts(self) -> tuple[str, str]:
        return self.corpus.split(self.settings.validation_fraction, self.settings.held_out)

    def tokens(self, tokenizer: Tokenizer) -> int:
        return len(tokenizer.encode_array(self.text))

    def batches(self, tokenizer: Tokenizer) -> Batches:
        ids = tokenizer.encode_array(self.text)
        return make_lanes(ids, self.settings.batch_size, self.settings.sequence_length)

    def held_out(self, tokenizer: Tokenizer) -> Batches | None:
        ids = tokenizer.encode_array(self.held_out_text)
        return held_out_lanes(ids, self.settings.sequence_length)

    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        text, held_out = (len(tokenizer.encode_array(p)) / max(len(p), 1) for p in self._parts)
        return text, held_out

    def summary(self) -> str:
        corpus = self.corpus
        return summary(corpus.sources, len(corpus.documents), len(corpus.text))

    def notes(self) -> list[str]:
        cut_short = [source.name for source in self.corpus.sources if source.truncated]
        return [
            *(finding.text for finding in oddities_of_beginning(self.corpus.text)),
            *(
                f"{name} is read up to {MAX_CHARACTERS:,} characters: --stream reads it all"
                for name in cut_short
            ),
        ]
