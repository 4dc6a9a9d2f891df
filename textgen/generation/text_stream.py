"""From sampled tokens to text: what a caller gets, chunk by chunk or as a whole.

A chunk never ends within a syllable, a UTF-8 sequence or what may become a stop string.
"""

from __future__ import annotations

import dataclasses

from textgen.generation.decoder import Step
from textgen.generation.sampling import POSSIBLE
from textgen.text.nfc import nfc
from textgen.tokenizers.tokenizer import UNKNOWN, Tokenizer


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


class TextStream:
    """One text of a batch: decodes its tokens, holds back what may change, stops it."""

    def __init__(
        self, tokenizer: Tokenizer, seed: int, stop_strings: tuple[str, ...], unknown: list[str]
    ) -> None:
        self.tokenizer, self.seed, self.unknown = tokenizer, seed, unknown
        self.stop_strings = [nfc(stop) for stop in stop_strings]  # as what is written
        self.finish_reason: str | None = None
        self._decoder = tokenizer.stream_decoder()
        self._held = ""  # decoded, but it may be the beginning of a stop string
        self._clear()

    def _clear(self) -> None:
        self._text = ""
        self._ids: list[int] = []
        self._logprobs: list[float] = []
        self._top: list[list[Alternative]] = []

    def take(self, step: Step, index: int) -> None:
        """Add the token that `step` brings to text `index` of the batch, until the text ends."""
        if self.finish_reason:
            return
        token_id = int(step.ids[index])
        self._ids.append(token_id)
        self._logprobs.append(float(step.logprobs[index]))
        best = zip(step.top_ids[index].tolist(), step.top_logprobs[index].tolist(), strict=True)
        self._top.append(
            [Alternative(i, self.tokenizer.token(i), p) for i, p in best if p > POSSIBLE]
        )
        self._emit(self._decoder.push(token_id))

    def _emit(self, text: str) -> None:
        self._held += text
        stops = [i for stop in self.stop_strings if (i := self._held.find(stop)) >= 0]
        if stops:
            self._text += self._held[: min(stops)]
            self._held, self.finish_reason = "", "stop"
            return
        overlap = max((_overlap(self._held, stop) for stop in self.stop_strings), default=0)
        cut = len(self._held) - overlap
        self._text += self._held[:cut]
        self._held = self._held[cut:]

    def end(self, reason: str) -> None:
        """End the text, unless it has ended: what was held back comes out, but not the bytes of a
        character that is not whole."""
        if self.finish_reason:
            return
        self._emit(self._decoder.flush().removesuffix(UNKNOWN))
        if not self.finish_reason:
            self._text += self._held
            self._held, self.finish_reason = "", reason

    def chunk(self) -> Chunk:
        """What is new since the last chunk."""
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


def joined(prompt: str, chunks: list[Chunk]) -> Generation:
    """The finished text that `chunks` make up, at least one, the last with a `finish_reason`."""
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
