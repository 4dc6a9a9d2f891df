import errno
import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

import textgen
from textgen import shipped
from textgen.config import ModelConfig
from textgen.errors import RunError, TextgenError
from textgen.runs import array_file, atomic_files, run_folder
from textgen.tokenizers.tokenizer import TOKENIZERS


@pytest.fixture
def run(runs, tmp_path):
    """A run folder that a test may spoil."""
    return shutil.copytree(runs(), tmp_path / "run")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_saved_model_is_the_model(runs, tokenizer, tmp_path):
    folder = runs(tokenizer)
    model = textgen.load(folder)
    run_folder.save_model(tmp_path, model.network)
    for name in (run_folder.CONFIG, model.tokenizer.filename):
        shutil.copy(folder / name, tmp_path)
    again = textgen.load(tmp_path)
    assert again.hash == model.hash and again.config == model.config
    assert again.generate("나", seed=1) == model.generate("나", seed=1)
    assert again.tokenizer.to_bytes() == model.tokenizer.to_bytes()


def test_the_folder_holds_what_it_should(runs):
    names = {p.name for p in runs().iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "history.csv", "README.md"} <= (
        names
    )
    assert not [n for n in names if n.endswith(".tmp")]
    card = (runs() / "README.md").read_text()
    assert card.startswith("---\n") and "library_name: textgen" in card.split("---")[1]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("spoil", ["missing", "empty", "truncated", "foreign"])
def test_a_spoiled_file_is_named_in_one_line(run, name, spoil):
    path = run / name
    data = path.read_bytes()
    if spoil == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "truncated": data[: len(data) // 2], "foreign": b"{}"}[spoil]
        )
    with pytest.raises(TextgenError) as error:
        textgen.load(run)
    assert "\n" not in str(error.value)
    if spoil == "missing":
        assert str(path) in str(error.value)


def edit(run, change):
    card = json.loads((run / "config.json").read_text())
    change(card)
    (run / "config.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c.update(format=99), "format 99"),
        (lambda c: c["model"].update(hidden_size=4096), "do not belong together"),
        (lambda c: c["model"].update(hidden_size=33), "do not belong together"),
        (lambda c: c["model"].update(cell="gru"), "do not belong together"),
        (lambda c: c["model"].update(cell="x"), "choose one of"),
        (lambda c: c["model"].update(hidden_size="32"), "type int"),
        (lambda c: c["model"].update(num_layers=10**9), "num_layers"),
        (lambda c: c["tokenizer"].update(name="../x"), "names the tokenizer"),
        (lambda c: c.pop("model"), "not a textgen configuration"),
        (lambda c: c.pop("tokenizer"), "not a textgen configuration"),
        (lambda c: c.update(training=[]), "not a textgen configuration"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_before_memory_is_taken(run, change, what):
    edit(run, change)
    with pytest.raises(RunError, match=what):
        textgen.load(run)


def test_weights_that_are_not_finite_are_refused(run):
    arrays, _ = array_file.read_arrays(run / "model.safetensors")
    arrays["head.bias"] = arrays["head.bias"] * np.nan
    array_file.write_arrays(run / "model.safetensors", arrays)
    with pytest.raises(RunError, match="no finite float32"):
        textgen.load(run)


def test_weights_of_another_type_are_refused(run):
    arrays, _ = array_file.read_arrays(run / "model.safetensors")
    arrays["head.bias"] = arrays["head.bias"].astype(np.float16)
    array_file.write_arrays(run / "model.safetensors", arrays)
    with pytest.raises(RunError, match="is float16, not float32"):
        textgen.load(run)


def test_a_file_where_a_folder_stands_is_told_without_a_word_of_space(tmp_path):
    with pytest.raises(RunError, match=r"cannot write .*: Is a directory; choose another place"):
        atomic_files.write_file(tmp_path, b"x")


def test_no_folder():
    with pytest.raises(RunError, match="no run folder at nowhere") as refused:
        textgen.load("nowhere")
    assert all(folder.name in str(refused.value) for folder in shipped.MODELS.iterdir())


def test_a_folder_of_a_training_that_was_killed_before_its_first_save(tmp_path):
    with pytest.raises(RunError, match=r"config.json is missing: a training there was stopped"):
        textgen.load(tmp_path)


def test_a_name_that_is_misspelt_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(RunError, match=r"or a shipped model, such as ko-lstm-char$"):
        textgen.load("ko_lstm_char")
    (tmp_path / "diary").mkdir()
    (tmp_path / "dairy-2").mkdir()
    for folder in tmp_path.iterdir():
        (folder / "config.json").touch()
    with pytest.raises(RunError, match=r"dairy: is it .*/diary\?$"):
        textgen.load(tmp_path / "dairy")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(run, monkeypatch, call):
    before = {p.name: p.read_bytes() for p in run.iterdir()}

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    model = textgen.load(run)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match=r"cannot write .*No space left on device; free some space"):
        run_folder.save_model(run, model.network)
    assert {p.name: p.read_bytes() for p in run.iterdir()} == before


def test_a_folder_is_made_cleared_up_and_taken_away_again(tmp_path):
    run = tmp_path / "runs/new"
    with atomic_files.hold(run):
        assert run.is_dir()
    assert not run.parent.exists()
    run.mkdir(parents=True)
    for name in (".model.safetensors.1.tmp", "kept.tmp", ".kept"):
        (run / name).write_text("x")
    with atomic_files.hold(run):
        assert {p.name for p in run.iterdir()} == {"kept.tmp", ".kept"}
    assert run.is_dir()


def test_a_file_is_locked_until_it_is_closed(tmp_path):
    for wait in (False, True):
        with open(tmp_path / "file", "wb") as file, open(tmp_path / "file", "rb") as other:
            assert atomic_files.lock(file, wait=wait) and not atomic_files.lock(other)


def test_the_row_that_is_being_written_is_left_out(tmp_path):
    for text, steps in (
        ("", []),
        ("step,loss", []),
        ("step,loss\n1,2", []),
        ("step,loss\n1,2\n", ["1"]),
        ("step,loss\n1,2\n3,", ["1"]),
    ):
        (tmp_path / "history.csv").write_text(text)
        assert [row["step"] for row in run_folder.read_history(tmp_path)] == steps


def test_a_file_of_the_largest_size_is_read_and_no_larger_one(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert atomic_files.read_file(path, 100) == atomic_files.read_file(path) == b"x" * 100
    with pytest.raises(RunError, match="larger than 99 bytes"):
        atomic_files.read_file(path, 99)


def test_the_least_that_a_model_takes(tmp_path):
    # by hand: 4 bytes of each of 3 x 4 from the embedding, two times 4 x 4 from layer to layer,
    # 5 x 3 embeddings
    path = tmp_path / "model.safetensors"
    model = ModelConfig(hidden_size=4, embedding_size=3, num_layers=3)
    path.write_bytes(b"x" * 4 * (12 + 32 + 15))
    run_folder._refuse_inflated(path, model, 5)
    path.write_bytes(b"x" * (4 * (12 + 32 + 15) - 1))
    with pytest.raises(RunError, match=r"236 bytes at least.*do not belong together"):
        run_folder._refuse_inflated(path, model, 5)


@pytest.mark.parametrize("bytes_of_header, size", [((1 << 20) + 1, 100), (50, (2 << 30) + 1)])
def test_a_file_that_claims_too_much_is_not_parsed(tmp_path, bytes_of_header, size):
    path = tmp_path / "model.safetensors"
    with open(path, "wb") as file:
        file.write(bytes_of_header.to_bytes(8, "little"))
        file.truncate(size)  # holes, not bytes
    for read in (array_file.read_arrays, array_file.read_note):
        with pytest.raises(RunError, match="too large for a textgen model"):
            read(path)


def test_a_header_of_the_largest_size_is_read(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes((1 << 20).to_bytes(8, "little") + bytes(100))
    with pytest.raises(RunError, match="not a whole safetensors file"):
        array_file.read_note(path)


def test_arrays_come_back_with_their_note_and_a_false_digest_is_found(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "a": np.array(7, np.int64)}
    array_file.write_arrays(path, arrays, "a word on them")
    found, note = array_file.read_arrays(path)
    assert note == array_file.read_note(path) == "a word on them"
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[k], arrays[k]) for k in arrays)
    seen = []
    array_file.read_arrays(path, seen.append)
    assert seen == [{"a": (), "b": (3, 2)}]
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(RunError, match="not a whole safetensors file"):
        array_file.read_arrays(path)


def test_which_weights_these_are(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert run_folder.weights_hash(tmp_path) == "ba7816bf"  # of FIPS 180's example


def test_a_line_that_is_no_text_is_still_logged(tmp_path):
    for line in ("한 줄\n", "\ud800\n"):
        atomic_files.append_line(tmp_path / "log", line)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "한 줄\n?\n"
    with pytest.raises(RunError, match=r"cannot write .*go on with --resume"):
        atomic_files.append_line(tmp_path, "x")


# --- the last save instead of the best weights ----------------------------------------------------


def test_the_last_save_is_a_model_too(run):
    best, last = textgen.load(run), textgen.load(run, last=True)
    assert last.hash == best.hash  # the last epoch did best
    assert last.name.startswith("run@") and not last.card["metrics"]
    assert last.generate("나", seed=1).text == best.generate("나", seed=1).text
    best.network.weights["head.bias"][:] = 0  # whatever lies in the other file
    run_folder.save_model(run, best.network)
    assert textgen.load(run).hash != last.hash == textgen.load(run, last=True).hash


@pytest.mark.parametrize("spoil", ["gone", "old", "foreign", "of another model"])
def test_a_run_without_a_last_save_says_so(run, spoil):
    path, note = run_folder.last_save(run)
    arrays, _ = array_file.read_arrays(path)
    for name in run_folder.SAVES:
        (run / name).unlink(missing_ok=True)
    weights = note.pop(run_folder.WEIGHTS_OF_SAVE)
    if spoil == "old":
        array_file.write_arrays(path, arrays, json.dumps(note))
    if spoil == "foreign":
        array_file.write_arrays(path, arrays, "[1]")
    if spoil == "of another model":
        del weights["head.bias"]
        note[run_folder.WEIGHTS_OF_SAVE] = weights
        array_file.write_arrays(path, arrays, json.dumps(note))
    said = "head.bias has shape none" if spoil == "of another model" else "has no save"
    with pytest.raises(RunError, match=said):
        textgen.load(run, last=True)


def test_an_output_follows_a_link_and_leaves_a_device_one(tmp_path):
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_bytes(b"old")
    link.symlink_to(target)
    atomic_files.write_output(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        atomic_files.write_output(pipe, b"into the pipe")
        assert os.read(reader, 100) == b"into the pipe" and stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)
    with pytest.raises(RunError, match="cannot write /dev/full: No space left"):
        atomic_files.write_output(Path("/dev/full"), b"x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize(
    ("state", "told"), [("failed", "the training failed: train anew"), ("stopped", "--resume")]
)
def test_a_run_without_a_model_says_how_there_will_be_one(run, state, told):
    (run / "model.safetensors").unlink()
    (run / "status.json").write_text(json.dumps({"state": state}))
    with pytest.raises(RunError, match=told):
        textgen.load(run)


def test_a_run_without_a_model_says_what_its_training_failed_for(run):
    (run / "model.safetensors").unlink()
    status = {"state": "failed", "message": "the disk is full: make room"}
    (run / "status.json").write_text(json.dumps(status))
    with pytest.raises(RunError, match="the training failed: the disk is full: make room"):
        textgen.load(run)
