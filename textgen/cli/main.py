"""The `textgen` command. Parsing needs no TensorFlow, so `--help` answers at once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from textgen.errors import BAD_INPUT, INTERRUPTED, TextgenError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a `TextgenError` becomes one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is no error
        if stream is not None:  # as after `>&-`
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except TextgenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `textgen generate ... | head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("error: the disk that the output goes to is full: free some space", file=sys.stderr)
        sys.stderr.flush()
        os._exit(BAD_INPUT)  # an ordinary exit would try to write the rest, and fail once more


def _run(arguments: Sequence[str]) -> None:
    # here, where Ctrl-C while they are imported is caught
    from textgen import log
    from textgen.cli.arguments import COMMANDS, file_of, parser

    asked = next((one for one in arguments if not one.startswith("-")), "")
    whole = parser(asked if asked in COMMANDS else "")
    for argument in arguments:
        if argument.startswith("-:"):  # which argparse takes for an option
            whole.error(f"{argument} is no option: write /dev/stdin{argument[1:]} for a column")
    parsed = whole.parse_args(arguments)
    with log.command():
        file_of(parsed.command).run(parsed)
