from playwright.sync_api import expect


def test_the_gated_model_looks_at_the_fact_and_the_plain_one_does_not(visit):
    page = visit("evidence")
    expect(page.locator("h1")).to_have_text("근거")
    claims = page.locator(".tg-claim")
    expect(claims).to_have_count(2)
    expect(claims.nth(0)).to_contain_text("LSTM")
    expect(page.locator(".tg-claim.tg-holds")).to_have_count(1)
    texts = page.locator(".tg-document:has(.tg-token)")
    expect(texts).to_have_count(4)  # two models, two measures
    expect(page.locator(".tg-strongest")).to_have_count(4)


def test_another_answer_to_weigh_against_is_another_figure(visit):
    page = visit("evidence?lang=en&fact=Kenyan&distance=60")
    first = page.locator(".tg-document:has(.tg-token)").first
    before = first.inner_html()
    page.get_by_label("Against the answer").click()
    page.get_by_role("option").last.click()
    page.wait_for_function(
        "before => document.querySelector('.tg-document:has(.tg-token)')?.innerHTML !== before",
        arg=before,
    )
    page.wait_for_url("**foil=**")
