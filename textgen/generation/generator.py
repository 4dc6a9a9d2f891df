"""Text in, text out: a loaded model that writes and scores."""

from __future__ import annotations

import copy
import dataclasses
import math
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np

from textgen import shipped
from textgen.errors import ConfigError, GenerationError, shown
from textgen.generation.beam_search import beam_search
from textgen.generation.copy_guard import CopyGuard, GuardedDecoder
from textgen.generation.decoder import Decoder, Step
from textgen.generation.engine import best_engine, make_decoder
from textgen.generation.options import LoopConfig, generation_config
from textgen.generation.scoring import scored
from textgen.generation.text_stream import Chunk, Generation, TextStream, joined
from textgen.generation.voices import state_of
from textgen.network import Network
from textgen.ngrams.mixture import Mixture
from textgen.options import path_of
from textgen.runs.hub_models import fetch, is_on_hub
from textgen.runs.ngrams import read_ngrams
from textgen.runs.run_config import Card
from textgen.runs.run_folder import hash_of, load_last, load_model, weights_hash
from textgen.runs.voices import read_voices
from textgen.text.nfc import nfc
from textgen.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class ScoredToken:
    """A token of a scored text; logprob is natural, rank 1 the likeliest."""

    text: str
    token_id: int
    logprob: float
    rank: int


@dataclasses.dataclass(frozen=True)
class Score:
    """bits_per_char: -log2 p(text) / characters, the first token predicted after a newline;
    network_bits_per_char: of the network alone, where n-grams predict with it."""

    bits_per_char: float
    network_bits_per_char: float
    tokens: list[ScoredToken]
    unknown: list[str]


class Generator:
    """A model with its tokenizer. Make one with `textgen.load(run_folder)`."""

    def __init__(
        self,
        network: Network,
        tokenizer: Tokenizer,
        card: Card | None = None,
        *,
        name: str = "",
        hash: str = "",
        voices: Mapping[str, np.ndarray] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        """voices: the state that texts of each label begin in, [layers, parts of a state, U].
        mixture: the n-grams that the network predicts with; None for the network alone."""
        self.network, self.tokenizer, self.card = network, tokenizer, card or Card()
        self.name, self.hash, self.voices = name, hash, voices or {}
        self.mixture = mixture
        self.config = network.config
        self._decoders: dict[tuple[str, bool], Decoder] = {}

    @classmethod
    def from_run(cls, path: str | Path, *, last: bool = False) -> Self:
        """Load a run folder, a shipped model by its name, or "hf://user/name" from the Hub.

        last: the weights of the newest save of its training, instead of those that did best.
        Raises `RunError` when it is missing, damaged or foreign, or has no such save, and
        `ConfigError` for what is no path.
        """
        if is_on_hub(path):
            folder, name = fetch(path), str(path).rpartition("/")[2].partition("@")[0]
        else:
            folder = shipped.find(path_of(path, "the run folder"), shipped.MODELS)
            name = folder.resolve().name
        if last:
            network, tokenizer, card, step = load_last(folder)
            card = card | {"metrics": {}}  # they were measured on the best weights
            return cls(network, tokenizer, card, name=f"{name}@{step}", hash=hash_of(network))
        network, tokenizer, card = load_model(folder)
        hash = weights_hash(folder)
        return cls(
            network,
            tokenizer,
            card,
            name=name,
            hash=hash,
            voices=read_voices(folder, network, hash),
            mixture=read_ngrams(folder, network.vocab_size, hash),
        )

    def over(self, network: Network) -> Self:
        """The same model, computed by another network, such as one without some of its units."""
        other = copy.copy(self)
        other.network, other._decoders = network, {}
        return other

    def without_ngrams(self) -> Self:
        """The network alone, of a model with n-grams."""
        other = self.over(self.network)
        other.mixture = None
        return other

    @property
    def labels(self) -> tuple[str, ...]:
        """Those that it can write in the voice of; none where it was trained without."""
        return tuple(self.voices)

    def in_voice(self, label: str | Mapping[str, float]) -> Self:
        """The model with the state of a label to begin texts in, or with a mix of several:
        `in_voice("철수")`, `in_voice({"철수": 0.7, "영희": 0.3})`, or as `--label` has it. It
        is the network alone: n-grams know of no voice.

        Raises `ConfigError` for a label that it does not have, and for a share out of range.
        """
        network = copy.copy(self.network)
        network.first = state_of(label, self.voices)
        return self.without_ngrams().over(network)

    @property
    def num_parameters(self) -> int:
        """Of all weights."""
        return self.network.num_parameters

    def generate(
        self, prompt: str, *, guard: CopyGuard | None = None, **options: object
    ) -> Generation:
        """Continue `prompt`. Options are those of `generation_options`.

        guard: what of the training text may be copied.
        Raises `ConfigError` for an option outside its range and `GenerationError` for a prompt that
        is no text, or has only unknown characters.
        """
        return self.generate_batch([prompt], guard=guard, **options)[0]

    def generate_batch(
        self, prompts: Iterable[str], *, guard: CopyGuard | None = None, **options: object
    ) -> list[Generation]:
        """Continue several prompts at once; prompt i is drawn with the seed (seed, i).

        Raises as `generate` does, and `GenerationError` where `prompts` is not a list of texts.
        """
        prompts = _texts(prompts)
        by_prompt: list[list[Chunk]] = [[] for _ in prompts]
        for chunks in self.stream_batch(prompts, guard=guard, **options):
            for so_far, chunk in zip(by_prompt, chunks, strict=True):
                so_far.append(chunk)
        return [joined(*one) for one in zip(prompts, by_prompt, strict=True)]

    def stream(
        self, prompt: str, *, guard: CopyGuard | None = None, **options: object
    ) -> Iterator[Chunk]:
        """Continue `prompt`, a chunk at a time; the last has a `finish_reason`."""
        return (chunks[0] for chunks in self.stream_batch([prompt], guard=guard, **options))

    def stream_batch(
        self, prompts: Iterable[str], *, guard: CopyGuard | None = None, **options: object
    ) -> Iterator[list[Chunk]]:
        """Like `stream` for several prompts; one whose text has ended yields empty chunks."""
        prompts = _texts(prompts)
        config = generation_config(**options)
        loop = config.loop if guard is None else guarded(config.loop)
        seed = secrets.randbits(31) if loop.seed is None else loop.seed
        unknown = [self.tokenizer.unknown_characters(prompt) for prompt in prompts]
        ids = [self._prompt_ids(p, u) for p, u in zip(prompts, unknown, strict=True)]
        if not ids:
            return iter(())
        seeds = [(seed, index) for index in range(len(ids))]
        mixture = self.mixture if loop.ngrams else None
        if guard is not None:
            decoder: Decoder = GuardedDecoder(self.network, self.tokenizer, guard, mixture)
        else:
            decoder = self._decoder(loop, len(ids), mixture)
        # an alternative is a token that may be sampled
        top_logprobs = min(loop.top_logprobs, int(decoder.not_banned.sum()))
        steps = decoder.decode(ids, config.transforms, seeds, top_logprobs)
        if loop.num_beams > 1:
            if len(ids) > 1:
                raise ConfigError(
                    f"num_beams is {loop.num_beams} with {len(ids)} texts: beam search finds one "
                    "text of one prompt; leave num_beams out, or ask for one text"
                )
            steps = beam_search(
                decoder,
                ids[0],
                config.transforms,
                loop.num_beams,
                loop.max_new_tokens,
                top_logprobs,
            )
        texts = [TextStream(self.tokenizer, seed, loop.stop_strings, u) for u in unknown]
        return self._chunks(steps, texts, loop.max_new_tokens)

    def _decoder(self, loop: LoopConfig, texts: int, mixture: Mixture | None) -> Decoder:
        """The decoder of the engine that is asked for, or that is done sooner."""
        engine = loop.engine
        if engine == "auto":
            abreast = max(texts, loop.num_beams)
            engine = best_engine(self.network, loop.max_new_tokens, abreast, mixture)
        key = engine, mixture is not None
        if key not in self._decoders:
            self._decoders[key] = make_decoder(engine, self.network, self.tokenizer, mixture)
        return self._decoders[key]

    @staticmethod
    def _chunks(
        steps: Iterator[Step], texts: list[TextStream], max_new_tokens: int
    ) -> Iterator[list[Chunk]]:
        """Chunks of all texts, until each has ended."""
        size = 4  # the first words soon, then larger chunks
        for done, step in enumerate(steps, 1):
            for index, text in enumerate(texts):
                text.take(step, index)
                if done == max_new_tokens:
                    text.end("length")
            ended = all(text.finish_reason for text in texts)
            if ended or done % size == 0:
                yield [text.chunk() for text in texts]
                size = min(size * 2, 16)
            if ended:
                return

    def _prompt_ids(self, prompt: str, unknown: list[str]) -> list[int]:
        """The ids that the model reads first: a newline, which begins a text, then the prompt."""
        ids = self.tokenizer.encode(prompt)
        if ids and all(i == self.tokenizer.unk_id for i in ids):
            raise GenerationError(
                f"the prompt {prompt!r} has only characters this model has never seen: "
                "use characters of its training text"
            )
        return [self.tokenizer.start_id, *ids]

    def score(self, text: str) -> Score:
        """How well the model predicts `text`: bits per character, and each token's share.

        Raises `GenerationError` for an empty text, and for what is no text.
        """
        check_text("the text to score", text)
        ids = self.tokenizer.encode(text)
        if not ids:
            raise GenerationError("the text to score is empty: give at least one character")
        tokens: list[ScoredToken] = []
        alone: list[float] = []
        for window in scored(self.network, [self.tokenizer.start_id, *ids], self.mixture):
            alone += window.of_network.tolist()
            for logprob, rank in zip(window.logprobs.tolist(), window.ranks.tolist(), strict=True):
                token_id = ids[len(tokens)]
                tokens.append(ScoredToken(self.tokenizer.token(token_id), token_id, logprob, rank))
        characters = len(nfc(text))
        bits, of_network = (
            -math.fsum(logprobs) / math.log(2) / characters
            for logprobs in ([t.logprob for t in tokens], alone)
        )
        return Score(bits, of_network, tokens, self.tokenizer.unknown_characters(text))


def guarded(loop: LoopConfig) -> LoopConfig:
    """What a guard asks of the loop. Raises `ConfigError` where it was asked for something else."""
    if loop.num_beams > 1 or loop.engine == "tensorflow":
        name = "num_beams" if loop.num_beams > 1 else "engine"
        raise ConfigError(
            f"{name} is {getattr(loop, name)} with max_copied, which refuses what NumPy draws: "
            "leave one of them out"
        )
    return dataclasses.replace(loop, engine="numpy")


def _texts(prompts: Iterable[str]) -> list[str]:
    """The prompts of a batch. Raises `GenerationError` where they are not a list of texts."""
    if isinstance(prompts, str | bytes | Mapping) or not isinstance(prompts, Iterable):
        raise GenerationError(
            f"the prompts are {shown(prompts)}: give a list of texts, or one text to generate"
        )
    prompts = list(prompts)
    for prompt in prompts:
        check_text("the prompt", prompt)
    return prompts


def check_text(what: str, value: object) -> None:
    """Raise `GenerationError` where `value` is no text."""
    if not isinstance(value, str):
        raise GenerationError(f"{what} is {shown(value)}: give a text (str)")


def load(path: str | Path) -> Generator:
    """Load a run folder. Raises `RunError` when it is missing, damaged or foreign."""
    return Generator.from_run(path)
