"""Reading a text that is never held in memory: in bounded memory, or not at all."""

import dataclasses
import errno
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from run_files import card_of, rows
from textgen.cli.main import main
from textgen.data import streamed_text as streamed_module
from textgen.data.sources import read_training_data
from textgen.errors import RunError
from textgen.runs import run_folder
from textgen.text import chunks as chunks_module
from textgen.text import corpus as corpus_module
from textgen.text import files as files_module
from textgen.tokenizers.tokenizer import TOKENIZERS
from textgen.training.train import start
from tiny import TEXT, streamed


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Several chunks, of a tiny text."""
    monkeypatch.setattr(files_module, "BLOCK", 512)


@pytest.mark.parametrize("sample_by", ["document", "line", "paragraph"])
@pytest.mark.parametrize("held_out", [100, 100_000])
def test_the_end_is_held_out_up_to_a_size(tmp_path, monkeypatch, sample_by, held_out):
    for module in (streamed_module, corpus_module):
        monkeypatch.setattr(module, "MOST_HELD_OUT", held_out)
    texts = tmp_path / "texts"
    texts.mkdir()
    for name in "ab":
        (texts / f"{name}.txt").write_text(TEXT.replace("ㅋ", "ㅋ\n\n"))
    config = dataclasses.replace(streamed()[2], sample_by=sample_by)
    plain = read_training_data(texts, dataclasses.replace(config, stream=False))
    tokenizer = TOKENIZERS["char"].train(plain.corpus.text)
    data = read_training_data(texts, config, tmp_path / "run").prepare(tokenizer)
    end = data.held_out_text
    ids = np.fromfile(tmp_path / "run/tokens.u8", np.uint8)
    assert tokenizer.decode(ids) + end == plain.corpus.text
    assert end == plain.held_out_text and data.text == plain.text
    assert 0 < len(end) <= held_out


@pytest.mark.slow
def test_a_tokenizer_is_trained_on_the_beginning_alone(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(streamed_module, "LEARNT", 900)
    for module in (streamed_module, corpus_module):
        monkeypatch.setattr(module, "MOST_HELD_OUT", 300)
    path = tmp_path / "a.txt"
    path.write_text(TEXT[:1000] + "Ω" + TEXT)
    run = start(path, tmp_path / "run", *streamed(epochs=1))
    assert "read 3,801 characters, 3,501 tokens to train on" in caplog.text
    tokenizer = run_folder.read_tokenizer(run, card_of(run))
    assert tokenizer.unknown_characters(TEXT[:900] + "Ω") == ["Ω"]
    assert np.fromfile(run / "tokens.u8", np.uint8)[1000] == tokenizer.unk_id


@pytest.mark.slow
def test_rows_beyond_the_limit_are_read(tmp_path, monkeypatch, caplog):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(corpus_module, "MAX_CHARACTERS", 1000)
    monkeypatch.setattr("textgen.data.text_in_memory.MAX_CHARACTERS", 1000)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in TEXT.split("\n") if line))
    start(path, tmp_path / "cut", *streamed(epochs=1, stream=False))
    assert "note: a.jsonl is read up to 1,000 characters: --stream" in caplog.text
    run = start(path, tmp_path / "run", *streamed(epochs=1))
    told = card_of(run)["corpus"]
    assert told["documents"] == 75 and told["characters"] > 2000
    assert card_of(tmp_path / "cut")["corpus"]["characters"] < 1200


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


def test_a_disk_that_fills_up_while_reading(text_file, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*: No space left on device; free some"):
        start(text_file, tmp_path / "run", *streamed())
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
        start(text_file, tmp_path / "run", *streamed())
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


# --- more than fits -------------------------------------------------------------------------------


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
def test_hundreds_of_megabytes_are_trained_on_in_bounded_memory(tmp_path):
    path, run = tmp_path / "large.txt", tmp_path / "run"
    write_large(path, 6 * 10**8)
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
    assert peak < 1.1  # 0.9 is TensorFlow's; the text as a string would take 0.6 more
    told = card_of(run)["corpus"]
    assert told["characters"] > 2.5 * 10**8 and told["streamed"]["held_out"] == 500_000
    assert [row["step"] for row in rows(run) if row["val_loss"]] == ["20", "40"]
    (run / "tokens.u16").unlink()  # not kept among pytest's folders
