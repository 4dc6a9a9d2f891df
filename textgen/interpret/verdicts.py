"""What the lesson says of recurrent networks, judged on one model: measurements and their limits.

Each class is one sentence of the lesson. It holds the figures that speak for or against it, and
`holds` weighs them against limits that were set before looking.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from textgen.interpret.trace import Trace

TOLERANCE = 1e-5  # between a trace and what the trained layers compute
VANISHED = 1e-3  # a gradient of which less is left has vanished
AGREEMENT = 2.0  # two lengths agree when neither is more than this many times the other
EFFECT_SHARE = 0.5  # of the effect on an answer, from which units carry it
MOSTLY = 0.9  # of pairs, or of documents, from which something happens as a rule


@dataclasses.dataclass(frozen=True)
class HangsOnFact:
    """The answer hangs on the sentence that states the fact.

    token: the one before the question without which the answer changes most. nats: by how much.
    fact_end: the token that ends the sentence.
    """

    token: int
    nats: float
    fact_end: int

    @property
    def holds(self) -> bool:
        return self.token <= self.fact_end


def hangs_on_fact(occlusion: np.ndarray, fact_end: int, question_start: int) -> HangsOnFact:
    """occlusion: what each token does for the answer [T]. The question is left out: without its
    words no model could know what it is asked."""
    token = int(np.argmax(np.abs(occlusion[:question_start])))
    return HangsOnFact(token, float(occlusion[token]), fact_end)


@dataclasses.dataclass(frozen=True)
class KeptByGates:
    """What the answer hangs on is kept by units whose gate lets the old state stay.

    tokens: from the fact to the answer. keeping: of `units`, how many keep their state that long.
    share: of the effect on the answer, how much is theirs.
    """

    tokens: int
    keeping: int
    units: int
    share: float

    @property
    def holds(self) -> bool:
        return self.share > EFFECT_SHARE


def kept_by_gates(time_scales: np.ndarray, effects: np.ndarray, tokens: int) -> KeptByGates:
    """time_scales [U]: how long each unit of a layer remembers, in tokens. effects [U]: what it
    does for the answer."""
    sizes, keeping = np.abs(effects), np.asarray(time_scales) >= tokens
    share = float(sizes[keeping].sum() / max(sizes.sum(), np.finfo(np.float64).tiny))
    return KeptByGates(tokens, int(keeping.sum()), len(sizes), share)


@dataclasses.dataclass(frozen=True)
class EquationsHold:
    """The equations of the cell are all that its trained layer does.

    error: the largest difference of h between them. gap: that between h and o tanh(C), for a cell
    with an output gate.
    """

    error: float
    gap: float | None

    @property
    def holds(self) -> bool:
        return max(self.error, self.gap or 0.0) < TOLERANCE


def equations_hold(traces: Sequence[Trace]) -> EquationsHold:
    """Judged on texts that were read with no override."""
    gaps = [
        float(np.abs(values["h"] - values["o"] * np.tanh(values["C"])).max())
        for trace in traces
        for values in trace.layers
        if "o" in values
    ]
    return EquationsHold(max(trace.error for trace in traces), max(gaps, default=None))


@dataclasses.dataclass(frozen=True)
class Vanishes:
    """The gradient of the plain recurrence vanishes.

    trained: what is left at the fact of the gradient at the answer, as a share. untrained: the
    same before training, which is not judged.
    """

    trained: float
    untrained: float

    @property
    def holds(self) -> bool:
        return self.trained < VANISHED


@dataclasses.dataclass(frozen=True)
class SurvivesAlongState:
    """Along C the gradient survives: it meets only sums and products with the forget gate.

    whole: what is left at the fact of the gradient with respect to C, as a share. alone: of that
    which comes back along C alone.
    """

    whole: float
    alone: float

    @property
    def holds(self) -> bool:
        return self.whole > VANISHED and 1 / AGREEMENT < self.alone / self.whole < AGREEMENT


def share_left(norms: np.ndarray, token: int) -> float:
    """Of a gradient with these lengths [T], how much is left at a token: a share of the last."""
    return float(norms[token] / norms[-1])


@dataclasses.dataclass(frozen=True)
class Spread:
    """No single unit holds the fact: without the best one the answer still stands.

    before, after: the probability of the right answer with the unit and without it. stands: it is
    the likeliest both times.
    """

    before: float
    after: float
    stands: bool

    @property
    def holds(self) -> bool:
        return self.stands


def spread(before: Mapping[str, float], after: Mapping[str, float], answer: str) -> Spread:
    """before, after: the probability of each answer, with the best unit and without it."""
    stands = all(max(shares, key=lambda a: shares[a]) == answer for shares in (before, after))
    return Spread(before[answer], after[answer], stands)


@dataclasses.dataclass(frozen=True)
class FasterButWeaker:
    """The GRU is faster than the LSTM, but weaker.

    Milliseconds of a training step, and bits per character on text that was held out.
    """

    gru_ms: float
    lstm_ms: float
    gru_bits: float
    lstm_bits: float

    @property
    def holds(self) -> bool:
        return self.gru_ms < self.lstm_ms and self.gru_bits > self.lstm_bits


@dataclasses.dataclass(frozen=True)
class FourTimes:
    """An LSTM has four times the parameters of an RNN: those of their recurrent layers."""

    lstm: int
    rnn: int

    @property
    def ratio(self) -> float:
        return self.lstm / self.rnn

    @property
    def holds(self) -> bool:
        return self.lstm == 4 * self.rnn
