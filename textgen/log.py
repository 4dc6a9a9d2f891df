"""What textgen says while it works: messages of the logger "textgen".

Where the program has set up no logging of its own, each is a plain line on stderr, above a progress
bar if there is one. From Python:

    logging.getLogger("textgen").setLevel(logging.WARNING)  # notes, but no progress
    logging.getLogger("textgen").setLevel(logging.CRITICAL)  # nothing
    logging.basicConfig(...)  # they go to the handlers of the program instead

A message of level INFO says how far the work is; one of level WARNING what the user would not
expect: a text read in part, a damaged file passed over.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger("textgen")


class _PlainLines(logging.Handler):
    """Write each message as a line to stderr; `in_a_command`: whatever handlers there are."""

    in_a_command = False

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers and not self.in_a_command:
            return  # those of the program write it
        from tqdm import tqdm

        try:
            tqdm.write(self.format(record), file=sys.stderr)
            sys.stderr.flush()
        except Exception:  # a closed or full stderr ends no training
            self.handleError(record)


_lines = _PlainLines()
logger.addHandler(_lines)
if logger.level == logging.NOTSET:  # a program may have silenced it before the import
    logger.setLevel(logging.INFO)


@contextlib.contextmanager
def command() -> Iterator[None]:
    """While within, messages are lines on stderr, whatever logging is set up: as a shell has it."""
    _lines.in_a_command = True
    try:
        yield
    finally:
        _lines.in_a_command = False


def progress_bar(**settings: object) -> tqdm:
    """A bar of tqdm with its `settings` on stderr; without effect where that is no terminal, or
    where messages of progress are silenced."""
    from tqdm import tqdm

    shown = sys.stderr.isatty() and logger.isEnabledFor(logging.INFO)
    return tqdm(disable=not shown, **settings)
