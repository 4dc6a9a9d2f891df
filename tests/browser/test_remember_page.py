import pytest
from playwright.sync_api import expect

CHART = "[data-testid=stVegaLiteChart]"


def horizons(page):
    """label -> characters, of the models measured."""
    facts = page.locator(".tg-facts").last
    found = zip(
        facts.locator("dt").all_inner_texts(), facts.locator("dd").all_inner_texts(), strict=True
    )
    return {label: int("".join(filter(str.isdigit, text))) for label, text in found}


def measured(page):
    page.wait_for_selector(".tg-facts dd")
    expect(page.locator("[data-testid=stSpinner]")).to_have_count(0)
    return horizons(page)


def test_gates_remember_and_a_plain_recurrence_does_not(visit):
    page = visit("remember")
    expect(page.locator("h1")).to_have_text("기억")
    expect(page.locator(".tg-verdict")).to_have_count(3)
    found = measured(page)
    assert found["LSTM"] >= 500 and found["GRU"] >= 500 and found["RNN"] < 200
    assert page.locator(CHART).count() >= 4


@pytest.mark.parametrize("tongue, answer", [("ko", "한국어"), ("en", "Korean")])
def test_the_page_opens_on_the_sentence_of_the_lesson(visit, tongue, answer):
    page = visit(f"remember?lang={tongue}")
    document = page.locator(".tg-document")
    expect(document).to_contain_text("blah~\nblah~")
    expect(document.locator(".tg-blank")).to_have_text(answer)
    for cell in ("LSTM", "GRU"):
        expect(page.locator(".tg-verdict", has_text=cell)).to_contain_text(f"✓ {answer}")


def test_another_distance_and_another_person_is_another_document(visit):
    page = visit("remember?lang=en&custom=false&distance=60&fact=Brazilian")
    document = page.locator(".tg-document")
    expect(document).to_contain_text("Brazil")  # or Brazilian
    expect(document.locator(".tg-blank")).to_have_text("Portuguese")
    short = len(document.inner_text())
    handle = page.get_by_role("slider", name="Distance (characters)")
    handle.focus()
    for _ in range(20):
        handle.press("ArrowRight")
    page.wait_for_function(
        f"document.querySelector('.tg-document').innerText.length > {short + 100}"
    )
    page.wait_for_url(lambda address: "distance=260" in address)
    page.get_by_role("button", name="Other filler").click()
    expect(document.locator(".tg-blank")).to_have_text("Portuguese")


def test_a_document_of_ones_own(visit):
    page = visit("remember?lang=en")
    box = page.get_by_label("Write ___ for the blank")
    box.fill("I am Kenyan. It rained all day. I took my umbrella. So I speak ___ at home.")
    box.press("Control+Enter")
    expect(page.locator(".tg-verdict", has_text="Swahili").first).to_be_visible()
    box.fill("I am Kenyan. <b>It rained.</b> So I speak ___ at home.")
    box.press("Control+Enter")
    expect(page.locator(".tg-document")).to_contain_text("<b>It rained.</b>")  # text, not markup


def test_untrained_twins_know_nothing(visit):
    page = visit("remember?lang=en&custom=false&twins=true&distance=60")
    expect(page.locator(".tg-verdict")).to_have_count(6)
    expect(page.locator(".tg-verdict", has_text="LSTM (untrained)")).to_have_count(1)
    found = measured(page)
    assert found["LSTM (untrained)"] == found["GRU (untrained)"] == 0


def test_a_model_is_trained_while_one_watches(visit):
    page = visit("remember?lang=en")
    measured(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    progress = page.locator("[data-testid=stProgress]")
    expect(progress).to_contain_text("speaker-en-")
    before = page.locator(CHART).count()
    page.wait_for_function(
        f"document.querySelectorAll('{CHART}').length > {before}", timeout=120_000
    )
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(progress).to_contain_text("Stopped")


def test_how_far_back_a_model_looks_on_ordinary_text(visit):
    page = visit("remember?lang=en")
    measured(page)
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text("This model looks back")).to_be_visible()
    expect(page.locator(CHART).last).to_be_visible()
