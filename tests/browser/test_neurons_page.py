from figures import FIGURE, hover_runs_nothing, open_figure, pixel, settled
from playwright.sync_api import expect


def test_a_transplanted_cell_state_turns_the_answer(visit):
    page = visit("transplant?distance=60")
    claims = page.locator(".tg-claim")
    expect(claims).to_have_count(2)
    expect(claims.nth(0)).to_contain_text("132쌍")
    expect(page.locator(".tg-claim.tg-holds", has_text="132쌍")).to_have_count(1)


def test_a_token_is_read_by_pointing(visit):
    page = open_figure(visit, "neurons?distance=60")
    with hover_runs_nothing(page):
        page.locator(f"{FIGURE} #token-3").hover()
        expect(page.locator(f"{FIGURE} .readout")).to_contain_text("3")


def test_a_stretch_is_brushed_and_found_elsewhere(visit):
    page = open_figure(visit, "neurons?lang=en&distance=60")
    firing = page.locator(".tg-line", has_text="all through it")
    before = firing.inner_text()
    expect(page.locator(".tg-matches mark").first).to_be_visible()
    page.locator(f"{FIGURE} #token-13").scroll_into_view_if_needed()
    first, last = (page.locator(f"{FIGURE} #token-{k}").bounding_box() for k in (8, 13))
    middle = [box["x"] + box["width"] / 2 for box in (first, last)]  # a letter may be narrow
    page.mouse.move(middle[0], first["y"] + 8)
    page.mouse.down()
    page.mouse.move(last["x"] - 2, last["y"] + 8)
    page.mouse.move(middle[1], last["y"] + 8)
    page.mouse.up()
    page.wait_for_url("**span=8&span=13**")
    expect(firing).not_to_have_text(before, use_inner_text=True)
    expect(page.locator(f"{FIGURE} .span")).to_have_count(6)


def test_other_units_are_silenced_and_another_state_is_shown(visit):
    page = open_figure(visit, "neurons?lang=en&distance=60")
    before = pixel(page)
    page.get_by_role("radio", name="h, what is shown").click()
    page.wait_for_url("**part=h**")
    settled(page)
    assert pixel(page) != before
    page.get_by_role("combobox", name="Silenced units").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**off=*off=**")
