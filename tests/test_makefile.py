"""What `make` would run, and what the app is told when it is started without it."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tiny import only

ROOT = Path(__file__).parent.parent


def commands(target, *assigned, **variables):
    """What `make target` would run. assigned: to variables of make, as NAME=VALUE."""
    environment = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "-n", target, *assigned],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("variables, host", [({}, "localhost"), ({"HOST": "0.0.0.0"}, "0.0.0.0")])
def test_the_app_answers_this_machine_alone_unless_told_otherwise(variables, host):
    assert f"python -m textgen app --host {host} " in commands("app", **variables)


def test_the_app_answers_this_machine_alone_without_make_too():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "localhost"


@pytest.mark.parametrize(
    "number, exists", only([(0, True)], [(0, True), (0, False), (1, True), (1, False)])
)
def test_the_options_of_the_whole_suite_are_known(tmp_path, number, exists):
    models = tmp_path / "models"
    if exists:
        models.mkdir()  # what follows an option after a space would be taken for tests in it
    lines = commands("test-all", f"MODELS={models}").replace("\\\n", " ")
    found = re.findall(r"bin/pytest ([^;]*);", lines)
    assert len(found) == 2
    words = shlex.split(found[number].replace("$part", "1"))
    # one file is enough to see whether it collects, in this process and without counting lines
    words += ["--collect-only", "-n0", "--no-cov", "--ignore-glob=*/test_[!f]*.py"]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    collected = " tests collected" if number == 0 else " deselected"
    assert collected in done.stdout, done.stderr


def test_a_container_serves_the_app_as_an_ordinary_user():
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    steps = [step for step, _ in words]
    assert steps.index("USER") < steps.index("CMD") and dict(words)["USER"] != "root"
    assert json.loads(dict(words)["CMD"]) == ["textgen", "app", "--host", "0.0.0.0"]
    python = re.fullmatch(r"python:3\.(\d+)-slim", dict(words)["FROM"])
    assert 11 <= int(python[1]) <= 13
