"""Reads again, a token at a time, with every value of every layer in view and in reach.

One kind of interference does for all: a value v goes on as keep * v + add. With keep 1 and add 0
nothing changes; with keep 0 the value is replaced by add; and the gradient with respect to an add
of 0 is the total derivative with respect to v.

The loop is a TensorFlow graph, not compiled by XLA: traced once for a model, it takes texts of any
length, where XLA would compile for each.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from textgen.backend import tf
from textgen.errors import ConfigError, GenerationError
from textgen.model import LanguageModel, State


@dataclasses.dataclass(frozen=True)
class Override:
    """The value `name` of a layer is replaced, and everything after it follows.

    token: None for every token, those of an answer too. unit: None for all units.
    value: a number, or, for all units, one for each.
    """

    layer: int
    name: str
    token: int | None
    unit: int | None
    value: float | tuple[float, ...]


@functools.lru_cache(maxsize=16)  # traced once for a model; few models are looked at at a time
def replay(model: LanguageModel) -> Replay:
    return Replay(model)


class Replay:
    """The programs of one model. P places: the values of all layers, layer by layer, as computed.

    Shapes: x [T, B, D]; keep and add [T, P, B, U], where T and B may also be 1. answers and weights
    [n, N]: N ways to go on after x, and what the log-probability of each of their ids counts.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.size = model.config.hidden_size
        self.names = names_of(model.recurrent[0])
        self.state_names: tuple[str, ...] = model.recurrent[0].STATE
        self.places = len(self.names) * len(model.recurrent)
        self.top = self.place(len(model.recurrent) - 1, "h")

    @functools.cached_property
    def values(self) -> Any:
        return self._program(self._values)

    @functools.cached_property
    def score(self) -> Any:
        return self._program(self._score, answers=True)

    @functools.cached_property
    def slopes(self) -> Any:
        return self._program(self._slopes, answers=True)

    def _program(self, body: Any, answers: bool = False) -> Any:
        """The graph of `body`, for texts and answers of any length and any number of rows."""
        x = tf.TensorSpec([None, None, self.model.config.embedding_size])
        edits = [tf.TensorSpec([None, self.places, None, self.size])] * 2
        more = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.float32)]
        # nothing in here is AutoGraph's to rewrite, and looking takes it a second
        graph = tf.function(body, autograph=False)
        return graph.get_concrete_function(x, *(more if answers else ()), *edits)

    # --- what goes in -------------------------------------------------------------------------

    def inputs(self, ids: Sequence[int]) -> np.ndarray:
        """The embeddings of ids: [T, 1, D]. Raises `GenerationError` for ids that cannot be."""
        return self.model.embedding(self.checked(ids)).numpy()[:, None]

    def checked(self, ids: Sequence[int]) -> np.ndarray:
        known = self.model.vocab_size
        found = np.asarray(ids, np.int32)
        if not len(found):
            raise GenerationError("there is nothing to read: give at least one token")
        if found.min() < 0 or found.max() >= known:
            wrong = next(i for i in found.tolist() if not 0 <= i < known)
            raise GenerationError(
                f"token {wrong} is none of the model's {known}: encode with its own tokenizer"
            )
        return found

    def place(self, layer: int, name: str) -> int:
        """Where the value `name` of a layer stands. Raises `ConfigError` when there is none."""
        layers = len(self.model.recurrent)
        if not 0 <= layer < layers:
            raise ConfigError(f"layer is {layer}: the model has layers 0 to {layers - 1}")
        if name not in self.names:
            raise ConfigError(
                f"{name!r} is no value of a {self.model.config.cell}: "
                f"choose one of {', '.join(self.names)}"
            )
        return layer * len(self.names) + self.names.index(name)

    def edits(
        self, length: int, overrides: Sequence[Override] = (), tokens: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(keep, add), of one row, for `length` tokens, of which `tokens` may be named.

        Raises `ConfigError` for an override of what is not there.
        """
        keep = np.ones((length, self.places, 1, self.size), np.float32)
        add = np.zeros_like(keep)
        tokens = length if tokens is None else tokens
        for one in overrides:
            place = self.place(one.layer, one.name)
            for what, index, end in (
                ("token", one.token, tokens),
                ("unit", one.unit, self.size),
            ):
                if index is not None and not 0 <= index < end:
                    raise ConfigError(f"{what} is {index}: give one from 0 to {end - 1}, or None")
            if np.shape(one.value) not in ((), () if one.unit is not None else (self.size,)):
                raise ConfigError(
                    f"value has shape {np.shape(one.value)}: give a number, or one for each "
                    f"of all {self.size} units"
                )
            token = slice(None) if one.token is None else one.token
            unit = slice(None) if one.unit is None else one.unit
            keep[token, place, 0, unit] = 0.0
            add[token, place, 0, unit] = one.value
        return keep, add

    # --- the programs -------------------------------------------------------------------------

    def _values(self, x: Any, keep: Any, add: Any) -> tuple[Any, Any]:
        """(values [T, P, B, U], log-probabilities [T, B, V] of the token after each)."""
        _, seen = self._read(x, self._start(x), keep, add, 0, range(self.places))
        return seen, tf.nn.log_softmax(self._logits(seen[:, self.top]))

    def _score(self, x: Any, answers: Any, weights: Any, keep: Any, add: Any) -> Any:
        """The weighted sum of the log-probabilities of the answers after x: [B]."""
        state, _ = self._read(x, self._start(x), keep, add, 0)
        rows, number = tf.shape(x)[1], tf.shape(answers)[1]

        def joined(part: Any, *outer: Any) -> Any:
            """[*outer, N or 1, B or 1, W] -> [*outer, N B, W]: every row goes on in every way."""
            full = tf.broadcast_to(part, (*outer, number, rows, part.shape[-1]))
            return tf.reshape(full, (*outer, number * rows, part.shape[-1]))

        state = tf.nest.map_structure(lambda part: joined(part[None]), state)
        more = joined(self.model.embedding(answers)[:, :, None], tf.shape(answers)[0])
        keep, add = (joined(e[:, :, None], tf.shape(e)[0], self.places) for e in (keep, add))
        _, seen = self._read(more, state, keep, add, tf.shape(x)[0], [self.top])
        # each is predicted from what came before it; after the last, nothing is asked
        hidden = tf.concat([state[-1][0][None], seen[:-1, 0]], 0)
        lost = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.repeat(answers, rows, 1), self._logits(hidden)
        )
        each = tf.reshape(lost, (-1, number, rows))
        return -tf.reduce_sum(each * weights[:, :, None], (0, 1))

    def _slopes(self, x: Any, answers: Any, weights: Any, keep: Any, add: Any) -> tuple[Any, Any]:
        """The gradient of `_score` with respect to x and add."""
        with tf.GradientTape() as tape:
            tape.watch([x, add])
            score = self._score(x, answers, weights, keep, add)
        dx, d_add = tape.gradient(score, [x, add])
        return dx, d_add

    def _start(self, x: Any) -> State:
        return self.model.initial_state(tf.shape(x)[1])

    def _logits(self, hidden: Any) -> Any:
        return self.model.logits(((hidden,),))  # of a state, the top h is all it asks for

    def _read(
        self, x: Any, state: State, keep: Any, add: Any, first: Any, wanted: Sequence[int] = ()
    ) -> tuple[State, Any]:
        """(state after x, the values at the places `wanted` [T, len(wanted), B, U]).

        The first token of x is number `first` of keep and add, whose last holds for all after it.
        """
        length, last = tf.shape(x)[0], tf.shape(keep)[0] - 1
        reads = [tf.TensorArray(v.dtype, tf.shape(v)[0]).unstack(v) for v in (x, keep, add)]
        kept: Any = ()
        if wanted:
            shape = (len(wanted), None, self.size)
            kept = tf.TensorArray(x.dtype, length, element_shape=shape)

        def body(t: Any, state: State, kept: Any) -> Any:
            number = tf.minimum(first + t, last)
            x_t = reads[0].read(t)
            keeps, adds = (tf.unstack(r.read(number), self.places) for r in reads[1:])
            seen: list[Any] = []

            def see(name: str, value: Any) -> Any:
                seen.append(keeps[len(seen)] * value + adds[len(seen)])
                return seen[-1]

            new: list[tuple[Any, ...]] = []
            for layer, start in zip(self.model.recurrent, state, strict=True):
                new.append(layer.step(x_t, start, see=see))
                x_t = new[-1][0]
            if wanted:
                kept = kept.write(t, tf.stack([seen[place] for place in wanted]))
            return t + 1, tuple(new), kept

        _, state, kept = tf.while_loop(lambda t, *_: t < length, body, (0, state, kept))
        return state, kept.stack() if wanted else None


def names_of(layer: Any) -> tuple[str, ...]:
    """The values of a cell, in the order in which it computes them."""
    names: list[str] = []

    def see(name: str, value: Any) -> Any:
        names.append(name)
        return value

    layer.step(tf.zeros((1, layer.kernel.shape[0])), layer.initial_state(1), see=see)
    return tuple(names)
