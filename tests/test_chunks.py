"""A text read in chunks is the text that is read at once."""

import hashlib
import json
import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textgen.errors import CorpusError
from textgen.text import corpus as corpus_module
from textgen.text import files as files_module
from textgen.text.chunks import digest_of, read_chunks
from textgen.text.corpus import load_corpus
from textgen.text.read_config import SAMPLE_BY, ReadConfig


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(files_module, "BLOCK", 64)


def whole(source, sample_by="document"):
    """(text, starts of documents, encodings), from the chunks."""
    sources, text, starts = [], "", []
    for chunk in read_chunks(source, ReadConfig(sample_by), sources):
        starts += [len(text) + start for start in chunk.starts]
        text += chunk.text
    return text, starts, [source.encoding for source in sources]


def at_once(source, sample_by="document"):
    corpus = load_corpus(source, ReadConfig(sample_by))
    starts, at = [], 0
    for document in corpus.documents:
        starts.append(at)
        at += len(document) + len(corpus.separator)
    return corpus.text, starts, [source.encoding for source in corpus.sources]


LINES = st.lists(
    st.text(st.sampled_from("나는각 ab.\u1112\u1161\u11ab\u0301\ufeff\t"), max_size=18),
    max_size=40,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@settings(max_examples=150, deadline=None)
@given(
    files=st.lists(st.tuples(LINES, ENDS), min_size=1, max_size=3),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    sample_by=st.sampled_from(["document", "line"]),
)
@example(files=[(["x", "\ufeff\ufeff"], "\r\n")], codec="utf-16", sample_by="line")
def test_any_text_in_chunks_is_the_text_at_once(tmp_path_factory, files, codec, sample_by):
    folder = tmp_path_factory.mktemp("texts")
    for number, (lines, end) in enumerate(files):
        # what begins with a block of blanks loses them
        text = end.join(["글", *lines])
        (folder / f"{number}.txt").write_bytes(text.encode(codec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files_module, "BLOCK", 64)
        assert whole(folder, sample_by) == at_once(folder, sample_by)


def test_paragraphs(tmp_path, small):
    path = tmp_path / "a.txt"
    path.write_text("\n\n".join(f"문단 {n}\n둘째 줄 \n" for n in range(40)) + "\n \n\n끝")
    text, starts, _ = whole(path, "paragraph")
    assert (text, starts, ["utf-8"]) == at_once(path, "paragraph")
    assert len(starts) == 41


@pytest.mark.parametrize("sample_by", SAMPLE_BY)
def test_records_and_files_together(tmp_path, small, sample_by):
    table = tmp_path / "a.jsonl"
    rows = [f"줄 {n}\r\n\n둘\n" * (n % 3) for n in range(50)]
    table.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/empty.txt").write_text(" \n")
    (tmp_path / "texts/a.md").write_text("글\n\n글\n\n\n" * 60)
    sources = [table, tmp_path / "texts"]
    assert whole(sources, sample_by) == at_once(sources, sample_by)
    text = load_corpus(sources, ReadConfig(sample_by)).text
    assert digest_of(sources, ReadConfig(sample_by)) == hashlib.sha256(text.encode()).hexdigest()


def test_a_table_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "MAX_CHARACTERS", 5)
    path = tmp_path / "a.csv"
    path.write_text("text\nabc\ndef\nghi\n")
    assert whole(path, "line")[0] == "abc\ndef\nghi"


@pytest.mark.parametrize("unit", ["ab ", "가", "각", "e\u0301\u0323"])
def test_a_line_without_end_is_torn_where_it_does_no_harm(tmp_path, monkeypatch, unit):
    monkeypatch.setattr(files_module, "BLOCK", 4096)
    path = tmp_path / "a.txt"
    text = unicodedata.normalize("NFD", unit) * 20_000
    path.write_text(text)
    found = [chunk.text for chunk in read_chunks(path, ReadConfig(), [])]
    assert "".join(found) == load_corpus(path).text
    assert len(found) > 4 and max(map(len, found)) < 3 * 4096


def test_cp949_is_told_by_the_first_letters_beyond_ascii(tmp_path, small):
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain ascii\n" * 30 + "한글이 나온다\n".encode("cp949") * 30)
    assert whole(path) == at_once(path)
    for shift in range(4):  # a letter torn by the end of a block
        path.write_bytes(b"x" * (61 + shift) + "한글\n".encode("cp949") * 30)
        assert whole(path) == at_once(path)


@pytest.mark.parametrize(
    "late, message",
    [
        (
            "한글".encode("cp949"),
            r"is UTF-8 but for 2 places, the first in line 101, byte 701",
        ),
        (b"\0", r"a.txt holds a NUL in line 101, byte 701"),
        (b"\xea\xb0", r"a.txt is UTF-8 but for 1 place,"),  # half a letter at the end
    ],
)
def test_what_goes_wrong_late_in_a_file(tmp_path, small, late, message):
    path = tmp_path / "a.txt"
    path.write_bytes("가나\n".encode() * 100 + late)
    with pytest.raises(CorpusError, match=message) as caught:
        whole(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("none.txt", None, "no such file"),
        ("empty.txt", b"", "is empty"),
        ("blank.txt", b" \r\n" * 99, "only blanks"),
        ("png.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        ("noise.txt", bytes(range(0x80, 0x100)) * 4, "neither UTF-8 .* nor Korean in CP949"),
    ],
)
def test_refusals_are_those_of_a_text_read_at_once(tmp_path, small, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for read in (whole, at_once):
        with pytest.raises(CorpusError, match=message):
            read(tmp_path / name)


def test_memory_is_bounded(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("나는 한국사람이야.\n" * 1_000_000)  # 27 MB
    tracemalloc.start()
    assert sum(len(chunk.text) for chunk in read_chunks(path, ReadConfig(), [])) == 11_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
