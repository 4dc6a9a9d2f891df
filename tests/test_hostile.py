"""Run folders from strangers. `python -m benchmarks.fuzz` does the same to thousands."""

import json
import os
import shutil
import struct
import time

import numpy as np
import pytest
import safetensors.numpy
from sentencepiece.sentencepiece_model_pb2 import ModelProto

import textgen
from benchmarks.fuzz import fuzz
from benchmarks.hostile import SPOILERS, spoiled
from textgen.errors import RunError, TextgenError, TokenizerError
from textgen.runs import atomic_files
from textgen.tokenizers import sentencepiece_model
from textgen.tokenizers.tokenizer import TOKENIZERS, SentencePieceTokenizer
from textgen.training.train import resume
from tiny import TEXT, only


@pytest.mark.parametrize("times", only([1], [4]))
def test_spoiled_folders_are_refused_or_valid(runs, tmp_path, times):
    sources, number = [runs(tokenizer) for tokenizer in TOKENIZERS], times * len(SPOILERS)
    rows = fuzz(sources, number, seed=7, work=tmp_path)
    assert {row.way for row in rows} == {way.__name__ for way in SPOILERS}
    assert sum(row.number for row in rows) == number
    assert sum(row.refused for row in rows) > number / 2
    for row in rows:
        assert row.amiss == row.large == 0, row
        assert row.longest < 10, row  # 2 s on a machine that does nothing else


def test_the_same_seed_spoils_alike(runs, tmp_path):
    names = [
        {p.name: p.read_bytes() for p in (tmp_path / n).iterdir()}
        for n in "ab"
        if spoiled(runs(), tmp_path / n, 1, 3)
    ]
    assert names[0] == names[1]


@pytest.fixture
def run(runs, tmp_path):
    """A run folder that a test may spoil."""
    return shutil.copytree(runs("sentencepiece"), tmp_path / "run")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.model", "model.safetensors"])
def test_a_pipe_or_a_device_is_not_waited_for(run, name):
    path = run / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunError, match=r"is not a plain file|is missing"):
        textgen.load(run)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(RunError, match=r"is not a plain file|is missing"):
        textgen.load(run)


def test_a_header_of_many_megabytes_is_not_parsed(run):
    path = run / "model.safetensors"
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    padding = b" " * (2 << 20)
    told = struct.pack("<Q", size + len(padding)) + data[8 : 8 + size] + padding + data[8 + size :]
    path.write_bytes(told)
    with pytest.raises(RunError, match="too large for a textgen model"):
        textgen.load(run)


def test_weights_too_large_to_compute_with(run):
    path = run / "model.safetensors"
    arrays = {n: np.full_like(a, 3e38) for n, a in safetensors.numpy.load_file(path).items()}
    safetensors.numpy.save_file(arrays, path)
    with pytest.raises(RunError, match="too large to compute with"):
        textgen.load(run)


def test_a_model_that_crashes_its_reader_takes_only_the_trial_down(monkeypatch):
    data = SentencePieceTokenizer.train(TEXT, vocab_size=300).to_bytes()
    sentencepiece_model.try_apart(data)
    # what follows the reading in the other process: a crash, a hang, memory without end
    for end in ("import os; os.abort()", "while True: pass", "x = b'x' * (2 << 30)"):
        with monkeypatch.context() as patch:
            patch.setattr(sentencepiece_model, "_TRIAL", sentencepiece_model._TRIAL + end)
            patch.setattr(sentencepiece_model, "_TRIAL_SECONDS", 5.0)
            with pytest.raises(TokenizerError, match="it cannot be read"):
                SentencePieceTokenizer.from_bytes(data)


# what protobuf reads: empty pieces, settings joined a million times, fields without a name, groups
# within groups, symbols without end
ENDLESS = {
    "pieces": b"\x0a\x00",
    "settings": b"\x12\x00",
    "settings with a value": b"\x12\x02\x08\x01",
    "unknown fields": b"\xf8\x07\x01",
    "nested groups": b"\x33" * 90 + b"\x34" * 90,
    "nested groups beyond its limit": b"\x33" * 1000 + b"\x34" * 1000,
    "symbols": b"\x12\x03\xfa\x01\x00",
}


@pytest.mark.parametrize("part", ENDLESS)
def test_eight_megabytes_of_anything_are_refused_soon(part):
    data = ENDLESS[part]
    began = time.process_time()
    with pytest.raises(TokenizerError, match=r"damaged|more than 100000 pieces"):
        sentencepiece_model.try_apart(data * (sentencepiece_model.MAX_BYTES // len(data)))
    assert time.process_time() - began < 5  # about 1 s for the pieces, less for all else


def spoiled_model(change):
    """The bytes of a SentencePiece model after `change` of its message."""
    model = ModelProto.FromString(SentencePieceTokenizer.train(TEXT, vocab_size=300).to_bytes())
    change(model)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m.pieces[-1].ClearField("piece"), "it has an empty piece"),
        (lambda m: setattr(m.pieces[-1], "piece", "a\0"), "it has an empty piece"),
        (lambda m: setattr(m.pieces[-1], "piece", "\n"), "repeated pieces"),
        (lambda m: setattr(m.pieces[-1], "score", float("nan")), "a score that is no number"),
        (lambda m: setattr(m.pieces[-1], "score", float("-inf")), "a score that is no number"),
        (lambda m: setattr(m.pieces[-1], "type", 5), "pieces of a foreign kind"),
        (lambda m: setattr(m.pieces[0], "type", 1), "its unknown or newline piece"),
        (lambda m: setattr(m.pieces[1], "type", 1), "its unknown or newline piece|its bytes"),
        (lambda m: m.ClearField("pieces"), "too few or repeated pieces"),
        (lambda m: m.ClearField("trainer_spec"), "trained with other settings"),
        (lambda m: setattr(m.trainer_spec, "model_type", 4), "trained with other settings"),
        (lambda m: setattr(m.trainer_spec, "vocab_size", 301), "trained with other settings"),
        (lambda m: m.ClearField("normalizer_spec"), "it alters text"),
        (lambda m: setattr(m.normalizer_spec, "add_dummy_prefix", True), "it alters text"),
        (lambda m: setattr(m.normalizer_spec, "precompiled_charsmap", b"\0"), "it alters text"),
        (lambda m: setattr(m.denormalizer_spec, "precompiled_charsmap", b"\0"), "it alters text"),
    ],
)
def test_a_model_of_another_kind_is_refused(change, what):
    with pytest.raises(TokenizerError, match=what):
        SentencePieceTokenizer.from_bytes(spoiled_model(change))


@pytest.mark.parametrize(
    "hidden",
    [
        b"\x1a\x06\x12\x04\0\0\0\0",  # a second normalizer: the library joins both, rules and all
        b"\x0a\x05\x0a\x01\xff\x18\x01",  # a piece that is no UTF-8
        b"\x0a\x05\x0a\x01a\x18\x63",  # a piece of a kind without a name
        b"\x22\x00",  # samples that the library carries along
        b"\xf8\x07\x01",  # a field without a name
        b"\x33\x34",  # a group
        b"\x0a\x83\x80\x00\x0a\x01a",  # a length in more bytes than it takes
    ],
)
def test_what_stands_before_or_behind_a_model_is_refused(hidden):
    data = SentencePieceTokenizer.train(TEXT, vocab_size=300).to_bytes()
    SentencePieceTokenizer.from_bytes(data)
    for spoilt in (hidden + data, data + hidden):
        with pytest.raises(TokenizerError, match="it is damaged"):
            SentencePieceTokenizer.from_bytes(spoilt)


SOURCES = [None, [], {}, {"source": 3}, {"source": [3]}, {"source": []}, {"source": "/dev/zero"}]


@pytest.mark.parametrize("corpus", SOURCES)
def test_resuming_what_names_no_text(run, corpus):
    card = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(card | {"corpus": corpus}))
    with pytest.raises(TextgenError):
        resume(run)


@pytest.mark.parametrize(
    "spoil",
    [
        {"format": "x" * 10**5},
        {"tokenizer": {"name": ["x"] * 10**5}},
        {"model": {"cell": "x" * 10**5}},
        {"model": {"hidden_size": [3] * 10**5}},
    ],
)
def test_a_value_without_end_is_not_told_to_its_end(run, spoil):
    card = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(card | spoil))
    with pytest.raises(RunError) as error:
        textgen.load(run)
    assert len(str(error.value)) < 600


def test_a_log_is_not_written_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    (tmp_path / "samples.jsonl").symlink_to(outside)
    with pytest.raises(RunError, match="cannot write"):
        atomic_files.append_line(tmp_path / "samples.jsonl", "x\n")
    assert not outside.exists()
