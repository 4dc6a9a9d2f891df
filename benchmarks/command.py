"""The command `textgen`, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def textgen(*arguments: Any) -> None:
    """Run it in a process of its own. Raises `SystemExit` where it fails; why stands on stderr."""
    command = [sys.executable, "-m", "textgen", *map(str, arguments)]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise SystemExit(f"textgen {arguments[0]} failed: see above")
