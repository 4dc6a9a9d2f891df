import pytest
from playwright.sync_api import expect

CHART = "[data-testid=stVegaLiteChart]"


def measured(page):
    """label -> the story of its curve."""
    page.wait_for_selector(".tg-stories li")
    expect(page.locator("[data-testid=stSpinner]")).to_have_count(0)
    lines = page.locator(".tg-stories li")
    names = lines.locator("b").all_inner_texts()
    return dict(zip(names, lines.all_inner_texts(), strict=True))


def test_gates_remember_and_a_plain_recurrence_does_not(visit):
    page = visit("remember")
    expect(page.locator("h1")).to_have_text("기억")
    expect(page.locator(".tg-answers .tg-name")).to_have_text(["RNN", "LSTM", "GRU"])
    found = measured(page)
    assert "90% 넘게" in found["LSTM"] and "90% 넘게" in found["GRU"]
    assert "1,000자까지" not in found["RNN"]
    charts = page.locator(CHART).count()
    page.get_by_text("모든 답 보기").click()
    page.wait_for_function(f"document.querySelectorAll('{CHART}').length == {charts + 3}")


@pytest.mark.parametrize("tongue, answer", [("ko", "한국어"), ("en", "Korean")])
def test_the_page_opens_on_the_sentence_of_the_lesson(visit, tongue, answer):
    page = visit(f"remember?lang={tongue}")
    document = page.locator(".tg-document")
    expect(document).to_contain_text("blah~\nblah~")
    expect(document.locator(".tg-blank")).to_have_text(answer)
    for cell in ("LSTM", "GRU"):
        row = page.locator(".tg-answers li", has_text=cell)
        expect(row).to_contain_text(f"✓ {answer}")
        expect(row.locator("small")).to_contain_text("%")  # and what it says without the fact


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
    # a box that is filled as soon as it is drawn may not know yet that its text goes to the address
    expect(page.locator(".tg-verdict").first).to_be_visible()
    box.fill("I am Kenyan. It rained all day. I took my umbrella. So I speak ___ at home.")
    box.press("Control+Enter")
    expect(page.locator(".tg-verdict", has_text="Swahili").first).to_be_visible()
    page.wait_for_url("**story=I+am+Kenyan**")
    box.fill("I am Kenyan. <b>It rained.</b> So I speak ___ at home.")
    box.press("Control+Enter")
    expect(page.locator(".tg-document")).to_contain_text("<b>It rained.</b>")  # text, not markup


def test_untrained_twins_know_nothing(visit):
    page = visit("remember?lang=en&custom=false&twins=true&distance=60")
    expect(page.locator(".tg-verdict")).to_have_count(6)
    for cell in ("LSTM", "GRU"):  # no answer for being the shortest
        row = page.locator(".tg-answers li", has_text=f"{cell} (untrained)")
        expect(row).to_contain_text("does not know")
    found = measured(page)
    assert "no better than chance" in found["LSTM (untrained)"]


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


def test_on_a_phone_the_distance_and_the_answers_are_seen_at_once(visit):
    page = visit("remember?lang=ko&custom=false", width=390, height=844)
    page.wait_for_selector(".tg-answers li >> nth=2", timeout=180_000)
    slider = page.get_by_role("slider", name="거리").bounding_box()
    answers = page.locator(".tg-answers").bounding_box()
    assert answers["y"] + answers["height"] - slider["y"] < 844
