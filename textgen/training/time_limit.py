"""A training that ends after so many seconds."""

from __future__ import annotations

import time

from textgen.arrays import Array
from textgen.backend import keras


class TimeLimit:
    """Ends `seconds` after the first step, in which a step is compiled.

    before: seconds that were trained already, before a resume.
    gone: a variable, the share of the time that is gone, which a learning rate can follow.
    """

    def __init__(self, seconds: float, before: float = 0.0) -> None:
        self.seconds, self.before = seconds, before
        self.gone: Array = keras.Variable(
            min(before / seconds, 1.0), trainable=False, dtype="float32"
        )
        self._begin: float | None = None

    def is_over(self) -> bool:
        """To be asked after each step."""
        now = time.monotonic()
        if self._begin is None:
            self._begin = now - self.before
        share = (now - self._begin) / self.seconds
        self.gone.assign(min(share, 1.0))
        return share >= 1.0
