"""The example is a whole program, and runs."""

import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parent.parent / "examples/smallest.py"


def test_the_smallest_program_has_less_than_80_lines():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.slow
def test_the_smallest_program_learns_a_text_and_writes_on(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("오늘은 비가 온다. 내일은 눈이 온다. " * 500, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, FILE, text, "오늘은 "], capture_output=True, text=True, check=True
    )
    *_, written = ran.stdout.rstrip("\n").split("\n")
    assert written.startswith("오늘은 ") and len(written) == 4 + 200
    assert written.count("이 온다. ") > 5
