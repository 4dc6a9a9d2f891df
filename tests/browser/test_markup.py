"""Markup from outside is text on every page that shows it."""

from urllib.parse import quote

from playwright.sync_api import expect

MARKUP = (
    "나는 <img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
    "**굵게** [눌러](javascript:alert(1)) :red[빨강] $x^2$"
)


def check(page):
    for frame in page.frames:
        assert frame.evaluate("window.pwned") is None
        assert frame.locator("img[src='x']").count() == 0
        assert frame.locator("a[href^='javascript']").count() == 0


def test_markup_in_a_prompt_is_shown_as_text(visit):
    page = visit(f"write?max_new_tokens=20&prompt={quote(MARKUP)}")
    text = page.locator(".strip .text").first
    expect(text).to_contain_text("<img src=x onerror=window.pwned=1>")
    expect(text).to_contain_text("**굵게** [눌러](javascript:alert(1))")
    check(page)


def test_markup_in_a_corpus_is_shown_as_text(visit):
    page = visit("train?lang=en")
    page.get_by_role("radio", name="Paste").click()
    page.get_by_placeholder("Paste a text here").fill(f"{MARKUP} 하나둘\n" * 3)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("different characters", exact=True)).to_be_visible()
    check(page)


def test_an_upload_too_large_is_refused_with_a_line(visit, tmp_path):
    path = tmp_path / "big.txt"
    path.write_bytes(b"text " * (11 << 20) + b"\n")
    page = visit("train?lang=en")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("File must be 50")).to_be_visible()
    expect(page.get_by_text("different characters")).to_have_count(0)
