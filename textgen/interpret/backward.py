"""Backpropagation through time in NumPy, for any cell, from nothing but its equations.

Element by element, what a step does is differentiated by the complex step: where `update` is given
x + iδ, what it returns has δ times its derivative as imaginary part. No difference is taken, so
nothing is lost to rounding however small δ is (Squire & Trapp 1998; Martins et al. 2003), and all
tokens are differentiated at once. What is left for the loop over time are the products.

All is computed in float64: what comes back over hundreds of tokens may be too small for float32.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from textgen.array_ops import log_softmax
from textgen.arrays import Array, Arrays
from textgen.cells.array_functions import concat, split
from textgen.cells.cell import Cell
from textgen.network import Network

TINY = 1e-30  # δ: its square is nothing beside any value


class Backward:
    """The gradient of how a text goes on, with respect to all that the model read and kept.

    T tokens, B texts, U hidden_size, D embedding_size. The units of a layer that are silent in the
    network are held at zero here, too. It copies the weights: change none of them afterwards.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.cell = network, network.cell
        self.layers = [
            Layer(
                network.cell,
                {name: np.asarray(weight, np.float64) for name, weight in weights.items()},
                np.isin(
                    np.arange(network.config.hidden_size),
                    list(network.silent.get(k, ())),
                    invert=True,
                ),
            )
            for k, weights in enumerate(network.layers)
        ]
        self.kernel, self.bias = (np.asarray(w, np.float64) for w in (network.kernel, network.bias))

    def slopes(
        self, x: np.ndarray, answers: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
        """The gradient of the weighted sum of the log-probabilities of `answers` after x.

        x [T, 1, D]; answers and weights [n, N], as in `Replay.score`. Returned: the gradient with
        respect to x [T, D], and for each layer to each part of its state after each token [T, U]:
        total derivatives, through everything that follows.
        """
        number = answers.shape[1]
        start = [
            tuple(np.asarray(part, np.float64) for part in layer)
            for layer in self.network.initial_state(1)
        ]
        text, states = self.read(np.asarray(x, np.float64), start)
        # every answer goes on from the state at the end of the text, and reads all but its last id
        after = [tuple(np.repeat(part, number, axis=0) for part in state) for state in states]
        more = np.asarray(self.network.embed(answers[:-1]), np.float64)
        answer, _ = self.read(more, after)
        outputs = np.concatenate([after[-1][0][None], answer[-1].states[0]])  # [n, N, U]
        d_outputs = self.of_outputs(outputs, answers, weights)

        none = [tuple(np.zeros_like(part) for part in state) for state in after]
        _, _, d_after = self.back(answer, d_outputs[1:], none)
        d_end = [tuple(part.sum(0, keepdims=True) for part in state) for state in d_after]
        d_last = np.zeros((len(x), 1, self.layers[-1].size))
        d_last[-1] = d_outputs[0].sum(0)
        d_x, d_values, _ = self.back(text, d_last, d_end)
        return d_x[:, 0], [{name: d[:, 0] for name, d in layer.items()} for layer in d_values]

    def read(self, x: np.ndarray, start: list[Arrays]) -> tuple[list[Course], list[Arrays]]:
        """What each layer does over x [T, B, D], and its state after the last token."""
        courses: list[Course] = []
        for layer, state in zip(self.layers, start, strict=True):
            courses.append(layer.read(x, state))
            x = courses[-1].states[0]
        return courses, [course.end for course in courses]

    def of_outputs(
        self, outputs: np.ndarray, answers: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """The gradient with respect to what the top layer puts out [n, N, U] before each id."""
        logits = outputs @ self.kernel + self.bias
        d_logits = -np.exp(log_softmax(logits))  # of ln p of an id: 1 for the id, less all shares
        np.put_along_axis(
            d_logits,
            answers[..., None],
            np.take_along_axis(d_logits, answers[..., None], -1) + 1,
            -1,
        )
        return np.asarray((d_logits * weights[..., None]) @ self.kernel.T)

    def back(
        self, courses: list[Course], d_outputs: np.ndarray, d_end: list[Arrays]
    ) -> tuple[np.ndarray, list[dict[str, np.ndarray]], list[Arrays]]:
        """From the gradients of the top layer's outputs [T, B, U] and of all states at the end:
        those of x [T, B, D], of each layer's state after each token, and of the states before."""
        d_values: list[dict[str, np.ndarray]] = []
        d_start: list[Arrays] = []
        for layer, course, end in zip(
            reversed(self.layers), reversed(courses), reversed(d_end), strict=True
        ):
            d_outputs, values, start = layer.back(course, d_outputs, end)
            d_values.insert(0, values)
            d_start.insert(0, start)
        return d_outputs, d_values, d_start


@dataclasses.dataclass(frozen=True)
class Course:
    """What a layer did over a text: the pre-activations pre [T, B, G U], the parts of its state
    before the first token, and after each [T, B, U]."""

    pre: np.ndarray
    start: Arrays
    states: Arrays

    @property
    def before(self) -> Arrays:
        """The parts of the state before each token [T, B, U]."""
        return tuple(
            np.concatenate([first[None], part])[:-1]
            for first, part in zip(self.start, self.states, strict=True)
        )

    @property
    def end(self) -> Arrays:
        """The parts of the state after the last token [B, U]."""
        return tuple(
            np.concatenate([first[None], part])[-1]
            for first, part in zip(self.start, self.states, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer with its weights in float64. active [U]: False for silent units."""

    cell: Cell
    weights: Mapping[str, np.ndarray]
    active: np.ndarray

    @property
    def size(self) -> int:
        """U."""
        return len(self.active)

    def read(self, x: np.ndarray, state: Arrays) -> Course:
        """Over x [T, B, D], from a state."""
        cell, start = self.cell, state
        _, *second = cell.biases(self.weights)
        pre, states = [], []
        for a in cell.project(self.weights, x):
            if cell.recurrent:
                a = cell.join(a, sum(second, state[0] @ self.weights["recurrent_kernel"]))
            state = self.update(a, state)
            pre.append(a)
            states.append(state)
        width = (cell.joined or len(cell.blocks)) * self.size
        shape = (len(x), *start[0].shape)
        return Course(
            np.array(pre).reshape(*shape[:-1], width),
            start,
            tuple(np.array(part).reshape(shape) for part in zip(*states, strict=True))
            if states
            else tuple(np.empty(shape) for _ in start),
        )

    def update(self, pre: Array, state: Arrays, moved: str = "") -> Arrays:
        """`Cell.update`, silent units held at zero. moved: a part of the state that has iδ added
        where it is computed."""

        def edit(name: str, value: Array) -> Array:
            if name in self.cell.state_names:
                value = value * self.active
            return value + 1j * TINY if name == moved else value

        return self.cell.update(pre, state, self.cell.extra(self.weights), edit)

    def partials(self, course: Course) -> dict[str, list[Arrays]]:
        """How each part of the state after a step hangs on what the step is given, all else equal:
        "pre" on each block of the pre-activations, "before" on each part of the state before,
        "after" on each part where it is computed. Of each: one array [T, B, U] for each part."""
        pre, before = course.pre, course.before
        blocks = split(pre, pre.shape[-1] // self.size)

        def of(parts: Arrays) -> Arrays:
            return tuple(np.imag(part) / TINY for part in parts)

        def nudged(arrays: tuple[Array, ...], k: int) -> tuple[Array, ...]:
            return (*arrays[:k], arrays[k] + 1j * TINY, *arrays[k + 1 :])

        return {
            "pre": [
                of(self.update(concat(list(nudged(tuple(blocks), k))), before))
                for k in range(len(blocks))
            ],
            "before": [of(self.update(pre, nudged(before, k))) for k in range(len(before))],
            "after": [of(self.update(pre, before, name)) for name in self.cell.state_names],
        }

    def back(
        self, course: Course, d_outputs: np.ndarray, d_end: Arrays
    ) -> tuple[np.ndarray, dict[str, np.ndarray], Arrays]:
        """`Backward.back` for this layer."""
        cell, partials = self.cell, self.partials(course)
        d_state = list(d_end)
        d_a = np.empty((*course.pre.shape[:-1], len(cell.blocks) * self.size))
        d_after = [np.empty_like(d_outputs) for _ in cell.state_names]

        def through(kind: str, k: int, t: int) -> np.ndarray:
            """What the gradients of the state after step t say of one thing that it hangs on."""
            parts = zip(d_state, partials[kind][k], strict=True)
            return np.asarray(sum(d * partial[t] for d, partial in parts))

        for t in reversed(range(len(d_outputs))):
            d_state[0] = d_state[0] + d_outputs[t]
            for k, d in enumerate(d_after):
                d[t] = through("after", k, t)
            d_pre = concat([through("pre", k, t) for k in range(len(partials["pre"]))])
            d_before = [through("before", k, t) for k in range(len(d_state))]
            if cell.recurrent:
                d_a[t], d_p = cell.unjoin(d_pre)
                d_before[0] = d_before[0] + d_p @ self.weights["recurrent_kernel"].T
            else:
                d_a[t] = d_pre
            d_state = d_before
        d_x = d_a @ self.weights["kernel"].T
        return d_x, dict(zip(cell.state_names, d_after, strict=True)), tuple(d_state)


@functools.lru_cache(maxsize=16)  # few models are examined at a time
def backward(network: Network) -> Backward:
    """What differentiates `network`."""
    return Backward(network)
