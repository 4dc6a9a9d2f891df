import json

from figures import FIGURE, hover_runs_nothing, open_figure, pixel, saved, settled
from playwright.sync_api import expect

from textgen import shipped

CONFIG = json.loads((shipped.MODELS / "speaker-lstm-en/config.json").read_text())
UNITS = CONFIG["model"]["hidden_size"]


def at(page, row, token, number=0):
    """Where a cell of the heat map stands in the window."""
    box = page.locator(f"{FIGURE} .scroll").nth(number).bounding_box()
    rows, tokens = UNITS, page.locator(f"{FIGURE} .strip span").count()
    wide = (box["width"] - 46) / tokens
    high = (box["height"] - 36) / rows
    return box["x"] + 45 + (token + 0.5) * wide, box["y"] + 1 + (row + 0.5) * high


def test_a_cell_is_read_by_pointing_and_pinned_by_a_click(visit):
    page = open_figure(visit, "gates?lang=en&units=all", height=1100)
    readout = page.locator(f"{FIGURE} .readout").first
    with hover_runs_nothing(page):
        page.mouse.move(*at(page, 5, 10))
        expect(readout).to_contain_text("token 10")
        said = readout.inner_text()
        tints = page.locator(f"{FIGURE} .strip").inner_html()
        page.mouse.move(*at(page, 30, 10))
        expect(readout).not_to_have_text(said)
        # the row pointed at colours the text
        assert page.locator(f"{FIGURE} .strip").inner_html() != tints
    page.mouse.click(*at(page, 30, 10))
    page.wait_for_url("**unit=*token=10**")
    unit = page.url.partition("unit=")[2].partition("&")[0]
    second = page.locator(FIGURE).nth(1)
    expect(second).to_contain_text(f"Unit {unit}: all its values")
    again = open_figure(visit, page.url.partition("/gates")[2].join(["gates", ""]))
    expect(again.locator(FIGURE).nth(1)).to_contain_text(f"Unit {unit}: all its values")


def test_the_heat_map_is_walked_with_keys(visit):
    page = open_figure(visit, "gates?lang=en&unit=none&units=all")
    matrix, live = page.locator(f"{FIGURE} .scroll").first, page.locator(f"{FIGURE} .live").first
    matrix.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowRight"):
        matrix.press(key)
    expect(live).to_contain_text("token 12")
    matrix.press("Enter")
    page.wait_for_url("**token=12**")
    settled(page)
    matrix.press("Escape")
    page.wait_for_url(lambda url: "unit=none" in url and "token=" not in url)


def test_another_gate_and_order_are_other_figures(visit):
    page = open_figure(visit, "gates?lang=en")
    before = pixel(page)
    page.get_by_role("radio", name="o", exact=True).click()
    page.wait_for_url("**value=o**")
    expect(page.locator(FIGURE).first).to_contain_text("o of 5 units")
    settled(page)
    gate = pixel(page)
    assert gate != before
    page.get_by_role("radio", name="time of the peak").click()
    page.wait_for_url("**sort=peak**")
    settled(page)
    assert pixel(page) != gate
    expect(page.locator(".tg-claim")).to_contain_text("keep their state")
    expect(page.locator(".tg-line", has_text="10⁻⁵ is allowed")).to_contain_text("✓")


def test_the_figure_is_saved_as_png_and_svg(visit, tmp_path):
    page = open_figure(visit, "gates?lang=en&distance=60")
    png = saved(page, "PNG", tmp_path / "figure.png")
    assert png.startswith(b"\x89PNG") and len(png) > 10_000
    svg = saved(page, "SVG", tmp_path / "figure.svg").decode()
    assert svg.startswith("<svg") and "of 5 units at every token" in svg
    assert "speaker-lstm-en" in svg  # whose it is
    for kind, begin in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        button = page.get_by_role("button", name=f"{kind}, saturation")
        if not button.is_visible():  # the menu closes, or not, after the first
            page.locator(".st-key-save-saturation button").first.click()
        with page.expect_download() as download:
            button.click()
        chart = tmp_path / f"chart.{kind}"
        download.value.save_as(chart)
        assert chart.read_bytes().startswith(begin) and chart.stat().st_size > 10_000


def test_a_cell_without_gates_shows_its_output(visit):
    page = visit("gates?lang=en&model=RNN&distance=60")
    page.wait_for_selector(f"{FIGURE} .readout")
    expect(page.get_by_text("has no gates")).to_be_visible()


def test_one_unit_stands_in_texts_that_differ_in_the_country_alone(visit):
    page = visit("gates?lang=ko&fact=일본")
    expect(page.get_by_text("나라만 다른 글:", exact=False)).to_be_visible()
    for part in ("C", "h"):
        chart = page.locator(f".st-key-figure-overlaid-{part} svg.marks")
        expect(chart).to_contain_text("일본")
        expect(chart).to_contain_text("한국")
