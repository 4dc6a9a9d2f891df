"""A tiny text and models trained on it, made once for all workers, and what the suite costs."""

import ctypes
import functools
import gc
import os
import resource
import sqlite3  # noqa: F401 (before TensorFlow, whose own SQLite knows no full text search)
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the suite's tolerances are those of the CPU

import hypothesis
import pytest
from filelock import FileLock

from tiny import TEXT, once, tiny

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

# --- what tests share -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared(request, tmp_path_factory):
    """A folder that all workers of this invocation have in common, or all invocations that are
    given the same --models."""
    if models := request.config.getoption("--models"):
        path = Path(models).absolute()
        path.mkdir(parents=True, exist_ok=True)
        return path
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder


@pytest.fixture(scope="session")
def text_file(shared):
    path = shared / "text.txt"
    with FileLock(shared / "text.lock"):
        if not path.exists():
            path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def runs(shared, text_file):
    """runs(tokenizer, cell) -> a trained run folder, which no test may change."""
    from textgen.training.train import start

    def run(tokenizer="char", cell="lstm"):
        settings = tiny(tokenizer, cell)
        return once(shared, f"{tokenizer}-{cell}", lambda path: start(text_file, path, *settings))

    return run


@pytest.fixture(scope="session")
def loaded(runs):
    """loaded(tokenizer, cell) -> the model of `runs`, with the programs that other tests of this
    worker have compiled; no test may change it."""
    from textgen.api import load

    return functools.cache(lambda tokenizer="char", cell="lstm": load(runs(tokenizer, cell)))


@pytest.fixture(scope="session")
def together(text_file, shared):
    """A run of two processes, which no test may change."""
    from workers import FLAGS, begin, end

    return once(shared, "together", lambda path: end(begin(2, [text_file, "--out", path, *FLAGS])))


# --- a part of the suite --------------------------------------------------------------------------


def pytest_addoption(parser):
    parser.addoption("--part", metavar="K/N", help="every Nth file of tests, from the Kth on")
    parser.addoption("--models", metavar="FOLDER", help="keep the models that tests share there")


def pytest_collection_modifyitems(config, items):
    if config.getoption("part"):
        number, parts = map(int, config.getoption("part").split("/"))
        files = sorted({item.path for item in items})[number - 1 :: parts]
        left_out = [item for item in items if item.path not in files]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.path in files]


# --- what the suite costs -------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    """What a file of tests has loaded and compiled is let go of at its end."""
    yield
    if "streamlit" in sys.modules:
        sys.modules["streamlit"].cache_data.clear()
        sys.modules["streamlit"].cache_resource.clear()
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()
    gc.collect()
    if sys.platform == "linux":  # the allocator of glibc keeps what is freed
        ctypes.CDLL(None).malloc_trim(0)


COSTS = {}  # worker -> what it has cost


def cost():
    here, begun = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = [used.ru_utime + used.ru_stime for used in (here, begun)]
    unit = 1 << (20 if sys.platform == "darwin" else 10)  # ru_maxrss counts bytes there, KB here
    return (
        f"{here.ru_maxrss / unit:.0f} MB at most, {seconds[0]:.0f} s of a core"
        f" (processes it began: {begun.ru_maxrss / unit:.0f} MB, {seconds[1]:.0f} s)"
    )


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["cost"] = cost()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    COSTS[node.gateway.id] = getattr(node, "workeroutput", {}).get("cost", "died")


def pytest_terminal_summary(terminalreporter):
    for worker, text in sorted(COSTS.items()) or [("cost", cost())]:
        terminalreporter.write_line(f"{worker}: {text}")


# --- reports of workers ---------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Keep what a test has printed or logged sendable: a lone surrogate would end the worker."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report
