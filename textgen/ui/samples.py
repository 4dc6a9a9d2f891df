"""The texts on the page Write: what a model wrote, token by token, and how it goes on.

Nothing of Streamlit in here. A sample survives a stop at any chunk: `take` adds whole tokens.
"""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from textgen.arrays import Array
from textgen.evaluation.copying import CopyMeter, covered
from textgen.generation.fair_queue import QUEUE, TOKEN_LIMIT
from textgen.generation.scoring import of_ngrams
from textgen.tokenizers.detokenizer import group_tokens
from textgen.tokenizers.tokenizer import UNKNOWN

if TYPE_CHECKING:
    from textgen.generation.generator import Generator
    from textgen.generation.text_stream import Alternative, Chunk
    from textgen.tokenizers.tokenizer import Tokenizer

ALTERNATIVES = 10


@dataclasses.dataclass
class Token:
    """One token as written; `best` are the likeliest alternatives, best first."""

    token_id: int
    logprob: float
    best: list[Alternative]


@dataclasses.dataclass
class Sample:
    """A prompt and what follows; `streamed` is its text while it is being written."""

    prompt: str
    tokens: list[Token] = dataclasses.field(default_factory=list)
    streamed: str = ""
    seed: int | None = None
    finish_reason: str | None = None
    unknown: list[str] = dataclasses.field(default_factory=list)

    def take(self, chunk: Chunk) -> None:
        """Add what a chunk brings."""
        columns = zip(chunk.token_ids, chunk.logprobs, chunk.top_logprobs, strict=True)
        self.tokens += [Token(*column) for column in columns]
        self.streamed += chunk.text
        self.seed, self.finish_reason = chunk.seed, chunk.finish_reason
        self.unknown = chunk.unknown or self.unknown

    def text(self, tokenizer: Tokenizer) -> str:
        """Prompt and all that was written, composed: a syllable may begin in the prompt."""
        written = tokenizer.decode_whole(token.token_id for token in self.tokens)
        return unicodedata.normalize("NFC", self.prompt + written)

    def drop_unfinished(self, tokenizer: Tokenizer) -> None:
        """Forget the tokens at the end that are only a part of a character: the text, which the
        model goes on from, is without them."""
        text = self.text(tokenizer)
        while self.tokens and Sample(self.prompt, self.tokens[:-1]).text(tokenizer) == text:
            self.tokens.pop()

    def cut(self, index: int, token_id: int) -> None:
        """Keep the tokens before `index`, then `token_id` in its place."""
        replaced = self.tokens[index]
        logprobs = {a.token_id: a.logprob for a in replaced.best}
        logprob = logprobs.get(token_id, replaced.logprob)
        self.tokens = [*self.tokens[:index], Token(token_id, logprob, replaced.best)]
        self.finish_reason = None


@dataclasses.dataclass
class Job:
    """What is to be written next: these rows of the samples, with these options."""

    rows: list[int]
    options: dict[str, Any]


def begin(prompt: str, number: int, options: dict[str, Any]) -> tuple[list[Sample], Job]:
    """`number` new samples of one prompt."""
    return [Sample(prompt) for _ in range(number)], Job(list(range(number)), options)


def write(generator: Generator, samples: list[Sample], job: Job) -> Iterator[None]:
    """Carry out `job`, yielding after each chunk. Raises `TextgenError` for bad input."""
    tokenizer = generator.tokenizer
    for row in job.rows:
        samples[row].drop_unfinished(tokenizer)
    texts = [samples[row].text(tokenizer) for row in job.rows]
    for row, text in zip(job.rows, texts, strict=True):
        samples[row].streamed = text.removeprefix(samples[row].prompt)
    # whatever a browser asks for
    options = job.options | {"max_new_tokens": min(job.options["max_new_tokens"], TOKEN_LIMIT)}
    stream = generator.stream_batch(texts, top_logprobs=ALTERNATIVES, **options)
    for chunks in QUEUE.in_turns(stream):
        for row, chunk in zip(job.rows, chunks, strict=True):
            samples[row].take(chunk)
        yield


@dataclasses.dataclass(frozen=True)
class Copies:
    """What of a sample stands in the training text. longest: for each character of prompt and text
    the longest copied span it is in, 0 where it is in none; share: of the characters written."""

    longest: Array
    share: float
    length: int


def copies(sample: Sample, tokenizer: Tokenizer, meter: CopyMeter) -> Copies:
    """Spans may begin in the prompt; what is counted is what the model wrote."""
    text = sample.text(tokenizer)
    longest = covered(meter.spans(text), len(text))
    written = longest[len(unicodedata.normalize("NFC", sample.prompt)) :]
    if not len(written):
        return Copies(longest, 0.0, 0)
    return Copies(longest, float((written > 0).mean()), int(written.max()))


def counted(generator: Generator, prompt: str, written: Sequence[int]) -> list[float]:
    """What of the probability of each token written after a prompt is that of the n-grams, from 0
    to 1; none of a model that has none."""
    if generator.mixture is None:
        return []
    tokenizer = generator.tokenizer
    before = [tokenizer.start_id, *tokenizer.encode(prompt)]
    shares = of_ngrams(generator.network, [*before, *written], generator.mixture)
    return [round(float(share), 3) for share in shares[len(before) - 1 :]]


def strip_data(
    sample: Sample,
    tokenizer: Tokenizer,
    copied: Copies | None = None,
    counted: Sequence[float] = (),
) -> dict[str, object]:
    """What the token strip shows: readable groups of tokens, their probabilities, alternatives, and
    of each group the longest copied span it is in, and what of it the n-grams predicted, where
    `counted` tells that of each token."""
    ids = [token.token_id for token in sample.tokens]
    groups = group_tokens(ids, tokenizer.decode)
    if groups and tokenizer.decode(ids) != tokenizer.decode_whole(ids):
        groups[-1] = (*groups[-1][:2], groups[-1][2].removesuffix(UNKNOWN))
    prompt = unicodedata.normalize("NFC", sample.prompt)
    if groups and prompt and joined(prompt, groups[0][2]) is not None:
        # the first token completes the prompt's last syllable: show it in the token's colour
        prompt, groups[0] = prompt[:-1], (*groups[0][:2], joined(prompt, groups[0][2]) or "")
    ends = np.cumsum([len(prompt), *(len(text) for _, _, text in groups)])
    return {
        "prompt": prompt,
        "groups": [
            {
                "first": first,
                "count": count,
                "text": text,
                "copied": int(copied.longest[begin : begin + len(text)].max(initial=0))
                if copied is not None
                else 0,
                "counted": float(np.mean(counted[first : first + count])) if counted else None,
            }
            for (first, count, text), begin in zip(groups, ends, strict=False)
        ],
        "tokens": [
            {
                "shown": tokenizer.token(token.token_id),
                "id": token.token_id,
                "p": round(math.exp(token.logprob), 5),
                "best": [[a.token_id, a.token, round(math.exp(a.logprob), 5)] for a in token.best],
            }
            for token in sample.tokens
        ],
    }


def joined(prompt: str, text: str) -> str | None:
    """The last character of `prompt` with `text`, if the two compose; else None."""
    together = unicodedata.normalize("NFC", prompt[-1] + text)
    return together if together != prompt[-1] + text else None
