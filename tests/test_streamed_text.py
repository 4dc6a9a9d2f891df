"""Training on a text that is never held in memory."""

import csv
import dataclasses
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import textgen
from textgen.cli.main import main
from textgen.config import TrainConfig
from textgen.data import streamed_text as streamed_module
from textgen.data.sources import find_training_text, read_training_data
from textgen.errors import ConfigError, CorpusError, RunError
from textgen.runs import run_folder
from textgen.text import chunks as chunks_module
from textgen.text import corpus as corpus_module
from textgen.text import files as files_module
from textgen.tokenizers.tokenizer import TOKENIZERS
from textgen.training.distributed import Workers
from textgen.training.history import History
from textgen.training.stop_request import Interrupted
from textgen.training.train import resume, start
from textgen.training.trainer import LaneTrainer
from tiny import TEXT, interrupt, only, tiny


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Several chunks, of a tiny text."""
    monkeypatch.setattr(files_module, "BLOCK", 512)


def settings(tokenizer="char", **training):
    return tiny(tokenizer, **{"stream": True, "sample_length": 0, "dtype": "float32"} | training)


def rows(run):
    with open(run / "history.csv") as file:
        return list(csv.DictReader(file))


def ends(run):
    """The rows of the ends of epochs."""
    return [row for row in rows(run) if row["val_loss"]]


def weights(run):
    return run_folder.read_weights(run / run_folder.WEIGHTS)[0]


def same_weights(run, other):
    for name, array in weights(run).items():
        np.testing.assert_array_equal(weights(other)[name], array, err_msg=name)


def card_of(run):
    return json.loads((run / "config.json").read_text())


@pytest.fixture(scope="module")
def trained(text_file, tmp_path_factory):
    return start(text_file, tmp_path_factory.mktemp("streamed") / "run", *settings(epochs=1))


@pytest.fixture
def run(trained, tmp_path):
    """A run of one epoch, to be spoiled."""
    return shutil.copytree(trained, tmp_path / "run")


def taken_up(run, source, anew=False):
    """The data of a run that is resumed."""
    card, config = card_of(run), run_folder.read_run_config(run)
    data = read_training_data(source, config.training, run)
    return data.prepare_again(config.data, run_folder.read_tokenizer(run, card), moved=anew)


@pytest.mark.parametrize("tokenizer", only(["char"], TOKENIZERS))
def test_a_streamed_text_is_learnt_as_one_in_memory(text_file, tmp_path, tokenizer):
    streamed = start(text_file, tmp_path / "streamed", *settings(tokenizer))
    memory = start(text_file, tmp_path / "memory", *settings(tokenizer, stream=False))
    same_weights(streamed, memory)
    told, known = card_of(streamed)["corpus"], card_of(memory)["corpus"]
    del told["streamed"]
    assert told == known
    for one, other in zip(ends(streamed), ends(memory), strict=True):
        for key in ("step", "loss", "bits_per_char", "val_bits_per_char"):
            assert one[key] == other[key]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [lambda path: os.truncate(path, 100), lambda path: path.write_bytes(b"\xff" * 5000)],
    ids=["cut short", "overwritten"],
)
def test_a_file_of_ids_that_breaks_while_it_is_read(text_file, tmp_path, monkeypatch, spoil):
    whole = start(text_file, tmp_path / "whole", *settings())
    run, take = tmp_path / "run", History.after_step

    def and_spoil(self, state):
        take(self, state)
        if state.step == 2:
            spoil(run / "tokens.u8")

    with monkeypatch.context() as patch:
        patch.setattr(History, "after_step", and_spoil)
        with pytest.raises(RunError, match=r"tokens\.u8 was damaged .* --resume"):
            start(text_file, run, *settings())
    assert json.loads((run / "status.json").read_text())["state"] == "failed"
    resume(run)
    same_weights(run, whole)


@pytest.mark.parametrize("sample_by", ["document", "line", "paragraph"])
@pytest.mark.parametrize("held_out", [100, 100_000])
def test_the_end_is_held_out_up_to_a_size(tmp_path, monkeypatch, sample_by, held_out):
    monkeypatch.setattr(streamed_module, "HELD_OUT", held_out)
    texts = tmp_path / "texts"
    texts.mkdir()
    for name in "ab":
        (texts / f"{name}.txt").write_text(TEXT.replace("ㅋ", "ㅋ\n\n"))
    config = dataclasses.replace(settings()[2], sample_by=sample_by)
    plain = read_training_data(texts, dataclasses.replace(config, stream=False))
    tokenizer = TOKENIZERS["char"].train(plain.corpus.text)
    data = read_training_data(texts, config, tmp_path / "run").prepare(tokenizer)
    end = data.held_out_text
    ids = np.fromfile(tmp_path / "run/tokens.u8", np.uint8)
    assert tokenizer.decode(ids) + end == plain.corpus.text
    if held_out > len(TEXT):
        assert end == plain.held_out_text and data.text == plain.text
    else:
        assert 0 < len(end) <= held_out and plain.held_out_text.endswith(end)


@pytest.mark.slow
def test_a_tokenizer_is_trained_on_the_beginning_alone(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(streamed_module, "LEARNT", 900)
    monkeypatch.setattr(streamed_module, "HELD_OUT", 300)
    path = tmp_path / "a.txt"
    path.write_text(TEXT[:1000] + "Ω" + TEXT)
    run = start(path, tmp_path / "run", *settings(epochs=1))
    assert "read 3,801 characters, 3,501 tokens to train on" in caplog.text
    tokenizer = run_folder.read_tokenizer(run, card_of(run))
    assert tokenizer.unknown_characters(TEXT[:900] + "Ω") == ["Ω"]
    assert np.fromfile(run / "tokens.u8", np.uint8)[1000] == tokenizer.unk_id


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
    run = start(text_file, tmp_path / "run", *settings(epochs=3, steps_per_epoch=30))
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
    given = settings(epochs=3, steps_per_epoch=15)
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


# --- what cannot be trained on --------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "is empty"),
        (" \n" * 2000, "only blanks"),
        ("한 줄\n", "has 3 tokens, but one window takes 17"),
        (TEXT.encode() + "한글".encode("cp949") * 300, "is neither UTF-8 (line"),
    ],
)
def test_refused_in_one_line_with_nothing_left(tmp_path, capsys, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    out = tmp_path / "runs/run"
    with pytest.raises(SystemExit) as ended:
        main(["train", str(path), "--out", str(out), "--stream", "--sequence-length=16"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1 and message in error
    assert not out.parent.exists()


@pytest.mark.slow
def test_a_short_line_trains(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("나는 한국사람이야. 그래서 한국어를 할 줄 알아.")
    run = start(path, tmp_path / "run", *settings(epochs=1))
    assert rows(run)[-1]["val_loss"] and textgen.load(run).generate("나", max_new_tokens=2).text


def test_a_disk_that_fills_up_while_reading(text_file, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*: No space left on device; free some"):
        start(text_file, tmp_path / "run", *settings())
    assert not (tmp_path / "run").exists()


def test_stopped_while_reading(text_file, tmp_path, monkeypatch):
    seen = []

    def stopped(*arguments):
        for chunk in chunks_module.read_chunks(*arguments):
            yield chunk
            seen[:] = [p.name for p in (tmp_path / "run").iterdir()]
            if seen:  # what is written has begun
                raise KeyboardInterrupt

    monkeypatch.setattr(streamed_module, "read_chunks", stopped)
    with pytest.raises(KeyboardInterrupt):
        start(text_file, tmp_path / "run", *settings())
    assert all(name.endswith(".tmp") for name in seen)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_killed_while_reading(tmp_path):
    path, run = tmp_path / "a.txt", tmp_path / "run"
    path.write_text(TEXT * 30_000)
    command = [
        sys.executable,
        "-m",
        "textgen",
        "train",
        str(path),
        "--out",
        str(run),
        "--stream",
        "--hidden-size=8",
        "--epochs=1",
        "--steps-per-epoch=2",
        "--sample-length=0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not list(run.glob(".tokens*.tmp")):
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (run / "config.json").exists() and not (run / "tokens.u8").exists()
    path.write_text(TEXT)
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    assert not list(run.glob(".*"))
    assert (run / "tokens.u8").stat().st_size == card_of(run)["corpus"]["streamed"]["tokens"]


# --- with what else there is ----------------------------------------------------------------------


@pytest.mark.slow
def test_rows_beyond_the_limit_are_read(tmp_path, monkeypatch, caplog):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(corpus_module, "MAX_CHARACTERS", 1000)
    monkeypatch.setattr("textgen.data.text_in_memory.MAX_CHARACTERS", 1000)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in TEXT.split("\n") if line))
    start(path, tmp_path / "cut", *settings(epochs=1, stream=False))
    assert "note: a.jsonl is read up to 1,000 characters: --stream" in caplog.text
    run = start(path, tmp_path / "run", *settings(epochs=1))
    told = card_of(run)["corpus"]
    assert told["documents"] == 75 and told["characters"] > 2000
    assert card_of(tmp_path / "cut")["corpus"]["characters"] < 1200


@pytest.mark.slow
def test_evaluate_finds_what_was_held_out(text_file, run, tmp_path, capsys):
    common = ["evaluate", str(run), str(text_file), "--sample-length=0"]
    main(common)
    out = capsys.readouterr().out
    end = (run / "held_out.txt").read_text()
    assert f"the end that {run} held out" in out and f"{len(end):,} characters" in out
    with pytest.raises(SystemExit):
        main([*common, "--train", str(text_file)])
    assert "give --train a part that fits in memory" in capsys.readouterr().err
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
    from textgen.training import budget

    model = tiny()[0]
    config = TrainConfig(stream=True)
    monkeypatch.setattr(budget, "speed", lambda *given: 1000.0)  # tokens a second
    _, planned = budget.plan(6_000_000, 65, 600, model, config)  # a tenth of it
    windows = planned.batch_size * planned.sequence_length
    assert planned.epochs == 1
    assert 0.9 * 550_000 < planned.steps_per_epoch * windows < 600_000
    _, planned = budget.plan(6_000_000, 65, 600, model, TrainConfig(stream=True, steps_per_epoch=9))
    assert 0.9 * 550_000 < planned.epochs * 9 * windows < 600_000
    _, planned = budget.plan(60_000, 65, 600, model, config)
    assert planned.epochs == 10 and planned.steps_per_epoch == 0  # time cuts the tenth short
    with pytest.raises(ConfigError, match="went into reading the text"):
        start(text_file, tmp_path / "run", *settings(), budget=1.0)
    assert not (tmp_path / "run").exists()


def test_a_task_and_a_race_are_no_streams(text_file, tmp_path):
    task = tmp_path / "task.toml"
    task.write_text("")
    with pytest.raises(ConfigError, match="stream is for a text"):
        start(task, tmp_path / "run", *settings())
    with pytest.raises(ConfigError, match="stream is for textgen train alone"):
        read_training_data(text_file, settings()[2])
    with pytest.raises(CorpusError, match="no such file"):
        start(tmp_path / "none.txt", tmp_path / "run", *settings())
    assert not (tmp_path / "run").exists()


# --- two gigabytes --------------------------------------------------------------------------------


def write_large(path, size):
    """Varied lines of English and Korean, `size` bytes at least."""
    rng = np.random.default_rng(1)
    syllables = [chr(0xAC00 + 7 * i) for i in range(1500)]
    words = TEXT.split() + ["".join(rng.choice(syllables, 3)) for _ in range(500)]
    blocks = []
    for _ in range(8):
        chosen = rng.choice(words, 400_000)
        blocks.append("\n".join(" ".join(chosen[i : i + 12]) for i in range(0, 400_000, 12)) + "\n")
    with open(path, "wb") as file:
        number = 0
        while file.tell() < size:
            file.write(f"Chapter {number}\n{blocks[number % len(blocks)]}".encode())
            number += 1


# the command, and at its end its own peak; that of wait4 may be the parent's, from before exec
TOLD = """
import atexit
from pathlib import Path
from textgen.cli.main import main
atexit.register(lambda: print(Path("/proc/self/status").read_text()))
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux has it")
def test_two_gigabytes_are_trained_on_in_bounded_memory(tmp_path):
    path, run = tmp_path / "large.txt", tmp_path / "run"
    write_large(path, 2 * 10**9)
    command = [
        sys.executable,
        "-c",
        TOLD,
        "train",
        str(path),
        "--out",
        str(run),
        "--stream",
        "--hidden-size=64",
        "--epochs=2",
        "--steps-per-epoch=20",
        "--sample-length=0",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    path.unlink()
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout.split("VmHWM:")[1].split()[0]) / 1e6  # kB
    print(f"peak {peak:.2f} GB", done.stderr)
    assert peak < 1.5
    told = card_of(run)["corpus"]
    assert told["characters"] > 9 * 10**8 and told["streamed"]["held_out"] == 500_000
    assert [row["step"] for row in rows(run) if row["val_loss"]] == ["20", "40"]
    (run / "tokens.u16").unlink()  # not kept among pytest's folders
