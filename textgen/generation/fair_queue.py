"""Who computes next where many write at once: each in its turn, a chunk at a time."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator
from typing import TypeVar

from textgen.backend import cores

TOKEN_LIMIT = 2000  # of one text, where others wait
T = TypeVar("T")


class FairQueue:
    """Let `at_once` threads compute; the others wait in the order in which they came.

    A thread that has had a turn asks again, behind all that wait: so each has the same share, and a
    new one waits for one turn of each of the others at most. A turn ends with its `with` block,
    whatever ends that: a stop, a closed page, an error.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: collections.deque[object] = collections.deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it until the `with` block ends."""
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                self._changed.wait_for(lambda: self._free and self._waiting[0] is me)
                self._free -= 1
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def in_turns(self, steps: Iterator[T]) -> Iterator[T]:
        """The same steps, each computed in a turn of its own."""
        while True:
            with self.turn():
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step


QUEUE = FairQueue(cores())
