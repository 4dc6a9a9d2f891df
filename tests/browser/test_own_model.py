"""Every page that looks inside, under a model that this suite has trained."""

import shutil

import pytest
from figures import FIGURE, READY
from playwright.sync_api import expect

from benchmarks.served import served

TEXT = "source=own&lang=en&any=mine&several=mine&text=오늘은 비가 온다. 우산을 들고 "
# page -> what is there when it is whole
PAGES = {
    "evidence": f"{FIGURE} .readout",
    "gates": f"{FIGURE} .readout",
    "step": ".katex",
    "gradients": ".st-key-figure-gradients [data-testid=stVegaLiteChart]",
    "neurons": ".tg-sample >> nth=1",
    "transplant": ".st-key-figure-moved [data-testid=stVegaLiteChart]",
}


@pytest.fixture(scope="module")
def server(runs, tmp_path_factory):
    """The app beside one run: what `visit` opens in this file."""
    home = tmp_path_factory.mktemp("own")
    shutil.copytree(runs("jamo", "lstm"), home / "runs" / "mine")
    with served(home) as (address, _):
        yield f"http://{address}"


@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_reads_any_text_under_a_model_just_trained(visit, page_name):
    page = visit(f"{page_name}?{TEXT}")
    page.wait_for_selector(PAGES[page_name], timeout=60_000)
    page.wait_for_selector(READY)
    assert page.locator("[data-testid=stException], [data-testid=stAlert]").count() == 0
    expect(page.get_by_text("mine ").first).to_be_visible()  # whose figure it is, with its hash


def test_every_file_of_a_figure_says_whose_it_is(visit, tmp_path):
    page = visit(f"transplant?{TEXT}")
    page.wait_for_selector(PAGES["transplant"])
    page.wait_for_selector(READY)
    origin = page.locator(".tg-line", has_text="mine ").last.inner_text().split(" · ")[0]
    name, weights = origin.split()
    assert name == "mine" and len(weights) == 8
    for kind in ("CSV", "SVG"):
        button = page.locator(".st-key-csv-moved button")
        if kind == "SVG":
            button = page.get_by_role("button", name="SVG, moved")
        if not button.is_visible():
            page.locator(".st-key-save-moved button").first.click()
        with page.expect_download() as download:
            button.click()
        path = tmp_path / f"moved.{kind}"
        download.value.save_as(path)
        assert origin in path.read_text(encoding="utf-8"), kind


def test_how_far_back_any_model_looks_is_measured(visit):
    page = visit("remember?lang=en&context=mine")
    page.get_by_role("button", name="Measure", exact=True).click()
    page.wait_for_selector(".st-key-figure-context [data-testid=stVegaLiteChart]")
    expect(page.locator(".tg-line", has_text="mine ")).to_be_visible()


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


def test_a_task_is_written_trained_on_probed_and_looked_into(visit):
    page = visit("task?lang=en")
    page.get_by_role("button", name="Keep this task").click()
    page.wait_for_url("**way=kept**")
    page.reload()  # the address alone leads to the task
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector(".st-key-figure-recall [data-testid=stVegaLiteChart]", timeout=600_000)
    page.wait_for_selector(READY)
    expect(page.locator(".tg-line", has_text="pets-lstm-1 ")).to_contain_text("N = 48 · seed 1")
    alerts = page.locator("[data-testid=stException], [data-testid=stAlert]")
    assert alerts.all_inner_texts() == []
    page.get_by_role("link", name="Gates").last.click()
    page.wait_for_selector("h1:has-text('Gates')")
    expect(page.get_by_role("radio", name="your task pets")).to_be_checked()
    page.wait_for_selector(f"{FIGURE} .readout")
    expect(page.get_by_text("pets-lstm-1 ").first).to_be_visible()
