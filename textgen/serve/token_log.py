"""The tokens of a text, how likely each was and what else was likely, as the API lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from textgen.array_ops import ops_for
from textgen.generation.generator import Generator
from textgen.generation.scoring import windows
from textgen.generation.text_stream import Chunk
from textgen.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class LoggedToken:
    """logprob: natural. best: of the likeliest tokens in its place, and its own."""

    token_id: int
    logprob: float
    best: dict[str, float]


def read_prompt(model: Generator, prompt: str, number: int) -> Iterator[list[LoggedToken]]:
    """The tokens of a prompt, some at a time, each with its `number` likeliest. The first is
    predicted after the newline that every text begins with."""
    tokenizer = model.tokenizer
    every = [tokenizer.start_id, *tokenizer.encode(prompt)]
    for ids, logits, _ in windows(model.network, every, model.mixture):
        ops = ops_for(logits)
        logprobs = ops.log_softmax(logits, axis=-1)
        own = np.take_along_axis(logprobs, ids[:, None], -1)[:, 0]
        best, best_ids = logprobs[:, :0], logprobs[:, :0]
        if number:
            best, best_ids = ops.top_k(logprobs, min(number, logprobs.shape[-1]))
        yield [
            _logged(tokenizer, int(token_id), float(logprob), zip(likeliest, values, strict=True))
            for token_id, logprob, likeliest, values in zip(ids, own, best_ids, best, strict=True)
        ]


def written(tokenizer: Tokenizer, chunk: Chunk) -> list[LoggedToken]:
    """The tokens of a chunk."""
    rows = zip(chunk.token_ids, chunk.logprobs, chunk.top_logprobs, strict=True)
    return [
        _logged(tokenizer, token_id, logprob, ((one.token_id, one.logprob) for one in best))
        for token_id, logprob, best in rows
    ]


def _logged(
    tokenizer: Tokenizer, token_id: int, logprob: float, best: Iterable[tuple[int, float]]
) -> LoggedToken:
    likeliest = {tokenizer.token(int(other)): float(value) for other, value in best}
    return LoggedToken(token_id, logprob, likeliest | {tokenizer.token(token_id): logprob})


class TokenLog:
    """What the API tells of the tokens of one text, part by part."""

    def __init__(self, tokenizer: Tokenizer, alternatives: int) -> None:
        self._tokenizer, self._alternatives = tokenizer, alternatives
        self._decoder = tokenizer.stream_decoder()
        self._length = 0  # characters that are certain so far

    def told(self, tokens: list[LoggedToken]) -> dict[str, object]:
        """Of the next tokens. text_offset: how many characters of the text were certain before
        each, so all tokens of a syllable have one."""
        offsets = []
        for token in tokens:
            offsets.append(self._length)
            self._length += len(self._decoder.push(token.token_id))
        return {
            "tokens": [self._tokenizer.token(token.token_id) for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [token.best for token in tokens] if self._alternatives else None,
            "text_offset": offsets,
        }
