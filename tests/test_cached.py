"""What pages measure is found again by what it was measured on."""

import dataclasses
import importlib

import textgen
from textgen import shipped
from textgen.data.recall_task import read_task
from textgen.interpret import untrained
from textgen.ui.cached import HASHES, cached, cached_object


def test_what_is_hashed_in_its_own_way_is_there():
    for name in HASHES:
        module, _, cls = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), cls), type)


def counted(decorator):
    """(a decorated function of two arguments, the list of its calls)."""
    calls = []

    @decorator
    def measure(model, other):
        calls.append(1)
        return len(calls)

    return measure, calls


def test_a_model_is_known_by_its_name_weights_and_settings(runs):
    for decorator in (cached(8), cached_object(8)):
        first, again, other = (textgen.load(runs(cell=cell)) for cell in ("lstm", "lstm", "rnn"))
        measure, calls = counted(decorator)
        assert measure(first, [1, 2]) == measure(again, [1, 2]) == 1
        assert measure(other, [1, 2]) == 2 and measure(first, [1, 3]) == 3
        assert measure(untrained(first), [1, 2]) == 4
        again.hash = "0" * 8
        assert measure(again, [1, 2]) == 5 and len(calls) == 5


def test_a_task_is_known_by_all_that_its_file_says():
    task = read_task(shipped.TASKS / "speaker-en.toml")
    measure, _ = counted(cached(8))
    assert measure(task, 0) == measure(read_task(task.path), 0) == 1
    assert measure(dataclasses.replace(task, filler=task.filler[1:]), 0) == 2
