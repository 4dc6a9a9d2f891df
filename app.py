"""The app: `streamlit run app.py`."""

from textgen.ui.app import main

main()
