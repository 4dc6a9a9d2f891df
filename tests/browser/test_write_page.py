import re
import time
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import expect

WRITTEN = ".strip .text"


def written(page, number=0):
    """The text of a finished sample."""
    page.wait_for_selector(WRITTEN)
    return page.locator(WRITTEN).nth(number).inner_text()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def query(page):
    return parse_qs(urlparse(page.url).query)


def test_opens_on_a_korean_model_that_writes(visit):
    page = visit("write")
    expect(page.locator("h1")).to_have_text("글쓰기")
    text = written(page)
    assert len(text) > 100
    assert sum("가" <= char <= "힣" for char in text) > len(text) / 2
    expect(page.get_by_role("combobox").first).to_have_value("ko-lstm-char")


def test_the_language_changes_everything_but_the_text(visit):
    page = visit("write")
    before = written(page)
    page.get_by_role("radio", name="English").click()
    expect(page.locator("h1")).to_have_text("Write")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    assert written(page) == before
    assert query(page)["lang"] == ["en"]
    page.get_by_role("link", name="Train").click()
    expect(page.locator("h1")).to_have_text("Train")
    assert query(page)["lang"] == ["en"]


def test_stop_keeps_what_was_written_and_continue_goes_on(visit):
    # what looks back on all that was written takes its time
    slow = "no_repeat_ngram_size=10&repetition_penalty=1.01"
    page = visit(f"write?lang=en&max_new_tokens=2000&samples=4&temperature=0.5&{slow}")
    stop_soon(page)
    stopped = [written(page, number) for number in range(4)]
    assert all(len(text) > 30 for text in stopped)
    assert max(map(len, stopped)) < 2000
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    press(page, "Continue")
    stop_soon(page)
    for number, before in enumerate(stopped):
        expect(page.locator(WRITTEN).nth(number)).not_to_have_text(before)  # drawn anew by now
        after = written(page, number)
        assert after.startswith(before) and len(after) > len(before)


def stop_soon(page):
    """Press Stop once something new is being written."""
    first = page.locator(".tg-text:has(.tg-caret)").first
    first.wait_for()
    length = len(first.inner_text())
    page.wait_for_function(
        "length => document.querySelector('.tg-text').innerText.length > length + 40", arg=length
    )
    press(page, "Stop")
    page.wait_for_selector(WRITTEN)


def test_another_token_is_chosen_and_the_rest_is_written_anew(visit):
    page = visit("write?lang=en&model=en-lstm-char&seed=3&max_new_tokens=60")
    text, token = written(page), page.locator(".token").nth(10)
    prompt = page.locator(".strip .prompt").inner_text()
    token.click()
    rows = page.locator(".card .row")
    expect(rows.nth(9)).to_be_visible()  # an eleventh if what was written is not among the ten
    shares = [
        float(share.removeprefix("<").removesuffix("%"))
        for share in page.locator(".row .number").all_inner_texts()[:10]
    ]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 101
    other = page.locator(".row:not([aria-current]) .shown").first
    chosen = other.inner_text()
    other.click()
    expect(page.locator(WRITTEN)).not_to_have_text(text)
    kept = len(prompt) + 10
    assert written(page)[:kept] == text[:kept]
    shown = page.locator(".token").nth(10).inner_text().replace(" ", "␣")
    assert shown.strip("↵") == chosen.strip("↵")


BACKGROUND = "tokens => tokens.map(token => getComputedStyle(token).backgroundColor)"


def test_the_colour_tells_probability_or_copies_or_nothing(visit):
    page = visit("write?lang=en&seed=3&max_new_tokens=60")
    page.wait_for_selector(WRITTEN)
    tokens = page.locator(".token")
    assert len(set(tokens.evaluate_all(BACKGROUND))) > 5
    expect(page.locator(".tg-legend .tg-surprise")).to_be_visible()
    page.get_by_role("radio", name="None", exact=True).click()
    expect(page.locator(".strip.by-none")).to_be_visible()
    deadline = time.monotonic() + 5  # colours fade
    while len(set(tokens.evaluate_all(BACKGROUND))) > 1:
        assert time.monotonic() < deadline
    page.get_by_role("radio", name="Copied", exact=True).click()
    expect(page.locator(".strip.by-copied")).to_be_visible()
    assert query(page)["colour"] == ["copied"]
    copied = page.locator(".token.copied")  # of a model whose text is at hand
    for number in range(copied.count()):
        expect(copied.nth(number)).to_have_attribute("title", re.compile(r"training text: \d+$"))
    told = page.get_by_text(re.compile("^Copied: |^The text this model was trained on is not here"))
    expect(told).to_be_visible()


def test_the_keyboard_reaches_the_alternatives(visit):
    page = visit("write?lang=en&seed=3&max_new_tokens=40")
    page.wait_for_selector(WRITTEN)
    page.locator(".token").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".card .row").nth(9)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()


def test_samples_side_by_side_and_the_same_address_writes_the_same(visit):
    address = "write?lang=en&seed=7&samples=3&max_new_tokens=60&temperature=0.9"
    first, second = visit(address), visit(address)
    texts = [[written(page, number) for number in range(3)] for page in (first, second)]
    assert texts[0] == texts[1] and len(set(texts[0])) == 3
    boxes = [first.locator(".strip").nth(number).bounding_box() for number in range(3)]
    assert boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]


def test_settings_live_in_the_address(visit):
    page = visit("write?lang=en&max_new_tokens=40")
    page.wait_for_selector(WRITTEN)
    page.get_by_role("textbox", name="Beginning").fill("안녕 ")
    press(page, "Write")
    expect(page.locator(".strip .prompt")).to_have_text("안녕 ")
    page.get_by_role("radio", name="2", exact=True).click()
    page.wait_for_url("**samples=2**")
    assert query(page)["prompt"] == ["안녕 "]
    press(page, "Use this seed")
    page.wait_for_url("**seed=**")


def test_the_text_can_be_downloaded(visit):
    page = visit("write?lang=en&max_new_tokens=40&seed=1")
    page.wait_for_selector(WRITTEN)
    text = "".join(page.locator(".strip .prompt, .strip .token").all_text_contents())
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with open(download.value.path(), encoding="utf-8") as file:
        assert file.read() == text + "\n"


def test_markup_in_a_prompt_stays_text(visit):
    page = visit(
        "write?lang=en&model=en-lstm-char&max_new_tokens=20&prompt=a%3Cimg%20src%3Dx%3E**b**"
    )
    page.wait_for_selector(WRITTEN)
    expect(page.locator(".strip .prompt")).to_have_text("a<img src=x>**b**")
    assert page.locator("img[src='x']").count() == 0


def test_an_unknown_prompt_is_one_clear_line(visit):
    page = visit("write?lang=en&max_new_tokens=20&prompt=%E9%BE%98%E9%BE%98")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("龘")
    assert "Traceback" not in page.content()
