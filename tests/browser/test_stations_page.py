"""The path of stations: from the first page through the others, guessed, presented and printed."""

from playwright.sync_api import expect


def test_the_path_leads_through_the_pages(visit):
    page = visit("?lang=ko")
    expect(page.locator(".tg-path li")).to_have_count(15)
    page.locator(".tg-path a").nth(5).click()
    page.wait_for_url("**/step?**station=forgotten**gate=f**")
    expect(page.locator(".st-key-station h3")).to_contain_text("6.")
    expect(page.locator(".tg-answer")).to_have_count(0)
    page.get_by_text("나라를 잊는다", exact=True).click()
    expect(page.locator(".tg-answer")).to_contain_text("%")
    # the page shows what the station asks about
    expect(page.locator(".st-key-stage-forget .katex-html").first).to_contain_text("→")
    page.get_by_role("link", name="다음 정거장").click()
    page.wait_for_url("**/gradients?**station=conveyor**")
    expect(page.locator(".tg-stations [aria-current=step]")).to_have_text("7")


def test_a_class_sees_it_large_from_station_to_station(visit):
    page = visit("gradients?lang=en&station=slopes")
    expect(page.locator(".st-key-top-bar")).to_be_visible()
    page.get_by_role("button", name="Present", exact=True).click()
    shown = page.frame_locator(".tg-frame")
    expect(shown.locator(".st-key-station h3")).to_contain_text("tanh")
    expect(shown.locator(".st-key-top-bar")).to_be_hidden()
    filled = "document.fullscreenElement?.className === 'tg-frame'"
    assert page.evaluate(filled)
    shown.get_by_role("link", name="The next station").click()
    expect(shown.locator(".st-key-station h3")).to_contain_text("0.9")
    expect(shown.locator(".st-key-top-bar")).to_be_hidden()
    assert page.evaluate(filled)  # another page, and the screen is as full
    shown.get_by_role("button", name="Stop presenting").click()
    # the lesson goes on where the class was
    page.wait_for_url(lambda url: "station=products" in url and "present" not in url)
    expect(page.locator(".st-key-top-bar")).to_be_visible()


def test_paper_has_the_page_and_no_buttons(visit):
    page = visit("gradients?lang=ko&station=products")
    page.wait_for_selector(".st-key-station h3")
    page.emulate_media(media="print")
    expect(page.locator(".st-key-top-bar")).to_be_hidden()
    expect(page.locator(".tg-stations")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    # nothing is cut off at the end of the first sheet
    assert page.locator(".stMain").evaluate("e => getComputedStyle(e).overflow") == "visible"


def test_an_address_that_names_no_station_shows_none(visit):
    page = visit("gradients?lang=ko&station=<script>")
    expect(page.locator(".st-key-station")).to_have_count(0)
