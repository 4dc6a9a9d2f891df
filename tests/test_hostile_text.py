"""Texts, prompts and uploads of any kind: taken, or refused in one line."""

import gzip
import json
import os
import resource
import sys
import time
import tomllib
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import textgen
from textgen.cli.main import main
from textgen.errors import CorpusError, GenerationError
from textgen.text.corpus import load_corpus
from textgen.text.doctor import diagnose
from textgen.text.nfc import JOINER, MAX_MARKS, nfc
from textgen.tokenizers.tokenizer import TOKENIZERS
from textgen.training.train import resume, start
from textgen.ui import widgets
from textgen.ui.processes import trainings as ui_runs
from tiny import tiny

LARGEST = 10_000_000
PARTS = [
    "\ud800",
    "\udfff",
    "\0",
    "\u202e",
    "\u2066",
    "\u200f",
    "\u200b",
    "\ufeff",
    "\ufffd",
    "\uffff",
    "\U0010ffff",
    "\r",
    "\r\n",
    "\u2028",
    "\x85",
    "\x1b[31m",
    "e" + "\u0301" * 40,
    "각",
    "각",
    "ᄀ",
    "ㅋㅋㅋ",
    "▁",
    "<script>alert(1)</script>",
    "**b** [a](javascript:alert(1)) ![x](y)",
    "$x$",
    ":red[x]",
    "{0}{x!r}%s",
    "'; --",
    "../..",
    "나는 ",
    "rain",
]
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(st.characters(), max_size=8), max_size=12).map(
    "".join
)


@pytest.fixture(scope="module")
def models(loaded):
    return {name: loaded(name) for name in TOKENIZERS}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(prompt=TEXTS, name=st.sampled_from(list(TOKENIZERS)))
@example(prompt="\ud800", name="sentencepiece")
@example(prompt="\0", name="char")
@example(prompt="", name="jamo")
def test_any_prompt_is_written_on_from_or_refused_in_one_line(models, prompt, name):
    try:
        written = models[name].generate(prompt, max_new_tokens=3, seed=1)
    except GenerationError as error:
        tokenizer = models[name].tokenizer
        assert set(tokenizer.encode(prompt)) == {tokenizer.unk_id}
        assert "\n" not in str(error)
        return
    written.text.encode("utf-8")
    assert len(written.token_ids) == 3


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(text=TEXTS, name=st.sampled_from(list(TOKENIZERS)))
def test_any_text_is_scored(models, text, name):
    if not text:
        return
    score = models[name].score(text)
    assert np.isfinite(score.bits_per_char) and score.bits_per_char > 0


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200) | TEXTS.map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_corpus_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(data)
    try:
        corpus = load_corpus(path)
    except CorpusError as error:
        assert "\n" not in str(error)
        return
    assert unicodedata.is_normalized("NFC", corpus.text) and "\0" not in corpus.text
    corpus.text.encode("utf-8")
    assert diagnose(corpus).characters == len(corpus.text)
    for kind in ("char", "jamo"):
        tokenizer = TOKENIZERS[kind].train(corpus.text)
        assert tokenizer.decode(tokenizer.encode(corpus.text)) == corpus.text


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("나는 한국사람이야 ", id="korean"),
        pytest.param("\u202eabc\u2066", id="bidi", marks=pytest.mark.slow),
        pytest.param("e\u0301\u0301\u0301", id="marks", marks=pytest.mark.slow),
        pytest.param("<b>**a**</b>", id="markup", marks=pytest.mark.slow),
        pytest.param("각", id="jamo", marks=pytest.mark.slow),
    ],
)
def test_ten_megabytes_on_one_line(tmp_path, models, line):
    path = tmp_path / "long.txt"
    text = line * (LARGEST // len(line.encode()))
    path.write_text(text, encoding="utf-8")
    began = time.monotonic()
    corpus = load_corpus(path)
    found = diagnose(corpus)
    assert found.characters == len(corpus.text) > LARGEST / 4
    ids = TOKENIZERS["char"].train(corpus.text).encode(corpus.text)
    assert len(ids) == len(corpus.text)
    part = corpus.text[:200_000]
    tokenizer = models["sentencepiece"].tokenizer
    assert tokenizer.decode(tokenizer.encode(part)) == nfc(part)
    assert time.monotonic() - began < 60


def test_marks_without_end_are_no_trap():
    # composing sorts the marks of one letter: their number squared, in a careless library
    began = time.monotonic()
    text = nfc("a" + "\u0301\u0323" * 500_000)
    assert len(text) > 900_000 and time.monotonic() - began < 20
    assert nfc(text) == text and unicodedata.is_normalized("NFC", text[:1000])
    assert text.replace(JOINER, "").count("\u0301") == 500_000


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["a", "\u0301" * 150, "\u0323" * 90, "가", "\u0f73"]), max_size=6))
def test_composing_once_is_enough_and_changes_nothing_but_many_marks(parts):
    text = "".join(parts)
    assert nfc(nfc(text)) == nfc(text)
    if len(text) <= MAX_MARKS:
        assert nfc(text) == unicodedata.normalize("NFC", text)


def test_a_prompt_of_bytes_that_are_no_text(runs, capsys):
    main(["generate", str(runs("sentencepiece")), "--prompt", "a\udcff", "--max-new-tokens", "4"])
    assert capsys.readouterr().out.startswith("a?")


@pytest.mark.slow
def test_training_with_names_that_are_no_text(text_file, tmp_path):
    path = tmp_path / "te\udcffxt.txt"
    path.write_bytes(text_file.read_bytes())
    run = start(path, tmp_path / "run", *tiny(epochs=1, prompt="나\udcff"))
    assert textgen.load(run).generate("나", max_new_tokens=2).text
    resume(run, epochs=2)


# --- uploads --------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_upload_too_large_is_refused_and_not_kept(home):
    data = bytes(ui_runs.LARGEST_UPLOAD << 20) + b"a"
    with pytest.raises(CorpusError, match=r"big.txt has 50 MB, at most 50 MB are taken here"):
        ui_runs.keep_upload("big.txt", data)
    assert not ui_runs.UPLOADS.exists()


def test_the_server_takes_no_larger_upload():
    root = Path(textgen.__file__).parents[1]
    config = tomllib.loads((root / ".streamlit/config.toml").read_text())
    assert config["server"]["maxUploadSize"] == ui_runs.LARGEST_UPLOAD


@given(name=st.text(max_size=80))
@example(name="../../etc/passwd")
@example(name="\0")
@example(name="/")
@example(name="..")
@example(name="a" * 5000 + ".md")
@settings(max_examples=80, deadline=None)
def test_an_upload_stays_in_its_folder_whatever_its_name(tmp_path_factory, name):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.getbasetemp()
        patch.chdir(folder)
        kept = ui_runs.keep_upload(name, b"text")
        assert kept.resolve().parent == (folder / ui_runs.UPLOADS).resolve()
        assert kept.read_bytes() == b"text"


def bombs(folder):
    """256 MB of zeros in 256 kB."""
    zeros = bytes(1 << 20)
    with (
        zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a.txt", "w") as inner,
    ):
        for _ in range(1 << 8):
            inner.write(zeros)
    with gzip.open(folder / "bomb.gz", "wb") as file:
        for _ in range(1 << 8):
            file.write(zeros)


@pytest.mark.slow
def test_a_zip_bomb_is_not_opened(tmp_path):
    bombs(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in ("bomb.zip", "bomb.gz"):
        data = (tmp_path / bomb).read_bytes()
        assert len(data) < 1 << 19
        for suffix in (".txt", ".md", ".csv", ".jsonl", ".tsv", ".parquet", ".zip", ".gz"):
            path = tmp_path / f"text{suffix}"
            path.write_bytes(data)
            with pytest.raises(CorpusError):
                load_corpus(path)
            path.unlink()
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "bomb.zip").rename(folder / "bomb.zip")
    with pytest.raises(CorpusError, match=r"no .txt or .md"):
        load_corpus(folder)
    if sys.platform == "linux":
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128_000  # kB


@given(text=TEXTS)
def test_what_pages_show_holds_no_markup(text):
    shown = widgets.running_text(text, text, caret=False)
    inner = shown.replace('<div class="tg-text"><span class="tg-prompt">', "")
    assert "<" not in inner.replace("</span>", "").replace("</div>", "")


def test_a_hostile_status_does_not_break_a_page(home):
    folder = ui_runs.RUNS / "x"
    folder.mkdir(parents=True)
    for status in (
        [],
        {"pid": "x", "state": 3, "step": "many", "steps": [], "seconds": float("nan")},
        {"pid": -1, "state": "running"},
        {"pid": 0, "state": "running"},
        {"pid": 1, "state": "running"},
        {"rolled_back": {"step": "x"}},
        {"step": 10**400},
    ):
        (folder / "status.json").write_text(json.dumps(status))
        run = ui_runs.read("x")
        assert not run.alive
        assert all(isinstance(v, int | float | str | dict) for v in run.status.values())
    (folder / "status.json").write_text("[" * 200_000)
    assert ui_runs.read("x").status == {}


def test_stop_signals_no_process_that_does_not_train(home, monkeypatch):
    folder = ui_runs.RUNS / "x"
    folder.mkdir(parents=True)
    sent = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number) if number else None)
    for pid in (0, 1, -1, os.getppid()):
        (folder / "status.json").write_text(json.dumps({"pid": pid, "state": "running"}))
        ui_runs.stop("x")
    assert sent == []
