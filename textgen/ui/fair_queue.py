"""Who computes next, where many write at once: in turns, each session a chunk at a time."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator

from textgen.backend import cores


class Turns:
    """Lets `at_once` threads compute; the others wait in the order in which they came.

    Who has had a turn asks again, behind all who wait: so each has the same share, and someone new
    waits for one turn of each of the others at most. A turn ends with its `with` block, whatever
    ends that: a stop, a closed page, an error.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: collections.deque[object] = collections.deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
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


TURNS = Turns(cores())
