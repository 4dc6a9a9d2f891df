"""What config.json says of a run: its settings, and what was found in its text.

A section of config.json is a field here: `model`, `tokenizer`, `training`, `corpus` (here `data`),
`metrics`, of a run that several processes train together `workers`, and of one that began from a
model `from` (here `origin`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, TypeGuard

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.errors import ConfigError, shown
from textgen.options import build
from textgen.text.source import Source

LARGEST_BITS = 1e6  # per character: none is near it
# Among the metrics of a run that went back towards the weights it began from: how far from them it
# is, as a share of the way to those that were trained.
INTERPOLATION = "interpolation"
# config.json as it was read: that the first three are tables has been checked, and nothing else
Card = TypedDict(
    "Card",
    {
        "model": dict[str, object],
        "tokenizer": dict[str, object],
        "training": dict[str, object],
        "corpus": object,
        "metrics": object,
        "workers": object,
        "from": object,
    },
    total=False,
)


def without_folder(source: str) -> str:
    """The name of a file or of a run, without the folders that it lies in; what is on the Hub as it
    is."""
    return source if source.startswith("hf:") else Path(source).name or source


@dataclasses.dataclass(frozen=True)
class StreamedFiles:
    """What lies in the run folder of a streamed text. tokens: of `tokens_sha256`'s file in ids.
    held_out: of `held_out_sha256`'s in characters."""

    tokens: int
    tokens_sha256: str
    held_out: int
    held_out_sha256: str


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What a run is trained on, and what was found there.

    source: as the user named it. sha256: of the whole text, what is held out included, and of its
    labels. task: the name of the task file; documents and encodings are those of a text.
    replay_sha256: of the other text that is mixed in, where one is. labels: those of the documents,
    in the order of their voices.
    """

    source: str | list[str]
    task: str | None = None
    encodings: list[str] | None = None
    documents: int | None = None
    characters: int | None = None
    sha256: str | None = None
    replay_sha256: str | None = None
    labels: list[str] | None = None
    streamed: StreamedFiles | None = None

    def to_dict(self) -> dict[str, object]:
        return {
            name: value for name, value in dataclasses.asdict(self).items() if value is not None
        }

    @classmethod
    def from_dict(cls, card: object) -> DataConfig:
        """A value of another type than it should have is left out. Raises `ConfigError` where no
        source is named."""
        if not isinstance(card, dict) or not is_source(card.get("source")):
            raise ConfigError("it names no corpus: train anew")
        types: dict[str, type] = {
            "task": str,
            "encodings": list,
            "documents": int,
            "characters": int,
            "sha256": str,
            "replay_sha256": str,
            "labels": list,
        }
        known = {name: card[name] for name, kind in types.items() if type(card.get(name)) is kind}
        return cls(card["source"], **known, streamed=_streamed_files(card.get("streamed")))


def _streamed_files(card: object) -> StreamedFiles | None:
    names = [field.name for field in dataclasses.fields(StreamedFiles)]
    if not isinstance(card, dict) or not card.keys() >= set(names):
        return None
    values = [card[name] for name in names]
    return StreamedFiles(*values) if [type(v) for v in values] == [int, str, int, str] else None


@dataclasses.dataclass(frozen=True)
class Origin:
    """The model that a run began from.

    run: its folder, or its name, as the user gave it. hash: of its weights. bits: per character of
    what is held out, as that model predicted it: by "new" and "old", the texts. vocab_size: of that
    model; None in runs that are older than this field.
    """

    run: str
    hash: str
    bits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    vocab_size: int | None = None

    @classmethod
    def from_dict(cls, card: object) -> Origin | None:
        """None for what `to_dict` did not give."""
        if not isinstance(card, dict) or type(card.get("run")) is not str:
            return None
        bits = card.get("bits")
        known = {
            str(name): float(value)
            for name, value in (bits.items() if isinstance(bits, dict) else ())
            if type(value) in (int, float) and 0 < value < LARGEST_BITS
        }
        size = card.get("vocab_size")
        vocab_size = size if type(size) is int and size > 0 else None
        return cls(card["run"], str(card.get("hash", "")), known, vocab_size)

    def to_dict(self) -> dict[str, object]:
        card = {"run": self.run, "hash": self.hash, "bits": dict(self.bits)}
        return card | ({"vocab_size": self.vocab_size} if self.vocab_size else {})


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """All that a run is made of.

    tokenizer: `vocab_size` is that of the tokenizer at hand. data: None until the text is read.
    workers: processes that train together. metrics: of the best epoch so far, by name. origin: the
    model that it began from, None for one that began anew.
    """

    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    tokenizer: TokenizerConfig = dataclasses.field(default_factory=TokenizerConfig)
    training: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    data: DataConfig | None = None
    workers: int = 1
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    origin: Origin | None = None

    def to_dict(self) -> Card:
        """The sections of config.json, in their order."""
        card: Card = {
            "model": dataclasses.asdict(self.model),
            "tokenizer": {
                "name": self.tokenizer.tokenizer,
                "vocab_size": self.tokenizer.vocab_size,
            },
            "training": dataclasses.asdict(self.training),
            "corpus": self.data.to_dict() if self.data else {},
            "metrics": dict(self.metrics),
        }
        if self.workers > 1:
            card["workers"] = self.workers
        if self.origin is not None:
            card["from"] = self.origin.to_dict()
        return card

    @classmethod
    def from_dict(cls, card: Card) -> RunConfig:
        """What config.json holds. A setting that it lacks, being older, has its default. Raises
        `ConfigError` for a value outside its range, and where no corpus is named."""
        try:
            model = build(ModelConfig, card["model"])
            training = build(TrainConfig, card["training"])
            name = card["tokenizer"].get("name")
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ConfigError(f"it has no whole settings ({error}): train anew") from error
        size, workers, metrics = (
            card["tokenizer"].get("vocab_size"),
            card.get("workers", 1),
            card.get("metrics"),
        )
        if not isinstance(workers, int):
            raise ConfigError(f"workers is {shown(workers)}: give a whole number, or train anew")
        return cls(
            model,
            TokenizerConfig(str(name), size if isinstance(size, int) else 0),
            training,
            DataConfig.from_dict(card.get("corpus")),
            workers,
            metrics if isinstance(metrics, dict) else {},
            Origin.from_dict(card.get("from")),
        )


def is_source(value: object) -> TypeGuard[str | list[str]]:
    """Whether config.json may name `value` as what a run is trained on."""
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    )


def as_named(source: Source) -> str | list[str]:
    """The source as it was given, for config.json."""
    return str(source) if isinstance(source, str | Path) else [str(item) for item in source]
