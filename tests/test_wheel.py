"""A wheel, installed apart from this checkout and used in an empty folder: it has all it needs."""

import os
import re
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from benchmarks.served import ROOT, wait_for
from textgen.errors import in_bytes
from textgen.runs.atomic_files import lock

pytestmark = pytest.mark.slow
APART = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

WRITES = """
from pathlib import Path
import textgen.ui
from streamlit.testing.v1 import AppTest

page = Path(textgen.ui.__file__).parent / "pages/1_write.py"
app = AppTest.from_file(str(page), default_timeout=120)
app.query_params["lang"] = "en"
app.query_params["colour"] = "copied"
app.run()
assert not app.exception and not app.error, app.exception or app.error
(text,) = app.session_state["texts"]
assert len(text.tokens) > 100
assert any("% of this text" in caption.value for caption in app.caption), app.caption
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the commands of an environment that holds the wheel. What the wheel needs is
    taken from this environment, all but the textgen that is installed here."""
    home = tmp_path_factory.mktemp("wheel")
    # the wheel is made from the source archive, so this is a test of that, too; one worker at a
    # time, since the archive is put together in a folder of the checkout
    with open(home.parents[1] / "wheel.lock", "wb") as file:
        lock(file, wait=True)
        subprocess.run([sys.executable, "-m", "build", "--outdir", home, ROOT], check=True)
    environment = home / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (wheel,) = home.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin/python"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", wheel], check=True, env=APART)
    (packages,) = environment.glob("lib/*/site-packages")
    # a folder that a .pth file names is searched; its own .pth files, an editable install, are not
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


@pytest.fixture
def call(installed, tmp_path):
    """call(command, ...) -> what it prints, in an empty folder."""

    def run(command, *arguments, by=subprocess.run, **settings):
        words = [installed / command, *map(str, arguments)]
        return by(words, cwd=tmp_path, env=APART, text=True, **settings)

    return run


def printed(finished):
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_wheel_is_what_runs(call, installed):
    code = "import textgen.shipped as s; print(s.__file__, s.HOME)"
    file, home = printed(call("python", "-c", code, capture_output=True)).split()
    assert Path(file).is_relative_to(installed.parent)
    assert Path(home).is_relative_to(installed.parent)


def test_what_reads_and_writes_is_asked_for_alone(installed):
    (metadata,) = installed.parent.glob(
        "lib/*/site-packages/textgen_recurrent-*.dist-info/METADATA"
    )
    found = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*(.*)$", metadata.read_text(), re.M)
    needs = [(name, extra.strip("; ").replace("'", '"')) for name, extra in found]
    plain = {name for name, extra in needs if not extra}
    assert {"numpy", "safetensors", "sentencepiece"} <= plain and len(plain) < 12
    assert {"tensorflow", "keras", "streamlit", "datasets"}.isdisjoint(plain)
    assert ("tensorflow", 'extra == "train"') in needs and ("streamlit", 'extra == "app"') in needs


def test_shipped_models_and_tasks_have_names(call):
    asked = ["en-lstm-char", "--prompt", "Once ", "--max-new-tokens", 40, "--seed", 1]
    text = printed(call("textgen", "generate", *asked, capture_output=True))
    assert text.startswith("Once ") and len(text) > 40
    asked = ["speaker-lstm-ko", "--task", "speaker-ko.toml", "--distances", "20", "-n", 24]
    assert "100.0%" in printed(call("textgen", "probe", *asked, capture_output=True))


def test_a_page_is_made_of_a_shipped_model(call, tmp_path):
    asked = ["en-lstm-char", "--to", "html", "--out", "en.html"]
    said = printed(call("textgen", "export", *asked, capture_output=True))
    page = (tmp_path / "en.html").read_bytes()
    assert f"en.html: {in_bytes(len(page))}\n" in said and page.startswith(b"<!doctype html>")


def test_the_app_answers_and_writes(call, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = call("textgen", "app", "--port", port, by=subprocess.Popen, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        wait_for(f"http://127.0.0.1:{port}/")
    finally:
        app.terminate()
        app.wait(20)
    printed(call("python", "-c", WRITES, capture_output=True))
