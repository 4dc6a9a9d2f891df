"""Ctrl-C and SIGTERM are noted, and heeded between two steps, when everything is whole; or at once
where nothing can be left half done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop (Ctrl-C, SIGTERM); the run is saved and can be resumed."""


class StopRequest:
    """Listens for the signals while it is entered. asked: whether one came."""

    def __init__(self) -> None:
        self.asked = self._is_at_once = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self.listen()
        return self

    def listen(self) -> None:
        """Take the signals; anew where TensorFlow has taken them meanwhile."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous.setdefault(number, signal.signal(number, self._ask))

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """While within, a signal raises `Interrupted` as soon as it comes."""
        self._is_at_once = True
        try:
            if self.asked:
                raise Interrupted
            yield
        finally:
            self._is_at_once = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        """Note the signal `number`; the next one ends the process."""
        self.asked = True
        for n, handler in self._previous.items():  # a second Ctrl-C does not wait
            signal.signal(n, handler)
        if self._is_at_once:
            raise Interrupted
