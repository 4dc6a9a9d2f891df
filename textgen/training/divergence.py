"""A loss that runs away: noticed within a few steps, so that the run can go back."""

from __future__ import annotations

import math
from typing import Any

from textgen.backend import keras
from textgen.training.callbacks import Recorder

# The loss of the last steps is compared with that of many steps. Both are means that forget
# exponentially; they reach back over so many steps:
FAST, SLOW = 10, 200
# It runs away when it is greater by this factor and by this much (nats). A model that has learned
# a text and falls back to guessing its commonest letters passes this line.
FACTOR, MARGIN = 1.5, 0.3
LOWERED = 0.3  # of the learning rate, after the first time


class Diverged(Exception):
    """The loss, or a weight, is no longer what training can go on from."""


class Watch(keras.callbacks.Callback):
    """Raises `Diverged` when the loss is no number, or runs away.

    state: (steps seen, mean loss of the last few, mean loss of many).
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.state = (0, 0.0, 0.0)

    @property
    def calm(self) -> bool:
        """Not even half way to the line."""
        return self._way < 0.5

    @property
    def _way(self) -> float:
        """How far the loss has gone from the usual (0) to the line (1)."""
        seen, fast, slow = self.state
        if seen < FAST:
            return 0.0
        return (fast - slow) / ((FACTOR - 1) * slow + MARGIN)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss, step = self.recorder.batch_loss, self.recorder.step
        if not math.isfinite(loss):
            raise Diverged(f"the loss is no longer a number at step {step}")
        seen, fast, slow = self.state
        seen += 1
        fast += (loss - fast) / min(seen, FAST)
        slow += (loss - slow) / min(seen, SLOW)
        self.state = (seen, fast, slow)
        if self._way >= 1:
            raise Diverged(f"the loss rose from {slow:.2f} to {fast:.2f} at step {step}")
