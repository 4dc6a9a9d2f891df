"""Documents with labels: how labels are read, and how the documents become batches."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from labelled_rows import ROWS, call, table
from textgen.config import TrainConfig
from textgen.data import labelled_text
from textgen.data.labelled_text import CARRIED, held_out_places
from textgen.data.sources import read_training_data
from textgen.errors import ConfigError, CorpusError
from textgen.text.corpus import load_corpus
from textgen.text.read_config import ReadConfig
from textgen.tokenizers.tokenizer import CharTokenizer


def labelled(path, by):
    corpus = load_corpus(path, ReadConfig(label_by=by))
    return list(zip(corpus.labels, corpus.documents, strict=True))


def test_a_column_labels_documents(tmp_path):
    rows = [("철수", "가 나"), (" 영희 ", "다 라"), ("", "마 바")]
    found = [(label.strip(), text) for label, text in rows]
    assert labelled(table(tmp_path / "a.csv", rows), "author") == found
    # it is not the text, though it is one
    assert labelled(table(tmp_path / "b.csv", rows, ("author", "poem")), "author") == found
    lines = [{"meta": {"author": label}, "line": text} for label, text in rows]
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert labelled(path, "meta.author") == found
    parquet = pytest.importorskip("pyarrow.parquet")
    from pyarrow import Table

    columns = {"author": [row[0] for row in rows], "line": [row[1] for row in rows]}
    parquet.write_table(Table.from_pydict(columns), tmp_path / "d.parquet")
    assert labelled(tmp_path / "d.parquet", "author") == found
    assert load_corpus(tmp_path / "a.csv").labels == ()


def test_a_column_that_is_not_there_is_named(tmp_path):
    path = table(tmp_path / "a.csv")
    with pytest.raises(CorpusError, match=r"has no column 'writer'.*author, text"):
        labelled(path, "writer")
    for wanted, meant in (("writer", "author"), ("txet", "text")):  # the nearest, if one is near
        with pytest.raises(CorpusError, match=rf"such as --label-by {meant} \(author, text\)$"):
            labelled(path, wanted)
    with pytest.raises(CorpusError, match="after the colon"):
        labelled(f"{path}:writer", "author")
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"text": "가"}\n{"text": "나"}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="has no labels in 'writer'"):
        labelled(lines, "writer")


def test_the_name_of_a_file_labels_what_is_in_it(tmp_path):
    (tmp_path / "1.편지.txt").write_text("하나\n\n둘", encoding="utf-8")
    (tmp_path / "tales.md").write_text("셋", encoding="utf-8")
    corpus = load_corpus(tmp_path, ReadConfig("paragraph", label_by="file"))
    assert corpus.labels == ("1.편지", "1.편지", "tales")
    assert corpus.documents == ("하나", "둘", "셋")


# --- and become batches ---------------------------------------------------------------------------


def data_of(path, **settings):
    sizes = {"batch_size": 4, "sequence_length": 8, "label_by": "author"}
    return read_training_data(path, TrainConfig(**sizes | settings))


@pytest.mark.parametrize("way", ["end", "documents"])
def test_of_each_label_its_share_is_held_out(tmp_path, way):
    data = data_of(table(tmp_path / "a.csv"), validation_fraction=0.25, held_out=way)
    kept, out = ([d.label for d in part] for part in data.documents)
    assert Counter(out) == {"철수": 10, "영희": 10, "": 3} and len(kept) == len(ROWS) - 23
    assert set(data.text.split("\n\n")).isdisjoint(data.held_out_text.split("\n\n"))
    places = held_out_places(["a", "b"] * 6, 0.34, way)
    assert places == ({8, 9, 10, 11} if way == "end" else {4, 5, 10, 11})


def test_each_document_is_read_once_a_pass_from_its_beginning(tmp_path):
    data = data_of(table(tmp_path / "a.csv"))
    tokenizer = CharTokenizer.train(data.corpus.text)
    lanes = data.held_out(tokenizer)
    numbers = {"": 0, "영희": 1, "철수": 2}
    open_ones, read = {}, []
    for batch in lanes.dataset().take(lanes.steps):
        for lane, (ids, aims, counts, begin) in enumerate(
            zip(*map(np.asarray, batch), strict=True)
        ):
            whole = counts > 0
            if not whole.any():
                continue
            if begin != CARRIED:
                assert ids[0] == tokenizer.start_id
                open_ones[lane] = [begin, ""]
                read.append(open_ones[lane])
            open_ones[lane][1] += tokenizer.decode(aims[whole])
    expected = [(numbers[d.label], d.text + "\n\n") for d in data.documents[1]]
    assert sorted(map(tuple, read)) == sorted(expected)


def test_batch_k_depends_on_k_alone_and_a_share_is_without_labels(tmp_path):
    data = data_of(table(tmp_path / "a.csv"))
    lanes = data.batches(CharTokenizer.train(data.text))
    assert lanes.batch_size == 4 and lanes.steps_of_text == lanes.steps
    whole = [*lanes.dataset().take(2 * lanes.steps).as_numpy_iterator()]
    for k in (1, lanes.steps, lanes.steps + 3):
        again = next(lanes.dataset(k).as_numpy_iterator())
        for part, same in zip(whole[k], again, strict=True):
            np.testing.assert_array_equal(part, same)
    first, second = (
        [np.asarray(batch[3]) for batch in part]
        for part in (whole[: lanes.steps], whole[lanes.steps :])
    )
    assert any((a != b).any() for a, b in zip(first, second, strict=True))
    begun = Counter(np.concatenate(first).tolist())
    labels = Counter(d.label for d in data.documents[0])
    assert sum(begun[k] for k in (0, 1, 2)) == sum(labels.values())
    assert begun[0] > labels[""] and begun[1] <= labels["영희"] and begun[2] <= labels["철수"]


@pytest.mark.parametrize(
    "settings, rows, message",
    [
        ({"label_by": "file"}, ROWS, "every document has the label 'a': a voice is learned beside"),
        ({}, [("", "가나"), ("", "다라")], "no document has such a label"),
        ({"label_by": "text"}, [("a", str(n) * 101) for n in range(9)], "none over 100 characters"),
        ({"label_by": "text"}, [("a", f"{n}가") for n in range(1001)], "1,001 labels"),
        ({"validation_fraction": 0.1}, ROWS[36:45], "no label has documents enough to hold out"),
        ({"replay": "old.txt=0.2"}, ROWS, "label_by author reads each document by itself"),
    ],
)
def test_what_no_voice_can_be_learned_from_is_refused(tmp_path, settings, rows, message):
    path = table(tmp_path / "a.csv", rows)
    with pytest.raises((ConfigError, CorpusError), match=message):
        _ = data_of(f"{path}:text", **settings).documents


@pytest.mark.parametrize("way", ["end", "documents"])
def test_a_share_that_is_too_small_is_told_with_one_that_will_do(tmp_path, way):
    rows = [(f"{n % 50}", f"{n}가") for n in range(150)]  # three of each
    path = f"{table(tmp_path / 'a.csv', rows)}:text"
    with pytest.raises(ConfigError, match=r"give a --validation-fraction of at least 0\.34, or 0$"):
        _ = data_of(path, validation_fraction=0.1, held_out=way).documents
    assert len(data_of(path, validation_fraction=0.34, held_out=way).documents[1]) == 50
    rows = [(f"{n}", f"{n}가") for n in range(50)]
    with pytest.raises(ConfigError, match=r"sample_by paragraph, or set validation_fraction to 0$"):
        _ = data_of(f"{table(tmp_path / 'b.csv', rows)}:text", held_out=way).documents


def test_the_share_that_is_named_holds_a_document_out():
    for most in range(2, 1000):
        labels = ["a"] * most
        share = float(re.search(r"[0-9.]+\d", labelled_text._remedy(labels))[0])
        assert share <= 0.5 and held_out_places(labels, share, "end"), most
        assert held_out_places(labels, share, "documents"), most


def test_a_streamed_text_has_no_voices(capsys, tmp_path):
    words = ["train", table(tmp_path / "a.csv"), "--out", tmp_path / "run", "--stream"]
    code, _, errors = call(capsys, *words, "--label-by", "author")
    assert code == 2 and "label_by would have no effect: a streamed text is read on" in errors
