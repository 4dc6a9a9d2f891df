"""Nothing copied: a token that would make more than so many characters in a row stand in the
training text is refused while the text is written, and another is drawn in its place.

B texts, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from textgen.array_ops import pick
from textgen.errors import ConfigError, GenerationError
from textgen.generation.decoder import LARGEST_UNIFORM, Begun, Decoder, Step, Texts
from textgen.generation.sampling import NEVER, POSSIBLE, Transform
from textgen.network import Network
from textgen.ngrams.mixture import Mixture
from textgen.text.nfc import nfc
from textgen.text.stretches import Stretches
from textgen.tokenizers.tokenizer import Tokenizer

# letters of a syllable, bytes of a character: so many tokens, at most, write one character
TOKENS_PER_CHARACTER = 4


def check_longest(longest: int) -> None:
    """Raise `ConfigError` for a number of characters below 1, before a text is read for it."""
    if longest < 1:
        raise ConfigError(f"max_copied is {longest}: give at least 1 character")


class CopyGuard:
    """Lets texts copy at most `longest` characters in a row from `training_text`.

    A character that is not whole yet copies nothing; what a prompt holds was not written, and does
    not count.
    """

    def __init__(self, training_text: str, longest: int, tokenizer: Tokenizer) -> None:
        """Raises `ConfigError` for a `longest` below 1."""
        check_longest(longest)
        self.longest, self.tokenizer = longest, tokenizer
        self._stretches = Stretches(training_text, longest + 1)
        self._refused: list[list[int]] = []  # of each text, at each of its tokens

    def begin(self, texts: int) -> None:
        """Count anew, for so many texts."""
        self._refused = [[] for _ in range(texts)]

    def count(self, text: int, refused: int) -> None:
        """Note how many tokens were refused in a text before its next one was let through."""
        self._refused[text].append(refused)

    def refused(self, text: int, tokens: int) -> int:
        """How many tokens were refused in a text of the last call, while its first `tokens` were
        written."""
        return sum(self._refused[text][:tokens])

    def copies(self, written: Sequence[Sequence[int]], next_ids: np.ndarray) -> np.ndarray:
        """Whether each of B texts would copy too much with its next token: bool [B].

        written: the ids of each, so far. next_ids: [B].
        """
        size = self._stretches.size
        owners: list[int] = []
        windows: list[str] = []
        for k, (ids, next_id) in enumerate(zip(written, next_ids.tolist(), strict=True)):
            recent = [*ids[-TOKENS_PER_CHARACTER * size :], next_id]
            text = nfc(self.tokenizer.decode(recent))
            # what the token adds, and the character before it, which it may have altered
            before = max(len(nfc(self.tokenizer.decode(recent[:-1]))) - 1, 0)
            for end in range(max(before + 1, size), len(text) + 1):
                owners.append(k)
                windows.append(text[end - size : end])
        copied = np.zeros(len(next_ids), bool)
        np.logical_or.at(copied, owners, self._stretches.holds(windows))
        return copied


class GuardedDecoder(Decoder):
    """Writes what a guard lets through."""

    def __init__(
        self,
        network: Network,
        tokenizer: Tokenizer,
        guard: CopyGuard,
        mixture: Mixture | None = None,
    ) -> None:
        super().__init__(network, tokenizer.banned_ids, tokenizer.token_bytes, mixture)
        self.guard = guard

    def decode(
        self,
        prompts: list[list[int]],
        transforms: tuple[Transform, ...],
        seeds: Sequence[tuple[int, ...]],
        top_logprobs: int = 0,
    ) -> Iterator[Step]:
        self.guard.begin(len(prompts))
        self.seeds = seeds
        return super().decode(prompts, transforms, seeds, top_logprobs)

    def texts(self, rows: slice, begun: Begun) -> Texts:
        return _GuardedTexts(self, begun, rows.start, self.seeds[rows])


class _GuardedTexts(Texts):
    """Texts whose tokens a guard may refuse. What is drawn anew takes noise of its own, so that a
    text still depends on its seed alone."""

    def __init__(
        self,
        decoder: GuardedDecoder,
        begun: Begun,
        first: int,
        seeds: Sequence[tuple[int, ...]],
    ) -> None:
        """first: the place of the first in the batch."""
        super().__init__(decoder, begun)
        self.guard, self.first = decoder.guard, first
        self.noise = [np.random.Generator(np.random.PCG64((*seed, 1))) for seed in seeds]
        self.written: list[list[int]] = [[] for _ in seeds]

    def choose(self, uniform: np.ndarray, top_logprobs: int) -> tuple[Step, np.ndarray]:
        step, history = super().choose(uniform, top_logprobs)
        logits, ids = self.logits.copy(), step.ids.copy()
        rows, refused = np.arange(len(ids)), np.zeros(len(ids), int)
        while len(rows := rows[self.guard.copies([self.written[k] for k in rows], ids[rows])]):
            refused[rows] += 1
            logits[rows, ids[rows]] = NEVER
            ids[rows] = self._drawn_anew(logits[rows], rows)
        for k, text in enumerate(self.written):
            text.append(int(ids[k]))
            self.guard.count(self.first + k, int(refused[k]))
        history[:, -1] = ids
        allowed = self.decoder.allowed(self.history)
        ops = self.decoder.network.ops
        logprobs = pick(ops.log_softmax(np.where(allowed, self.logits, NEVER), axis=-1), ids)
        return step._replace(ids=ids, logprobs=logprobs), history

    def _drawn_anew(self, logits: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Other tokens for some of the texts, from what is left of their logits [N, V]: [N]."""
        history = self.history[rows]
        if not (self.decoder.allowed(history) & (logits > POSSIBLE)).any(axis=-1).all():
            raise GenerationError(
                f"max_copied is {self.guard.longest}: nothing can be written that copies no more; "
                "give a larger number"
            )
        noise = np.array([self.noise[k].random(dtype=np.float32) for k in rows])
        noise = np.minimum(noise, np.float32(LARGEST_UNIFORM))
        return self.decoder.sample(logits, history, noise, self.transforms, 0)[0].ids
