"""Thirty people writing at once: does each get their own text, soon, while memory stays flat?

    python -m benchmarks.load [--people 30] [--minutes 30] [--json FILE]

The app runs as its users run it. Each person is a websocket client that speaks Streamlit's protocol
as a browser does: opens the page Write with a prompt of their own, which writes at once; then
presses Regenerate again and again, without a moment of thought. Now and then one presses Stop
after the first words, and one leaves in the midst of a text and another comes.

Measured: seconds from the press to the first letters; texts that failed; letters of anyone else's
prompt in what a person is sent; the memory of the app; what it computes once all have left.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import platform
import random
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.served import served

STOPS, LEAVES = 0.05, 0.03  # share of texts that are stopped, or left alone
WARM_UP = 60.0  # seconds; what is loaded and compiled once is no growth
PATIENCE = 120.0
QUIET = 2.0
STRIP = "textgen_token_strip"  # the component that shows a text that is finished
# what is being written: the prompt, then letters, then the caret
_RUNNING = re.compile(r'<span class="tg-prompt">.*?</span>(.*?)<span class="tg-caret">', re.S)
_MARK = re.compile(r"person\d\d\d\d")


# --- what a browser sends of the widgets that it shows --------------------------------------------


def _slider(widget: Any) -> WidgetState:
    state = WidgetState(id=widget.id)
    state.double_array_value.data.extend(widget.value if widget.set_value else widget.default)
    return state


def _text_area(widget: Any) -> WidgetState:
    value = widget.value if widget.set_value else widget.default
    return WidgetState(id=widget.id, string_value=value)


def _selectbox(widget: Any) -> WidgetState:
    value = widget.raw_value if widget.set_value else widget.options[widget.default]
    return WidgetState(id=widget.id, string_value=value)


def _number_input(widget: Any) -> WidgetState:
    state = WidgetState(id=widget.id)  # empty: no seed is fixed
    if widget.set_value:
        state.double_value = widget.value
    return state


def _button_group(widget: Any) -> WidgetState:
    values = (
        widget.raw_values
        if widget.set_value
        else [widget.options[index].content for index in widget.default]
    )
    state = WidgetState(id=widget.id)
    state.string_array_value.data.extend(values)
    return state


VALUES: dict[str, Callable[[Any], WidgetState]] = {
    "slider": _slider,
    "text_area": _text_area,
    "selectbox": _selectbox,
    "number_input": _number_input,
    "button_group": _button_group,
}


# --- people ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Seen:
    """What all saw together."""

    first: list[float] = dataclasses.field(default_factory=list)  # seconds to the first letters
    whole: list[float] = dataclasses.field(default_factory=list)  # seconds to the end of a text
    stopped: list[float] = dataclasses.field(default_factory=list)  # seconds from Stop to its end
    failures: list[str] = dataclasses.field(default_factory=list)
    foreign: int = 0  # messages with another's prompt
    left: int = 0
    people: int = 0


class Person:
    """One browser, as far as the server can tell."""

    def __init__(self, address: str, number: int, seen: Seen, tokens: int) -> None:
        self.address, self.seen = address, seen
        self.mark = f"person{number:04}"
        prompt = f"나는 {self.mark} 그래서 "
        self.query = urllib.parse.urlencode(
            {"prompt": prompt, "max_new_tokens": tokens, "model": "ko-lstm-char"}
        )
        self.buttons: dict[str, str] = {}  # key -> id
        self.widgets: dict[str, WidgetState] = {}  # id -> what a browser would send of it
        seen.people += 1

    async def live(self, until: float, rng: random.Random) -> None:
        opening = websockets.connect(self.address, max_size=None, open_timeout=PATIENCE)
        async with opening as self.socket:
            await self._send(None)
            while await self._text(rng) and time.monotonic() < until:
                await self._send("regenerate")
            self.seen.left += time.monotonic() < until

    async def _send(self, pressed: str | None) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = "write"
        message.rerun_script.widget_states.widgets.extend(self.widgets.values())
        if pressed is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self.buttons[pressed], True
        await self.socket.send(message.SerializeToString())

    async def _text(self, rng: random.Random) -> bool:
        """Watch one text being written; False where the person leaves."""
        began, first, fate = time.monotonic(), None, rng.random()
        stopped = None
        while True:
            data = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            self._look(message, data)
            # a server with much to send leaves out what the next message overwrites
            if first is None and (self._writes(message) or self._shows(message)):
                first = time.monotonic() - began
                self.seen.first.append(first)
                if fate < LEAVES:
                    return False
                if fate < LEAVES + STOPS and "stop" in self.buttons and self._writes(message):
                    stopped = time.monotonic()
                    await self._send("stop")
            if message.WhichOneof("type") != "script_finished":
                continue
            if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                continue  # a text is written: the page is drawn once more, or Stop was pressed
            if stopped is not None:
                self.seen.stopped.append(time.monotonic() - stopped)
                await self._quiet()  # the text may have ended by itself before
            elif first is None:
                self.seen.failures.append("the page was drawn without a text")
            else:
                self.seen.whole.append(time.monotonic() - began)
            return True

    async def _quiet(self) -> None:
        """Until the server has nothing more to say, for the time being."""
        with contextlib.suppress(asyncio.TimeoutError):
            while True:
                await asyncio.wait_for(self.socket.recv(), QUIET)

    def _look(self, message: ForwardMsg, data: bytes | str) -> None:
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        if set(_MARK.findall(text)) - {self.mark}:
            self.seen.foreign += 1
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "button":
            for key in ("stop", "regenerate"):
                if element.button.id.endswith(f"-{key}"):
                    self.buttons[key] = element.button.id
        if kind in VALUES:
            widget = getattr(element, kind)
            if widget.set_value or widget.id not in self.widgets:  # else it stays as it is
                self.widgets[widget.id] = VALUES[kind](widget)
        if kind == "exception":
            self.seen.failures.append(element.exception.message[:200])
        if kind == "alert" and element.alert.body:
            self.seen.failures.append(element.alert.body[:200])

    @staticmethod
    def _writes(message: ForwardMsg) -> bool:
        found = _RUNNING.search(message.delta.new_element.html.body)
        return found is not None and bool(found[1])

    @staticmethod
    def _shows(message: ForwardMsg) -> bool:
        """A text that is finished."""
        return message.delta.new_element.bidi_component.component_name == STRIP


class App:
    """The app in a process of its own."""

    def __init__(self, address: str, process: int) -> None:
        self.stream = f"ws://{address}/_stcore/stream"
        self.files = Path(f"/proc/{process}")

    def megabytes(self) -> float:
        status = (self.files / "status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def seconds(self) -> float:
        """Of processor time, so far."""
        fields = (self.files / "stat").read_text().rsplit(")")[-1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(
    app: App, people: int, seconds: float, tokens: int, seed: int
) -> tuple[Seen, list[tuple[float, float]]]:
    """(what was seen, [(second, megabytes of the app)])."""
    seen, memory = Seen(), []
    began = time.monotonic()
    until = began + seconds
    numbers = iter(range(10_000))

    async def seat(which: int) -> None:
        """People one after another at one place of the room."""
        rng = random.Random(f"{seed} {which}")
        while time.monotonic() < until:
            person = Person(app.stream, next(numbers), seen, tokens)
            try:
                await person.live(until, rng)
            except Exception as error:
                seen.failures.append(f"{type(error).__name__}: {error}"[:200])
                await asyncio.sleep(1)

    async def watch() -> None:
        while True:
            memory.append((time.monotonic() - began, app.megabytes()))
            last = f"{memory[-1][0]:.0f} s: {memory[-1][1]:.0f} MB, {len(seen.whole)} texts"
            print(f"{last}, {len(seen.failures)} failures", file=sys.stderr, flush=True)
            await asyncio.sleep(10)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(seat(which) for which in range(people)))
    watcher.cancel()
    return seen, memory


def told(
    seen: Seen, memory: list[tuple[float, float]], idle: float, seconds: float, people: int
) -> dict[str, Any]:
    warm = [m for second, m in memory if second >= min(WARM_UP, seconds / 3)]
    tenth = max(1, len(warm) // 10)
    begin, end = statistics.mean(warm[:tenth]), statistics.mean(warm[-tenth:])
    return {
        "machine": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "people": people,
        "minutes": seconds / 60,
        "sessions": seen.people,
        "texts": len(seen.whole),
        "failures": len(seen.failures),
        "reasons": sorted(set(seen.failures)),
        "foreign": seen.foreign,
        "first_median": statistics.median(seen.first),
        "first_worst_of_20": statistics.quantiles(seen.first, n=20)[-1],
        "first_longest": max(seen.first),
        "whole_median": statistics.median(seen.whole),
        "stops": len(seen.stopped),
        "stop_median": statistics.median(seen.stopped) if seen.stopped else None,
        "left": seen.left,
        "megabytes_warm": begin,
        "megabytes_end": end,
        "growth": end / begin - 1,
        "idle_cores_after": idle,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home)) as running,
    ):
        app = App(*running)
        seconds = parsed.minutes * 60
        seen, memory = asyncio.run(load(app, parsed.people, seconds, parsed.tokens, parsed.seed))
        time.sleep(5)
        before = app.seconds()
        time.sleep(10)
        idle = (app.seconds() - before) / 10
    found = told(seen, memory, idle, seconds, parsed.people)
    print(json.dumps(found, indent=2))
    for failure in sorted(set(seen.failures)):
        print(f"{seen.failures.count(failure)} x {failure}", file=sys.stderr)
    if parsed.json:
        parsed.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
