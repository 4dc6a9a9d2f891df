import dataclasses
import json
import logging
import math
import os
import shutil
import unicodedata

import numpy as np
import pytest
from test_cli import fails, run

import textgen
from textgen.config import EvaluateConfig
from textgen.data import sources
from textgen.data.sources import as_trained_on, find_training_text, why_not_found
from textgen.data.training_data import digest
from textgen.errors import ConfigError, CorpusError
from textgen.evaluation.character_kinds import kind_of
from textgen.evaluation.evaluate import carried_nats, evaluate, windowed_nats
from textgen.evaluation.evaluation_tables import positions
from textgen.evaluation.overlap import share_known
from textgen.text.corpus import load_corpus
from textgen.tokenizers.tokenizer import TOKENIZERS
from tiny import TEXT, by_keras

SMALL = EvaluateConfig(window=16, order=3, sample_length=60, shortest=10)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_bits_are_those_of_score_per_character_and_per_byte(loaded, tokenizer):
    model = loaded(tokenizer)
    text = TEXT[:1500]  # more than one block
    found = evaluate(model, unicodedata.normalize("NFD", text), None, SMALL)
    row = found.rows[0]
    assert row.bits_per_char == pytest.approx(model.score(text).bits_per_char, rel=1e-4)
    bits = row.bits_per_char * len(text)
    assert row.bits_per_byte == pytest.approx(bits / len(text.encode()))
    assert row.nats_per_char == pytest.approx(bits * math.log(2) / len(text))
    assert row.perplexity == pytest.approx(2 ** (bits / len(model.tokenizer.encode(text))))
    assert found.characters == sum(kind.characters for kind in found.kinds) == len(text)
    kinds = sum(kind.bits_per_char * kind.characters for kind in found.kinds)
    assert kinds == pytest.approx(bits, rel=1e-4)
    assert sum(kind.share_of_bits for kind in found.kinds) == pytest.approx(1)
    assert [v.copied for v in found.variety] == [None, None]


def test_a_window_is_read_from_nothing(loaded):
    model = loaded()
    ids = model.tokenizer.encode(TEXT[:100])
    inputs = [model.tokenizer.start_id, *ids[:-1]]
    found = windowed_nats(model, ids, 7)
    expected = []
    for at in range(0, len(ids), 7):
        logits = by_keras(model.network, [inputs[at : at + 7]])[0].astype(np.float64)
        logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        expected += [-logp[k, i] for k, i in enumerate(ids[at : at + 7])]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(windowed_nats(model, ids, 500), carried_nats(model, ids), atol=1e-4)


@pytest.mark.slow
def test_tensorflow_has_nothing_to_say_of_it(runs, caplog):
    runs()
    caplog.clear()  # of what training says, where no other test had it trained
    log = logging.getLogger("tensorflow")
    log.addHandler(caplog.handler)
    try:
        config = dataclasses.replace(SMALL, dynamic=True)
        evaluate(textgen.load(runs()), TEXT[:200], TEXT[200:], config)
        for _ in range(6):  # more models than it lets pass without a word
            windowed_nats(textgen.load(runs()), [1, 2, 3], 3)
    finally:
        log.removeHandler(caplog.handler)
    assert caplog.text == ""


def test_positions_and_ngrams(loaded):
    found = evaluate(loaded(), TEXT[:200], TEXT[200:], SMALL)
    assert [row.name for row in found.rows[2:]] == ["1-gram", "2-gram", "3-gram"]
    assert len(found.position) == 16
    assert np.mean(found.position[:8]) == pytest.approx(np.mean(found.position[:8]))
    windowed = found.rows[1].bits_per_char * 200
    per_place = [13] * 8 + [12] * 8  # 200 tokens in windows of 16
    assert np.dot(found.position, per_place) == pytest.approx(windowed, rel=1e-4)
    assert [name for name, _ in positions(found.position)] == [
        "1",
        "2",
        "3 to 4",
        "5 to 8",
        "9 to 16",
    ]
    # the text is the beginning of what was trained on, and repeats itself all through
    assert found.variety[1].copied == 1.0 and found.variety[1].longest_copy > 50


def test_an_unknown_character_is_counted_and_said(loaded):
    found = evaluate(loaded(), "나는 龍鳳", None, SMALL)
    assert found.unknown == 2
    assert found.spelling_bits == pytest.approx(2 * math.log2(0x110000) / 5)


@pytest.mark.parametrize(
    "characters, kind",
    [
        ("가ㄱᄒ", "Hangul"),
        ("azÉ", "Latin"),
        ("09", "digit"),
        (" \n\t", "space"),
        (".,!「~+$", "punctuation"),
        ("龍あΩ\ufffd", "other"),
    ],
)
def test_kinds_of_characters(characters, kind):
    assert {kind_of(c) for c in characters} == {kind}


def test_what_cannot_be_evaluated(loaded):
    model = loaded()
    with pytest.raises(CorpusError, match="empty"):
        evaluate(model, "")
    with pytest.raises(ConfigError, match="give it with --train"):
        evaluate(model, "나는", None, EvaluateConfig(dynamic=True))
    with pytest.raises(ConfigError, match="window is 0"):
        evaluate(model, "나는", None, EvaluateConfig(window=0))


# --- the training text ----------------------------------------------------------------------------


def test_the_training_text_is_known_again(runs, text_file, tmp_path, monkeypatch):
    card = textgen.load(runs()).card
    data = find_training_text(card)
    assert data.text + data.held_out_text == TEXT
    copy = tmp_path / "copy.txt"
    copy.write_text(TEXT, encoding="utf-8")
    assert as_trained_on(card, copy).held_out_text == data.held_out_text
    copy.write_text(TEXT + "!", encoding="utf-8")
    assert as_trained_on(card, copy) is None
    assert as_trained_on(card, tmp_path / "none.txt") is None
    card["corpus"]["source"] = "copy.txt"
    copy.write_text(TEXT, encoding="utf-8")
    assert find_training_text(card) is None
    assert find_training_text(card, tmp_path).text == data.text


@pytest.mark.parametrize("source", ["/dev/zero", "hf:a/b", "/", "none.txt", 3, [None], [], None])
def test_a_strangers_card_makes_nothing_be_read(runs, tmp_path, source):
    card = textgen.load(runs()).card
    card["corpus"]["source"] = source
    assert find_training_text(card) is None
    assert why_not_found(card, tmp_path) == "is not at hand"


def test_a_table_that_is_not_opened_for_a_stranger_is_named(runs, tmp_path):
    card = textgen.load(runs()).card
    (tmp_path / "a table.csv").write_text("text\n" + TEXT, encoding="utf-8")
    card["corpus"]["source"] = "a table.csv"
    assert find_training_text(card, tmp_path) is None
    assert "is no plain text (a table.csv)" in why_not_found(card, tmp_path)


@pytest.mark.parametrize("kind", ["a pipe", "a pipe in a folder", "a table", "too large", "a link"])
def test_only_plain_files_are_opened_for_a_stranger(runs, tmp_path, monkeypatch, kind):
    card = textgen.load(runs()).card
    path = tmp_path / "text"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a pipe in a folder":
        path.mkdir()
        (path / "a.txt").write_text(TEXT, encoding="utf-8")
        os.mkfifo(path / "b.txt")
    elif kind == "a table":
        path = tmp_path / "text.csv"
        path.write_text("text\na\n")
    elif kind == "too large":
        path.mkdir()
        monkeypatch.setattr(sources, "MAX_BYTES", len(TEXT))  # all files together
        for name in "ab":
            (path / f"{name}.txt").write_text(TEXT[: len(TEXT) // 2], encoding="utf-8")
    else:
        path.symlink_to("/proc/self/environ")
    opened = []
    monkeypatch.setattr(sources, "load_corpus", lambda *given, **more: opened.append(given))
    for source in (str(path), path.name):
        card["corpus"]["source"] = source
        assert find_training_text(card, tmp_path) is None
    assert not opened


# --- the command ----------------------------------------------------------------------------------


def test_evaluate(capsys, runs, text_file, tmp_path):
    table, rows = tmp_path / "found.json", tmp_path / "rows.csv"
    small = ["--order", 2, "--sample-length", 30, "--shortest", 5]
    code, text, _ = run(
        capsys,
        "evaluate",
        runs(),
        text_file,
        *small,
        "--cache",
        50,
        "--dynamic",
        "--look-back",
        "--contexts",
        "1,5",
        "-n",
        20,
        "--json",
        table,
        "--csv",
        rows,
    )
    assert code == 0 and "held out" in text and "looks back" in text
    found = json.loads(table.read_text())
    names = [row["name"] for row in found["rows"]]
    assert names == [
        "model, state carried",
        "model, windows of 256 tokens",
        "model, cache of 50 tokens",
        "model, dynamic evaluation",
        "1-gram",
        "2-gram",
    ]
    assert found["characters"] == len(TEXT) - int(len(TEXT) * 0.9)
    assert len(found["look_back"]) == 2
    assert [line.split('"')[1] for line in rows.read_text().splitlines()[1:5]] == names[:4]
    new = tmp_path / "new.txt"
    new.write_text("나는 비가 온다. " * 20, encoding="utf-8")
    code, text, _ = run(capsys, "evaluate", runs(), new, "--sample-length", 0)
    assert code == 0 and "held out" not in text and "5-gram" in text  # its text is at hand


def test_evaluate_without_the_training_text(capsys, runs, text_file, tmp_path):
    away = tmp_path / "away"
    shutil.copytree(runs(), away)
    config = json.loads((away / "config.json").read_text())
    config["corpus"]["source"] = "gone.txt"
    (away / "config.json").write_text(json.dumps(config))
    new = tmp_path / "new.txt"
    new.write_text("나는 비가 온다. " * 20, encoding="utf-8")
    code, text, _ = run(capsys, "evaluate", away, new, "--sample-length", 30)
    assert code == 0 and "1-gram" not in text and "with --train" in text
    assert "with --train" in fails(capsys, "evaluate", away, new, "--dynamic")
    code, text, _ = run(capsys, "evaluate", away, new, "--train", text_file, "--sample-length", 30)
    assert code == 0 and "5-gram" in text and "copied" in text


def test_of_several_texts_what_was_held_out_is_taken(capsys, runs, text_file, tmp_path):
    two = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path, part in zip(two, (TEXT[:900], TEXT[900:]), strict=True):
        path.write_text(part, encoding="utf-8")
    away = tmp_path / "away"
    shutil.copytree(runs(), away)
    config = json.loads((away / "config.json").read_text())
    config["corpus"]["sha256"] = digest(load_corpus(two).text)
    (away / "config.json").write_text(json.dumps(config))
    code, text, _ = run(capsys, "evaluate", away, *two, "--sample-length", 0)
    assert code == 0 and "one.txt, " in text and "the end that" in text
    trained_on = ["--train", two[0], "--train", two[1]]
    code, text, _ = run(capsys, "evaluate", away, two[0], *trained_on, "--sample-length", 0)
    assert code == 0 and "the end that" not in text and "5-gram" in text
    assert "none.txt" in fails(capsys, "evaluate", away, two[0], tmp_path / "none.txt")


def test_a_text_it_was_trained_on_is_told_of(capsys, runs, text_file, tmp_path):
    path = tmp_path / "part.txt"
    for content, told in ((TEXT[:500], True), ("하늘은 파랗고 구름은 하얗다. " * 30, False)):
        path.write_text(content, encoding="utf-8")
        _, _, notes = run(capsys, "evaluate", runs(), path, "--sample-length", 0)
        assert ("was trained on" in notes) == told, content[:20]


def test_the_share_of_a_text_that_is_known():
    known = "".join(chr(0xAC00 + k) for k in range(1000))  # nothing stands there twice
    new = "".join(chr(0x4E00 + k) for k in range(1000))
    assert share_known(known[:500], known) == 1
    assert share_known(new, known) == 0
    assert share_known(known[:300] + new[:300], known) == pytest.approx(0.5, abs=0.1)
    assert share_known(known[:60], known) == 1
    assert share_known(known[:59], known) == 0  # too short to tell


def test_bad_input_of_evaluate(capsys, runs, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("나는", encoding="utf-8")
    for arguments, what in [
        ([tmp_path / "none.txt"], "none.txt"),
        ([text, "--window", 0], "window is 0"),
        ([text, "--order", 99], "order is 99"),
        ([text, "--cache", -1], "cache is -1"),
        ([text, "--train", tmp_path / "no.txt"], "no.txt"),
        ([text, "--contexts", "x"], "no list of whole numbers"),
    ]:
        assert what in fails(capsys, "evaluate", runs(), *arguments)
    assert "nowhere" in fails(capsys, "evaluate", "nowhere", text)


def test_of_several_texts_the_known_one_is_named_however_short(capsys, runs, text_file, tmp_path):
    known, new = tmp_path / "known.txt", tmp_path / "new.txt"
    known.write_text(TEXT[:500], encoding="utf-8")
    new.write_text("하늘은 파랗고 구름은 하얗다. " * 900, encoding="utf-8")
    _, _, notes = run(capsys, "evaluate", runs(), new, known, "--sample-length", 0)
    assert notes.count("was trained on") == 1 and f"of {known}: " in notes
