from playwright.sync_api import expect

CHARTS = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"


def test_gradients_are_measured_and_judged(visit):
    page = visit("gradients?lang=en")
    expect(page.locator("h1")).to_have_text("Gradients")
    expect(page.get_by_text("The gradient of the plain recurrence vanishes.")).to_be_visible()
    expect(page.get_by_text("Along C the gradient of the LSTM survives")).to_be_visible()
    assert page.locator(CHARTS).count() >= 6


def test_a_factor_repeated(visit):
    page = visit("gradients?lang=en&factor=1.2&steps=100")
    facts = page.locator(".tg-facts").first
    expect(facts).to_contain_text("1.2¹⁰⁰")
    expect(facts).to_contain_text("8.3×10⁷")  # 1.2 to the power of 100
    slider = page.get_by_role("slider", name="factor")
    slider.focus()
    slider.press("ArrowRight")
    expect(facts).to_contain_text("1.21¹⁰⁰")
    page.wait_for_url("**factor=1.21**")
