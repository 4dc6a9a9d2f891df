"""Saving against any end: a fault at every touch of the disk, and none loses what was saved."""

import builtins
import dataclasses
import errno
import io
import itertools
import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from textgen.backend import keras
from textgen.config import TrainConfig
from textgen.errors import ConfigError, RunError
from textgen.runs import array_file, atomic_files, run_folder
from textgen.runs.run_config import DataConfig, RunConfig
from textgen.training import loop
from textgen.training.divergence import FAST, Diverged, LossTrend
from textgen.training.loop import Training
from textgen.training.saves import FILES, read_save
from textgen.training.stop_request import StopRequest
from textgen.training.validation import Twin
from tiny import only

STEPS = 3  # of an epoch


class Network:
    """Weights that tell the step at which they were saved; also what trains them."""

    def __init__(self):
        self.kernel = keras.Variable(np.zeros((4, 8), "float32"))
        self.seed = keras.Variable(np.zeros(2, "uint32"), dtype="uint32", trainable=False)
        self.moment = keras.Variable(np.zeros((4, 8), "float32"))
        self.variables = [self.kernel, self.seed]
        self.optimizer = SimpleNamespace(variables=[self.moment], learning_rate=0.1)
        self.model, self.stop_training = self, False
        self.workers = self.voices = None

    def prepare(self, optimizer):
        return lambda batches: {}

    def named_weights(self):
        return {"kernel": self.kernel}

    def network(self):
        return SimpleNamespace(weights={"kernel": np.asarray(self.kernel)})

    def count_params(self):
        return 32

    def be(self, step):
        for variable in (self.kernel, self.seed, self.moment):
            variable.assign(np.full(variable.shape, step, variable.dtype))


def training_of(folder):
    """A run of epochs of `STEPS` batches, not yet begun."""
    config = RunConfig(
        training=TrainConfig(epochs=99, patience=99, learning_rate=0.1),
        data=DataConfig("text.txt", documents=1, characters=1),
    )
    batches = SimpleNamespace(steps=STEPS, steps_of_text=STEPS, dataset=lambda start: [])
    trainer = Network()
    twin = Twin(trainer, trainer)
    return Training(folder, config, trainer, batches, (1.0, 1.0), stop=StopRequest(), twin=twin)


def begun(folder):
    training = training_of(folder)
    training.begin()
    return training


def resumed(folder):
    training = training_of(folder)
    training.begin(read_save(folder))
    return training


def run_on(training, steps):
    """Take steps, with a save after each, as if time were up, and at the end of an epoch."""
    for _ in range(steps):
        state = training.state
        state.step += 1
        state.nats, state.tokens = 1 / state.step, 1.0
        training.trainer.be(state.step)
        atomic_files.append_line(training.folder / "samples.jsonl", f'{{"step": {state.step}}}\n')
        if state.step % STEPS:
            training.save()
        else:
            training.history.begin_epoch(0, state)
            training.end_epoch()


def check(training):
    """All is of one step."""
    state = training.state
    for variable in training.variables:
        np.testing.assert_array_equal(variable, np.full(variable.shape, state.step))
    best = state.step - state.step % STEPS
    assert state.best == (1 / best if best else math.inf)
    assert (state.nats, state.tokens) == ((1 / state.step, 1.0) if state.step else (0.0, 0.0))
    samples = training.folder / "samples.jsonl"
    lines = samples.read_text().splitlines() if samples.exists() else []
    assert [json.loads(line)["step"] for line in lines] == list(range(1, state.step + 1))
    ends = [int(row["step"]) for row in run_folder.read_history(training.folder)]
    assert ends == list(range(STEPS, state.step + 1, STEPS))


def test_what_is_done_at_the_end_is_done_by_a_run_that_lives(tmp_path):
    """It may take a while, and the status is what shows that the process is at work."""

    def state():
        return json.loads((tmp_path / "status.json").read_text())["state"]

    training, seen = training_of(tmp_path), []
    ended = dataclasses.replace(training.config, metrics={"epoch": 1})

    def first(config):
        seen.append(state())
        return ended

    def second(config):
        seen.append(config)
        return config

    training.is_over, training.at_end = True, [first, second]
    training.run()
    assert seen == ["running", ended] and state() == "finished"


class Killed(BaseException):
    """The process is no more: nothing is cleaned up behind it."""


class Faults:
    """Counts each touch of the disk, and at the one numbered `at` does not carry it out.

    how: "killed" before it, "torn" in the midst of it (of a write, half the bytes), or an `errno`.
    A killed process touches nothing any more.
    """

    def __init__(self, patch, at=None, how="killed"):
        self.at, self.how, self.seen, self.dead = at, how, 0, False
        real = SimpleNamespace(open=builtins.open, unlink=Path.unlink)

        def opened(path, mode="r", *arguments, **options):
            if "r" in mode:
                return real.open(path, mode, *arguments, **options)
            self.touch(lambda: real.open(path, mode, *arguments, **options).close())
            file = real.open(path, mode, *arguments, **options)
            write = file.write
            outer = self

            class File(io.IOBase):
                def write(self, data):
                    outer.touch(lambda: (write(data[: len(data) // 2]), file.flush()))
                    return write(data)

                def flush(self):
                    file.flush()

                def fileno(self):
                    return file.fileno()

                def close(self):
                    file.close()

            return File()

        def unlink(path, missing_ok=False):
            self.touch(lambda: None)
            real.unlink(path, missing_ok=missing_ok)

        patch.setattr(builtins, "open", opened)
        patch.setattr(Path, "unlink", unlink)
        for name in ("fsync", "replace", "open"):
            self.wrap(patch, name, getattr(os, name))

    def wrap(self, patch, name, function):
        def touched(*arguments, **options):
            self.touch(lambda: None)
            return function(*arguments, **options)

        patch.setattr(os, name, touched)

    def touch(self, half):
        if self.dead:
            raise Killed
        self.seen += 1
        if self.seen != self.at:
            return
        if isinstance(self.how, int):
            raise OSError(self.how, os.strerror(self.how))
        self.dead = True
        if self.how == "torn":
            half()
        raise Killed


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Thousands of true fsyncs take a minute, and so do hundreds of optimizers."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(loop, "optimizer", lambda *settings: None)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "torn"])
def test_a_process_killed_at_any_touch_of_the_disk_loses_no_save(tmp_path, how):
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        folder.mkdir()
        training = begun(folder)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, at, how)
            try:
                run_on(training, 2 * STEPS)
            except Killed:
                pass
            else:
                break
        # the step under way is lost at most
        again = resumed(folder)
        assert training.state.step - again.state.step in (0, 1)
        check(again)
        if (folder / run_folder.WEIGHTS).exists():
            array_file.read_arrays(folder / run_folder.WEIGHTS)
        with atomic_files.hold(folder):
            assert not list(folder.glob(".*.tmp"))
        run_on(again, 4)
        check(again)
        check(resumed(folder))
    assert faults.seen == at - 1 > 80  # every touch had its turn


@pytest.mark.parametrize("code", only([errno.ENOSPC], [errno.ENOSPC, errno.EROFS, errno.EIO]))
def test_a_disk_that_fails_at_any_touch_is_told_of_and_loses_no_save(tmp_path, code):
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        folder.mkdir()
        training = begun(folder)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, at, code)
            try:
                run_on(training, 2 * STEPS)
            except RunError as error:
                assert os.strerror(code) in str(error) and "\n" not in str(error)
        if faults.seen < at:
            break
        again = resumed(folder)
        assert training.state.step - again.state.step in (0, 1)
        check(again)
        with atomic_files.hold(folder):
            assert not list(folder.glob(".*.tmp"))
    assert at > 80


def test_the_two_newest_saves_are_kept(tmp_path):
    training = begun(tmp_path)
    run_on(training, 5)
    assert [p.name for p in sorted(tmp_path.glob("training*"))] == sorted(FILES)
    assert read_save(tmp_path).state.step == 5
    read_save(tmp_path).path.unlink()
    assert read_save(tmp_path).state.step == 4
    check(resumed(tmp_path))


@pytest.mark.parametrize("where", [5, -5])  # in the header, in an array
def test_where_the_newest_save_is_damaged_the_one_before_it_goes_on(tmp_path, caplog, where):
    training = begun(tmp_path)
    run_on(training, 4)
    newest = read_save(tmp_path).path
    data = bytearray(newest.read_bytes())
    data[where] ^= 0x10
    newest.write_bytes(data)
    again = resumed(tmp_path)
    assert again.state.step == 3
    assert f"note: {newest} is damaged: going on from" in caplog.text
    run_on(again, 1)  # over the damaged one
    assert read_save(tmp_path).state.step == 4
    check(resumed(tmp_path))


def test_no_save_can_be_read(tmp_path):
    with pytest.raises(RunError, match=r"training.safetensors is missing: train until"):
        read_save(tmp_path)
    for name in FILES:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(RunError, match="is not a whole safetensors file"):
        read_save(tmp_path)


@pytest.mark.parametrize(
    "note",
    ["", "[]", "{", "1e999", '{"number": 1}', "[" * 100_000, '{"number": "' + "9" * 9999 + '"}'],
)
def test_a_save_with_a_false_note_is_refused(tmp_path, note):
    begun(tmp_path)
    arrays, _ = array_file.read_arrays(tmp_path / FILES[0])
    array_file.write_arrays(tmp_path / FILES[0], arrays, note)
    with pytest.raises(RunError, match="does not fit this run"):
        read_save(tmp_path)


def test_a_save_of_another_model_is_refused(tmp_path):
    training = begun(tmp_path)
    training.trainer.variables.append(training.trainer.moment)
    with pytest.raises(RunError, match="does not fit this run"):
        training.begin(read_save(tmp_path))


def test_what_is_no_number_is_never_saved(tmp_path):
    training = begun(tmp_path)
    run_on(training, 4)
    training.trainer.moment.assign(np.full((4, 8), np.nan))
    with pytest.raises(Diverged):
        training.save()
    check(resumed(tmp_path))


def test_a_runaway_loss_goes_back_once_at_a_lower_rate(tmp_path, caplog):
    training = begun(tmp_path)
    run_on(training, 4)
    training.state.step = 7
    training.go_back(Diverged("the loss is no longer a number at step 7"))
    assert "at step 7: back to step 4, learning rate lowered from 0.1 to 0.03" in caplog.text
    check(training)
    again = resumed(tmp_path)
    assert again.state.learning_rate == pytest.approx(0.03)
    assert read_save(tmp_path).state.rolled_back == {
        "step": 7,
        "to": 4,
        "learning_rate": pytest.approx(0.03),
    }
    with pytest.raises(ConfigError, match=r"lowered to 0.03: train anew with --learning-rate 0.00"):
        training.go_back(Diverged("the loss rose"))


def watched(losses):
    """(the step at which the loss has run away or None, the last at which it was calm or None)"""
    trend, calm = LossTrend(), None
    for step, loss in enumerate(losses, 1):
        trend = trend.after(loss)
        if trend.runs_away:
            return step, calm
        calm = step if trend.is_calm else calm
    return None, calm


def test_the_trend_tells_a_runaway_loss_from_a_rough_one():
    random = np.random.default_rng(1)
    learning = 4 * np.exp(-np.arange(300) / 50) + 1.2
    rough = learning + random.normal(0, 0.3, 300)
    assert watched(rough) == (None, 300)
    one_bad_batch = rough.copy()
    one_bad_batch[200] = 6.0
    assert watched(one_bad_batch)[0] is None
    raised, calm = watched([*rough, *[3.5] * 50])
    assert 302 < raised <= 300 + 2 * FAST and 300 <= calm < raised - 1


def test_lines_with_marks_of_their_own_are_kept_whole(tmp_path):
    path = tmp_path / "samples.jsonl"
    lines = [
        json.dumps({"step": n, "text": "a\u2028b\x85c\x0bd\re"}, ensure_ascii=False)
        for n in range(4)
    ]
    path.write_text("\n".join(lines) + '\n{"step": 1, "te', encoding="utf-8")
    atomic_files.keep_lines(path, lambda line: int(json.loads(line)["step"]), 2)
    assert path.read_text(encoding="utf-8").split("\n") == [*lines[:3], ""]


def test_one_process_at_a_time_trains_in_a_folder(tmp_path):
    run = tmp_path / "run"
    run.mkdir()  # else it is cleared away, being empty, and its lock with it
    for _ in range(2):
        with (
            atomic_files.hold(run),
            pytest.raises(RunError, match="another process is training in"),
            atomic_files.hold(run),
        ):
            pass
    assert run.is_dir()
