"""What a run folder says, as tests ask for it."""

import json

import numpy as np

from textgen.runs import array_file, run_folder


def rows(run):
    """Those of history.csv."""
    return run_folder.read_history(run)


def ends(run):
    """The rows of the ends of epochs."""
    return [row for row in rows(run) if row["val_loss"]]


def weights(run):
    return array_file.read_arrays(run / run_folder.WEIGHTS)[0]


def same_weights(run, other):
    for name, array in weights(run).items():
        np.testing.assert_array_equal(weights(other)[name], array, err_msg=name)


def card_of(run):
    return json.loads((run / "config.json").read_text())
