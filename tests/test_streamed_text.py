"""Training on a text that is never held in memory."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest

import textgen
from run_files import card_of, ends, rows, same_weights
from textgen.cli.main import main
from textgen.config import TrainConfig
from textgen.data import streamed_text
from textgen.data.sources import find_training_text, read_training_data
from textgen.errors import ConfigError, CorpusError, RunError
from textgen.runs import run_folder
from textgen.text import files as files_module
from textgen.tokenizers.tokenizer import TOKENIZERS
from textgen.training.distributed import Workers
from textgen.training.history import History
from textgen.training.stop_request import Interrupted
from textgen.training.train import resume, start
from textgen.training.trainer import LaneTrainer
from tiny import TEXT, interrupt, streamed, tiny


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Several chunks, of a tiny text."""
    monkeypatch.setattr(files_module, "BLOCK", 512)


@pytest.fixture(scope="module")
def trained(text_file, tmp_path_factory):
    return start(text_file, tmp_path_factory.mktemp("streamed") / "run", *streamed(epochs=1))


@pytest.fixture
def run(trained, tmp_path):
    """A run of one epoch, to be spoiled."""
    return shutil.copytree(trained, tmp_path / "run")


def taken_up(run, source, anew=False):
    """The data of a run that is resumed."""
    card, config = card_of(run), run_folder.read_run_config(run)
    data = read_training_data(source, config.training, run)
    return data.prepare_again(config.data, run_folder.read_tokenizer(run, card), moved=anew)


def test_n_grams_are_counted_in_all_of_it_or_in_stretches_of_it(text_file, run, monkeypatch):
    data = taken_up(run, text_file)
    tokenizer = run_folder.read_tokenizer(run, card_of(run))
    every = data.counted(tokenizer)
    assert tokenizer.decode(every).startswith(TEXT[:50]) and len(every) == data.files.tokens
    monkeypatch.setattr(streamed_text, "STRETCHES", 4)
    monkeypatch.setattr(streamed_text, "STRETCH", 50)
    some = data.counted(tokenizer)
    assert len(some) == 200
    np.testing.assert_array_equal(some[:50], every[:50])
    np.testing.assert_array_equal(some[-50:], every[-50:])


@pytest.mark.slow
def test_a_streamed_text_is_learnt_as_one_in_memory(trained, text_file, tmp_path):
    alike(trained, start(text_file, tmp_path / "memory", *streamed(epochs=1, stream=False)))


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_so_it_is_in_several_epochs(text_file, tmp_path, tokenizer):
    by_chunks = start(text_file, tmp_path / "by_chunks", *streamed(tokenizer))
    alike(by_chunks, start(text_file, tmp_path / "memory", *streamed(tokenizer, stream=False)))


def alike(by_chunks, memory):
    """Two runs learnt the same, one of them by chunks."""
    same_weights(by_chunks, memory)
    told, known = card_of(by_chunks)["corpus"], card_of(memory)["corpus"]
    del told["streamed"]
    assert told == known
    for one, other in zip(ends(by_chunks), ends(memory), strict=True):
        for key in ("step", "loss", "bits_per_char", "val_bits_per_char"):
            assert one[key] == other[key]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [lambda path: os.truncate(path, 100), lambda path: path.write_bytes(b"\xff" * 5000)],
    ids=["cut short", "overwritten"],
)
def test_a_file_of_ids_that_breaks_while_it_is_read(text_file, tmp_path, monkeypatch, spoil):
    whole = start(text_file, tmp_path / "whole", *streamed())
    run, take = tmp_path / "run", History.after_step

    def and_spoil(self, state):
        take(self, state)
        if state.step == 2:
            spoil(run / "tokens.u8")

    with monkeypatch.context() as patch:
        patch.setattr(History, "after_step", and_spoil)
        with pytest.raises(RunError, match=r"tokens\.u8 was damaged .* --resume"):
            start(text_file, run, *streamed())
    assert json.loads((run / "status.json").read_text())["state"] == "failed"
    resume(run)
    same_weights(run, whole)


@pytest.mark.slow
def test_an_epoch_may_end_within_the_text(text_file, tmp_path, monkeypatch):
    begun = []
    forget = LaneTrainer.reset_lanes

    def watched(self):
        if self.lanes == 4:  # not the one that judges
            begun.append(len(seen))
        forget(self)

    seen = []
    take = History.after_step

    def counted(self, state):
        seen.append(state.step)
        take(self, state)

    monkeypatch.setattr(History, "after_step", counted)
    monkeypatch.setattr(LaneTrainer, "reset_lanes", watched)
    run = start(text_file, tmp_path / "run", *streamed(epochs=3, steps_per_epoch=30))
    assert [row["step"] for row in ends(run)] == ["30", "60", "90"]
    tokenizer = run_folder.read_tokenizer(run, card_of(run))
    batches = taken_up(run, text_file).batches(tokenizer)
    steps = batches.steps_of_text
    assert batches.steps == 30 < steps < 60
    # the text begins anew, and with it the state, within an epoch
    assert begun == list(range(0, 90, steps))
    first, again = (next(iter(batches.dataset(k)))[0].numpy() for k in (0, steps))
    np.testing.assert_array_equal(first, again)


@pytest.mark.slow
@pytest.mark.parametrize("stop_after", [20, 33])
def test_a_stopped_run_resumes_to_the_same_weights(text_file, tmp_path, monkeypatch, stop_after):
    given = streamed(epochs=3, steps_per_epoch=15)
    whole = start(text_file, tmp_path / "whole", *given)
    source = tmp_path / "text.txt"
    source.write_bytes(text_file.read_bytes())
    with monkeypatch.context() as patch:
        interrupt(patch, stop_after)
        with pytest.raises(Interrupted):
            start(source, tmp_path / "run", *given)
    source.unlink()  # the ids are in the run folder
    same_weights(whole, resume(tmp_path / "run"))


@pytest.mark.parametrize("name", ["tokens.u8", "held_out.txt"])
@pytest.mark.parametrize("spoil", ["missing", "short", "other"])
def test_ids_that_are_not_whole_are_read_again(text_file, run, caplog, name, spoil):
    path = run / name
    data = path.read_bytes()
    if spoil == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if spoil == "short" else data[1:2] + data[1:])
    data_again = taken_up(run, text_file)
    assert path.read_bytes() == data
    assert "is missing or damaged: reading the text again" in caplog.text
    caplog.clear()
    assert data_again.config == taken_up(run, text_file).config
    assert not caplog.text


@pytest.mark.slow
def test_resuming_where_the_source_has_changed(text_file, run, tmp_path):
    source = tmp_path / "text.txt"
    source.write_text(TEXT + "more")
    card = card_of(run)
    card["corpus"]["source"] = str(source)
    (run / "config.json").write_text(json.dumps(card))
    resume(run, epochs=2)  # on the ids it began with
    with pytest.raises(RunError, match="is not the one"):
        resume(run, source)
    assert taken_up(run, text_file, anew=True).config.sha256 == card["corpus"]["sha256"]
    (run / "tokens.u8").unlink()
    with pytest.raises(RunError, match="is not the one"):
        resume(run)


@pytest.mark.parametrize(
    "told",
    [
        3,
        {},
        {"tokens": "many"},
        {"tokens": 1e9},
        {"tokens": -1},
        {"tokens_sha256": "0"},
        {"held_out": None},
    ],
)
def test_a_config_that_lies_about_the_ids(text_file, run, told):
    card = card_of(run)
    known = card["corpus"]["streamed"]
    card["corpus"]["streamed"] = known | told if told and isinstance(told, dict) else told
    (run / "config.json").write_text(json.dumps(card))
    assert taken_up(run, text_file).config.to_dict()["streamed"] == known


def test_ids_that_the_model_has_no_place_for(text_file, run):
    data = bytearray((run / "tokens.u8").read_bytes())
    known = bytes(data)
    data[100] = 255
    (run / "tokens.u8").write_bytes(data)
    card = card_of(run)
    card["corpus"]["streamed"]["tokens_sha256"] = hashlib.sha256(data).hexdigest()
    (run / "config.json").write_text(json.dumps(card))
    taken_up(run, text_file)
    assert (run / "tokens.u8").read_bytes() == known


@pytest.mark.slow
def test_a_short_line_trains(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("나는 한국사람이야. 그래서 한국어를 할 줄 알아.")
    run = start(path, tmp_path / "run", *streamed(epochs=1))
    assert rows(run)[-1]["val_loss"] and textgen.load(run).generate("나", max_new_tokens=2).text


# --- with what else there is ----------------------------------------------------------------------


@pytest.mark.slow
def test_evaluate_finds_what_was_held_out(text_file, run, tmp_path, capsys):
    common = ["evaluate", str(run), str(text_file), "--sample-length=0"]
    main(common)
    out = capsys.readouterr().out
    end = (run / "held_out.txt").read_text()
    assert f"the end that {run} held out" in out and f"{len(end):,} characters" in out
    with pytest.raises(SystemExit):
        main([*common, "--train", str(text_file)])
    assert "give --train a file with a part of it" in capsys.readouterr().err
    assert find_training_text(card_of(run)) is None
    other = tmp_path / "other.txt"
    other.write_text("나는 한국어를 할 줄 알아.\n" * 5)
    main(["evaluate", str(run), str(other), "--sample-length=0"])
    assert "held out" not in capsys.readouterr().out
    (run / "held_out.txt").write_text("other")
    with pytest.raises(SystemExit):
        main(common)
    assert "is not what was held out" in capsys.readouterr().err


def test_workers_share_the_file(text_file, run):
    tokenizer = run_folder.read_tokenizer(run, card_of(run))
    lanes = taken_up(run, text_file).batches(tokenizer)
    cluster = {"worker": ["a:1", "b:1"]}
    told = [{"cluster": cluster, "task": {"type": "worker", "index": i}} for i in range(2)]
    shares = [Workers(json.dumps(one)).share(lanes) for one in told]
    assert all(share.steps_of_text == lanes.steps_of_text for share in shares)
    (whole,) = lanes.dataset(5).take(1)
    parts = [next(iter(share.dataset(5))) for share in shares]
    for i, array in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), array)


def test_a_budget_for_a_streamed_text(text_file, tmp_path, monkeypatch, capsys):
    from textgen.training import speed
    from textgen.training.plan import plan

    model = tiny()[0]
    config = TrainConfig(stream=True)
    monkeypatch.setattr(speed, "speed", lambda *given: 1000.0)  # tokens a second
    _, planned = plan(6_000_000, 65, 600, model, config)  # a tenth of it
    windows = planned.batch_size * planned.sequence_length
    assert planned.epochs == 1
    assert 0.9 * 550_000 < planned.steps_per_epoch * windows < 600_000
    _, planned = plan(6_000_000, 65, 600, model, TrainConfig(stream=True, steps_per_epoch=9))
    assert 0.9 * 550_000 < planned.epochs * 9 * windows < 600_000
    _, planned = plan(60_000, 65, 600, model, config)
    assert planned.epochs == 10 and planned.steps_per_epoch == 0  # time cuts the tenth short
    with pytest.raises(ConfigError, match="went into reading the text"):
        start(text_file, tmp_path / "run", *streamed(), budget=1.0)
    assert not (tmp_path / "run").exists()


def test_a_task_and_a_race_are_no_streams(text_file, tmp_path):
    task = tmp_path / "task.toml"
    task.write_text("")
    with pytest.raises(ConfigError, match="stream is for a text"):
        start(task, tmp_path / "run", *streamed())
    with pytest.raises(ConfigError, match="stream is for textgen train alone"):
        read_training_data(text_file, streamed()[2])
    with pytest.raises(CorpusError, match="no such file"):
        start(tmp_path / "none.txt", tmp_path / "run", *streamed())
    assert not (tmp_path / "run").exists()
