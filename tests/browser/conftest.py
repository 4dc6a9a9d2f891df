"""The app as a person runs it, in a headless Chromium. BROWSER names the browser's path."""

import os
from pathlib import Path

import pytest

from benchmarks.served import served

PATIENCE = 60_000  # milliseconds: TensorFlow loads in several seconds on a busy machine
# a closed network must not be asked for updates at every start
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The app's address; its runs go to an empty folder."""
    with served(tmp_path_factory.mktemp("home")) as (address, _):
        yield f"http://{address}"


@pytest.fixture(scope="session")
def chromium():
    if not os.environ.get("BROWSER"):
        pytest.skip("BROWSER does not name a Chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["BROWSER"], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(server, chromium):
    """visit(path, ...) -> a page; every error of its console fails the test."""
    contexts, problems = [], []

    def open_page(path="", width=1280, height=900, scheme="light", locale="ko-KR"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{server}/{path}")
        page.wait_for_selector("h1")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
