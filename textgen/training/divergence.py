"""A loss that runs away: noticed within a few steps, so that the run can go back."""

from __future__ import annotations

import dataclasses
from typing import Self

# The loss of the last steps is compared with that of many steps. Both are means that forget
# exponentially; they reach back over so many steps:
FAST, SLOW = 10, 200
# It runs away when it is greater by this factor and by this much (nats). A model that has learned
# a text and falls back to guessing its commonest letters passes this line.
FACTOR, MARGIN = 1.5, 0.3
LOWERED = 0.3  # of the learning rate, after the first time


class Diverged(Exception):
    """The loss runs away, or it or a weight is no number: training cannot go on from here."""


@dataclasses.dataclass(frozen=True)
class LossTrend:
    """The loss of the last few steps beside that of many. seen: steps so far. fast, slow: the mean
    loss of about the last `FAST` of them, and of the last `SLOW`, in nats per token."""

    seen: int = 0
    fast: float = 0.0
    slow: float = 0.0

    def after(self, loss: float) -> Self:
        """The trend after a step of this loss."""
        seen = self.seen + 1
        fast = self.fast + (loss - self.fast) / min(seen, FAST)
        slow = self.slow + (loss - self.slow) / min(seen, SLOW)
        return dataclasses.replace(self, seen=seen, fast=fast, slow=slow)

    @property
    def runs_away(self) -> bool:
        """Whether the loss has crossed the line."""
        return self._distance >= 1

    @property
    def is_calm(self) -> bool:
        """Whether the loss is not even half way to the line."""
        return self._distance < 0.5

    @property
    def _distance(self) -> float:
        """How far the loss has risen from its long mean (0) towards the line (1)."""
        if self.seen < FAST:
            return 0.0
        return (self.fast - self.slow) / ((FACTOR - 1) * self.slow + MARGIN)
