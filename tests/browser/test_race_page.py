from playwright.sync_api import expect

CHARTS = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"


def rows(page):
    """cell -> the columns of its row."""
    lines = page.locator(".tg-table tbody tr").all()
    cells = [line.locator("td").all_inner_texts() for line in lines]
    return {name: columns for name, *columns in cells}


def test_a_race_is_run_and_judged(visit):
    page = visit("race?lang=en&same=steps&epochs=5&size=32")
    expect(page.locator("h1")).to_have_text("Race")
    expect(page.locator(".tg-table tbody tr")).to_have_count(3)
    parameters = {name: int(columns[0].replace(",", "")) for name, columns in rows(page).items()}
    assert parameters["LSTM"] == 4 * parameters["RNN"]
    page.get_by_role("button", name="RNN", exact=True).click()
    expect(page.locator(".tg-table tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.wait_for_selector(CHARTS)
    expect(page.get_by_text("The GRU is faster than the LSTM, but weaker.")).to_be_visible()
    found = rows(page)
    assert set(found) == {"LSTM", "GRU"}
    assert all(all(columns) for columns in found.values())
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_a_race_is_stopped(visit):
    page = visit("race?lang=en&seconds=160&size=32")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(CHARTS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Start")).to_be_enabled()
    page.goto(page.url.replace("/race", "/train").partition("?")[0] + "?lang=en&run=none")
    expect(page.get_by_text("Earlier trainings")).to_have_count(0)  # not among one's own
