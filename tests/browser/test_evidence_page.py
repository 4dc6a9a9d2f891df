from figures import FIGURE, hover_runs_nothing, open_figure
from playwright.sync_api import expect


def test_the_gated_model_looks_at_the_fact_and_the_plain_one_does_not(visit):
    page = visit("evidence?lang=en")
    expect(page.locator("h1")).to_have_text("Evidence")
    claims = page.locator(".tg-claim")
    expect(claims).to_have_count(2)
    expect(claims.nth(0)).to_contain_text("RNN")
    expect(page.locator(".tg-claim.tg-holds")).to_have_count(1)
    expect(page.locator(".tg-claim.tg-holds")).to_contain_text("LSTM")
    expect(page.locator(f"{FIGURE} .strip")).to_have_count(4)  # two models, two measures
    expect(page.locator(f"{FIGURE} .strongest")).to_have_count(4)


def test_another_answer_to_weigh_against_is_another_figure(visit):
    page = open_figure(visit, "evidence?lang=en&fact=Kenyan&distance=60")
    first = page.locator(f"{FIGURE} .strip").first
    before = first.inner_html()
    page.get_by_label("Against the answer").click()
    page.get_by_role("option").last.click()
    expect(first).not_to_have_js_property("innerHTML", before)
    page.wait_for_url("**foil=**")


def test_a_token_is_read_by_pointing_and_pinned_in_every_figure(visit):
    page = open_figure(visit, "evidence?lang=en&distance=60")
    with hover_runs_nothing(page):
        page.locator(f"{FIGURE} #token-4").first.hover()
        expect(page.locator(f"{FIGURE} .readout").first).to_contain_text("token 4")
        expect(page.locator(f"{FIGURE} .tip").first).to_be_visible()
    page.locator(f"{FIGURE} #token-4").first.click()
    page.wait_for_url("**token=4**")
    expect(page.locator(f"{FIGURE} #token-4.pinned")).to_have_count(4)
    readouts = page.locator(f"{FIGURE} .readout")
    for number in range(4):
        expect(readouts.nth(number)).to_contain_text("token 4")
    strip = page.locator(f"{FIGURE} .strip").first
    strip.focus()
    strip.press("Escape")
    expect(page.locator(f"{FIGURE} .pinned")).to_have_count(0)
    page.wait_for_url(lambda url: "token=" not in url)


def test_only_what_is_stronger_than_noise_is_tinted(visit):
    page = visit("evidence?lang=ko&fact=일본")
    expect(page.get_by_text("칠한 글자는 잡음보다 셉니다", exact=False)).to_have_count(2)
    page.wait_for_selector(".tg-claim >> nth=1")
