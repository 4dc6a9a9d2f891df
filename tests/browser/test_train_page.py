from urllib.parse import unquote

from playwright.sync_api import expect

TEXT = "".join(
    f"{day}요일 아침에 {who} {place}에서 {thing} 보았다. 그래서 하루가 즐거웠다.\n"
    for day in "월화수목금토일"
    for who in ("나는", "동생은", "할머니는", "옆집 아이는")
    for place in ("강가", "시장", "언덕", "마당")
    for thing in ("나비를", "고양이를", "무지개를")
)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def set_number(page, label, value):
    box = page.get_by_label(label, exact=True)
    box.fill(str(value))
    box.press("Enter")


def test_train_stop_resume_and_write(visit, tmp_path):
    file = tmp_path / "요일.txt"
    file.write_text(TEXT, encoding="utf-8-sig")
    page = visit("train?lang=en")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(file)
    facts = page.locator(".tg-facts").first
    expect(facts).to_contain_text("utf-8-sig")
    expect(facts).to_contain_text("Hangul")
    set_number(page, "Hidden size", 32)
    set_number(page, "Epochs", 400)
    name = page.get_by_label("Name", exact=True).input_value()
    press(page, "Train")

    # a sample comes after the first epoch, the curve with it
    page.wait_for_selector(".tg-sample")
    page.wait_for_selector(
        "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
    )
    page.reload()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Training", exact=True).first).to_be_visible()
    # and again from the page's bare address, as from another browser
    other = visit("train?lang=en")
    expect(other.get_by_role("heading", name=name)).to_be_visible()

    press(page, "Stop")
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    press(page, "Resume")
    expect(page.get_by_text("Stopped", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.wait_for_timeout(4000)
    press(page, "Stop")
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()

    press(page, "Write with it")
    expect(page.locator("h1")).to_have_text("Write")
    page.wait_for_selector(".strip .token")
    assert f"model={name}" in unquote(page.url)


def test_a_text_too_short_is_one_clear_line(visit):
    page = visit("train?lang=en&run=none")
    new = page.get_by_role("button", name="New training")
    if new.count():
        new.click()
    page.get_by_role("radio", name="Paste").click()
    page.get_by_placeholder("Paste a text here").fill("짧다")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("a model will copy them")).to_be_visible()
    press(page, "Train")
    expect(page.get_by_role("alert").filter(has_text="longer text")).to_be_visible()
    assert "Traceback" not in page.content()
