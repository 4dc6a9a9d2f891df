"""`textgen write`: keys in, a text and a file out."""

import contextlib
import os
import select
import subprocess
import sys
import time

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from test_cli import fails, run

from textgen.cli.draft_screen import DraftScreen
from textgen.generation.draft import Draft
from tiny import drawn_model

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
TAKE, REFUSE, UNDO, SAVE, LEAVE = "\t", "\x12", "\x1a", "\x13", "\x11"


def written(keys, out=None, text="나는 "):
    """The screen after these keys."""
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        screen = DraftScreen(Draft(drawn_model(), text, seed=1), out)
        keyboard.send_text(keys)
        screen.run()
        return screen


def test_words_are_taken_chosen_and_refused():
    draft = Draft(drawn_model(), "나는 ", seed=1)
    first, second, *_ = (word.text for word in draft.words)
    for key in (TAKE, "\r", RIGHT):
        assert written(key + LEAVE).draft.text == "나는 " + first
    assert written(DOWN + TAKE + LEAVE).draft.text == "나는 " + second
    assert written(DOWN + UP + TAKE + LEAVE).draft.text == "나는 " + first
    draft.refuse()
    assert written(REFUSE + TAKE + LEAVE).draft.text == "나는 " + draft.proposal.text
    assert written(TAKE + TAKE + UNDO + LEAVE).draft.text == "나는 " + first
    assert written(UNDO + LEAVE).draft.text == "나는 "


def test_one_types_and_edits_where_the_cursor_stands():
    assert written("오늘\n비" + LEAVE).draft.text == "나는 오늘\n비"
    # in the middle the arrow moves on, and Enter begins a line
    assert written(LEFT + LEFT + RIGHT + "\r" + LEAVE).draft.text == "나는\n "
    assert written("오\x7f" + LEAVE).draft.text == "나는 "


def test_the_text_is_saved_when_asked(tmp_path):
    out = tmp_path / "mine.txt"
    screen = written("오늘" + SAVE + LEAVE, out)
    assert screen.is_saved and out.read_text("utf-8") == "나는 오늘\n"
    # its own file it writes again without asking
    out.unlink()
    written("가" + SAVE + "나" + SAVE + LEAVE, out)
    assert out.read_text("utf-8") == "나는 가나\n"


def test_no_file_is_written_over_without_asking(tmp_path):
    out = tmp_path / "theirs.txt"
    out.write_text("theirs", "utf-8")
    assert not written("가" + SAVE + "n" + LEAVE + "n", out).is_saved
    assert not written("가" + SAVE + "x" + LEAVE + "n", out).is_saved
    assert out.read_text("utf-8") == "theirs"
    assert written("가" + SAVE + "y" + LEAVE, out).is_saved
    assert out.read_text("utf-8") == "나는 가\n"


def test_leaving_asks_for_what_is_not_saved(tmp_path):
    out = tmp_path / "mine.txt"
    written("가" + LEAVE + "n", out)
    assert not out.exists()
    # any other key goes back to the text
    written("가" + LEAVE + "x" + "나" + LEAVE + "y", out)
    assert out.read_text("utf-8") == "나는 가나\n"
    out.unlink()
    out.mkdir()
    screen = written("가" + LEAVE + "y" + "y" + LEAVE + "n", out)
    assert not screen.is_saved  # what cannot be written is said, and nothing is lost


def test_the_screen_says_what_it_has_to(tmp_path):
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        screen = DraftScreen(Draft(drawn_model(), "🙂 ", seed=1))
        assert "'🙂'" in screen._unknown()
        (word, *_), (_, line) = screen.draft.words, screen._choice()[0]
        assert line.split()[1:] == [*word.text.split(), f"{word.probability:.2%}"]
        screen.buffer.cursor_position = 0
        assert screen._choice() == [] and screen._next() == []


def test_without_a_terminal_it_says_so(capsys):
    assert "needs a terminal" in fails(capsys, "write", "ko-lstm-char")


def test_bad_input_is_refused_before_anything_is_drawn(capsys, monkeypatch, tmp_path):
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert "is a folder: give --out a file" in fails(capsys, "write", "x", "--out", tmp_path)
    assert "train would have no effect" in fails(capsys, "write", "x", "--train", "a.txt")
    assert "temperature is -1" in fails(capsys, "write", "ko-lstm-char", "--temperature", "-1")


def test_the_text_stands_in_the_terminal_at_the_end(capsys, monkeypatch, tmp_path):
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(DraftScreen, "run", lambda screen: screen.draft.take())
    asked = ["write", "ko-lstm-char", "--seed", 1, "--prompt", "나는", "--out", tmp_path / "a.txt"]
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        code, text, errors = run(capsys, *asked)
    assert code == 0 and text.startswith("나는") and len(text.strip()) > 2
    assert f"seed 1, not saved to {tmp_path / 'a.txt'}" in errors


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is Unix's")
def test_in_a_real_terminal(tmp_path, runs):
    import pty

    ours, theirs = pty.openpty()
    out = tmp_path / "text.txt"
    command = [sys.executable, "-m", "textgen", "write", str(runs()), "--seed", "1"]
    command += ["--prompt", "나는", "--out", str(out)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}
    )
    os.close(theirs)
    seen = until(ours, lambda seen: b"Tab take it" in seen)
    os.write(ours, b"\t")
    os.write(ours, b"\x13")
    # by the file: of what it draws over something else only what differs is sent
    seen += until(ours, lambda _: out.is_file())
    os.write(ours, b"\x11")
    seen += until(ours, lambda seen: b"seed 1" in seen)
    assert process.wait(timeout=30) == 0
    os.close(ours)
    text = out.read_text("utf-8").strip()
    assert text.startswith("나는") and text != "나는"
    assert text.splitlines()[0] in seen.decode("utf-8", "replace")


def until(terminal, done, seconds=60):
    """What a process draws until it is done; it is told where its cursor is, if it asks."""
    seen, end = b"", time.monotonic() + seconds
    while not done(seen):
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 1)[0]:
            with contextlib.suppress(OSError):
                part = os.read(terminal, 4096)
                if b"\x1b[6n" in part:
                    os.write(terminal, b"\x1b[1;1R")
                seen += part
    return seen
