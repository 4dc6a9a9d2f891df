"""What can be said of the look without eyes: nothing is cut off, and the words can be read."""

import pytest

# page -> what is there when it is whole
READY = {
    "": ".flow .lane svg",
    "write": ".strip .token",
    "train?run=none": ".tg-facts",
    "evidence": ".tg-claim",
    "gates": ".tg-claim",
    "neurons": ".tg-claim",
    "transplant": ".tg-claim >> nth=1",
    "step": ".tg-claim",
    "step?model=GRU": ".tg-claim",
    "gradients": ".tg-claim",
    "race": ".tg-claim",
    "task": ".tg-facts",
}
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", READY)
def test_nothing_is_wider_than_the_window(visit, path, scheme, size):
    width, height = SIZES[size]
    page = visit(path, width, height, scheme)
    page.wait_for_selector(READY[path], timeout=180_000)  # the first visit compiles much
    wide = page.evaluate(
        """async () => {
            document.body.getBoundingClientRect();  // what is laid out asks for its fonts
            await document.fonts.ready;  // until they are there another one takes more room
            return [...document.querySelectorAll('.stMain :not(input[type=range])')]
                .filter(e => !e.closest('.katex-mathml'))  // unseen: what a screen reader reads
                .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
                .map(e => e.outerHTML.slice(0, 200));
        }"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_stands_out_from_its_ground(visit, scheme):
    page = visit("write", scheme=scheme)
    page.wait_for_selector(".strip .token")
    text = page.locator(".strip .text").evaluate("e => getComputedStyle(e).color")
    ground = page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    text, ground = luminance(text), luminance(ground)
    contrast = (max(text, ground) + 0.05) / (min(text, ground) + 0.05)
    assert contrast >= 7  # WCAG 2 AAA


def luminance(colour):
    """Relative luminance of "rgb(r, g, b)" (WCAG 2)."""
    parts = [float(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
