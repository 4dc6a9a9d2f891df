"""How files are read: streams, links, limits, what is said; and any table that a program writes."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
import zipfile

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from textgen.cli.main import main
from textgen.errors import CorpusError
from textgen.text import files
from textgen.text.corpus import load_corpus
from textgen.text.dialect import allow_large_cells
from textgen.text.oddities import oddities_of_beginning
from textgen.text.read_config import ReadConfig
from textgen.text.readers import names_a_text
from textgen.text.source import summary

TEXT = "나는 한국사람이야.\n그래서 나는 한국어를 할 줄 알아.\n"


def refused(source, config=None):
    with pytest.raises(CorpusError) as caught:
        load_corpus(source, config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- tables ---------------------------------------------------------------------------------------

CELLS = st.text(
    st.sampled_from("ab1 ,;\t|\"'\\\n\r#:^=한글\u3000.-") | st.characters(codec="utf-8"),
    max_size=12,
)
NAMES = st.lists(
    st.text(st.sampled_from("ab한글 _+.1"), min_size=1, max_size=6), min_size=1, max_size=4
)


@settings(max_examples=400, deadline=None)
@given(
    names=NAMES,
    data=st.data(),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    suffix=st.sampled_from([".csv", ".tsv", ".txt"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_as_a_table_is_what_is_read_or_it_is_refused(
    tmp_path_factory, names, data, separator, quoting, ends, suffix, codec
):
    width = len(names)
    table = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))
    assume(names not in table)  # a header that is repeated is dropped, and said to be
    place = data.draw(st.integers(0, width - 1))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=ends)
    if quoting == csv.QUOTE_NONE:  # as programs write that do not know of quoting
        table = [[unquoted(cell.replace(ends[-1], "")) for cell in row] for row in table]
        for row in (names, *table):
            buffer.write(separator.join(row) + ends)
    else:
        writer.writerows([names, *table])
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    with open(path, "w", encoding=codec, errors="surrogatepass", newline="") as file:
        file.write(buffer.getvalue())
    try:
        found = load_corpus(f"{path}:{names[place]}").documents
    except CorpusError as error:
        assert "\n" not in str(error)
        return
    assert names.count(names[place]) == 1
    written = [row[place] for row in table]
    as_read = [" ".join(text.split()) for text in found]
    ignored = dict.fromkeys(map(ord, "\ufeff\u200b\u2060"))
    right = [" ".join(nfc_of(cell).translate(ignored).split()) for cell in written]
    assert as_read == [text for text in right if text]


def unquoted(cell):
    """A cell that no reader takes for a quoted one."""
    return cell.replace('"', "'") if cell.lstrip(" ").startswith('"') else cell


def nfc_of(text):
    from textgen.text.nfc import nfc

    return nfc(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    records=st.lists(st.fixed_dictionaries({"text": st.text(max_size=8)}), min_size=1), more=VALUES
)
@example(records=[{"text": "a"}], more={"text": "b"})
def test_json_is_read_in_lines_and_as_a_list_alike(tmp_path_factory, records, more):
    records = [record | {"more": more} for record in records]
    folder = tmp_path_factory.getbasetemp()
    (folder / "any.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "any.json").write_text(json.dumps(records, indent=1))
    found = []
    for name in ("any.jsonl", "any.json"):
        try:
            found.append(load_corpus(f"{folder / name}:text").documents)
        except CorpusError as error:
            found.append("holds" in str(error))
    assert found[0] == found[1]


@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=300),
    suffix=st.sampled_from(
        [
            ".csv",
            ".tsv",
            ".json",
            ".jsonl",
            ".parquet",
            ".srt",
            ".vtt",
            ".html",
            ".docx",
            ".epub",
            ".hwpx",
            ".pdf",
            ".txt.gz",
            ".txt.xz",
            ".txt.zst",
            ".txt.bz2",
        ]
    ),
)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, data, suffix):
    path = tmp_path_factory.getbasetemp() / f"bytes{suffix}"
    path.write_bytes(data)
    try:
        text = load_corpus(path).text
    except CorpusError as error:
        assert "\n" not in str(error)
        return
    assert "\0" not in text and text.strip()
    text.encode()


# --- streams --------------------------------------------------------------------------------------


def command(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "textgen", *arguments], capture_output=True, text=True, **more
    )


def test_standard_input_and_pipes(tmp_path):
    for name in ("-", "/dev/stdin"):
        found = command("corpus", "--json", name, input=TEXT)
        assert json.loads(found.stdout)["preview"] == TEXT.splitlines(), found.stderr
    found = command("corpus", "--json", "-", input="")
    assert found.returncode == 2 and "is empty" in found.stderr and found.stderr.count("\n") == 1
    table = "id,text\n1,one two\n2,three\n"
    found = command("corpus", "--json", "/dev/stdin:text", input=table)
    assert json.loads(found.stdout)["preview"] == ["one two", "three"]
    found = command("corpus", "-:text", input=table)
    assert found.returncode == 2 and "write /dev/stdin:text" in found.stderr


def test_closed_standard_input_and_a_broken_link(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(files, "_spooled", {})
    assert refused("-").startswith("standard input is closed")
    link = tmp_path / "broken.txt"
    link.symlink_to("gone.txt")
    assert "is a link to 'gone.txt', which is not there" in refused(link)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_read_once_and_as_often_as_asked(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_text(TEXT), daemon=True).start()
    assert load_corpus(pipe).text == TEXT
    assert load_corpus(pipe).text == TEXT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_folder_opens_no_pipe_and_follows_no_link(tmp_path):
    folder, outside = tmp_path / "texts", tmp_path / "outside"
    for path in (folder, outside):
        path.mkdir()
        (path / "a.txt").write_text(path.name)
    os.mkfifo(folder / "b.txt")
    (folder / "c.txt").symlink_to(outside / "a.txt")
    (folder / "d").symlink_to(outside)
    (folder / "e").symlink_to(folder)
    corpus = load_corpus(folder)
    assert corpus.text == "texts"
    left_out = {"linked folders": 2, "linked files": 1, "pipes and devices": 1}
    assert corpus.sources[-1].dropped == left_out


# --- the commands ---------------------------------------------------------------------------------


def test_score_takes_no_name_for_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en.txt").write_text(TEXT)
    assert names_a_text("en.txt") and names_a_text("-") and names_a_text(".")
    for text in ("나는 한국사람이야.", "The end.", "Yes, no. Maybe", "1.5", "what?"):
        assert not names_a_text(text)
    for name in ("en.tx", "texts/none", "none.txt", "/no/such.csv:text"):
        with pytest.raises(CorpusError, match=r"no such file.*--words"):
            names_a_text(name)


def test_json_of_the_doctor(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;one two\n2;\n3;three\n")
    main(["corpus", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["documents"] == 2 and told["characters"] == len("one two\n\nthree")
    assert (told["encoding"], told["separator"], told["columns"]) == ("utf-8", ";", ["text"])
    assert told["preview"] == ["one two", "three"] and told["dropped"] == {"rows without text": 1}


def test_the_doctor_shows_how_it_was_read_and_what_begins(tmp_path, capsys):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello there\n")
    main(["corpus", str(path)])
    out = capsys.readouterr().out
    for part in ("subtitles", "times (1)", "Hello there"):
        assert part in out


def test_what_was_read_is_said_in_one_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;one two\n2;\n")
    corpus = load_corpus(path)
    assert summary(corpus.sources, 1, 7) == (
        "read a.csv (table, utf-8, cells parted by ';', column text): 1 document, 7 characters; "
        "left out or replaced: rows without text: 1"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\u00a0b\n" * 9, "unseen"),
        ("a\u00adb\n" * 9, "unseen"),
        ("one\u3000two\n" * 9, "unseen"),
        ("ab\x08c\n" * 9, "unseen"),
        ("ab\ue001c\n" * 9, "unseen"),
        ("".join(f"0{i}:00 PM\tAnn\thello {i}\n" for i in range(9)), "chat_headers"),
        ("".join(f"[00:1{i}.10]line {i}\n" for i in range(9)), "time_stamps"),
        (
            "".join(f'::1 - - [10/Oct/2031:13:55:3{i} +0] "GET /"\n' for i in range(9)),
            "time_stamps",
        ),
        ("Advertisement\n" * 9 + "one\ntwo\nthree\n", "one_line"),
        ("".join(f"[13:0{i}] <garam> text {i}\n" for i in range(9)), "chat_headers"),
        ("".join(f"13:0{i}\t가람\t글 {i}\n" for i in range(9)), "chat_headers"),
        ("".join(f"2031-03-02 13:0{i}:00 started {i}\n" for i in range(9)), "time_stamps"),
        ("".join(f"Mar  2 13:0{i}:00 host kernel: {i}\n" for i in range(9)), "time_stamps"),
        ("<p>one</p>\n<p>two</p>\n&amp; three", "markup"),
        ("[[one]] and {{two}} and [b]three[/b]", "markup"),
        ("\\ud55c\\uae00 \\ud55c", "escapes"),
        ("=EC=9D=B4=EA=B2=83 =EC=9D=80 =EC=9D=80", "escapes"),
        ("Ã©tÃ© Ã  la plage, câ€™est", "mojibake"),
        ("".join(f"{i}\ttext {i}\n" for i in range(9)), "like_a_table"),
        ("".join(f'{{"text": "a {i}"}}\n' for i in range(9)), "like_json"),
    ],
)
def test_the_doctor_warns_of(text, code):
    assert code in [finding.code for finding in oddities_of_beginning(text)]


def test_a_plain_text_is_not_warned_of():
    text = "".join(f"{i}번째 줄: I said (at 5:30) that 3 < 4 & x = {i}.\n" for i in range(50))
    assert oddities_of_beginning(text) == []


# --- limits ---------------------------------------------------------------------------------------


def test_archives_of_too_much_are_refused(tmp_path):
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", "<a>" + " " * (1 << 24) + "</a>")
    assert "unpacks" in refused(path)
    with zipfile.ZipFile(path, "w") as file:
        for number in range(20_001):
            file.writestr(str(number), "")
    assert "20,000 parts" in refused(path)


def test_a_cell_without_end_is_refused_with_its_line(tmp_path, monkeypatch):
    allow_large_cells()  # which happens once in a process
    previous = csv.field_size_limit(1000)
    try:
        path = tmp_path / "a.csv"
        path.write_text('id,text\n1,one\n2,"two\n' + "3,three, or so\n" * 1000)
        assert "line 3" in refused(path)
    finally:
        csv.field_size_limit(previous)


def test_what_is_packed_is_read_by_blocks(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr(files, "BLOCK", 64)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 50))
    assert load_corpus(path).text == TEXT * 50
    assert load_corpus(path, ReadConfig("line")).documents == tuple((TEXT * 50).splitlines())
