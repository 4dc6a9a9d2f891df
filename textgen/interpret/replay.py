"""Reads a text again, a token at a time, with every value of every layer in view and in reach.

One kind of edit does for all: a value v goes on as keep * v + add. With keep 1 and add 0 nothing
changes; with keep 0 the value is replaced by add; and the gradient with respect to an add of 0 is
the total derivative with respect to v.

The loop is a TensorFlow graph, not compiled by XLA: traced once for a model, it takes texts of any
length, where XLA would compile for each.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from textgen.arrays import Array, Arrays, State
from textgen.backend import tf
from textgen.errors import ConfigError, GenerationError, shown
from textgen.model import LanguageModel


@dataclasses.dataclass(frozen=True)
class Override:
    """Replaces the value `name` of a layer, and everything that follows from it.

    token: None for every token, those of an answer too. unit: None for all units.
    value: a number, or, for all units, one for each.
    """

    layer: int
    name: str
    token: int | None
    unit: int | None
    value: float | tuple[float, ...]


@functools.lru_cache(maxsize=16)  # few models are examined at a time
def replay(model: LanguageModel) -> Replay:
    """The programs of a model, which TensorFlow traces once."""
    return Replay(model)


class Replay:
    """The programs of one model.

    P places: the values of all layers, layer by layer, in the order in which they are computed.
    Shapes: x [T, B, D]; keep and add [T, P, B, U], where T and B may also be 1. answers and weights
    [n, N]: N ways to go on after x, and what the log-probability of each of their ids counts.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.size = model.config.hidden_size
        self.names = model.cell.value_names()
        self.state_names = model.cell.state_names
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
        """The graph of `body`, for texts and answers of any length and any number."""
        x = tf.TensorSpec([None, None, self.model.config.embedding_size])
        edits = [tf.TensorSpec([None, self.places, None, self.size])] * 2
        more = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.float32)]
        # AutoGraph finds nothing to rewrite in here, and takes a second to say so
        graph = tf.function(body, autograph=False)
        return graph.get_concrete_function(x, *(more if answers else ()), *edits)

    # --- what goes in -------------------------------------------------------------------------

    def inputs(self, ids: Sequence[int]) -> np.ndarray:
        """The embeddings of ids: [T, 1, D]. Raises `GenerationError` for ids that cannot be."""
        return self.model.embedding(self.checked(ids)).numpy()[:, None]

    def checked(self, ids: Sequence[int]) -> np.ndarray:
        """ids as an array. Raises `GenerationError` for none, and for ids that cannot be."""
        known = self.model.vocab_size
        array = np.asarray(ids, np.int32)
        if not len(array):
            raise GenerationError("there is nothing to read: give at least one token")
        if array.min() < 0 or array.max() >= known:
            wrong = next(i for i in array.tolist() if not 0 <= i < known)
            raise GenerationError(
                f"token {wrong} is none of the model's {known}: encode with its own tokenizer"
            )
        return array

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
        """(keep, add) of one text, for `length` tokens, of which the first `tokens` may be named.

        Raises `ConfigError` for what is no override, and for one of what is not there.
        """
        if not isinstance(overrides, Sequence) or not all(
            isinstance(one, Override) for one in overrides
        ):
            raise ConfigError(f"overrides is {shown(overrides)}: give a list of Override")
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

    def _values(self, x: Array, keep: Array, add: Array) -> tuple[Array, Array]:
        """(values [T, P, B, U], log-probabilities [T, B, V] of the token after each)."""
        _, values = self._read(x, self._start(x), keep, add, 0, range(self.places))
        return values, tf.nn.log_softmax(self._logits(values[:, self.top]))

    def _score(self, x: Array, answers: Array, weights: Array, keep: Array, add: Array) -> Array:
        """The weighted sum of the log-probabilities of the answers after x: [B]."""
        state, _ = self._read(x, self._start(x), keep, add, 0)
        texts, number = tf.shape(x)[1], tf.shape(answers)[1]

        def joined(part: Array, *outer: Any) -> Array:
            """[*outer, N or 1, B or 1, W] -> [*outer, N B, W]: every text goes on in every way."""
            full = tf.broadcast_to(part, (*outer, number, texts, part.shape[-1]))
            return tf.reshape(full, (*outer, number * texts, part.shape[-1]))

        state = tf.nest.map_structure(lambda part: joined(part[None]), state)
        more = joined(self.model.embedding(answers)[:, :, None], tf.shape(answers)[0])
        keep, add = (joined(e[:, :, None], tf.shape(e)[0], self.places) for e in (keep, add))
        _, outputs = self._read(more, state, keep, add, tf.shape(x)[0], [self.top])
        # each id is predicted from what came before it; after the last none is
        hidden = tf.concat([state[-1][0][None], outputs[:-1, 0]], 0)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.repeat(answers, texts, 1), self._logits(hidden)
        )
        of_each = tf.reshape(nats, (-1, number, texts))
        return -tf.reduce_sum(of_each * weights[:, :, None], (0, 1))

    def _slopes(
        self, x: Array, answers: Array, weights: Array, keep: Array, add: Array
    ) -> tuple[Array, Array]:
        """The gradient of `_score` with respect to x and add."""
        with tf.GradientTape() as tape:
            tape.watch([x, add])
            score = self._score(x, answers, weights, keep, add)
        dx, d_add = tape.gradient(score, [x, add])
        return dx, d_add

    def _start(self, x: Array) -> State:
        return self.model.initial_state(tf.shape(x)[1])

    def _logits(self, hidden: Array) -> Array:
        return self.model.logits(((hidden,),))  # of a state it reads only the top layer's h

    def _read(
        self,
        x: Array,
        state: State,
        keep: Array,
        add: Array,
        first: Any,
        wanted: Sequence[int] = (),
    ) -> tuple[State, Any]:
        """(state after x, the values at the places `wanted` [T, len(wanted), B, U]).

        The first token of x is number `first` of keep and add, whose last holds for all after it.
        """
        length, last = tf.shape(x)[0], tf.shape(keep)[0] - 1
        reads = [tf.TensorArray(v.dtype, tf.shape(v)[0]).unstack(v) for v in (x, keep, add)]
        record: Any = ()
        if wanted:
            shape = (len(wanted), None, self.size)
            record = tf.TensorArray(x.dtype, length, element_shape=shape)

        def body(t: Any, state: State, record: Any) -> Any:
            number = tf.minimum(first + t, last)
            x_t = reads[0].read(t)
            keeps, adds = (tf.unstack(r.read(number), self.places) for r in reads[1:])
            values: list[Array] = []

            def edit(name: str, value: Array) -> Array:
                values.append(keeps[len(values)] * value + adds[len(values)])
                return values[-1]

            new: list[Arrays] = []
            for layer, start in zip(self.model.recurrent, state, strict=True):
                new.append(layer.step(x_t, start, observe=edit))
                x_t = new[-1][0]
            if wanted:
                record = record.write(t, tf.stack([values[place] for place in wanted]))
            return t + 1, tuple(new), record

        _, state, record = tf.while_loop(lambda t, *_: t < length, body, (0, state, record))
        return state, record.stack() if wanted else None
