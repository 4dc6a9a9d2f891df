"""A tiny text and models trained on it, made once for the whole suite."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the suite's tolerances are those of the CPU

import pytest

from tiny import TEXT, tiny


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory, text_file):
    """runs(tokenizer, cell) -> a trained run folder."""
    from textgen.training.train import start

    made = {}

    def run(tokenizer="char", cell="lstm"):
        key = (tokenizer, cell)
        if key not in made:
            out = tmp_path_factory.mktemp("runs") / "-".join(key)
            made[key] = start(text_file, out, *tiny(tokenizer, cell))
        return made[key]

    return run
