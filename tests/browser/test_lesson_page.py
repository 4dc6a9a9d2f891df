"""The first page: the lesson's sentence, and the fact on its way along two states."""

from playwright.sync_api import expect


def said(page, lane):
    return page.locator(".flow .says").nth(lane)


def test_the_app_opens_on_the_lesson_and_plays_it(visit):
    page = visit("")
    expect(page.locator(".flow .lane svg")).to_have_count(2)
    expect(page.locator(".flow .blank")).to_have_text("한국어")  # when it has been read
    expect(said(page, 0)).to_contain_text("한국어")
    expect(said(page, 0)).to_contain_text("✓")
    expect(said(page, 1)).to_contain_text("✗ 모름")  # wrong, however weak
    # back to before the country: neither can know
    place = page.locator(".flow input")
    place.focus()
    place.press("Home")
    expect(said(page, 0)).to_contain_text("아직")
    expect(page.locator(".flow .blank")).to_have_text("?")
    page.locator(".flow .step").click()
    assert place.input_value() == "1"
    page.locator(".flow .tour").click()
    expect(page.locator(".flow .caption")).to_contain_text("한국")


def test_the_tour_begins_in_the_midst_of_the_play(visit):
    page = visit("")
    page.locator(".flow .play", has_text="멈춤").wait_for()
    page.locator(".flow .tour").click()
    expect(page.locator(".flow .tour")).to_have_text("멈춤")
    page.locator(".flow .tour").click()
    expect(page.locator(".flow .tour")).to_have_text("60초 둘러보기")


def test_another_country_is_another_answer(visit):
    page = visit("?lang=en")
    page.get_by_role("radio", name="Japanese").click()
    page.locator(".flow .blank", has_text="Japanese").wait_for()  # the old one stays for a moment
    page.wait_for_url("**fact=Japanese**")
    # and it goes along to the other pages
    page.get_by_role("link", name="Gates", exact=True).click()
    page.wait_for_url("**/gates?**fact=Japanese**")


def test_who_wants_no_motion_sees_the_end(chromium, server):
    context = chromium.new_context(reduced_motion="reduce", locale="ko-KR")
    page = context.new_page()
    page.goto(server)
    page.wait_for_selector(".flow .lane svg", timeout=60_000)
    assert page.locator(".flow .blank").inner_text() == "한국어"
    context.close()
