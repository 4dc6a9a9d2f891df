"""A text with another mixed in, so that a model that knew the other does not forget it.

Some lanes of every batch read the old text, the others the new one: "experience replay", which
keeps a network from what McCloskey & Cohen (1989) named catastrophic interference (Robins 1995).
"""

from __future__ import annotations

import dataclasses
import math

from textgen.arrays import Dataset
from textgen.config import TrainConfig
from textgen.data.batches import ready
from textgen.data.lanes import Lanes, make_lanes
from textgen.data.text_in_memory import TextInMemory
from textgen.data.training_data import digest
from textgen.errors import ConfigError, CorpusError, shown
from textgen.runs.run_config import DataConfig
from textgen.text.corpus import check_names, load_corpus
from textgen.tokenizers.tokenizer import Tokenizer

LARGEST_SHARE = 0.9  # the share of a batch that the old text may have


@dataclasses.dataclass(frozen=True)
class ReplayedText(TextInMemory):
    """A text, and an old one. share: of each batch that is of the old one."""

    old: TextInMemory
    share: float

    @property
    def replayed(self) -> TextInMemory:
        return self.old

    @property
    def config(self) -> DataConfig:
        return dataclasses.replace(super().config, replay_sha256=digest(self.old.corpus.text))

    @property
    def text(self) -> str:
        return self.new_text + self.old.text

    @property
    def new_text(self) -> str:
        """What of the new text is trained on."""
        return self._parts[0]

    def tokens(self, tokenizer: Tokenizer) -> int:
        return round(len(tokenizer.encode_array(self.new_text)) / (1 - self.share))

    def batches(self, tokenizer: Tokenizer) -> MixedLanes:
        """A batch has as many lanes as of one text, of which the old one takes its share."""
        size, length = self.settings.batch_size, self.settings.sequence_length
        of_old = max(1, round(size * self.share))
        new = make_lanes(tokenizer.encode_array(self.new_text), max(1, size - of_old), length)
        of_old = max(1, round(new.batch_size * self.share / (1 - self.share)))  # of a short text
        try:
            old = make_lanes(tokenizer.encode_array(self.old.text), of_old, length)
        except CorpusError as error:
            raise CorpusError(f"replay {self.old.source}: {error}") from None
        return MixedLanes(new, old)


@dataclasses.dataclass(frozen=True)
class MixedLanes:
    """Batches whose first lanes are of one text and whose last are of another. An epoch is a pass
    over the first; the other goes on from epoch to epoch, and begins anew at its own end."""

    new: Lanes
    old: Lanes

    @property
    def batch_size(self) -> int:
        return self.new.batch_size + self.old.batch_size

    @property
    def steps(self) -> int:
        return self.new.steps

    @property
    def steps_of_text(self) -> int:
        return self.new.steps

    def dataset(self, start: int = 0) -> Dataset:
        """As that of `Lanes`: batch k depends on k alone, so a run resumes where it was."""
        from textgen.backend import tf

        both = tf.data.Dataset.zip(self.new.dataset(start), self.old.dataset(start))
        return ready(
            both.map(lambda new, old: tuple(tf.concat(p, 0) for p in zip(new, old, strict=True)))
        )


def check_replay(settings: TrainConfig) -> None:
    """Raise, before any text is read, `ConfigError` where `settings` mix in what is no text and
    share, or into what it cannot be mixed into, and `CorpusError` where there is no such text."""
    if not settings.replay:
        return
    source, _ = replay_of(settings)
    if settings.sample_by == "line" or settings.label_by:
        name, part = ("label_by", "document") if settings.label_by else ("sample_by", "line")
        raise ConfigError(
            f"replay is mixed into a text that is read on and on, and {name} "
            f"{getattr(settings, name)} reads each {part} by itself: leave one of them out"
        )
    check_names(source)


def with_replay(data: TextInMemory) -> TextInMemory:
    """`data` with the text that its settings mix in, if they name one. Raises `CorpusError` for a
    text that cannot be read."""
    if not data.settings.replay:
        return data
    source, share = replay_of(data.settings)
    old = TextInMemory(source, data.settings, load_corpus(source, data.settings))
    return ReplayedText(data.source, data.settings, data.corpus, old, share)


def replay_of(settings: TrainConfig) -> tuple[str, float]:
    """(the old text, its share of each batch). Raises `ConfigError`."""
    source, _, number = settings.replay.rpartition("=")
    try:
        share = float(number)
    except ValueError:
        share = math.nan
    if not source or not 0 < share <= LARGEST_SHARE:
        raise ConfigError(
            f"replay is {shown(settings.replay)}: give TEXT=SHARE, the share of each batch above 0 "
            f"and at most {LARGEST_SHARE:g}, such as old.txt=0.2"
        )
    return source, share
