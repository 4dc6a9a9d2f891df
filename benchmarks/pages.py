"""How long a page takes from a click until it can be used again, in a headless Chromium.

    BROWSER=/usr/bin/chromium python -m benchmarks.pages [--repeats 5] [--json F] [--markdown F]

Each page is visited once, so that models are loaded and programs compiled. Then two clicks are
timed: on the link to the page, and, on the pages that look into a model, on "Other filler" at 300
characters from the fact to the answer, which makes a text that was never read before: everything
is computed anew. The time ends when the script of the page has come to its end, later than its
first figure.

A text of one's own, never read before, is put under an LSTM of 256 units that is trained for a few
seconds first, at 300 and at 2,000 tokens. What the app takes of the processors is told beside:
where other programs run, it says more than the clock.

The figure of tokens is also scrolled with 2,000 tokens x 256 units, a step each frame.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.korean import write_both
from benchmarks.served import free_port, served
from benchmarks.start import processor
from textgen import shipped

TEXT = shipped.CORPORA / "en/prose"
RUN = "own"
TARGET, COLD_TARGET = 2.0, 5.0  # seconds
QUIET = 500  # ms without a run: then a page is whole
STARTS = 3  # of the app, for each page
FIGURE = (
    "[data-testid=stVegaLiteChart], .flow .lane svg, .figure .readout, .strip .token, .tg-claim, "
    "h3, .tg-facts"
)
# page -> its title, and whether it has a document to be written anew
PAGES = {
    "": ("Lesson", False),
    "write": ("Write", False),
    "train": ("Train", False),
    "remember": ("Remember", True),
    "transplant": ("Transplant", True),
    "evidence": ("Evidence", True),
    "gates": ("Gates", True),
    "step": ("One step", True),
    "gradients": ("Gradients", True),
    "neurons": ("Units", True),
    "race": ("Race", False),
}
# what looks into any model at any text
OWN = ("transplant", "evidence", "gates", "step", "gradients", "neurons")
SIZES = (300, 2000)  # tokens, of one character each
OWN_TARGETS = (2, 5)  # seconds
KOREAN = {
    "# How long a page takes": "# 페이지를 여는 데 걸리는 시간",
    (
        r"Seconds from a click .* median of (\d+) \(the longest\)\. .* of (\d+) units; headless "
        r"Chromium (.*), (\d+) cores, (.*)\. The target is (.*) s\. In the .* median of (\d+); the "
        r"target is (.*) s\."
    ): (
        r"누른 때부터 페이지의 스크립트가 끝날 때까지 걸린 시간(초)입니다. \1번 잰 중앙값이고 "
        r"괄호 안은 가장 오래 걸린 때입니다. 모델은 미리 불러 두었고 유닛 \2개짜리 LSTM입니다. "
        r"화면 없는 Chromium \3, 코어 \4개, \5. 목표는 \6초입니다. 처음 두 열은 앱을 켠 때부터 "
        r"처음 연 페이지의 첫 그림이 나올 때까지와 다 그려질 때까지이며 \7번 잰 중앙값입니다. "
        r"목표는 \8초입니다."
    ),
    (
        r"page \| first figure after a start \| whole after a start \| opened by its link \| "
        r"another text of (\d+) characters, never read before"
    ): (
        r"페이지 | 켠 뒤 첫 그림까지 | 켠 뒤 다 그릴 때까지 | 링크로 열 때 "
        r"| 처음 읽는 \1자짜리 다른 글"
    ),
    r"The figure of tokens, (.*) tokens x (.*) units, .*: (.*) ms a frame \((.*) within (.*)\)\.": (
        r"토큰 \1개 x 유닛 \2개짜리 그림을 프레임마다 한 칸씩 옮길 때: 프레임당 \3 ms (\4가 \5 안)."
    ),
    "## A text of your own": "## 내 글",
    (
        r"Seconds from the end of typing .* median of (\d+) \(the longest\), and .*: LSTM of "
        r"(\d+) units; .* (\S+) processes ran or waited\. The targets are (\d+) s at 300 tokens "
        r"and (\d+) s at 2,000\."
    ): (
        r"글을 다 쓴 때부터 페이지의 스크립트가 끝날 때까지 걸린 시간(초)입니다. \1번 잰 "
        r"중앙값이고 괄호 안은 가장 오래 걸린 때이며, 그 옆은 앱이 쓴 프로세서 시간(초)입니다. "
        r"처음 읽는 글이고 유닛 \2개짜리 LSTM입니다. 재는 동안 프로세스 \3개가 돌거나 "
        r"기다렸습니다. 목표는 토큰 300개에서 \4초, 2,000개에서 \5초입니다."
    ),
    r"page \| 300 tokens \| of the processors \| 2,000 tokens \| of the processors": (
        "페이지 | 토큰 300개 | 프로세서 | 토큰 2,000개 | 프로세서"
    ),
    "Lesson": "수업",
    "Write": "글쓰기",
    "Train": "학습",
    "Remember": "기억",
    "Transplant": "옮겨 심기",
    "Evidence": "근거",
    "Gates": "게이트",
    "One step": "한 걸음",
    "Gradients": "기울기",
    "Units": "유닛",
    "Race": "경주",
}
LARGE = """
import numpy as np
from textgen.ui.components.token_figure import Scale, token_figure
values = np.random.default_rng(0).random((256, 2000))
token_figure(["가"] * 2000, values, [str(k) for k in range(256)], [Scale("share", "gate")],
             key="large", title="2,000 tokens x 256 units", caption="", value_word="f")
"""
# when the script of the page last came to its end, in ms since the click that follows
WATCH = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    window.began = performance.now();
    window.ended = null;
    new MutationObserver(() => {
        window.ended = app.dataset.testScriptState === 'notRunning' ? performance.now() : null;
    }).observe(app, { attributeFilter: ['data-test-script-state'] });
}"""
FRAMES = """async () => {
    const scroll = [...document.querySelectorAll('*')]
        .map(e => e.shadowRoot?.querySelector('.scroll')).find(e => e);
    const times = [];
    let last = performance.now();
    for (let k = 0; k < 240; k += 1) {
        scroll.scrollLeft = (k * 37) % (scroll.scrollWidth - scroll.clientWidth);
        scroll.scrollTop = (k * 11) % (scroll.scrollHeight - scroll.clientHeight);
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - last);
        last = performance.now();
    }
    return times.slice(20);
}"""


def settled(page: Any) -> None:
    """Until nothing has run for a while."""
    page.wait_for_selector(FIGURE)
    page.wait_for_function(
        """quiet => {
            const state = document.querySelector('[data-testid=stApp]').dataset.testScriptState;
            if (state !== 'notRunning') window.quiet = null;
            else window.quiet ??= performance.now();
            return window.quiet && performance.now() - window.quiet > quiet;
        }""",
        arg=QUIET,
        polling=50,
    )


def timed(page: Any, click: Any) -> float:
    """Seconds from a click to the end of the run that it starts."""
    page.evaluate(WATCH)
    page.evaluate("window.began = performance.now()")
    click()
    page.wait_for_function("() => window.ended && performance.now() - window.ended > 600")
    return float(page.evaluate("(window.ended - window.began) / 1000"))


def first_visit(page: Any, home: Path, path: str, port: int) -> tuple[float, float]:
    """Seconds from the start of the app until this page, the first to be opened, shows its first
    figure, and until it is whole."""
    begin = time.perf_counter()
    with served(home, port=port) as (address, _):
        page.goto(f"http://{address}/{path}?lang=en")
        page.wait_for_selector(FIGURE)
        figure = time.perf_counter() - begin
        settled(page)
        return figure, time.perf_counter() - begin - QUIET / 1000


def measure(page: Any, address: str, path: str, repeats: int) -> dict[str, Any]:
    """Medians in seconds: from the link, and from a text never read before."""
    title, has_document = PAGES[path]
    page.goto(f"http://{address}/{path}?lang=en")
    settled(page)
    row: dict[str, Any] = {"page": title, "open": [], "click": []}
    other = "Train" if title != "Train" else "Race"
    for _ in range(repeats):
        page.get_by_role("link", name=other, exact=True).click()
        settled(page)
        link = page.get_by_role("link", name=title, exact=True)
        row["open"].append(timed(page, link.click))
    if has_document:
        page.goto(f"http://{address}/{path}?lang=en&custom=false&distance=300")
        settled(page)
        again = page.get_by_role("button", name="Other filler")
        again.click()  # the first with a text of this length may compile
        settled(page)
        row["click"] = [timed(page, again.click) for _ in range(repeats)]
    return row


def measure_own(page: Any, address: str, process: int, path: str, repeats: int) -> dict[str, Any]:
    """Seconds from the end of typing, by the clock and of the processors, for each of `SIZES`."""
    text = "".join(file.read_text("utf-8") for file in sorted(TEXT.glob("*.txt")))
    address = f"http://{address}/{path}?lang=en&source=own&any={RUN}&several={RUN}"
    page.goto(address)
    settled(page)
    row: dict[str, Any] = {"page": PAGES[path][0]}
    box = page.get_by_role("textbox", name="Your text")
    for size in SIZES:
        clock, processors = [], []
        for k in range(repeats + 1):  # the first of a size may compile
            box.fill(text[(k + 1) * 3000 :][: size - 1])  # a line's end stands before it
            before = processor_seconds(process)
            clock.append(timed(page, lambda: box.press("Control+Enter")))
            settled(page)
            processors.append(processor_seconds(process) - before)
        row[str(size)] = {"clock": clock[1:], "processors": processors[1:]}
    return row


def processor_seconds(process: int) -> float:
    """What a process and those that it began have taken so far. Read from /proc: on Linux alone."""
    folder = Path(f"/proc/{process}")
    user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    own = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    children = [file.read_text().split() for file in folder.glob("task/*/children")]
    return own + sum(processor_seconds(int(child)) for of in children for child in of)


def train_own(home: Path) -> None:
    """The model that reads texts of one's own: how good it is does not matter here."""
    settings = ["--hidden-size", "256", "--max-seconds", "10", "--sample-length", "0"]
    command = [sys.executable, "-m", "textgen", "train", str(TEXT), "--out", f"runs/{RUN}"]
    subprocess.run([*command, *settings], cwd=home, check=True, capture_output=True)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        browser = playwright.chromium.launch(executable_path=os.environ["BROWSER"], args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
        page.set_default_timeout(120_000)
        rows, own, load, port = [], [], [], free_port()
        train_own(home)
        # once unmeasured: files, and what the browser keeps of the app at this address
        first_visit(page, home, "", port)
        first = {p: [first_visit(page, home, p, port) for _ in range(STARTS)] for p in PAGES}
        with served(home) as (address, process):
            for path in PAGES:
                rows.append(measure(page, address, path, args.repeats))
                rows[-1] |= zip(("first", "whole"), zip(*first[path], strict=True), strict=True)
                print(line(rows[-1]), flush=True)
            for path in OWN:
                own.append(measure_own(page, address, process, path, args.repeats))
                load.append(os.getloadavg()[0])
                print(own_line(own[-1]), flush=True)
        (home / "large.py").write_text(LARGE)
        with served(home, home / "large.py") as (address, _):
            page.goto(f"http://{address}")
            page.wait_for_selector(".figure .readout")
            page.wait_for_timeout(1000)
            frames = sorted(page.evaluate(FRAMES))
        version = browser.version
        browser.close()
    scrolled = {"median_ms": median(frames), "p95_ms": frames[int(0.95 * len(frames))]}
    found = {
        "pages": rows,
        "own": own,
        "load": load,
        "scrolled": scrolled,
        "repeats": args.repeats,
        "browser": version,
    }
    page_text = markdown(found)
    print(page_text)
    if args.markdown:
        write_both(args.markdown, page_text, KOREAN)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


def markdown(found: dict[str, Any]) -> str:
    """The page in docs/."""
    repeats, scrolled = found["repeats"], found["scrolled"]
    told = [
        "# How long a page takes",
        "",
        f"Seconds from a click until the page's script has come to its end: the median of "
        f"{repeats} (the longest). Models loaded, LSTM of 128 units; headless Chromium "
        f"{found['browser']}, {os.cpu_count()} cores, {processor()}. The target is {TARGET:g} s. "
        f"In the first two columns from the start of the app until the page, its first, shows its "
        f"first figure and until it is whole, the median of {STARTS}; the target is "
        f"{COLD_TARGET:g} s.",
        "",
        "| page | first figure after a start | whole after a start | opened by its link "
        "| another text of 300 characters, never read before |",
        "|---|---:|---:|---:|---:|",
        *map(line, found["pages"]),
        "",
        "## A text of your own",
        "",
        f"Seconds from the end of typing until the page's script has come to its end: the median "
        f"of {repeats} (the longest), and beside it what the app took of the processors: LSTM "
        f"of 256 units; meanwhile {median(found['load']):.0f} processes ran or waited. The targets "
        f"are {OWN_TARGETS[0]} s at 300 tokens and {OWN_TARGETS[1]} s at 2,000.",
        "",
        "| page | 300 tokens | of the processors | 2,000 tokens | of the processors |",
        "|---|---:|---:|---:|---:|",
        *map(own_line, found["own"]),
        "",
        f"The figure of tokens, 2,000 tokens x 256 units, scrolled a step each frame: "
        f"{scrolled['median_ms']:.1f} ms a frame (95 % within {scrolled['p95_ms']:.1f} ms).",
        "",
        "`BROWSER=/usr/bin/chromium python -m benchmarks.pages --markdown docs/pages.md`",
    ]
    return "\n".join(told) + "\n"


def line(row: dict[str, Any]) -> str:
    cells = [
        f"{median(found):.1f} ({max(found):.1f})" if found else "-"
        for found in (row["first"], row["whole"], row["open"], row["click"])
    ]
    return f"| {row['page']} | {' | '.join(cells)} |"


def own_line(row: dict[str, Any]) -> str:
    cells = [
        cell
        for size in SIZES
        for clock, processors in [row[str(size)].values()]
        for cell in (f"{median(clock):.1f} ({max(clock):.1f})", f"{median(processors):.1f}")
    ]
    return f"| {row['page']} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
