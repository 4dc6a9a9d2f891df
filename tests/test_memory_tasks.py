"""The tasks of benchmarks/memory.py: every answer that counts is the one a slow reader finds."""

import numpy as np
import pytest

from benchmarks import memory_tasks as tasks
from benchmarks.memory_tasks import BATCH, DEEPEST, KEYS, SYMBOLS, TASKS


def drawn(examples, length, column=5):
    """One example: its ids, its answers, and which of them count."""
    x, answers, counts = examples(length, np.random.default_rng(7))
    return x.argmax(-1)[:, column].tolist(), answers[:, column].tolist(), counts[:, column] > 0


def test_the_sum_of_the_two_marked_numbers():
    x, answers, _ = tasks.adding(30, np.random.default_rng(7))
    for row in range(BATCH):
        numbers = [float(number) for number, mark in x[:, row] if mark]
        assert len(numbers) == 2 and answers[row, 0] == pytest.approx(sum(numbers))


@pytest.mark.parametrize("examples", [tasks.copy, tasks.selective_copy])
def test_what_was_shown_is_asked_for_in_its_order(examples):
    ids, answers, counts = drawn(examples, 30)
    shown = [i for i in ids if i < SYMBOLS]
    assert [a for a, count in zip(answers, counts, strict=True) if count] == shown
    assert len(shown) == counts.sum() == tasks.COPIED
    assert ids.index(SYMBOLS + 1) < counts.argmax()  # not before it is asked for
    assert examples is tasks.copy or ids[: len(shown)] != shown


def test_the_value_that_stood_behind_a_key():
    ids, answers, counts = drawn(tasks.recall, 32)
    asked = [t for t in range(32) if counts[t]]
    assert len(asked) == tasks.PAIRS and len({ids[t] for t in asked}) == tasks.PAIRS
    for t in asked:
        assert KEYS + answers[t] == ids[ids.index(ids[t]) + 1]


def test_whether_the_ones_were_odd():
    ids, answers, counts = drawn(tasks.parity, 40)
    assert counts.all() and answers == [sum(ids[: t + 1]) % 2 for t in range(40)]


def test_how_many_brackets_are_open():
    ids, answers, counts = drawn(tasks.brackets, 200)
    depths = np.cumsum([1 if opens else -1 for opens in ids])
    assert counts.all() and answers == depths.tolist()
    assert depths.min() == 0 and depths.max() <= DEEPEST


@pytest.mark.parametrize("name", TASKS)
def test_what_no_memory_gives(name):
    task = TASKS[name]
    assert 0.1 < task.without_memory() < (1 if task.outputs <= 2 else np.log(task.outputs) + 0.01)
    x, answers, counts = task.draw(np.random.default_rng(1))
    assert x.shape[1] == BATCH and answers.shape == counts.shape
    assert task.outputs == 1 or answers.max() < task.outputs
