"""Text in, text out: a loaded model that writes and scores."""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from textgen import shipped
from textgen.errors import ConfigError, GenerationError
from textgen.generation.beam_search import beam_search
from textgen.generation.decoder import Decoder, Step
from textgen.generation.options import generation_config
from textgen.runs.run_folder import load_model, weights_hash
from textgen.text.nfc import nfc
from textgen.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Alternative:
    """A token the model could have written."""

    token_id: int
    token: str
    logprob: float


@dataclasses.dataclass(frozen=True)
class Chunk:
    """What is new since the last chunk. `text` may lag behind `token_ids`: it never ends within a
    syllable, a UTF-8 sequence or what may become a stop string."""

    text: str
    token_ids: list[int]
    logprobs: list[float]
    top_logprobs: list[list[Alternative]]
    finish_reason: str | None
    seed: int
    unknown: list[str]

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Generation:
    """A finished text: `text` is what was written after `prompt`, without the stop string.

    logprobs: natural log of each token's probability under the model, before any transform.
    finish_reason: "length" or "stop". unknown: characters of the prompt the model does not know.
    """

    prompt: str
    text: str
    token_ids: list[int]
    finish_reason: str
    seed: int
    logprobs: list[float]
    top_logprobs: list[list[Alternative]]
    unknown: list[str]


@dataclasses.dataclass(frozen=True)
class ScoredToken:
    """A token of a scored text; logprob is natural, rank 1 the likeliest."""

    text: str
    token_id: int
    logprob: float
    rank: int


@dataclasses.dataclass(frozen=True)
class Score:
    """bits_per_char: -log2 p(text) / characters, the first token predicted after a newline."""

    bits_per_char: float
    tokens: list[ScoredToken]
    unknown: list[str]


class Generator:
    """A model with its tokenizer. Make one with `textgen.load(run_folder)`."""

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        card: dict[str, Any] | None = None,
        *,
        name: str = "",
        hash: str = "",
    ) -> None:
        self.model, self.tokenizer, self.card = model, tokenizer, card or {}
        self.name, self.hash = name, hash
        self.config = model.config
        self._decoder = Decoder(model, tokenizer.banned_ids)

    @classmethod
    def from_run(cls, path: str | Path) -> Self:
        """Load a run folder, or a shipped model by its name.

        Raises `RunError` when it is missing, damaged or foreign.
        """
        folder = shipped.find(Path(path), shipped.MODELS)
        model, tokenizer, card = load_model(folder)
        name = folder.resolve().name
        return cls(model, tokenizer, card, name=name, hash=weights_hash(folder))

    @property
    def num_parameters(self) -> int:
        return int(self.model.count_params())

    def generate(self, prompt: str, **options: Any) -> Generation:
        """Continue `prompt`. Options are those of `GENERATION_OPTIONS`.

        Raises `ConfigError` for an option outside its range and `GenerationError` for a prompt of
        only unknown characters.
        """
        return self.generate_batch([prompt], **options)[0]

    def generate_batch(self, prompts: Sequence[str], **options: Any) -> list[Generation]:
        """Continue several prompts at once; row i is drawn with the seed (seed, i)."""
        parts: list[list[Chunk]] = [[] for _ in prompts]
        for chunks in self.stream_batch(prompts, **options):
            for row, chunk in zip(parts, chunks, strict=True):
                row.append(chunk)
        return [_join(prompt, row) for prompt, row in zip(prompts, parts, strict=True)]

    def stream(self, prompt: str, **options: Any) -> Iterator[Chunk]:
        """Continue `prompt`, a chunk at a time; the last has a `finish_reason`."""
        return (chunks[0] for chunks in self.stream_batch([prompt], **options))

    def stream_batch(self, prompts: Sequence[str], **options: Any) -> Iterator[list[Chunk]]:
        """Like `stream` for several prompts; a row that has ended yields empty chunks."""
        config = generation_config(**options)
        loop = config.loop
        seed = secrets.randbits(31) if loop.seed is None else loop.seed
        unknown = [self.tokenizer.unknown_characters(prompt) for prompt in prompts]
        ids = [self._prompt_ids(p, u) for p, u in zip(prompts, unknown, strict=True)]
        seeds = [(seed, row) for row in range(len(ids))]
        steps = self._decoder.decode(ids, config.transforms, seeds, loop.top_logprobs)
        if loop.num_beams > 1:
            if len(ids) > 1:
                raise ConfigError(
                    f"num_beams is {loop.num_beams} with {len(ids)} texts: beam search finds one "
                    "text of one prompt; leave num_beams out, or ask for one text"
                )
            steps = beam_search(
                self._decoder,
                ids[0],
                config.transforms,
                loop.num_beams,
                loop.max_new_tokens,
                loop.top_logprobs,
            )
        rows = [_Row(self.tokenizer, seed, loop.stop_strings, u) for u in unknown]
        return self._chunks(steps, rows, loop.max_new_tokens)

    def _chunks(
        self, steps: Iterator[Step], rows: list[_Row], max_new_tokens: int
    ) -> Iterator[list[Chunk]]:
        size = 4  # the first words soon, then larger pieces
        for done, step in enumerate(steps, 1):
            for index, row in enumerate(rows):
                row.take(step, index)
            ended = done == max_new_tokens
            if ended:
                for row in rows:
                    row.end("length")
            ended = ended or all(row.finish_reason for row in rows)
            if ended or done % size == 0:
                yield [row.chunk() for row in rows]
                size = min(size * 2, 16)
            if ended:
                return

    def _prompt_ids(self, prompt: str, unknown: list[str]) -> list[int]:
        """What the model reads first: a newline (the start of a text), then the prompt."""
        ids = self.tokenizer.encode(prompt)
        if ids and all(i == self.tokenizer.unk_id for i in ids):
            raise GenerationError(
                f"the prompt {prompt!r} has only characters this model has never seen: "
                "use characters of its training text"
            )
        return [self.tokenizer.start_id, *ids]

    def score(self, text: str) -> Score:
        """How well the model predicts `text`: bits per character, and each token's share.

        Raises `GenerationError` for an empty text.
        """
        ids = self.tokenizer.encode(text)
        if not ids:
            raise GenerationError("the text to score is empty: give at least one character")
        tokens: list[ScoredToken] = []
        for logprobs, ranks in self._decoder.logprobs([self.tokenizer.start_id, *ids]):
            for logprob, rank in zip(logprobs.tolist(), ranks.tolist(), strict=True):
                token_id = ids[len(tokens)]
                tokens.append(ScoredToken(self.tokenizer.token(token_id), token_id, logprob, rank))
        characters = len(nfc(text))
        bits = -math.fsum(t.logprob for t in tokens) / math.log(2) / characters
        return Score(bits, tokens, self.tokenizer.unknown_characters(text))


class _Row:
    """One text on its way out: decodes, holds back, stops."""

    def __init__(
        self, tokenizer: Tokenizer, seed: int, stop_strings: tuple[str, ...], unknown: list[str]
    ) -> None:
        self.tokenizer, self.seed, self.stop_strings = tokenizer, seed, stop_strings
        self.unknown = unknown
        self.finish_reason: str | None = None
        self._decoder = tokenizer.stream_decoder()
        self._held = ""  # decoded, but it may be the beginning of a stop string
        self._clear()

    def _clear(self) -> None:
        self._text = ""
        self._ids: list[int] = []
        self._logprobs: list[float] = []
        self._top: list[list[Alternative]] = []

    def take(self, step: Step, row: int) -> None:
        if self.finish_reason:
            return
        token_id = int(step.ids[row])
        self._ids.append(token_id)
        self._logprobs.append(float(step.logprobs[row]))
        best = zip(step.top_ids[row].tolist(), step.top_logprobs[row].tolist(), strict=True)
        self._top.append([Alternative(i, self.tokenizer.token(i), p) for i, p in best])
        self._emit(self._decoder.push(token_id))

    def _emit(self, text: str) -> None:
        self._held += text
        found = [i for stop in self.stop_strings if (i := self._held.find(stop)) >= 0]
        if found:
            self._text += self._held[: min(found)]
            self._held, self.finish_reason = "", "stop"
            return
        keep = max((_overlap(self._held, stop) for stop in self.stop_strings), default=0)
        cut = len(self._held) - keep
        self._text += self._held[:cut]
        self._held = self._held[cut:]

    def end(self, reason: str) -> None:
        if self.finish_reason:
            return
        self._emit(self._decoder.flush())
        if not self.finish_reason:
            self._text += self._held
            self._held, self.finish_reason = "", reason

    def chunk(self) -> Chunk:
        chunk = Chunk(
            self._text,
            self._ids,
            self._logprobs,
            self._top,
            self.finish_reason,
            self.seed,
            self.unknown,
        )
        self._clear()
        return chunk


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` may be the beginning of `stop`."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((n for n in sizes if text.endswith(stop[:n])), 0)


def _join(prompt: str, chunks: list[Chunk]) -> Generation:
    last = chunks[-1]
    return Generation(
        prompt=prompt,
        text="".join(c.text for c in chunks),
        token_ids=[i for c in chunks for i in c.token_ids],
        finish_reason=last.finish_reason or "length",
        seed=last.seed,
        logprobs=[p for c in chunks for p in c.logprobs],
        top_logprobs=[t for c in chunks for t in c.top_logprobs],
        unknown=last.unknown,
    )


def load(path: str | Path) -> Generator:
    """Load a run folder. Raises `RunError` when it is missing, damaged or foreign."""
    return Generator.from_run(path)
