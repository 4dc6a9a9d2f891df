"""A text of lines: each is trained on whole, with its beginning and its end, in a new order."""

from collections import Counter

import numpy as np
import pytest

from textgen.config import TrainConfig
from textgen.data.lines import LONGEST, LinesInMemory
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, CorpusError
from textgen.tokenizers.tokenizer import CharTokenizer

NAMES = [a + b for a in ("Ann", "Bo", "Carl", "Dora", "Eva") for b in ("a", "berg", "son", "i")]


def lines_of(tmp_path, lines, **settings):
    path = tmp_path / "names.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    sizes = {"batch_size": 2, "sequence_length": 16, "validation_fraction": 0.25}
    data = read_training_data(path, TrainConfig(sample_by="line", **sizes | settings))
    return data, CharTokenizer.train(data.corpus.text)


def rows_of(batch, tokenizer):
    """Its rows as texts: what is read, and what is to be predicted."""
    inputs, targets, weights = map(np.asarray, batch)
    for row, aim, counts in zip(inputs, targets, weights > 0, strict=True):
        yield tokenizer.decode(row[counts]), tokenizer.decode(aim[counts])


def test_a_row_is_a_newline_and_whole_lines(tmp_path):
    data, tokenizer = lines_of(tmp_path, NAMES)
    assert isinstance(data, LinesInMemory) and not data.carry
    lines = data.batches(tokenizer)
    assert lines.batch_size == 2 and lines.steps_of_text == lines.steps
    seen = Counter()
    batches = iter(lines.dataset())
    for _ in range(lines.steps):
        for row, aim in rows_of(next(batches), tokenizer):
            assert row == "\n" + aim[:-1] and aim[-1] == "\n" and len(row) <= 17
            seen.update(aim.split("\n")[:-1])
    known = set(data.text.split("\n")) - {""}
    assert set(seen) <= known and len(seen) > 0.7 * len(known)


def test_batch_k_depends_on_k_alone_and_passes_differ(tmp_path):
    data, tokenizer = lines_of(tmp_path, NAMES)
    lines = data.batches(tokenizer)
    whole = iter(lines.dataset())
    first = [next(whole) for _ in range(12)]
    for start in (1, 4, 9):
        for part, again in zip(first[start], next(iter(lines.dataset(start))), strict=True):
            np.testing.assert_array_equal(part, again)
    texts = [sorted(rows_of(batch, tokenizer)) for batch in first]
    assert texts[0] != texts[lines.steps]


def test_what_is_held_out_is_judged_once_line_by_line(tmp_path):
    data, tokenizer = lines_of(tmp_path, NAMES)
    lanes = data.held_out(tokenizer)
    judged = []
    for batch in lanes.dataset().take(lanes.steps):
        for row, aim in rows_of(batch, tokenizer):
            assert row == "" or row == "\n" + aim[:-1]
            judged += aim.split("\n")[:-1]
    assert judged == data.held_out_text.split("\n")


def test_n_grams_are_counted_in_lines_of_no_order(tmp_path):
    data, tokenizer = lines_of(tmp_path, sorted(NAMES))
    text = tokenizer.decode(data.counted(tokenizer))
    known = [line for line in data.text.split("\n") if line]
    assert text[0] == text[-1] == "\n" and sorted(text[1:-1].split("\n")) == sorted(known)
    assert text[1:-1].split("\n") != known
    assert text == tokenizer.decode(data.counted(tokenizer))


def test_a_long_line_is_a_row_or_several(tmp_path):
    long = "x" * (LONGEST + 100)
    data, tokenizer = lines_of(tmp_path, [long, *NAMES], validation_fraction=0.05)
    batches = data.batches(tokenizer).dataset().take(9)
    rows = [row for batch in batches for row in rows_of(batch, tokenizer)]
    assert max(len(row) for row, _ in rows) == LONGEST
    assert ("x" * 101, "x" * 100 + "\n") in rows  # which goes on, and begins nothing


def test_too_few_lines_and_a_replay_are_refused(tmp_path):
    data, tokenizer = lines_of(tmp_path, ["only one"], validation_fraction=0.0)
    with pytest.raises(CorpusError, match="has one line to train on"):
        data.batches(tokenizer)
    with pytest.raises(ConfigError, match="sample_by line reads each line by itself"):
        lines_of(tmp_path, NAMES, replay="old.txt=0.2")
