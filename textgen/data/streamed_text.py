"""A text too large for memory: read once, piece by piece, into a file of ids in the run folder, and
trained on from there.

tokens.u8, .u16 or .u32   the ids of all but the end, as small as the vocabulary allows
held_out.txt              the end
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from textgen.config import TrainConfig
from textgen.data.batches import FileLanes, Lanes, held_out_lanes, lay_out
from textgen.errors import RunError, TextgenError
from textgen.log import logger, progress_bar
from textgen.options import build
from textgen.runs import run_folder
from textgen.text.chunks import digest_of, read_chunks
from textgen.text.source import Source, encodings_of, summary
from textgen.tokenizers.tokenizer import Tokenizer

LEARNT = 10_000_000  # characters, at most, from the beginning, that a tokenizer is trained on
HELD_OUT = 500_000  # characters, at most, so that judging an epoch takes seconds
HELD_OUT_FILE = "held_out.txt"
CHUNK = 1 << 20  # ids checked at once


@dataclasses.dataclass(frozen=True)
class Record:
    """What a reading of the text came to. sha256: of the text, the held-out end included.

    tokens, held_out: of `tokens_sha256`'s file in ids, of `held_out_sha256`'s in characters.
    """

    encodings: list[str]
    documents: int
    characters: int
    sha256: str
    tokens: int
    tokens_sha256: str
    held_out: int
    held_out_sha256: str


OF_FILES = ("tokens", "tokens_sha256", "held_out", "held_out_sha256")


@dataclasses.dataclass(frozen=True)
class StreamedMaterial:
    """A text whose ids lie in `folder`, once `read` or `again` has given a record of them."""

    source: str | Path | Sequence[str | Path]
    config: TrainConfig
    folder: Path
    record: Record | None = None
    carry: ClassVar[bool] = True

    @property
    def facts(self) -> dict[str, Any]:
        told = dataclasses.asdict(self._known)
        return {k: v for k, v in told.items() if k not in OF_FILES} | {
            "streamed": {k: told[k] for k in OF_FILES}
        }

    @property
    def text(self) -> str:
        """The beginning of the text, as much as a tokenizer is trained on; nothing held out."""
        parts: list[str] = []
        starts: list[int] = []
        characters = 0
        with contextlib.closing(read_chunks(self.source, self.config, [])) as read:
            for piece in read:
                starts += [characters + start for start in piece.starts]
                parts.append(piece.text)
                characters += len(piece.text)
                if characters >= LEARNT + HELD_OUT:
                    return "".join(parts)[:LEARNT]
        return "".join(parts)[: min(LEARNT, self._cut(characters, starts))]

    @property
    def held_out_text(self) -> str:
        """Raises `RunError` where it is no longer what was written."""
        return _held_out_text(self.folder, self._known.held_out_sha256)

    def read(self, tokenizer: Tokenizer) -> StreamedMaterial:
        """Read the whole text, and write its ids: a file that is there is whole. Raises
        `CorpusError`, and `RunError` where the disk is full."""
        begin = time.perf_counter()
        sources: list[Source] = []
        path, dtype = _file(self.folder, tokenizer)
        digests = {"text": hashlib.sha256(), "tokens": hashlib.sha256()}
        documents = characters = tokens = kept = 0
        end: deque[str] = deque()  # what may yet be held out: the last pieces, of `kept` characters
        starts: deque[int] = deque()  # of the documents among them
        with (
            contextlib.closing(read_chunks(self.source, self.config, sources)) as read,
            run_folder.written(path) as file,
            progress_bar(unit=" characters", unit_scale=True) as bar,
        ):

            def write(text: str) -> int:
                ids = tokenizer.encode_array(text).astype(dtype)
                digests["tokens"].update(ids.data)
                file.write(ids.data)
                return len(ids)

            for piece in read:
                digests["text"].update(piece.text.encode())
                documents += len(piece.starts)
                starts += [characters + start for start in piece.starts]
                end.append(piece.text)
                characters += len(piece.text)
                kept += len(piece.text)
                while kept - len(end[0]) >= HELD_OUT:
                    kept -= len(end[0])
                    tokens += write(end.popleft())
                while starts and starts[0] < characters - kept:
                    starts.popleft()
                bar.update(len(piece.text))
            text, cut = "".join(end), self._cut(characters, starts) - (characters - kept)
            tokens += write(text[:cut])
            # too short a text is refused here, before there is anything of it
            lay_out(tokens, self.config.batch_size, self.config.sequence_length)
            run_folder.write_file(self.folder / HELD_OUT_FILE, text[cut:].encode())
        logger.info(summary(sources, documents, characters))
        logger.info(
            f"read {characters:,} characters, {tokens:,} tokens to train on, in "
            f"{time.perf_counter() - begin:.0f} s"
        )
        record = Record(
            encodings_of(sources),
            documents,
            characters,
            digests["text"].hexdigest(),
            tokens,
            digests["tokens"].hexdigest(),
            len(text) - cut,
            hashlib.sha256(text[cut:].encode()).hexdigest(),
        )
        return dataclasses.replace(self, record=record)

    def again(self, told: dict[str, Any], tokenizer: Tokenizer, anew: bool) -> StreamedMaterial:
        """Go on with the ids in the folder, as config.json told of them; read the text again where
        they are not those. anew: tell what the source holds now, in any case."""
        record = _record(told)
        if record is None or not _whole(self.folder, record, tokenizer):
            path = _file(self.folder, tokenizer)[0]
            logger.warning(f"note: {path} is missing or damaged: reading the text again")
            return self.read(tokenizer)
        if anew:
            sha256 = digest_of(self.source, self.config)
            record = dataclasses.replace(record, sha256=sha256)
        return dataclasses.replace(self, record=record)

    def check(self, tokenizer: Tokenizer) -> None:
        """Raises `RunError` where the ids in the folder are no longer those that were read."""
        if not _whole(self.folder, self._known, tokenizer):
            path = _file(self.folder, tokenizer)[0]
            raise RunError(
                f"{path} was damaged or cannot be read any more: go on with --resume, which reads "
                "the text again"
            )

    def forget(self, tokenizer: Tokenizer) -> None:
        """Take away what `read` wrote."""
        for path in (_file(self.folder, tokenizer)[0], self.folder / HELD_OUT_FILE):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def tokens(self, tokenizer: Tokenizer) -> int:
        """Ids of the training text."""
        return self._known.tokens

    def batches(self, tokenizer: Tokenizer) -> FileLanes:
        config = self.config
        layout = lay_out(self._known.tokens, config.batch_size, config.sequence_length)
        path, dtype = _file(self.folder, tokenizer)
        return FileLanes(path, dtype, layout, config.steps_per_epoch or layout.steps)

    def held_out(self, tokenizer: Tokenizer) -> Lanes | None:
        ids = tokenizer.encode_array(self.held_out_text)
        return held_out_lanes(ids, self.config.sequence_length)

    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        """Of the text, and of what is held out."""
        known, text = self._known, self.held_out_text
        return (
            known.tokens / max(known.characters - known.held_out, 1),
            len(tokenizer.encode_array(text)) / max(len(text), 1),
        )

    @property
    def _known(self) -> Record:
        if self.record is None:
            raise ValueError("the text has not been read yet")
        return self.record

    def _cut(self, characters: int, starts: Sequence[int]) -> int:
        """Where the held-out end begins: as `Corpus.split` has it, but not before `HELD_OUT`."""
        cut = int(characters * (1 - self.config.validation_fraction))
        cut = max(cut, characters - HELD_OUT)
        return next((start for start in starts if start >= cut), cut)


def held_out_of(folder: Path, card: dict[str, Any], source: Any) -> str | None:
    """The held-out end of `source`, if the run of `card` in `folder` streamed it; else None.

    Raises `RunError` where `folder` has lost it.
    """
    told = card.get("corpus")
    record = _record(told) if isinstance(told, dict) else None
    try:
        config = build(TrainConfig, card["training"])
        if record is None or digest_of(source, config) != record.sha256:
            return None
    except (TextgenError, TypeError):
        return None
    return _held_out_text(folder, record.held_out_sha256)


def _file(folder: Path, tokenizer: Tokenizer) -> tuple[Path, np.dtype]:
    """Where the ids of `tokenizer` are kept, and as what."""
    dtype = np.min_scalar_type(tokenizer.vocab_size - 1).newbyteorder("<")
    return folder / f"tokens.u{8 * dtype.itemsize}", dtype


def _record(told: dict[str, Any]) -> Record | None:
    """What config.json tells of a streamed text; None where it tells of none."""
    streamed = told.get("streamed")
    if not isinstance(streamed, dict):
        return None
    kinds = {"int": int, "str": str, "list[str]": list}
    fields = {field.name: kinds[str(field.type)] for field in dataclasses.fields(Record)}
    known = {name: value for name, value in (told | streamed).items() if name in fields}
    if {name: type(value) for name, value in known.items()} != fields:
        return None
    return Record(**known)


def _whole(folder: Path, record: Record, tokenizer: Tokenizer) -> bool:
    """Whether the files are those that the record tells of, and every id is the tokenizer's."""
    path, dtype = _file(folder, tokenizer)
    found = hashlib.sha256()
    try:
        _held_out_text(folder, record.held_out_sha256)
        if not path.is_file() or path.stat().st_size != record.tokens * dtype.itemsize:
            return False
        with open(path, "rb") as file:
            while data := file.read(CHUNK * dtype.itemsize):
                found.update(data)
                if np.frombuffer(data, dtype).max() >= tokenizer.vocab_size:
                    return False
    except (OSError, ValueError, RunError):
        return False
    return found.hexdigest() == record.tokens_sha256


def _held_out_text(folder: Path, sha256: str) -> str:
    path = folder / HELD_OUT_FILE
    data = run_folder.read_file(path, 4 * (HELD_OUT + 1))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RunError(f"{path} is not what was held out: go on with --resume, which mends it")
    return data.decode()
