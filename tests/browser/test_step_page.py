import re

from playwright.sync_api import expect

EQUATIONS = "[class*='st-key-stage'] .katex-html"


def last_number(page, stage):
    """The result in the last equation of a stage."""
    text = page.locator(f".st-key-stage-{stage} .katex-html").last.inner_text()
    result = text.rpartition("≈")[2].replace("−", "-").replace("\u200b", "")
    return float("".join(result.split()))


def press(page, name, key, times=1):
    slider = page.get_by_role("slider", name=name)
    slider.focus()
    for _ in range(times):
        slider.press(key)


def test_the_numbers_follow_the_token(visit):
    page = visit("step?lang=en&token=5")
    expect(page.locator("h1")).to_have_text("One step")
    expect(page.locator(EQUATIONS).first).to_be_visible()
    expect(page.locator(".cell svg")).to_be_visible()
    marked = page.locator("mark").inner_text()
    f, C = last_number(page, "forget"), last_number(page, "update")
    assert 0 <= f <= 1
    press(page, "token", "ArrowRight")
    expect(page.locator("mark")).not_to_have_text(marked)
    page.wait_for_url("**token=6**")
    # what the unit had is what the next step begins with; the equations round it to three digits
    rounded = {f"{C + by:+.2f}".replace("-", "−") for by in (-0.0005, 0, 0.0005)}
    expect(page.locator(".cell svg")).to_contain_text(re.compile("|".join(map(re.escape, rounded))))


def test_without_what_the_gates_keep_the_answer_is_lost(visit):
    page = visit("step?lang=en&token=30")
    expect(page.locator(EQUATIONS).first).to_be_visible()
    page.get_by_role("radio", name="f", exact=True).click()
    page.get_by_text("in all units", exact=True).click()
    expect(page.locator(".st-key-stage-forget .katex-html").first).to_contain_text("→")
    page.wait_for_url("**whole=true**")
    charts = page.locator("[data-testid=stVegaLiteChart]")
    assert charts.count() >= 3
    other = visit(page.url.partition("/step")[2].join(["step", ""]))  # the address is the state
    expect(other.locator(".st-key-stage-forget .katex-html").first).to_contain_text("→")


def test_a_walk_lights_the_way_of_each_value_and_its_equation(visit):
    page = visit("step?lang=en&fact=Japanese")
    expect(page.locator(".cell svg")).to_be_visible()
    lit = page.locator("[class*='st-key-equation-'].tg-lit")
    expect(lit).to_have_count(0)
    for value in ("f", "i", "c", "C", "o", "h"):
        page.locator(".cell .on").click()
        expect(lit).to_have_count(1)
        expect(page.locator(f".st-key-equation-{value}.tg-lit")).to_be_visible()
        ways = page.locator(".cell .lit .way")
        assert ways.count() > 0
    page.locator(".cell .on").click()  # past the last: the whole picture again
    expect(lit).to_have_count(0)
    page.locator(".cell .play").click()
    expect(page.locator(".st-key-equation-f.tg-lit")).to_be_visible()
    expect(page.locator(".st-key-equation-i.tg-lit")).to_be_visible()  # it goes on by itself
    page.locator(".cell .play").click()
    expect(page.locator(".cell .caption")).to_contain_text("≈")
    # what the cell reads is drawn
    expect(page.locator(".cell svg")).to_contain_text("xt =")
    expect(page.locator(".cell svg")).to_contain_text("ht−1")


def test_every_cell_has_its_equations(visit):
    for cell, stages in {"gru": 4, "rnn": 1, "mingru": 2, "peephole": 4, "coupled": 4}.items():
        page = visit(f"step?lang=ko&model={cell.upper()}")
        expect(page.locator("[class*='st-key-stage']")).to_have_count(stages)
        expect(page.locator(".katex-error")).to_have_count(0)
        page.context.close()


def test_on_a_phone_what_shuts_the_gates_and_the_verdict_are_seen_at_once(visit):
    page = visit("step?lang=ko&fact=일본", width=390, height=844)
    preset = page.get_by_role("button", name="망각 게이트를 모두 닫기")
    preset.click()
    said = page.locator(".tg-answers li")
    expect(said).to_have_count(2)
    expect(said.first).to_contain_text("✓ 일본어")
    expect(said.last).to_contain_text("✗")
    last = said.last.bounding_box()
    for control in (preset, page.get_by_role("slider", name="토큰")):
        assert 0 < last["y"] + last["height"] - control.bounding_box()["y"] < 844
