"""The words that a model would write next, drawn one after another, none twice.

A word goes up to the next white space; the white space before it is a part of it. Words are drawn
without replacement, as by Shi, Bieber and Sutton (2020, arXiv 2002.09067): in a tree of tokens each
word that was drawn takes its probability out, and the next one is drawn from what is left. So the
second costs no more than the first, however likely that was, and it is known when none is left.

V vocabulary.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from textgen.array_ops import log_softmax, softmax
from textgen.arrays import State
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.decoder import LARGEST_UNIFORM, Decoder, newest
from textgen.generation.prefix_reader import PrefixReader
from textgen.generation.sampling import Transform, draw
from textgen.network import Network
from textgen.ngrams.mixture import Mixture
from textgen.tokenizers.tokenizer import UNKNOWN, Tokenizer

LONGEST = 64  # tokens of a word; a text without white space is written in such parts


@dataclasses.dataclass(frozen=True)
class Word:
    """text: with the white space before it. logprob: natural, of its tokens under the model itself,
    before the transforms."""

    text: str
    logprob: float

    @property
    def probability(self) -> float:
        return math.exp(self.logprob)


class WordSource:
    """Gives the words that may follow a text. guard: what of the training text may be copied."""

    def __init__(
        self,
        network: Network,
        tokenizer: Tokenizer,
        transforms: Sequence[Transform] = (),
        guard: CopyGuard | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        self.network, self.tokenizer = network, tokenizer
        self.transforms, self.guard = transforms, guard
        self.decoder = Decoder(network, tokenizer.banned_ids, tokenizer.token_bytes, mixture)
        texts = (tokenizer.decode([i]) for i in range(tokenizer.vocab_size))
        self.begins_with_space = np.array([text[:1].isspace() for text in texts])
        self._reader = PrefixReader(network)

    def after(self, text: str) -> NextWords:
        """The words after `text`, of which no more is read than is new since the last call."""
        ids = [self.tokenizer.start_id, *self.tokenizer.encode(text)]
        return NextWords(self, ids, self._reader.state_after(ids))


class NextWords:
    """The words after one text, and what is left of their probability."""

    def __init__(self, source: WordSource, ids: list[int], state: State) -> None:
        self.source, self.ids = source, ids
        self._root = self._node([], source.network.logits(state), state)

    def draw(self, random: np.random.Generator) -> Word | None:
        """A word that was not drawn before; None where there is no other."""
        while self._root.left > 0:
            path = [self._root]
            word = self._walk(path, random)
            for node in reversed(path):
                node.left = float(node.weights().sum())
            if word is not None:
                return word
        return None

    def _walk(self, path: list[_Node], random: np.random.Generator) -> Word | None:
        """From the root, `path`, to the end of a word, which is taken out there. None where nothing
        may follow that the guard lets through."""
        source = self.source
        ids: list[int] = []
        text, logprob = "", 0.0
        while (weights := path[-1].weights()).any():
            node = path[-1]
            token = _one_of(weights, random)
            if text.strip() and source.begins_with_space[token]:
                node.probabilities[source.begins_with_space] = 0
                return Word(text, logprob)
            if source.guard and source.guard.copies([[*self.ids, *ids]], np.array([token]))[0]:
                node.probabilities[token] = 0
                continue
            ids.append(token)
            logprob += float(node.logprobs[token])
            text = source.tokenizer.decode(ids).rstrip(UNKNOWN)  # but for half a character
            if token not in node.children:
                logits, state = source.network.step(np.array([token], np.int32), node.state)
                node.children[token] = self._node(ids, logits, state)
            path.append(node.children[token])
            if len(ids) == LONGEST or (text.strip() and text[-1].isspace()):
                path[-1].probabilities[:] = 0
                return Word(text, logprob) if text else None
        return None

    def _node(self, ids: list[int], logits: np.ndarray, state: State) -> _Node:
        decoder = self.source.decoder
        history = newest([[*self.ids, *ids]])
        logits = decoder.mixed(logits, history)
        with np.errstate(over="ignore"):  # of a logit that is `NEVER`, divided
            allowed, logits, changed = decoder.transformed(logits, history, self.source.transforms)
        changed = np.where(allowed, changed, -np.inf).astype(np.float64)
        return _Node(state, softmax(changed).reshape(-1), log_softmax(logits).reshape(-1))


class _Node:
    """After some tokens of a word. probabilities [V]: of the next one, as it is drawn; logprobs
    [V]: under the model itself. left: what words that were not drawn have of its probability."""

    def __init__(self, state: State, probabilities: np.ndarray, logprobs: np.ndarray) -> None:
        self.state, self.probabilities, self.logprobs = state, probabilities, logprobs
        self.children: dict[int, _Node] = {}
        self.left = 1.0

    def weights(self) -> np.ndarray:
        """By which the next token is drawn: what is left of the probability of each [V]."""
        weights = self.probabilities.copy()
        for token, child in self.children.items():
            weights[token] *= child.left
        return weights


def _one_of(weights: np.ndarray, random: np.random.Generator) -> int:
    """A token, in proportion to weights [V]."""
    with np.errstate(divide="ignore"):  # of a weight that is 0
        logits = np.log(weights)[None]
    uniform = np.minimum(random.random(1), LARGEST_UNIFORM)
    return int(draw(logits, weights > 0, uniform)[0])
