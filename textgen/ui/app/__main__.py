"""Start the app from anywhere: `python -m textgen.ui.app`, with the flags of `streamlit run`.

Streamlit runs this same file for every visit.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

import streamlit.config
import streamlit.runtime
import streamlit.web.cli

from textgen.ui.app import main


def import_early() -> None:
    """Import what every page needs while the browser still loads: the first page waits for it."""
    while not (streamlit.runtime.exists() and listens()):  # the server goes before
        time.sleep(0.02)
    import textgen.ui.models
    import textgen.ui.page_parts  # noqa: F401


def listens() -> bool:
    """Whether the server that is starting takes connections."""
    address = streamlit.config.get_option("server.address") or "localhost"
    try:
        socket.create_connection((address, streamlit.config.get_option("server.port")), 1).close()
    except OSError:
        return False
    return True


if streamlit.runtime.exists():
    main()
else:
    threading.Thread(target=import_early, daemon=True).start()
    sys.exit(streamlit.web.cli.main(["run", __file__, *sys.argv[1:]]))
