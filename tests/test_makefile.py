"""What `make` would run, and what the app is told when it is started without it."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def commands(target, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "-n", target],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("variables, host", [({}, "localhost"), ({"HOST": "0.0.0.0"}, "0.0.0.0")])
def test_the_app_answers_this_machine_alone_unless_told_otherwise(variables, host):
    assert f"streamlit run app.py --server.address {host} " in commands("app", **variables)


def test_the_app_answers_this_machine_alone_without_make_too():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "localhost"
