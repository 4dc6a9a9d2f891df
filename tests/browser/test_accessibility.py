"""What axe-core finds on every page: nothing serious, in either theme."""

from pathlib import Path

import axe_playwright_python
import pytest
from test_look import READY

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", READY)
def test_nothing_serious_bars_the_way(visit, path, scheme):
    page = visit(path, scheme=scheme)
    page.wait_for_selector(READY[path], timeout=180_000)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [
        f"{trouble['id']}: {node['html'][:200]}"
        for trouble in found["violations"]
        if trouble["impact"] in SERIOUS
        for node in trouble["nodes"]
    ]
    assert told == []


@pytest.mark.parametrize("language, title", [("ko", "게이트"), ("en", "Gates")])
def test_a_page_says_its_language_and_its_title(visit, language, title):
    page = visit(f"gates?lang={language}", locale="de-DE")
    page.wait_for_function(f"document.documentElement.lang === '{language}'")
    page.wait_for_function(f"document.title === '{title} · textgen'")
