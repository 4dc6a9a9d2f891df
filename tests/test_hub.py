"""Datasets of the Hugging Face Hub: its own client, over HTTP, from a Hub on loopback."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hub import hub

from textgen.runs import array_file, run_folder
from tiny import TEXT

LINES = TEXT.splitlines()
ROWS = "".join(json.dumps({"id": i, "document": line}) + "\n" for i, line in enumerate(LINES))
FILES = {"train.jsonl": ROWS.encode()}
FLAGS = [
    "--hidden-size=8",
    "--embedding-size=4",
    "--sequence-length=16",
    "--batch-size=4",
    "--epochs=1",
    "--sample-length=0",
    "--stream",
]
# a Hub that breaks off is waited for for a minute; here not as long
HURRIED = (
    "import textgen.text.hub as r; r.PATIENCE = 5.0; from textgen.cli.main import main; main()"
)


def textgen(tmp_path, address, *arguments):
    where = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hub")}
    return subprocess.run(
        [sys.executable, "-c", HURRIED, *map(str, arguments)],
        env=os.environ | where,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_a_dataset_is_trained_on_as_the_same_rows_in_a_file(tmp_path):
    table = tmp_path / "rows.jsonl"
    table.write_text(ROWS)
    runs = tmp_path / "hub-run", tmp_path / "file-run"
    with hub("owner/reviews", FILES) as address:
        sources = "hf:owner/reviews:train:document", f"{table}:document"
        for source, run in zip(sources, runs, strict=True):
            ran = textgen(tmp_path, address, "train", source, "--out", run, *FLAGS)
            assert ran.returncode == 0, ran.stderr
    weights = [array_file.read_arrays(run / run_folder.WEIGHTS)[0] for run in runs]
    for name, array in weights[0].items():
        np.testing.assert_array_equal(weights[1][name], array)
    cards = [json.loads((run / "config.json").read_text())["corpus"] for run in runs]
    assert cards[0]["sha256"] == cards[1]["sha256"] and cards[0]["documents"] == len(LINES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "source, told",
    [
        ("hf:owner/reviews:train:document", "is out of reach: connect to the internet"),
        ("hf:owner/other:train:document", "is not on the Hugging Face Hub"),
    ],
    ids=["breaks off", "has no such dataset"],
)
def test_what_the_hub_does_not_give_is_one_line(tmp_path, source, told):
    run, large = tmp_path / "run", FILES["train.jsonl"] * (8_000_000 // len(ROWS))
    with hub("owner/reviews", {"train.jsonl": large}, breaks_at=6_000_000) as address:
        ran = textgen(tmp_path, address, "train", source, "--out", run, *FLAGS)
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: ") and told in line
    assert not (run / "config.json").exists() and not list(run.glob("tokens.*"))
