"""Messages: lines on stderr, unless a program silences them or has logging of its own."""

import logging
import subprocess
import sys

import pytest

from textgen import log

SPEAKS = """
from textgen.log import logger, progress_bar
with progress_bar(total=1) as bar:
    bar.update()
logger.info("epoch 1")
logger.warning("note: damaged")
"""


def says(setting):
    """What a program that first runs the line `setting` writes to stderr."""
    program = f"import logging\n{setting}\n{SPEAKS}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stderr


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("", "epoch 1\nnote: damaged\n"),
        ("logging.getLogger('textgen').setLevel(logging.WARNING)", "note: damaged\n"),
        ("logging.getLogger('textgen').setLevel(logging.CRITICAL)", ""),
        (
            "logging.basicConfig(format='%(levelname)s %(name)s %(message)s')",
            "INFO textgen epoch 1\nWARNING textgen note: damaged\n",
        ),
    ],
)
def test_a_program_hears_and_silences_them(setting, shown):
    assert says(setting) == shown


def test_in_a_command_they_are_lines_whatever_logging_there_is(capsys):
    root = logging.getLogger()
    assert root.handlers  # of pytest
    log.logger.info("outside")
    with log.command():
        log.logger.info("inside")
    log.logger.info("outside")
    assert capsys.readouterr().err == "inside\n"


def test_a_stderr_that_takes_nothing_ends_no_training(monkeypatch):
    class Full:
        def write(self, text):
            raise OSError("No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    with log.command():
        log.logger.warning("note")
