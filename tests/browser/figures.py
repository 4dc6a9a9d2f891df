"""What the tests of the figure of tokens have in common."""

import contextlib

FIGURE = ".figure"
READY = "[data-testid=stApp][data-test-script-state=notRunning]"


def open_figure(visit, path, **size):
    """A page whose figures are drawn and whose script has come to its end."""
    page = visit(path, **size)
    page.wait_for_selector(f"{FIGURE} .readout")
    settled(page)
    return page


def settled(page):
    page.wait_for_selector(".tg-claim")
    page.wait_for_timeout(300)  # a run that was asked for has begun
    page.wait_for_selector(READY)


@contextlib.contextmanager
def hover_runs_nothing(page):
    """Fails when the script of the page is run in the meantime."""
    settled(page)
    page.evaluate(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            window.runs = 0;
            window.watch = new MutationObserver(() => {
                if (app.dataset.testScriptState === 'running') window.runs += 1;
            });
            window.watch.observe(app, { attributeFilter: ['data-test-script-state'] });
        }"""
    )
    yield
    page.wait_for_timeout(500)
    assert page.evaluate("window.runs") == 0


def pixel(page, number=0):
    """The drawn canvas of a figure, as a text that changes when it does."""
    return page.evaluate(
        """number => [...document.querySelectorAll('.stMain *')]
            .map(e => e.shadowRoot?.querySelector('canvas')).filter(c => c)[number]
            .toDataURL()""",
        number,
    )


def saved(page, kind, path):
    """What the button of a figure saves."""
    with page.expect_download() as download:
        page.locator(f"{FIGURE} .tools button").filter(has_text=kind).first.click()
    download.value.save_as(path)
    return path.read_bytes()
