"""Corpus: encodings, cleaning, documents, split, tables and datasets. No network."""

import contextlib
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

import datasets
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.errors import ConfigError, CorpusError
from textgen.text import corpus as corpus_module
from textgen.text import encodings
from textgen.text import hub as hub_module
from textgen.text.corpus import Corpus, load_corpus
from textgen.text.files import file_of
from textgen.text.hub import parse_hf
from textgen.text.read_config import SAMPLE_BY, ReadConfig
from textgen.text.source import Provenance

KOREAN = "나는 한국사람이야.\n그래서 나는 한국어를 할 줄 알아.\n"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(source, **options):
    """The message, one line, with which `source` is refused."""
    with pytest.raises(CorpusError) as caught:
        load_corpus(source, ReadConfig(**options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- encodings and cleaning -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "mark", "reported"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8-sig", b"", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("cp949", b"", "cp949"),
        ("euc-kr", b"", "cp949"),
    ],
)
def test_encodings_are_found_and_reported(tmp_path, codec, mark, reported):
    path = write(tmp_path / "a.txt", mark + KOREAN.encode(codec))
    corpus = load_corpus(path)
    assert corpus.text == KOREAN
    assert corpus.sources == (Provenance("a.txt", reported),)


readable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: not text.startswith("\ufeff")
)


def decoded(data, name="x"):
    """(text, encoding) of a file with these bytes."""
    source = Provenance(name)
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(data)
        file.flush()
        text = "".join(encodings.decoded(file_of(Path(file.name)), ReadConfig(), source))
    return text, source.encoding


@given(readable, st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_marked_encodings_round_trip(text, codec):
    assert decoded(text.encode(codec))[0] == text


@given(readable)
def test_utf8_round_trips(text):
    if "\x1b" not in text and "+" not in text and "~{" not in text:
        assert decoded(text.encode()) == (text, "utf-8")


@given(st.text(st.sampled_from("가각힣똠방펲ㅋㅠ한글 abc.\n"), min_size=1))
def test_cp949_round_trips_or_is_utf8_or_refused(text):
    with contextlib.suppress(CorpusError):
        assert decoded((KOREAN + text).encode("cp949")) == (KOREAN + text, "cp949")


def test_text_becomes_nfc_with_plain_line_ends_and_no_mark(tmp_path):
    path = write(tmp_path / "a.txt", "\ufeff" + unicodedata.normalize("NFD", "한\r\n글\r은\n"))
    assert load_corpus(path).text == "한\n글\n은\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"text\0text",
        bytes([1, 2, 3, 4, 65]) * 50,
        "a\0b".encode("utf-16"),
        b"\xff\xfea",  # half a UTF-16 character
        bytes(range(0x80, 0x100)) * 4,
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path, data):
    assert "a.txt" in refused(write(tmp_path / "a.txt", data))


def test_refusals_say_what_and_the_remedy(tmp_path):
    assert "no such file" in refused(tmp_path / "none.txt")
    assert "no such file" in refused("a text\nin place of a path" * 100)
    assert "is empty" in refused(write(tmp_path / "empty.txt", ""))
    assert "only blanks" in refused(write(tmp_path / "blank.txt", " \r\n\t\n"))
    write(tmp_path / "folder" / "a.png", "x")
    assert "no .txt or .md" in refused(tmp_path / "folder")
    assert "no text was given" in refused([])
    with pytest.raises(ConfigError, match="line, paragraph, document"):
        load_corpus(tmp_path, ReadConfig(sample_by="word"))


def test_a_big_file_loads_fast(tmp_path):
    path = write(tmp_path / "big.txt", KOREAN * (10_000_000 // len(KOREAN.encode())))
    start = time.process_time()
    load_corpus(path, ReadConfig(sample_by="line"))
    assert time.process_time() - start < 1.5


# --- documents ------------------------------------------------------------------------------------


def test_what_a_model_wrote_is_no_text_of_the_folder_it_lies_in(tmp_path):
    write(tmp_path / "a.txt", "mine")
    for name in ("README.md", "held_out.txt", "deeper/notes.txt", "config.json"):
        write(tmp_path / "runs/one" / name, "its own")
    assert load_corpus(tmp_path).text.count("its own") == 3  # a folder like any other
    write(tmp_path / "runs/one/model.safetensors", "")
    assert load_corpus(tmp_path).text == "mine"


def test_a_folder_is_read_in_order_without_hidden_and_empty_files(tmp_path):
    folder = tmp_path / "tales"
    for name, text in [
        ("b.txt", "둘"),
        ("a.MD", "하나"),
        ("sub/c.txt", "셋"),
        ("empty.txt", ""),
        ("image.png", "\0"),
        (".git/d.txt", "숨음"),
    ]:
        write(folder / name, text)
    corpus = load_corpus(folder)
    assert corpus.documents == ("하나", "둘", "셋")
    assert [source.name for source in corpus.sources] == [
        "tales/a.MD",
        "tales/b.txt",
        "tales/sub/c.txt",
        "tales",
    ]
    assert corpus.sources[-1].dropped == {"hidden folders": 1, ".png files": 1}
    assert corpus.text == "하나\n\n둘\n\n셋"


@pytest.mark.parametrize(
    ("sample_by", "documents", "text"),
    [
        ("line", ("a", "  b", "c", "d"), "a\n  b\nc\nd"),
        ("paragraph", ("a\n  b", "c\nd"), "a\n  b\n\nc\nd"),
        ("document", ("\n\na\n  b\n \n\nc\nd\n",), "\n\na\n  b\n \n\nc\nd\n"),
    ],
)
def test_sample_by(tmp_path, sample_by, documents, text):
    path = write(tmp_path / "a.txt", "\n\na\n  b\n \n\nc\nd\n")
    corpus = load_corpus(path, ReadConfig(sample_by=sample_by))
    assert (corpus.documents, corpus.text) == (documents, text)


def test_several_sources_follow_one_another(tmp_path):
    first, second = write(tmp_path / "b.txt", "B"), write(tmp_path / "a.txt", "A")
    assert load_corpus([first, str(second)]).documents == ("B", "A")


# --- split ----------------------------------------------------------------------------------------


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=8),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(SAMPLE_BY),
)
def test_split_is_contiguous_and_moves_only_forward_to_a_document(documents, fraction, sample_by):
    corpus = Corpus(tuple(documents), (), sample_by)
    train, validation = corpus.split(fraction)
    assert train + validation == corpus.text
    plain = int(len(corpus.text) * (1 - fraction))
    assert len(train) >= plain
    starts, at = [], 0
    for document in documents:
        starts.append(at)
        at += len(document) + len(corpus.separator)
    enough = len(corpus.text) - (len(corpus.text) - plain) / 2
    assert len(train) == next((s for s in starts if plain <= s <= enough), plain)


def test_split_by_hand():
    assert Corpus(("0123456789",), ()).split(0.3) == ("0123456", "789")
    assert Corpus(("aaaa", "bbbb", "cccc"), (), "line").split(0.5) == ("aaaa\nbbbb\n", "cccc")
    assert Corpus(("aaaa", "bbbb", "cc"), (), "line").split(0.5) == ("aaaa\nb", "bbb\ncc")
    assert Corpus(("a", "bbbbbbbbbb"), (), "line").split(0.25) == ("a\nbbbbbbb", "bbb")
    assert Corpus(("ab", "c"), ()).split(0.0) == ("ab\n\nc", "")
    for wrong in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigError):
            Corpus(("a",), ()).split(wrong)


def test_documents_are_held_out_whole_and_from_all_over_the_text():
    corpus = Corpus(tuple("abcdefgh"), (), "line")
    assert corpus.split(0.25, "documents") == ("a\nb\nc\ne\nf\ng", "d\nh")
    assert corpus.split(0.4, "documents") == ("a\nb\nd\nf\ng", "c\ne\nh")
    assert corpus.split(0.0, "documents") == (corpus.text, "")
    with pytest.raises(ConfigError, match="of 8 is none: hold out the end"):
        corpus.split(0.1, "documents")


@given(st.integers(1, 60), st.integers(2, 9))
def test_every_nth_document_is_held_out(number, every):
    documents = [str(k) for k in range(1, number * every + 1)]
    corpus = Corpus(tuple(documents), (), "line")
    train, validation = corpus.split(1 / every, "documents")
    assert validation.split("\n") == [d for d in documents if int(d) % every == 0]
    assert train.split("\n") == [d for d in documents if int(d) % every]


# --- tables ---------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_csv_in_any_encoding(tmp_path, codec):
    content = '번호,본문\n1,"가, 나"\n2,\n3,NA\n'.encode(codec)
    path = write(tmp_path / "표 [1].csv", content)
    corpus = load_corpus(path)
    assert corpus.documents == ("가, 나", "NA")
    assert corpus.sources[0].name == "표 [1].csv"


def test_tsv_keeps_lone_quotation_marks(tmp_path):
    path = write(tmp_path / "a.tsv", 'id\tdocument\tuser\n1\t"재밌다\tx\n2\t별로"\ty\n')
    assert load_corpus(path).documents == ('"재밌다', '별로"')


def test_jsonl_and_its_columns(tmp_path):
    path = write(
        tmp_path / "a.jsonl", '{"q":"물음","a":"답\\n둘","n":1}\n{"q":"또","a":null,"n":2}\n'
    )
    assert load_corpus(f"{path}:a", ReadConfig(sample_by="line")).documents == ("답", "둘")
    assert load_corpus(f"{path}:q").documents == ("물음", "또")
    assert load_corpus(f"{path}:n").documents == ("1", "2")
    assert load_corpus(f"{path}:q+a").documents == ("물음\n답\n둘", "또")
    assert "columns with text: q, a" in refused(path)
    assert "no column 'zz'" in refused(f"{path}:zz")


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["하나", "둘"], "b": ["x", "y"]}), path)
    assert load_corpus(path).documents == ("하나", "둘")


def test_damaged_tables_are_refused(tmp_path, capfd):
    assert "cannot read" in refused(write(tmp_path / "a.parquet", b"PAR1 no"))
    assert "line 1, is no JSON" in refused(write(tmp_path / "a.jsonl", '{"text": '))
    assert "a.csv" in refused(write(tmp_path / "a.csv", "text\n"))
    assert capfd.readouterr() == ("", "")


def test_rows_beyond_the_limit_are_left_out_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "MAX_CHARACTERS", 5)
    corpus = load_corpus(write(tmp_path / "a.csv", "text\nabc\ndef\nghi\n"))
    assert corpus.documents == ("abc", "de")
    assert corpus.sources == (
        Provenance("a.csv", "utf-8", "table", columns=("text",), truncated=True),
    )


# --- Hugging Face ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("hf:squad", ([("squad", None)], "train", None)),
        ("hf:o/n:test", ([("o/n", None), ("o", "n")], "test", None)),
        ("hf:o/n/c:train:text", ([("o/n", "c")], "train", "text")),
        ("hf:o/n::text", ([("o/n", None), ("o", "n")], "train", "text")),
    ],
)
def test_parse_hf(item, expected):
    assert parse_hf(item) == expected


@pytest.mark.parametrize("item", ["hf:", "hf:a//b", "hf:a/b/c/d", "hf:a:b:c:d", "hf:a b"])
def test_parse_hf_refuses(item):
    assert "hf:NAME[/CONFIG][:SPLIT][:COLUMN]" in refused(item)


@pytest.fixture
def hub(monkeypatch):
    """A Hub that holds `wikitext` with a config; records what is asked of it."""
    asked = []

    def load_dataset(name, config=None, *, split, streaming):
        asked.append((name, config, split, streaming))
        if name != "wikitext":
            raise datasets.exceptions.DatasetNotFoundError(f"{name}\nis not there")
        if split != "train":
            raise ValueError("Bad split: x.\nAvailable splits: ['train']")
        return iter([{"text": "\n", "n": 1}, {"text": " = 제목 = \n", "n": 2}] * 300)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(hub_module, "_reach_hub", lambda: None)
    return asked


def test_a_dataset_is_streamed_and_two_parts_are_tried_as_owner_first(hub):
    corpus = load_corpus("hf:wikitext/wikitext-2-raw-v1:train:text")
    assert hub == [
        ("wikitext/wikitext-2-raw-v1", None, "train", True),
        ("wikitext", "wikitext-2-raw-v1", "train", True),
    ]
    assert corpus.documents == (" = 제목 = ",) * 300
    (source,) = corpus.sources
    assert source.name == "hf:wikitext/wikitext-2-raw-v1:train:text"
    assert source.dropped == {"rows without text": 300}


def test_dataset_errors_are_one_line(hub):
    assert "dataset a/b is not on the Hugging Face Hub" in refused("hf:a/b")
    assert "Available splits: ['train']" in refused("hf:wikitext:x")
    assert "no column 'title'" in refused("hf:wikitext:train:title")


def test_offline_is_said_at_once(monkeypatch, capfd):
    def no_network():
        raise OSError("no route")

    monkeypatch.setattr(hub_module, "_reach_hub", no_network)
    message = refused("hf:owner/name:train")
    assert "owner/name:train is out of reach: connect" in message and "local file" in message
    assert capfd.readouterr() == ("", "")


def test_an_endpoint_that_refuses_is_offline(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.perf_counter()
    assert "out of reach" in refused("hf:owner/name")
    assert time.perf_counter() - start < 8


def test_a_connection_that_hangs_is_given_up(hub, monkeypatch):
    def hanging(*_, **__):
        yield {"text": "x"}
        time.sleep(2)

    monkeypatch.setattr(datasets, "load_dataset", hanging)
    monkeypatch.setattr(hub_module, "PATIENCE", 0.2)
    assert "out of reach" in refused("hf:owner/name")


def test_importing_needs_neither_datasets_nor_tensorflow():
    heavy = "{'datasets', 'tensorflow', 'keras'}"
    code = f"import sys, textgen.text.doctor; assert not {heavy} & {{*sys.modules}}"
    subprocess.run([sys.executable, "-c", code], check=True)
