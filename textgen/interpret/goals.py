"""A goal: how much the model wants one answer, and which tokens and states that comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from textgen.data.recall_documents import Document
from textgen.data.token_positions import ids_before_blank
from textgen.interpret.backward import backward
from textgen.interpret.gradient_flow import norms
from textgen.interpret.replay import Override, Replay, replay
from textgen.interpret.trace import Values
from textgen.network import Network
from textgen.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Goal:
    """log p(answer), or, given a foil, log p(answer) - log p(foil): natural, of all their ids."""

    answer: Sequence[int]
    foil: Sequence[int] = ()


def at_blank(tokenizer: Tokenizer, document: Document, foil: str = "") -> tuple[list[int], Goal]:
    """(ids of a document up to its blank, the goal there: its answer, against `foil` if given).

    An answer is judged together with the ending after it, as in a `recall_probe`.
    """
    answers = [tokenizer.encode(a + document.ending) if a else [] for a in (document.answer, foil)]
    return ids_before_blank(tokenizer, document), Goal(*answers)


def value(
    network: Network, ids: Sequence[int], goal: Goal, overrides: Sequence[Override] = ()
) -> float:
    """The goal after ids. Raises as `trace` does."""
    program = replay(network)
    x = program.inputs(ids)
    answers = weighted(program, goal)
    edits = program.edits(length(x, answers), overrides, len(x))
    return float(program.score(x, *answers, *edits)[0])


def weighted(program: Replay, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
    """(answers, weights) as `Replay` takes them: the answer counts +1, the foil -1."""
    answers = [
        program.checked(ids) for ids in (goal.answer, goal.foil)[: 2 if len(goal.foil) else 1]
    ]
    ids = np.zeros((max(map(len, answers)), len(answers)), np.int32)
    weights = np.zeros(ids.shape, np.float32)
    for k, (answer, sign) in enumerate(zip(answers, (1.0, -1.0), strict=False)):
        ids[: len(answer), k], weights[: len(answer), k] = answer, sign
    return ids, weights


def length(x: np.ndarray, answers: tuple[np.ndarray, np.ndarray]) -> int:
    """Tokens that count: of an answer, all but the last."""
    return len(x) + len(answers[0]) - 1


@dataclasses.dataclass(frozen=True)
class Gradients:
    """Of a goal, with respect to the embedding of each token [T, D], and, for each layer, to each
    part of the state after each token [T, U], by name.

    Total derivatives: through everything that follows, so that of C_t counts what it does to h_t.
    """

    inputs: np.ndarray
    layers: list[Values]


def gradients(network: Network, ids: Sequence[int], goal: Goal) -> Gradients:
    """Backpropagation through time, in full. Raises as `trace` does."""
    program = replay(network)
    return Gradients(*backward(network).slopes(program.inputs(ids), *weighted(program, goal)))


@dataclasses.dataclass(frozen=True)
class Saliency:
    """product: gradient times embedding, summed over D [T]; signed, and to first order what the
    token adds to the goal. norm: length of the gradient [T], how much the goal hangs on the token
    at all (Li et al. 2016, arXiv 1506.01066).
    """

    product: np.ndarray
    norm: np.ndarray


def saliency(network: Network, ids: Sequence[int], goal: Goal) -> Saliency:
    """Which tokens the goal hangs on, from one gradient. Raises as `trace` does."""
    slope = gradients(network, ids, goal).inputs
    inputs = replay(network).inputs(ids)[:, 0]
    return Saliency((slope * inputs).sum(1), norms(slope))
