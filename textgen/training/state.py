"""How far a run has come, but for what is in variables of TensorFlow: it is saved and restored as a
whole."""

from __future__ import annotations

import dataclasses
import json
import math

from textgen.training.divergence import LossTrend

LARGEST_COUNT = 2**53


@dataclasses.dataclass
class RunState:
    """How far a run has come.

    learning_rate: the peak of the schedule in use. step: batches read, in all epochs. seconds: of
    training. nats, tokens: over the epoch so far the sum of the loss, and of how many tokens.
    trend: of the loss, over the epochs. best: the lowest loss at the end of an epoch, infinite
    before the first has ended; waited: epochs since then. rolled_back: what was done about a loss
    that ran away at "step": the step it went back "to", and the "learning_rate" since then.
    saves: how many were written.
    """

    learning_rate: float
    step: int = 0
    seconds: float = 0.0
    nats: float = 0.0
    tokens: float = 0.0
    trend: LossTrend = dataclasses.field(default_factory=LossTrend)
    best: float = math.inf
    waited: int = 0
    rolled_back: dict[str, float] | None = None
    saves: int = 0

    def to_json(self) -> dict[str, object]:
        """For the header of a save, as JSON takes it."""
        return {
            "number": self.saves,
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best if math.isfinite(self.best) else None,
            "waited": self.waited,
            "nats": (self.nats, self.tokens),
            "watched": dataclasses.astuple(self.trend),
            "learning_rate": self.learning_rate,
            "rolled_back": self.rolled_back,
        }

    @classmethod
    def from_json(cls, text: str) -> RunState:
        """What `to_json` gave, as text. Raises `ValueError` for anything else."""
        try:
            note = json.loads(text)
            (nats, tokens), (seen, fast, slow) = note["nats"], note["watched"]
            best, rolled_back = note["best"], note["rolled_back"]
            state = cls(
                learning_rate=float(note["learning_rate"]),
                step=int(note["step"]),
                seconds=float(note["seconds"]),
                nats=float(nats),
                tokens=float(tokens),
                trend=LossTrend(int(seen), float(fast), float(slow)),
                best=math.inf if best is None else float(best),
                waited=int(note["waited"]),
                rolled_back=rolled_back and {k: float(v) for k, v in dict(rolled_back).items()},
                saves=int(note["number"]),
            )
        except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
            raise ValueError("not the state of a run") from error
        counts = (state.saves, state.step, state.waited, state.trend.seen)
        if not all(0 <= n < LARGEST_COUNT for n in counts):
            raise ValueError("a count of the run is out of range")
        if not 0 < state.learning_rate < math.inf:
            raise ValueError("the learning rate of the run is out of range")
        return state
