"""A request carried out: the parts of its texts as they are written, and the whole answer."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterator

from textgen.generation.fair_queue import QUEUE
from textgen.generation.generator import Generator
from textgen.generation.text_stream import Chunk
from textgen.serve.request import Request
from textgen.serve.token_log import LoggedToken, TokenLog, read_prompt, written
from textgen.text.nfc import nfc


@dataclasses.dataclass
class Part:
    """What is new of the text `index`; the last part has a `finish_reason`."""

    index: int
    text: str
    tokens: list[LoggedToken]
    finish_reason: str | None


class Completion:
    """The texts that a request asks for: text i n + j is the one j of prompt i.

    Raises `GenerationError` for a prompt that the model cannot take.
    """

    def __init__(self, model: Generator, request: Request) -> None:
        self.model, self.request = model, request
        settings = request.settings
        self.texts = [prompt for prompt in request.prompts for _ in range(settings.n)]
        self.logs = [TokenLog(model.tokenizer, settings.logprobs or 0) for _ in self.texts]
        self.written = 0  # tokens
        self.about = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": request.model,
            "system_fingerprint": model.hash,
        }
        self._steps: Iterator[list[Chunk]] = iter(())
        if settings.max_tokens:
            self._steps = model.stream_batch(
                self.texts,
                max_new_tokens=settings.max_tokens,
                seed=settings.seed,
                stop_strings=request.stop,
                top_logprobs=settings.logprobs or 0,
                engine="numpy",  # it begins at once, and gives cores back between its steps
                **request.sampling,
            )

    def parts(self) -> Iterator[list[Part]]:
        """What is new, step by step; each step is computed in its turn."""
        if self.request.settings.echo:
            yield from self._prompts()
        finished = [False] * len(self.texts)
        for chunks in QUEUE.in_turns(self._steps):
            new = []
            for index, chunk in enumerate(chunks):
                if finished[index]:
                    continue
                finished[index] = chunk.finish_reason is not None
                self.written += len(chunk.token_ids)
                tokens = written(self.model.tokenizer, chunk)
                new.append(Part(index, chunk.text, tokens, chunk.finish_reason))
            yield new
        if not self.request.settings.max_tokens:
            yield [Part(index, "", [], "length") for index in range(len(self.texts))]

    def _prompts(self) -> Iterator[list[Part]]:
        """The prompts, each with its tokens where they are asked for."""
        settings = self.request.settings
        for number, prompt in enumerate(self.request.prompts):
            tokens: list[LoggedToken] = []
            if settings.logprobs is not None:
                for some in QUEUE.in_turns(read_prompt(self.model, prompt, settings.logprobs)):
                    tokens += some
            first = number * settings.n
            yield [Part(first + k, nfc(prompt), tokens, None) for k in range(settings.n)]

    def choice(self, part: Part) -> dict[str, object]:
        """A part as the API has it."""
        log = None
        if self.request.settings.logprobs is not None:
            log = self.logs[part.index].told(part.tokens)
        return {
            "index": part.index,
            "text": part.text,
            "logprobs": log,
            "finish_reason": part.finish_reason,
        }

    def whole(self, parts: list[Part]) -> dict[str, object]:
        """The answer, of all the parts."""
        choices = []
        for index in range(len(self.texts)):
            own = [part for part in parts if part.index == index]
            text = "".join(part.text for part in own)
            tokens = [token for part in own for token in part.tokens]
            choices.append(self.choice(Part(index, text, tokens, own[-1].finish_reason)))
        return {**self.about, "choices": choices, "usage": self.usage()}

    def usage(self) -> dict[str, int]:
        """How many tokens were read and written."""
        read = sum(len(self.model.tokenizer.encode(prompt)) for prompt in self.request.prompts)
        return {
            "prompt_tokens": read,
            "completion_tokens": self.written,
            "total_tokens": read + self.written,
        }
