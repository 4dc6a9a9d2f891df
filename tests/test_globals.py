"""Importing textgen leaves Keras, Optuna, the environment and what else is shared as they are."""

import subprocess
import sys

import pytest

CHECK = """
import csv, importlib, logging, os, signal, sys, warnings
from pathlib import Path
import textgen

untouched = dict(os.environ)
from textgen import backend, config, log, options  # what any command imports
assert dict(os.environ) == untouched

keras = backend.keras  # reads the environment that it is given
import datasets, optuna


def shared():
    return {
        "environment": dict(os.environ),
        "csv": csv.field_size_limit(),
        "floatx": keras.config.floatx(),
        "policy": keras.config.dtype_policy().name,
        "image": keras.config.image_data_format(),
        "optuna": optuna.logging.get_verbosity(),
        "datasets": datasets.utils.logging.get_verbosity(),
        "logging": (logging.root.level, list(logging.root.handlers), logging.raiseExceptions),
        "warnings": list(warnings.filters),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "hooks": (sys.excepthook, sys.displayhook, sys.getrecursionlimit()),
    }


before = shared()
root = Path(textgen.__file__).parent
files = [file.relative_to(root).with_suffix("") for file in root.rglob("*.py")]
names = [
    ".".join(("textgen", *file.parts))
    for file in files
    if file.parts[0] != "ui" and not file.name.startswith("__")  # the app is Streamlit's
]
for name in names:
    importlib.import_module(name)
after = shared()
changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
assert len(names) > 50 and not changed, changed
"""


@pytest.mark.slow
def test_no_import_changes_what_is_shared():
    subprocess.run([sys.executable, "-c", CHECK], check=True)
