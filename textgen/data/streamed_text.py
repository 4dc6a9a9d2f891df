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
from typing import Self

import numpy as np

from textgen.config import TrainConfig
from textgen.data.lanes import FileLanes, Lanes, held_out_lanes, lay_out
from textgen.data.training_data import TrainingData
from textgen.errors import RunError, TextgenError
from textgen.log import logger, progress_bar
from textgen.options import build
from textgen.runs import atomic_files
from textgen.runs.run_config import Card, DataConfig, StreamedFiles, as_named
from textgen.text.chunks import digest_of, read_chunks
from textgen.text.corpus import MOST_HELD_OUT, cut_of
from textgen.text.source import Provenance, Source, encodings_of, summary
from textgen.tokenizers.tokenizer import Tokenizer

LEARNT = 10_000_000  # characters, at most, from the beginning, that a tokenizer is trained on
HELD_OUT_FILE = "held_out.txt"
CHUNK = 1 << 20  # ids checked at once
# ids that n-grams are counted in: so many stretches from all over the text, which takes 160 MB
STRETCHES, STRETCH = 40, 50_000


@dataclasses.dataclass(frozen=True)
class StreamedText(TrainingData):
    """A text whose ids lie in `folder`. known: what it holds, once it was prepared."""

    folder: Path
    known: DataConfig | None = None

    @property
    def config(self) -> DataConfig:
        if self.known is None:
            raise ValueError("the text has not been read yet: call prepare")
        return self.known

    @property
    def files(self) -> StreamedFiles:
        """What lies in the folder."""
        if self.config.streamed is None:
            raise ValueError("the text has not been read yet: call prepare")
        return self.config.streamed

    @property
    def text(self) -> str:
        """The beginning of the text, as much as a tokenizer is trained on; nothing held out."""
        parts: list[str] = []
        starts: list[int] = []
        characters = 0
        with contextlib.closing(read_chunks(self.source, self.settings, [])) as read:
            for piece in read:
                starts += [characters + start for start in piece.starts]
                parts.append(piece.text)
                characters += len(piece.text)
                if characters >= LEARNT + MOST_HELD_OUT:
                    return "".join(parts)[:LEARNT]
        return "".join(parts)[: min(LEARNT, self._cut(characters, starts))]

    @property
    def held_out_text(self) -> str:
        """Raises `RunError` where it is no longer what was written."""
        return _held_out_text(self.folder, self.files.held_out_sha256)

    def prepare(self, tokenizer: Tokenizer) -> Self:
        """Read the whole text, and write its ids: a file that is there is whole."""
        begin = time.perf_counter()
        sources: list[Provenance] = []
        path, dtype = _file(self.folder, tokenizer)
        digests = {"text": hashlib.sha256(), "tokens": hashlib.sha256()}
        documents = characters = tokens = waiting = 0
        end: deque[str] = deque()  # what may yet be held out: the last `waiting` characters
        starts: deque[int] = deque()  # of the documents among them
        with (
            contextlib.closing(read_chunks(self.source, self.settings, sources)) as read,
            atomic_files.replacing(path) as file,
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
                waiting += len(piece.text)
                while waiting - len(end[0]) >= MOST_HELD_OUT:
                    waiting -= len(end[0])
                    tokens += write(end.popleft())
                while starts and starts[0] < characters - waiting:
                    starts.popleft()
                bar.update(len(piece.text))
            text, cut = "".join(end), self._cut(characters, starts) - (characters - waiting)
            tokens += write(text[:cut])
            # too short a text is refused here, before there is anything of it
            lay_out(tokens, self.settings.batch_size, self.settings.sequence_length)
            atomic_files.write_file(self.folder / HELD_OUT_FILE, text[cut:].encode())
        logger.info(summary(sources, documents, characters))
        logger.info(
            f"read {characters:,} characters, {tokens:,} tokens to train on, in "
            f"{time.perf_counter() - begin:.0f} s"
        )
        files = StreamedFiles(
            tokens,
            digests["tokens"].hexdigest(),
            len(text) - cut,
            hashlib.sha256(text[cut:].encode()).hexdigest(),
        )
        known = DataConfig(
            as_named(self.source),
            encodings=encodings_of(sources),
            documents=documents,
            characters=characters,
            sha256=digests["text"].hexdigest(),
            streamed=files,
        )
        return dataclasses.replace(self, known=known)

    def prepare_again(self, recorded: DataConfig, tokenizer: Tokenizer, *, moved: bool) -> Self:
        """Go on with the ids in the folder; read the text again where they are not those that
        config.json tells of."""
        files = recorded.streamed
        if (
            files is None
            or recorded.characters is None
            or not _is_whole(self.folder, files, tokenizer)
        ):
            path = _file(self.folder, tokenizer)[0]
            logger.warning(f"note: {path} is missing or damaged: reading the text again")
            return self.prepare(tokenizer)
        if moved:
            sha256 = digest_of(self.source, self.settings)
            recorded = dataclasses.replace(recorded, sha256=sha256)
        return dataclasses.replace(self, known=recorded)

    def check(self, tokenizer: Tokenizer) -> None:
        """Raises `RunError` where the ids in the folder are no longer those that were read."""
        if not _is_whole(self.folder, self.files, tokenizer):
            path = _file(self.folder, tokenizer)[0]
            raise RunError(
                f"{path} was damaged or cannot be read any more: go on with --resume, which reads "
                "the text again"
            )

    def discard(self, tokenizer: Tokenizer) -> None:
        for path in (_file(self.folder, tokenizer)[0], self.folder / HELD_OUT_FILE):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def tokens(self, tokenizer: Tokenizer) -> int:
        return self.files.tokens

    def counted(self, tokenizer: Tokenizer) -> np.ndarray:
        """Ids from all over the text, in stretches: what does not fit into memory is not to be
        counted in memory."""
        path, dtype = _file(self.folder, tokenizer)
        ids = np.memmap(path, dtype, "r")
        if len(ids) <= STRETCHES * STRETCH:
            return np.array(ids)
        starts = np.linspace(0, len(ids) - STRETCH, STRETCHES).astype(np.int64)
        return np.concatenate([ids[start : start + STRETCH] for start in starts])

    def batches(self, tokenizer: Tokenizer) -> FileLanes:
        settings = self.settings
        layout = lay_out(self.files.tokens, settings.batch_size, settings.sequence_length)
        path, dtype = _file(self.folder, tokenizer)
        return FileLanes(path, dtype, layout, settings.steps_per_epoch or layout.steps)

    def held_out(self, tokenizer: Tokenizer) -> Lanes | None:
        ids = tokenizer.encode_array(self.held_out_text)
        return held_out_lanes(ids, self.settings.sequence_length)

    def tokens_per_char(self, tokenizer: Tokenizer) -> tuple[float, float]:
        files, text = self.files, self.held_out_text
        characters = (self.config.characters or 0) - files.held_out
        return (
            files.tokens / max(characters, 1),
            len(tokenizer.encode_array(text)) / max(len(text), 1),
        )

    def _cut(self, characters: int, starts: Sequence[int]) -> int:
        """Where the held-out end begins, as `Corpus.split` has it."""
        return cut_of(characters, self.settings.validation_fraction, starts)


def held_out_of(folder: Path, card: Card, source: Source) -> str | None:
    """The held-out end of `source`, if the run of `card` in `folder` streamed it; else None.

    Raises `RunError` where `folder` has lost it.
    """
    try:
        recorded = DataConfig.from_dict(card.get("corpus"))
        settings = build(TrainConfig, card["training"])
        if recorded.streamed is None or digest_of(source, settings) != recorded.sha256:
            return None
    except (TextgenError, TypeError):
        return None
    return _held_out_text(folder, recorded.streamed.held_out_sha256)


def _file(folder: Path, tokenizer: Tokenizer) -> tuple[Path, np.dtype]:
    """Where the ids of `tokenizer` are kept, and as what."""
    dtype = np.min_scalar_type(tokenizer.vocab_size - 1).newbyteorder("<")
    return folder / f"tokens.u{8 * dtype.itemsize}", dtype


def _is_whole(folder: Path, recorded: StreamedFiles, tokenizer: Tokenizer) -> bool:
    """Whether the files are those that were recorded, and every id is the tokenizer's."""
    path, dtype = _file(folder, tokenizer)
    digest = hashlib.sha256()
    try:
        _held_out_text(folder, recorded.held_out_sha256)
        if not path.is_file() or path.stat().st_size != recorded.tokens * dtype.itemsize:
            return False
        with open(path, "rb") as file:
            while data := file.read(CHUNK * dtype.itemsize):
                digest.update(data)
                if np.frombuffer(data, dtype).max() >= tokenizer.vocab_size:
                    return False
    except (OSError, ValueError, RunError):
        return False
    return digest.hexdigest() == recorded.tokens_sha256


def _held_out_text(folder: Path, sha256: str) -> str:
    path = folder / HELD_OUT_FILE
    data = atomic_files.read_file(path, 4 * (MOST_HELD_OUT + 1))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RunError(f"{path} is not what was held out: go on with --resume, which mends it")
    return data.decode()
