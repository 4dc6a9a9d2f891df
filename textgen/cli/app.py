"""`textgen app`: the app, in a browser."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys

from textgen.cli.listening import listen
from textgen.errors import MissingPart


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host",
        default="localhost",
        help="where it listens (default localhost: this machine alone)",
    )
    command.add_argument("--port", type=int, default=8501, metavar="INT", help="(default 8501)")


def run(parsed: argparse.Namespace) -> None:
    if importlib.util.find_spec("streamlit") is None:
        raise MissingPart("the app needs Streamlit: pip install 'textgen-recurrent[app]'")
    # Streamlit would refuse it in fifty lines
    listen(parsed.host, parsed.port, how=", or PORT=8502 make app").close()
    flags = [f"--server.address={parsed.host}", f"--server.port={parsed.port}"]
    os.execv(sys.executable, [sys.executable, "-m", "textgen.ui.app", *flags])
