import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen import shipped
from textgen.data.document_batches import DocumentBatches
from textgen.data.lanes import FileLanes, lay_out, make_lanes
from textgen.data.recall_documents import sample_texts
from textgen.data.recall_task import read_task
from textgen.errors import CorpusError
from textgen.tokenizers.tokenizer import CharTokenizer


def test_lanes_by_hand():
    lanes = make_lanes(np.arange(10), batch_size=2, sequence_length=2)
    # nine targets: five in the first lane, four in the second; padded to three windows of two
    assert lanes.inputs.tolist() == [[0, 1, 2, 3, 4, 0], [5, 6, 7, 8, 0, 0]]
    assert lanes.targets.tolist() == [[1, 2, 3, 4, 5, 0], [6, 7, 8, 9, 0, 0]]
    assert lanes.weights.tolist() == [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]]
    assert lanes.steps == 3


@given(st.integers(3, 400), st.integers(1, 9), st.integers(1, 12))
def test_every_id_but_the_first_is_a_target_once(n, batch_size, length):
    if n - 1 < length:
        return
    lanes = make_lanes(np.arange(n), batch_size, length)
    real = lanes.weights == 1
    assert sorted(lanes.targets[real].tolist()) == list(range(1, n))
    assert (lanes.targets[real] == lanes.inputs[real] + 1).all()
    assert lanes.batch_size <= batch_size and lanes.inputs.shape[1] % length == 0


def read(lanes, number, start=0):
    batches = lanes.dataset(start).take(number)
    return [tuple(part.numpy() for part in batch) for batch in batches]


def test_a_batch_begins_where_the_last_one_ended():
    lanes = make_lanes(np.arange(100), batch_size=3, sequence_length=8)
    batches = read(lanes, lanes.steps)
    for (inputs, _, _), (_, targets, weights) in zip(batches[1:], batches, strict=False):
        whole = weights[:, -1] == 1
        carried_on = (inputs[:, 0] == targets[:, -1]) | (inputs[:, 0] == 0)
        assert carried_on[whole].all()


def test_a_dataset_may_begin_anywhere_and_comes_round():
    lanes = make_lanes(np.arange(100), batch_size=3, sequence_length=8)
    text = [inputs.tolist() for inputs, _, _ in read(lanes, lanes.steps)]
    found = [inputs.tolist() for inputs, _, _ in read(lanes, lanes.steps, start=lanes.steps + 2)]
    assert found == text[2:] + text[:2]


def test_no_thread_is_left_that_keeps_a_training_from_ending():
    # TensorFlow's tuner sleeps ever longer, and the end of a training would wait for it to wake
    dataset = make_lanes(np.arange(100), 2, 5).dataset()
    assert dataset.options().autotune.enabled is False
    assert dataset.take(3).options().autotune.enabled is False


def test_a_text_shorter_than_one_window():
    with pytest.raises(CorpusError, match=r"has 64 tokens, but one window takes 65"):
        make_lanes(np.arange(64), 4, 64)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 400),
    st.integers(1, 9),
    st.integers(1, 12),
    st.sampled_from(["u1", "<u2", "<u4"]),
    st.integers(0, 99),
)
def test_lanes_in_a_file_are_those_in_memory(tmp_path_factory, n, batch_size, length, dtype, start):
    if n - 1 < length:
        return
    ids = np.random.default_rng(n).integers(0, 256, n)
    path = tmp_path_factory.getbasetemp() / "ids"
    path.write_bytes(ids.astype(dtype).tobytes())
    lanes = make_lanes(ids, batch_size, length)
    layout = lay_out(n, batch_size, length)
    filed = FileLanes(path, np.dtype(dtype), layout, layout.steps)
    assert (filed.batch_size, filed.steps) == (lanes.batch_size, lanes.steps)
    number = lanes.steps + 1
    for ours, theirs in zip(read(filed, number, start), read(lanes, number, start), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


# --- documents of a task --------------------------------------------------------------------------


@functools.cache
def place():
    """A task, and a tokenizer for it."""
    task = read_task(shipped.TASKS / "place-en.toml")
    return task, CharTokenizer.train(sample_texts(task))


def documents(**settings):
    task, tokenizer = place()
    usual = {"batch_size": 8, "steps": 10, "epochs": 4, "distance": 200, "answer_weight": 7.0}
    return DocumentBatches(task, tokenizer, **(usual | {"seed": 3} | settings))


def test_a_batch_of_documents_depends_on_the_seed_and_its_number_alone():
    for number in (0, 5, 13):
        first, second = (documents().batch(number) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(documents().batch(0)[0][0], documents(seed=4).batch(0)[0][0])
    later = [ids.numpy() for ids, _, _ in documents().dataset(5).take(6)]
    for k, ids in enumerate(later):
        assert np.array_equal(ids, documents().batch(5 + k)[0])


def test_documents_of_a_batch_are_of_about_one_length_and_end_with_their_answer():
    written = documents(batch_size=16)
    filled = []
    for k in range(24, 40):
        inputs, targets, weights = written.batch(k)
        assert inputs.shape[1] % 32 == 0
        again = weights[:, 1:] > 0
        assert np.array_equal(inputs[:, 1:][again], targets[:, :-1][again])
        filled.append((weights > 0).mean())
        for row, counts in zip(targets, weights, strict=True):
            assert set(answers(written, row, counts)) <= set(written.task.answers)
    assert np.mean(filled) > 0.75


def answers(written, row, counts, weight=7.0):
    """Each run of tokens that count more than others."""
    at = np.flatnonzero(counts == weight)
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
    return [written.tokenizer.decode(row[run]) for run in runs]


def test_documents_grow_longer():
    written = documents(steps=100)
    short, long = (
        np.mean([written.batch(k)[0].shape[1] for k in span])
        for span in (range(0, 24), range(300, 324))
    )
    assert short < 0.75 * long


def test_at_first_the_speaker_alone_is_asked_about():
    task = read_task(shipped.TASKS / "speaker-ko.toml")
    tokenizer = CharTokenizer.train(sample_texts(task))
    written = DocumentBatches(task, tokenizer, 16, 100, 1, 150, 100.0, seed=3)

    def shares(span):
        """Of documents that ask twice or more; of those, that have more than one answer."""
        rows = [zip(*written.batch(k)[1:], strict=True) for k in span]
        asked = [answers(written, row, counts, 100.0) for pairs in rows for row, counts in pairs]
        often = [found for found in asked if len(found) > 1]
        return len(often) / len(asked), np.mean([len(set(found)) > 1 for found in often])

    (often, mixed), (later_often, later_mixed) = shares(range(4)), shares(range(80, 100))
    assert 0.3 < often < 0.8 and 0.3 < later_often < 0.8
    assert mixed == 0 and later_mixed > 0.2
    # as the course of the task has it: only the questions after the first, and not at once
    course = dataclasses.replace(task.course, persons=0.5, later=0.5, either=(0.9, 1.0))
    written = dataclasses.replace(written, task=dataclasses.replace(task, course=course))
    (_, mixed), (_, later_mixed) = shares(range(4, 48)), shares(range(52, 88))
    assert mixed == 0 and later_mixed > 0.2
    judged = DocumentBatches(task, tokenizer, 16, 4, 1, 150, 1.0, seed=3, judged=True)
    assert max(map(len, judged.batch(0)[0])) > 150  # as long as at the end
