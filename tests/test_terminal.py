"""Reports on a terminal and without one."""

import io
import sys

from textgen.errors import counted, in_bytes
from textgen.terminal import as_text, facts, harmless, long_table, show, table

ROWS = [["나는", "0.25", "1"], ["[b]a :x:", "0.5", "12"]]


def test_columns_are_measured_in_cells_of_the_terminal():
    assert as_text(["two tokens", table(["token", "p", "rank"], ROWS)]).splitlines() == [
        "two tokens",
        "token        p  rank",
        "나는      0.25     1",
        "[b]a :x:   0.5    12",
    ]


def test_a_long_table_is_the_text_of_a_table():
    rows = [*ROWS, ["한", "1", ""]] * 3
    for words in (0, 1, 3):
        table_of_rich = as_text([table(["token", "p", "rank"], rows, words)])
        assert long_table(["token", "p", "rank"], rows, words) == table_of_rich


def test_without_a_terminal_nothing_is_wrapped_and_no_line_ends_with_a_blank(capsys):
    long = "word " * 500
    show([long, facts([("name", long), ("n", "1")])])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [long.rstrip(), f"name  {long}".rstrip(), "n     1"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def on_a_narrow_terminal(monkeypatch, report):
    """What `show` writes to a terminal of 20 columns, as lines."""
    screen = Terminal()
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", screen)
    show(report)
    return [line.rstrip() for line in screen.getvalue().splitlines()]


def test_a_narrow_terminal_cuts_no_number(monkeypatch):
    rows = [["1" * 12, "2" * 12]]
    head, row = on_a_narrow_terminal(monkeypatch, [table(["a" * 12, "b" * 12], rows)])
    assert "a" * 12 in head and "b" * 12 in head and "\x1b[1m" in head  # bold
    assert row == "1" * 12 + "  " + "2" * 12


def test_a_narrow_terminal_wraps_facts_within_their_column(monkeypatch):
    lines = on_a_narrow_terminal(monkeypatch, [facts([("warning", "three words here")])])
    assert lines == ["warning  three words", "         here"]


def test_one_thing_is_one_and_a_small_file_is_not_nothing():
    assert [counted(n, "token") for n in (0, 1, 2000)] == ["0 tokens", "1 token", "2,000 tokens"]
    assert [in_bytes(n) for n in (321, 12_345, 4_500_000)] == ["0.3 kB", "12.3 kB", "4.5 MB"]


def test_what_a_model_writes_tells_a_terminal_nothing(monkeypatch):
    written = "가\x1b[31m\x0e\r\x7f\x9b\t나\n"
    assert harmless(written) == written  # another program gets it as it is
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert harmless(written) == "가␛[31m␎␍␡␦\t나\n"
