"""The state of a model after a text that grows and shrinks at its end: only what is new is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.arrays import State
from textgen.network import Network

STRIDE = 256  # tokens after which a state is kept, so that no change reads more of what stands


class PrefixReader:
    """Keeps states along the text that it has read last."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._ids: list[int] = []
        self._states: list[tuple[int, State]] = [(0, network.initial_state(1))]  # after so many ids

    def state_after(self, ids: Sequence[int]) -> State:
        """The state, of a batch of one, after the last of ids."""
        alike = _length_alike(self._ids, ids)
        while self._states[-1][0] > alike:
            self._states.pop()
        begin, state = self._states[-1]
        for at in range(begin, len(ids), STRIDE):
            part = np.array(ids[at : at + STRIDE], np.int32)
            _, state = self.network.read(part[:, None], state)
            self._states.append((at + len(part), state))
        self._ids = list(ids)
        return state


def _length_alike(a: Sequence[int], b: Sequence[int]) -> int:
    """How many ids at the beginning of both are the same."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((k for k, (x, y) in pairs if x != y), min(len(a), len(b)))
