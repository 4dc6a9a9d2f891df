"""What the lesson says of recurrent networks, judged on one model: measurements and their limits.

Each class is one sentence of the lesson. It holds the figures that speak for or against it, and
`verdict` weighs them against limits that were set before looking, and against what would have been
measured by chance, or without a memory. There are three verdicts: it holds, it does not, and what
chance explains as well, or what was measured too early or on too little, cannot be told.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence

import numpy as np

from textgen.evaluation.recall_probe import ProbeRow
from textgen.interpret.trace import Trace

TOLERANCE = 1e-5  # between a trace and what the trained layers compute
VANISHED = 1e-3  # a gradient of which less is left has vanished
EFFECT_SHARE = 0.5  # of the effect on an answer, from which units carry it
MOSTLY = 0.9  # of pairs, or of documents, from which something happens as a rule
NOTICED = 0.1  # nats by which a token must change an answer to count as heard
DEVIATIONS = 2.0  # standard deviations within which chance explains a share
SURE = 0.5  # the probability from which an answer is an answer, and no guess
MARGIN = 0.02  # by which figures of two trainings differ though nothing but their seed does


class Verdict(enum.Enum):
    """Whether a sentence holds of what was measured."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"  # cannot be told


def judged(holds: bool | None) -> Verdict:
    """None: it cannot be told."""
    if holds is None:
        return Verdict.OPEN
    return Verdict.HOLDS if holds else Verdict.FAILS


def beyond(limit: float, low: float, high: float) -> Verdict:
    """Whether a figure reaches a limit, of which its interval is known."""
    if low < limit <= high:
        return Verdict.OPEN
    return judged(low >= limit)


@dataclasses.dataclass(frozen=True)
class Answered:
    """A model knows the answer: it gives it more than half of the probability, and would not have
    done so without the fact.

    A wrong answer fails, however weak. The right one may be a guess, or what the model always says:
    then it cannot be told.

    answer, share: the likeliest one and its probability. right: whether it is the right one.
    without: its probability where the fact was not told.
    """

    answer: str
    share: float
    right: bool
    without: float

    @property
    def sure(self) -> bool:
        """Whether it is an answer, and no guess."""
        return self.share > SURE

    @property
    def why(self) -> str:
        """What the verdict rests on: it "knows" the right answer, gives a "wrong" one, gives the
        right one as a "guess", or would say it "anyway", without the fact."""
        if not self.right:
            return "wrong"
        if not self.sure:
            return "guess"
        return "anyway" if self.without > SURE else "knows"

    @property
    def verdict(self) -> Verdict:
        return {"knows": Verdict.HOLDS, "wrong": Verdict.FAILS}.get(self.why, Verdict.OPEN)


def answered(shares: Mapping[str, float], without: Mapping[str, float], right: str) -> Answered:
    """shares, without: the probability of each answer, with the fact and without it."""
    best = max(shares, key=lambda answer: shares[answer])
    return Answered(best, shares[best], best == right, without[best])


@dataclasses.dataclass(frozen=True)
class Recalled:
    """How a model's recall goes as the fact moves away.

    story: "always", above `MOSTLY` at every distance; "until", surely so up to `reach`; "fades",
    right more often than not at the first distance, but never surely above `MOSTLY`; "seldom",
    better than chance, no more; "never", no better than chance from the beginning on.
    first, near: the shortest distance in characters, and the share of right answers there. last,
    far: the same of the longest. lost: the distance from which less than half are right, if any.
    """

    story: str
    reach: int
    first: int
    near: float
    last: int
    far: float
    lost: int | None
    chance: float


def recalled(rows: Sequence[ProbeRow], reach: int, chance: float) -> Recalled:
    """rows: of one model and control, of growing distance. reach: the horizon, 0 where there is
    none."""
    first, last = rows[0], rows[-1]
    if reach == last.distance:
        story = "always"
    elif reach:
        story = "until"
    elif first.accuracy > 0.5:
        story = "fades"
    else:
        story = "seldom" if first.low > chance else "never"
    lost = next((row.distance for row in rows if row.accuracy < 0.5), None)
    return Recalled(
        story,
        reach,
        first.distance,
        first.accuracy,
        last.distance,
        last.accuracy,
        lost,
        chance,
    )


@dataclasses.dataclass(frozen=True)
class HangsOnFact:
    """The answer hangs on the sentence that states the fact.

    token: the one before the question without which the answer changes most. nats: by how much.
    fact_end: the token that ends the sentence. chance: how often any token before the question
    would lie in that sentence.
    """

    token: int
    nats: float
    fact_end: int
    chance: float

    @property
    def verdict(self) -> Verdict:
        if abs(self.nats) < NOTICED or self.token > self.fact_end:
            return Verdict.FAILS
        return Verdict.HOLDS if self.chance <= 0.5 else Verdict.OPEN


def hangs_on_fact(occlusion: np.ndarray, fact_end: int, question_start: int) -> HangsOnFact:
    """occlusion: what each token does for the answer [T]. The question is left out: without its
    words no model could know what it is asked."""
    token = int(np.argmax(np.abs(occlusion[:question_start])))
    chance = min((fact_end + 1) / question_start, 1.0)
    return HangsOnFact(token, float(occlusion[token]), fact_end, chance)


@dataclasses.dataclass(frozen=True)
class KeptByGates:
    """What the answer hangs on is kept by units whose gate lets the old state stay.

    tokens: from the fact to the answer. keeping: of `units`, how many keep their state that long.
    share: of the effect on the answer, how much is theirs. deviation: by how much the share of as
    many units, drawn by lot, differs from `chance` (its standard deviation).
    """

    tokens: int
    keeping: int
    units: int
    share: float
    deviation: float

    @property
    def chance(self) -> float:
        """The share of as many units, whichever they are."""
        return self.keeping / self.units

    @property
    def verdict(self) -> Verdict:
        away = self.share - self.chance
        if self.share <= EFFECT_SHARE or away < -DEVIATIONS * self.deviation:
            return Verdict.FAILS
        return Verdict.HOLDS if away > DEVIATIONS * self.deviation else Verdict.OPEN


def kept_by_gates(time_scales: np.ndarray, effects: np.ndarray, tokens: int) -> KeptByGates:
    """time_scales [U]: how long each unit of a layer remembers, in tokens. effects [U]: what it
    does for the answer."""
    sizes, keeping = np.abs(np.asarray(effects, np.float64)), np.asarray(time_scales) >= tokens
    shares = sizes / max(sizes.sum(), np.finfo(np.float64).tiny)
    units, kept = len(sizes), int(keeping.sum())
    # of the sum of `kept` of the shares, drawn without putting any back
    variance = kept * shares.var() * (units - kept) / max(units - 1, 1)
    return KeptByGates(tokens, kept, units, float(shares[keeping].sum()), math.sqrt(variance))


@dataclasses.dataclass(frozen=True)
class EquationsHold:
    """The equations of the cell are all that its trained layer does.

    error: the largest difference of h between them. gap: that between h and o tanh(C), for a cell
    that shows so much of its state.
    """

    error: float
    gap: float | None

    @property
    def verdict(self) -> Verdict:
        return judged(max(self.error, self.gap or 0.0) < TOLERANCE)


def equations_hold(traces: Sequence[Trace], shows_tanh: bool = True) -> EquationsHold:
    """Judged on texts that were read with no override. shows_tanh: that of the cell."""
    gaps = [
        float(np.abs(values["h"] - values["o"] * np.tanh(values["C"])).max())
        for trace in traces
        for values in trace.layers
        if "o" in values and shows_tanh
    ]
    return EquationsHold(max(trace.error for trace in traces), max(gaps, default=None))


@dataclasses.dataclass(frozen=True)
class Vanishes:
    """The gradient of the plain recurrence vanishes.

    trained: what is left at the fact of the gradient at the answer, as a share. untrained: the
    same before training, which is not judged. nan where there was none at the answer.
    """

    trained: float
    untrained: float

    @property
    def verdict(self) -> Verdict:
        return Verdict.OPEN if math.isnan(self.trained) else judged(self.trained < VANISHED)


@dataclasses.dataclass(frozen=True)
class SurvivesAlongState:
    """Along C the gradient survives: it meets only sums and products with the forget gate.

    alone: what is left at the fact of the gradient that comes back along C alone, multiplied by
    nothing but the forget gates, as a share. whole: the same of all that comes back, by whatever
    way, which is not judged. nan where there was none at the answer.
    """

    whole: float
    alone: float

    @property
    def verdict(self) -> Verdict:
        return Verdict.OPEN if math.isnan(self.alone) else judged(self.alone > VANISHED)


def share_left(norms: np.ndarray, token: int) -> float:
    """Of a gradient with these lengths [T], how much is left at a token: a share of the last; nan
    where that is nothing."""
    return float(norms[token] / norms[-1]) if norms[-1] else math.nan


@dataclasses.dataclass(frozen=True)
class Spread:
    """No single unit holds the fact: without the best one the answer still stands.

    before, after: the probability of the right answer with the unit and without it. knew, stands:
    whether it is the likeliest with it, and without.
    """

    before: float
    after: float
    knew: bool
    stands: bool

    @property
    def verdict(self) -> Verdict:
        return judged(self.stands) if self.knew else Verdict.OPEN


def spread(before: Mapping[str, float], after: Mapping[str, float], answer: str) -> Spread:
    """before, after: the probability of each answer, with the best unit and without it."""
    knew, stands = (max(shares, key=lambda a: shares[a]) == answer for shares in (before, after))
    return Spread(before[answer], after[answer], knew, stands)


@dataclasses.dataclass(frozen=True)
class FasterButWeaker:
    """The GRU is faster than the LSTM, but weaker.

    Milliseconds of a training step, and bits per character on text that was held out; nan where
    nothing was. frequencies: the bits of who knows nothing but how often each character comes: a
    model that is no better has not begun to learn.
    """

    gru_ms: float
    lstm_ms: float
    gru_bits: float
    lstm_bits: float
    frequencies: float = math.inf

    @property
    def verdict(self) -> Verdict:
        if not max(self.gru_bits, self.lstm_bits) < self.frequencies:
            return Verdict.OPEN
        slower, better = (
            beyond(1.0, ratio * (1 - MARGIN), ratio * (1 + MARGIN))
            for ratio in (self.gru_ms / self.lstm_ms, self.lstm_bits / self.gru_bits)
        )
        if Verdict.HOLDS in (slower, better):
            return Verdict.FAILS
        return Verdict.OPEN if Verdict.OPEN in (slower, better) else Verdict.HOLDS


@dataclasses.dataclass(frozen=True)
class FourTimes:
    """An LSTM has four times the parameters of an RNN: those of their recurrent layers."""

    lstm: int
    rnn: int

    @property
    def ratio(self) -> float:
        """Parameters of the LSTM for each of the RNN."""
        return self.lstm / self.rnn

    @property
    def verdict(self) -> Verdict:
        return judged(self.lstm == 4 * self.rnn)
