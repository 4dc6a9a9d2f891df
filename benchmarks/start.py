"""How soon the first words are there: from the shell, in the app, beside PyTorch in the same run.

    python -m benchmarks.start [--rounds 10] [--json FILE] [--markdown FILE]

Each command is a process of its own, as from a shell; the rounds go through all of them in turn, so
that a busy machine slows all alike, and the median is told. The loop in PyTorch is the usual one
(embedding, nn.LSTM with its state, linear, softmax, multinomial) over an LSTM of the size of
en-lstm-char, read from a file of weights. BROWSER names a Chromium, for the app.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import processors
from benchmarks.korean import write_both
from benchmarks.served import ROOT, free_port, served
from textgen import shipped

LETTERS = 100
TARGETS = {"generate": 1.0, "--help": 0.15, "score": 0.8, "app": 4.0}
KOREAN = {
    "# How soon the first words are there": "# 첫 글이 얼마나 빨리 나오나",
    r"(\d+) cores, (.*); medians of (\d+); load of the machine at the beginning (.*)\.": (
        r"코어 \1개, \2. \3번씩 잰 중앙값이며, 시작할 때 컴퓨터의 부하: \4."
    ),
    "from the shell": "셸에서",
    r"seconds \| least \| target": "초 | 가장 빠를 때 | 목표",
    "the app, second start: first letters on screen": "앱(두 번째 시작): 첫 글자가 보일 때까지",
    "the app, second start: first text whole": "앱(두 번째 시작): 첫 글이 다 보일 때까지",
    r"The app then holds (\d+) MB in memory \(target: (\d+)\)\.": (
        r"이때 앱이 쓰는 메모리는 \1 MB입니다(목표 \2 MB)."
    ),
}
TORCH = """
import sys, torch
state = torch.load(sys.argv[1])
V, D, U = 96, 64, 256
embedding, lstm, head = torch.nn.Embedding(V, D), torch.nn.LSTM(D, U), torch.nn.Linear(U, V)
for part, weights in zip((embedding, lstm, head), state):
    part.load_state_dict(weights)
ids, hidden = torch.zeros(1, 1, dtype=torch.long), None
with torch.inference_mode():
    for _ in range(int(sys.argv[2])):
        out, hidden = lstm(embedding(ids), hidden)
        ids = torch.multinomial(torch.softmax(head(out[-1]) / 0.8, -1), 1)
"""
SAVE = """
import sys, torch
V, D, U = 96, 64, 256
parts = torch.nn.Embedding(V, D), torch.nn.LSTM(D, U), torch.nn.Linear(U, V)
torch.save([part.state_dict() for part in parts], sys.argv[1])
"""


def commands(work: Path) -> dict[str, list[str]]:
    """name -> the command of a shell."""
    textgen = [sys.executable, "-m", "textgen"]
    found = {
        f"textgen generate {folder.name}": [
            *textgen,
            "generate",
            str(folder),
            "--max-new-tokens",
            str(LETTERS),
            "--seed",
            "1",
        ]
        for folder in sorted(shipped.MODELS.iterdir())
    }
    found["textgen --help"] = [*textgen, "--help"]
    found["textgen score en-lstm-char (a line)"] = [
        *textgen,
        "score",
        "en-lstm-char",
        "The rain fell on the old road.",
    ]
    try:
        subprocess.run([sys.executable, "-c", SAVE, work / "torch.pt"], check=True)
    except subprocess.CalledProcessError:
        print("without PyTorch: it is not installed", file=sys.stderr)
    else:
        found["PyTorch, LSTM 1x256"] = [
            sys.executable,
            "-c",
            TORCH,
            str(work / "torch.pt"),
            str(LETTERS),
        ]
    return found


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - begin


def app(rounds: int) -> dict[str, Any]:
    """Seconds from the start of the app to the first letters of a text on screen and to the whole
    text, and what the process holds then, in MB.

    The browser has seen the app at this address before, as at every start but the first: what
    Streamlit's page is made of is in its cache.
    """
    from playwright.sync_api import sync_playwright

    times, whole, memory, port = [], [], [], free_port()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["BROWSER"], args=["--no-sandbox", "--disable-gpu"]
        ).new_context()
        for _ in range(rounds + 1):
            with tempfile.TemporaryDirectory() as home:
                begin = time.perf_counter()
                with served(Path(home), port=port) as (address, process):
                    page = browser.new_page()
                    page.goto(f"http://{address}/write?lang=en")
                    page.wait_for_selector(".tg-caret, .strip .text", timeout=120_000)
                    times.append(time.perf_counter() - begin)
                    page.wait_for_selector(".strip .text", timeout=120_000)
                    whole.append(time.perf_counter() - begin)
                    memory.append(resident(process))
                    page.close()
    found = {"first": times[0], "seconds": statistics.median(times[1:])}
    found["whole"] = statistics.median(whole[1:])
    return found | {"megabytes": statistics.median(memory[1:])}


def resident(process: int) -> float:
    """What a process and those it began hold in memory, in MB."""
    kilobytes = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue
        if int(lines["Pid"]) == process or int(lines["PPid"]) == process:
            kilobytes += int(lines.get("VmRSS", "0 kB").split()[0])
    return kilobytes / 1024


def measure(rounds: int, work: Path) -> dict[str, list[float]]:
    found = commands(work)
    for command in found.values():  # once unmeasured: files are read into memory
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, command in found.items():
            times[name].append(seconds(command))
    return times


def target_of(name: str) -> float | None:
    return next((value for word, value in TARGETS.items() if word in name.split()), None)


def markdown(result: dict[str, Any]) -> str:
    lines = [
        f"{result['cores']} cores, {result['processor']}; medians of {result['rounds']}; load of "
        f"the machine at the beginning {result['load']:.1f}.",
        "",
        "| from the shell | seconds | least | target |",
        "|---|---:|---:|---:|",
    ]
    for name, row in result["commands"].items():
        target = target_of(name)
        wanted = f"{target:.2f}" if target else "-"
        lines.append(f"| `{name}` | {row['median']:.2f} | {row['least']:.2f} | {wanted} |")
    if "app" in result:
        lines += [
            f"| the app, second start: first letters on screen | {result['app']['seconds']:.2f} |  "
            f"| {TARGETS['app']:.2f} |",
            f"| the app, second start: first text whole | {result['app']['whole']:.2f} |  | - |",
            "",
            f"The app then holds {result['app']['megabytes']:.0f} MB in memory (target: 300).",
        ]
    return "\n".join(lines) + "\n"


def processor() -> str:
    """Its name, and what it can."""
    flags = Path("/proc/cpuinfo").read_text()
    kinds = [kind for kind in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if kind in flags]
    return f"{processors.name()} ({', '.join(kinds)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    result: dict[str, Any] = {
        "rounds": parsed.rounds,
        "cores": os.cpu_count(),
        "processor": processor(),
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as work:
        times = measure(parsed.rounds, Path(work))
    result["commands"] = {
        name: {"median": statistics.median(each), "least": min(each)}
        for name, each in times.items()
    }
    if os.environ.get("BROWSER"):
        result["app"] = app(min(parsed.rounds, 5))
    if parsed.json:
        parsed.json.write_text(json.dumps(result, indent=2) + "\n")
    if parsed.markdown:
        page = "# How soon the first words are there\n\n" + markdown(result)
        write_both(parsed.markdown, page, KOREAN)
    print(markdown(result))


if __name__ == "__main__":
    main()
