"""Start the app from anywhere: `python -m textgen.ui.app`, with the flags of `streamlit run`.

Streamlit runs this same file for every visit.
"""

from __future__ import annotations

import sys

import streamlit.runtime
import streamlit.web.cli

from textgen.ui.app import main

if streamlit.runtime.exists():
    main()
else:
    sys.exit(streamlit.web.cli.main(["run", __file__, *sys.argv[1:]]))
