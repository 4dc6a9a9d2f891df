"""The loop that writes: state and logits in, sampled ids out, with NumPy. No text in here.

Noise comes from outside as uniform numbers, so a text depends on its seed alone: not on batch size
or hardware generator. `compiled_decoder` does the same on TensorFlow, faster once it has begun.

B batch, V vocabulary, K top_logprobs, L `HISTORY`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from textgen.array_ops import pick
from textgen.arrays import Array, State, cut
from textgen.backend import cores
from textgen.generation.sampling import NEVER, Transform, draw
from textgen.generation.utf8 import Utf8
from textgen.network import Network
from textgen.ngrams.mixture import Mixture

CHUNK = 32  # tokens for which noise is drawn at a time
HISTORY = 512  # tokens that the repetition transforms look back on
FEWEST = 16  # texts that are worth a core of their own
LARGEST_UNIFORM = 1 - 2**-20  # less than 1, so that rounding cannot step past the last token


class Step(NamedTuple):
    """One sampled token of each text of a batch."""

    ids: np.ndarray  # [B]
    logprobs: np.ndarray  # [B], natural log under the model itself, before the transforms
    top_ids: np.ndarray  # [B, K], best first
    top_logprobs: np.ndarray  # [B, K]


class Decoder:
    """Samples ids from a `Network`."""

    def __init__(
        self,
        network: Network,
        banned_ids: tuple[int, ...],
        token_bytes: Sequence[bytes] = (),
        mixture: Mixture | None = None,
    ) -> None:
        """token_bytes: what each token writes, where some write but a part of a character.
        mixture: the n-grams that the network is mixed with, with NumPy only."""
        self.network, self.mixture = network, mixture
        self.not_banned = np.ones(network.vocab_size, bool)
        self.not_banned[list(banned_ids)] = False
        self.utf8 = Utf8(token_bytes) if token_bytes else None

    def allowed(self, history: Array) -> Array:
        """Which ids may follow: bool [V], or [B, V] where that hangs on the ids so far [B, L]."""
        if self.utf8 is None:
            return self.not_banned
        return self.not_banned & self.utf8.allowed(history)

    def mixed(self, logits: Array, history: Array) -> Array:
        """What the model says of the next token [B, V]: the network's logits, or with n-grams the
        logarithms of what both give it."""
        return logits if self.mixture is None else self.mixture.logprobs_after(logits, history)

    def transformed(
        self, logits: Array, history: Array, transforms: Sequence[Transform]
    ) -> tuple[Array, Array, Array]:
        """(which ids may follow, the logits [B, V] without the others, the logits one draws by)."""
        allowed = self.allowed(history)
        logits = self.network.ops.where(allowed, logits, NEVER)
        changed = logits
        for transform in transforms:
            changed = transform(changed, history)
        return allowed, logits, changed

    def sample(
        self,
        logits: Array,
        history: Array,
        uniform: Array,
        transforms: Sequence[Transform],
        top_logprobs: int,
    ) -> tuple[Step, Array]:
        """(the next token of each text, the history with it), from what the model said [B, V].

        uniform: a number from 0 to 1 for each text, which chooses [B].
        """
        ops = self.network.ops
        allowed, logits, changed = self.transformed(logits, history, transforms)
        ids = ops.cast(draw(changed, allowed, uniform), "int32")
        logprobs = ops.log_softmax(logits, axis=-1)
        chosen = pick(logprobs, ids)
        best, best_ids = logprobs[:, :0], history[:, :0]
        if top_logprobs:
            best, best_ids = ops.top_k(logprobs, top_logprobs)
        history = ops.concatenate([history[:, 1:], ids[:, None]], axis=1)
        return Step(ids, chosen, ops.cast(best_ids, "int32"), best), history

    def decode(
        self,
        prompts: list[list[int]],
        transforms: tuple[Transform, ...],
        seeds: Sequence[tuple[int, ...]],
        top_logprobs: int = 0,
    ) -> Iterator[Step]:
        """Endless steps that continue `prompts`, each with its own seed."""
        logits, state = self.prefill(prompts)
        shares = _shares(len(prompts))
        texts = [
            self.texts(
                rows, Begun(logits[rows], cut(state, rows), newest(prompts[rows]), transforms)
            )
            for rows in shares
        ]
        if len(texts) == 1:
            for noise in noises(seeds):
                yield from texts[0].write(noise, top_logprobs)
        with ThreadPoolExecutor(len(texts)) as pool:
            for noise in noises(seeds):
                parts = [noise[rows] for rows in shares]
                written = pool.map(lambda t, n: list(t.write(n, top_logprobs)), texts, parts)
                for steps in zip(*written, strict=True):
                    yield Step(*map(np.concatenate, zip(*steps, strict=True)))

    def texts(self, rows: slice, begun: Begun) -> Texts:
        """The texts `rows` of a batch, to be written."""
        return Texts(self, begun)

    def program(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """`step` as this decoder runs it over and over."""
        return step

    def prefill(self, prompts: list[list[int]]) -> tuple[Array, State]:
        """Read each distinct prompt once; (logits [B, V], state) after its last token."""
        read = {tuple(ids): self.read_prompt(ids) for ids in prompts}
        ends = [read[tuple(ids)] for ids in prompts]
        if len(ends) == 1:
            return ends[0]
        logits = self.network.ops.concatenate([logits for logits, _ in ends])
        return logits, self.network.joined([state for _, state in ends])

    def read_prompt(self, ids: list[int]) -> tuple[Array, State]:
        """(logits [1, V], state) after the last of ids."""
        column = np.array(ids, np.int32)[:, None]
        _, state = self.network.read(column, self.network.initial_state(1))
        return self.network.logits(state), state


class Begun(NamedTuple):
    """Texts whose prompts have been read: the network's logits [B, V] and its state after them,
    their newest ids [B, L], and by what they are to be drawn."""

    logits: np.ndarray
    state: State
    history: np.ndarray
    transforms: Sequence[Transform]


class Texts:
    """Some of the texts that are written, and how far they are."""

    def __init__(self, decoder: Decoder, begun: Begun) -> None:
        logits, self.state, self.history, self.transforms = begun
        self.decoder, self.logits = decoder, decoder.mixed(logits, self.history)

    def write(self, noise: np.ndarray, top_logprobs: int) -> Iterator[Step]:
        """A step for each column of noise [B, N]."""
        for uniform in noise.T:
            with np.errstate(over="ignore"):  # of a logit that is `NEVER`, divided
                step, self.history = self.choose(uniform, top_logprobs)
            yield step
            logits, self.state = self.decoder.network.step(step.ids, self.state)
            self.logits = self.decoder.mixed(logits, self.history)

    def choose(self, uniform: np.ndarray, top_logprobs: int) -> tuple[Step, np.ndarray]:
        """(the next token of each text, the history with it); uniform [B]."""
        return self.decoder.sample(
            self.logits, self.history, uniform, self.transforms, top_logprobs
        )


def _shares(texts: int) -> list[slice]:
    """The texts that each core writes: at least `FEWEST`, so that it has enough to do."""
    number = max(1, min(cores(), texts // FEWEST))
    ends = [round(k * texts / number) for k in range(number + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def noises(seeds: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
    """Uniform numbers from 0 to 1, without end, `CHUNK` at a time: [B, CHUNK], a row for a seed."""
    generators = [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
    while True:
        noise = np.stack([g.random(CHUNK, np.float32) for g in generators])
        yield np.minimum(noise, np.float32(LARGEST_UNIFORM))


def newest(prompts: list[list[int]]) -> np.ndarray:
    """The last `HISTORY` ids of each prompt, newest last, -1 where there is none: [B, L]."""
    history = np.full((len(prompts), HISTORY), -1, np.int32)
    for k, ids in enumerate(prompts):
        recent = ids[-HISTORY:]
        history[k, HISTORY - len(recent) :] = recent
    return history
