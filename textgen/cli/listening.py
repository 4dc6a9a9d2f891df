"""Where a server listens, refused in one line where it cannot."""

from __future__ import annotations

import socket

from textgen.errors import ConfigError


def listen(host: str, port: int, how: str = "") -> socket.socket:
    """A socket that listens there. how: another way to name the place, for the error.

    Raises `ConfigError`.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"port is {port}: give a value of at least 0 and at most 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        what = str(error).partition("] ")[2].partition(" (while")[0] or error
        raise ConfigError(
            f"cannot listen at {host}, port {port} ({what}): give another --host or --port{how}"
        ) from None
