"""A tiny text and models trained on it, made once for the whole suite."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the suite's tolerances are those of the CPU

import pytest

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig

TEXT = (
    "나는 한국사람이야. 그래서 나는 한국어를 할 줄 알아.\n"
    "오늘은 비가 온다. 우산을 들고 길을 걷는다. ㅋㅋㅋ\n"
    "The rain fell on the old road, and we walked home.\n"
) * 25


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def tiny(tokenizer="char", cell="lstm", **training):
    """Settings that train in a second."""
    return (
        ModelConfig(cell=cell, hidden_size=32, embedding_size=16),
        TokenizerConfig(tokenizer=tokenizer, vocab_size=300),
        TrainConfig(**({"epochs": 2, "batch_size": 4, "sequence_length": 16} | training)),
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory, text_file):
    """runs(tokenizer, cell) -> a trained run folder."""
    from textgen.train import start

    made = {}

    def run(tokenizer="char", cell="lstm"):
        key = (tokenizer, cell)
        if key not in made:
            out = tmp_path_factory.mktemp("runs") / "-".join(key)
            made[key] = start(text_file, out, *tiny(tokenizer, cell))
        return made[key]

    return run
