"""Every page that looks inside, under a model that this suite has trained."""

import shutil

import pytest
from figures import FIGURE, READY
from playwright.sync_api import expect

from benchmarks.served import ROOT, served

TEXT = "source=own&lang=en&any=mine&several=mine&text=오늘은 비가 온다. 우산을 들고 "
# page -> what is there when it is whole
PAGES = {
    "evidence": f"{FIGURE} .readout",
    "gates": f"{FIGURE} .readout",
    "step": ".katex",
    "gradients": ".st-key-figure-gradients [data-testid=stVegaLiteChart]",
    "neurons": ".tg-sample >> nth=1",
}


@pytest.fixture(scope="module")
def server(runs, tmp_path_factory):
    """The app beside one run: what `visit` opens in this file."""
    home = tmp_path_factory.mktemp("own")
    shutil.copytree(runs("jamo", "lstm"), home / "runs" / "mine")
    with served(ROOT / "app.py", home) as (address, _):
        yield f"http://{address}"


@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_reads_any_text_under_a_model_just_trained(visit, page_name):
    page = visit(f"{page_name}?{TEXT}")
    page.wait_for_selector(PAGES[page_name], timeout=180_000)  # TensorFlow begins, for gradients
    page.wait_for_selector(READY)
    assert page.locator("[data-testid=stException], [data-testid=stAlert]").count() == 0
    expect(page.get_by_text("mine ").first).to_be_visible()  # whose figure it is, with its hash


def test_a_token_that_was_written_is_looked_into(visit):
    page = visit("write?lang=en&model=mine&seed=3&max_new_tokens=40&prompt=오늘은 비가")
    page.wait_for_selector(".strip .token")
    page.wait_for_selector(READY)
    token = page.locator(".token").nth(5)
    written = token.inner_text()
    token.click()
    page.locator(".card .parts button", has_text="One step").click()
    page.wait_for_selector("h1:has-text('One step')")
    page.wait_for_selector(".katex")
    expect(page.get_by_role("textbox", name="How it is to go on")).to_have_value(written)
    text = page.get_by_role("textbox", name="Your text").input_value()
    assert text.startswith("오늘은 비가")


def test_a_task_is_written_and_kept(visit):
    page = visit("task?lang=en")
    page.get_by_role("button", name="Keep this task").click()
    page.wait_for_url("**way=kept**")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
    page.goto(page.url.split("/task")[0] + "/gates?lang=en")
    expect(page.get_by_role("radio", name="your task pets")).to_be_visible()
