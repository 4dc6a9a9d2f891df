"""Stations 5 to 7: a step of an LSTM, the gradient, and h beside C."""

from __future__ import annotations

import numpy as np

from benchmarks.lesson.style import BLUE, WIDTH, Found, Say, colour, number
from benchmarks.lesson.svg import INK, PALE, Axes, Sheet

FACT_COLOURS = {"한국": "#1f6fb4", "일본": "#c8453b", "미국": "#2e8b57"}
IN_ENGLISH = {"한국": "Korea", "일본": "Japan", "미국": "America"}

# --- 5: one step ----------------------------------------------------------------------------------


def step(found: Found, say: Say) -> Sheet:
    """The picture of the lessons: the conveyor above, σ and tanh below, the numbers of one unit."""
    sheet = Sheet(
        WIDTH,
        430,
        say(
            "One step of an LSTM: forget, write, update, show, with the numbers of one unit",
            "LSTM의 한 걸음: 잊기, 쓰기, 갱신, 내보내기와 한 유닛의 숫자",
        ),
    )
    v, pink, yellow = found["values"], "#f6c9d6", "#fff2b8"
    sheet.box(120, 60, 520, 262, "#eaf3e6", "#7fa36b", 14)
    conveyor, low, bus = 100, 236, 292
    forget, write, new, out, exit_ = 190, 290, 390, 500, 570

    def operator(x: float, y: float, sign: str) -> None:
        sheet.dot(x, y, 14, pink, "#b0566f")
        sheet.text(x, y + 6, sign, 18)

    def layer(x: float, sign: str) -> None:
        sheet.box(x - 24, low - 15, 48, 30, yellow, "#b99b2f", 3)
        sheet.text(x, low + 6, sign, 16)

    # C on its conveyor
    sheet.line([(50, conveyor), (forget - 15, conveyor)], INK, 3)
    sheet.line([(forget + 15, conveyor), (new - 15, conveyor)], INK, 3)
    sheet.line([(new + 15, conveyor), (708, conveyor)], INK, 3, arrow=True)
    # h_{t-1} and x_t under the four layers
    sheet.line([(50, bus), (out, bus)])
    sheet.line([(150, 372), (150, bus)])
    for x, sign in ((forget, "σ"), (write, "σ"), (new, "tanh"), (out, "σ")):
        sheet.line([(x, bus), (x, low + 17)], arrow=True)
        layer(x, sign)
    sheet.line([(forget, low - 15), (forget, conveyor + 16)], arrow=True)
    operator(forget, conveyor, "×")
    sheet.line([(new, low - 15), (new, 186)], arrow=True)
    sheet.line([(write, low - 15), (write, 170), (new - 16, 170)], arrow=True)
    operator(new, 170, "×")
    sheet.line([(new, 156), (new, conveyor + 16)], arrow=True)
    operator(new, conveyor, "+")
    # what is shown
    sheet.line([(exit_, conveyor), (exit_, 134)], arrow=True)
    sheet.box(exit_ - 27, 136, 54, 26, pink, "#b0566f", 13)
    sheet.text(exit_, 154, "tanh", 14)
    sheet.line([(exit_, 162), (exit_, 184)], arrow=True)
    sheet.line([(out, low - 15), (out, 200), (exit_ - 16, 200)], arrow=True)
    operator(exit_, 200, "×")
    sheet.line([(exit_, 215), (exit_, bus), (708, bus)], arrow=True)
    sheet.line([(exit_ + 40, bus), (exit_ + 40, 40)], arrow=True)
    # names and numbers
    for x, y, words, anchor in (
        (44, conveyor - 14, "C_t-1", "middle"),
        (716, conveyor - 14, "C_t", "middle"),
        (44, bus - 12, "h_t-1", "middle"),
        (716, bus - 12, "h_t", "middle"),
        (exit_ + 40, 30, "h_t", "middle"),
    ):
        sheet.text(x, y, words, 16, anchor, bold=True)
    shown = found["token"].replace(" ", "␣")
    sheet.text(150, 392, f"x_t = {shown}", 16, bold=True)
    for x, y, words, anchor, shade in (
        (44, conveyor + 26, number(found["was_C"]), "middle", BLUE),
        (716, conveyor + 26, number(v["C"]), "middle", BLUE),
        (716, bus + 26, number(v["h"]), "middle", BLUE),
        (forget - 6, 206, f"f_t = {number(v['f'])}", "end", BLUE),
        (write - 6, 206, f"i_t = {number(v['i'])}", "end", BLUE),
        (new + 8, 212, f"C̃_t = {number(v['c'])}", "start", BLUE),
        (out + 14, 190, f"o_t = {number(v['o'])}", "middle", BLUE),
    ):
        sheet.text(x, y, words, 14, anchor, shade, True)
    for x, words in (
        (forget, say("1 forget", "① 잊기")),
        (write, say("2 write", "② 쓰기")),
        (new, say("(candidate)", "(후보)")),
        (out, say("4 show", "④ 내보내기")),
    ):
        sheet.text(x, 316, words, 12.5, colour=PALE)
    sheet.text(new + 20, 86, say("3 update", "③ 갱신"), 12.5, "start", PALE)
    sheet.text(
        WIDTH / 2,
        418,
        say(
            f"unit {found['unit']} of the LSTM, where {found['fact']} is written into it: "
            f"at {found['token']}",
            f"LSTM의 {found['unit']}번 유닛에 {found['fact']}이 적히는 글자 ‘{found['token']}’에서",
        ),
        13,
        colour=PALE,
    )
    return sheet


# --- 6, 7: the conveyor ---------------------------------------------------------------------------


def gradient(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        370,
        say(
            "What is left of the answer's gradient on its way back to the fact",
            "답에서 사실까지 되돌아가는 동안 남은 기울기",
        ),
    )
    steps = len(found["rnn"]) - 1
    decades = -int(np.floor(np.log10(max(min(found["rnn"]), 1e-30))))
    axes = Axes(sheet, 90, 50, 540, 240, (0, steps), (10.0**-decades, 10), log=True)
    every = max(1, decades // 5)
    exponents = list(range(0, decades + 1, every))
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    axes.y_ticks(
        [10.0**-k for k in exponents],
        ["1" if not k else f"10{str(-k).translate(raised)}" for k in exponents],
        say("what is left (1: as at the answer)", "남은 비율 (답에서 1)"),
    )
    axes.x_ticks(
        range(0, steps + 1, max(20, steps // 5 // 100 * 100)),
        title=say("characters read", "읽은 글자 (오른쪽 끝이 빈칸)"),
    )
    x, _ = axes.at(found["fact"], 1)
    sheet.line([(x, 50), (x, 290)], PALE, 1, "4 4")
    sheet.text(x + 5, 150, say("the fact", "사실"), 12.5, "start", PALE)
    xs = list(range(steps + 1))
    for name, words in (
        ("lstm", say("LSTM, along C", "LSTM, C를 따라")),
        ("rnn", say("plain RNN", "기본 RNN")),
    ):
        axes.line(xs, found[name], colour(name), 2.5)
        place = axes.at(steps * 0.4, found[name][int(steps * 0.4)])
        drop = -10 if name == "lstm" else 24
        sheet.text(place[0] + 10, place[1] + drop, words, 14, "start", colour(name), True)
    for name in ("lstm", "rnn"):
        x, y = axes.at(found["fact"], found[name][found["fact"]])
        sheet.dot(x, y, 4.5, colour(name))
    return sheet


def overlay(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        450,
        say(
            "C and h of one unit while it reads the same words after three countries",
            "나라만 다른 글을 읽는 동안 한 유닛의 C와 h",
        ),
    )
    facts = found["facts"]
    some = next(iter(facts.values()))
    steps = len(some["C"]) - 1
    panels = (
        ("C", 70, say("C, what is kept", "C, 간직하는 값")),
        ("h", 266, say("h, what is shown", "h, 내보내는 값")),
    )
    for part, top, title in panels:
        low = min(min(one[part]) for one in facts.values())
        high = max(max(one[part]) for one in facts.values())
        room = max(0.1, 0.08 * (high - low))
        axes = Axes(sheet, 70, top, 570, 130, (0, steps), (low - room, high + room))
        ticks = sorted({round(low, 1), 0.0, round(high, 1)})
        axes.y_ticks([t for t in ticks if low - room <= t <= high + room])
        axes.x_ticks(
            range(0, steps + 1, 10),
            title="" if part == "C" else say("characters read", "읽은 글자 수"),
        )
        sheet.text(70, top - 26, title, 14, "start", bold=True)
        for place, words in (
            (some["fact"], say("fact told", "나라를 말함")),
            (some["question"], say("question", "질문")),
        ):
            x, _ = axes.at(place, low)
            sheet.line([(x, top), (x, top + 130)], PALE, 1, "4 4")
            if part == "C":
                sheet.text(x, top - 6, words, 12, colour=PALE)
        for fact, one in facts.items():
            axes.line(range(steps + 1), one[part], FACT_COLOURS[fact], 2)
    for k, fact in enumerate(facts):
        sheet.line([(650, 90 + 26 * k), (668, 90 + 26 * k)], FACT_COLOURS[fact], 3)
        words = say(f"{fact} {IN_ENGLISH[fact]}", fact)
        sheet.text(673, 95 + 26 * k, words, 13, "start")
    sheet.text(
        640,
        44,
        say(f"unit {found['unit']} of the LSTM", f"LSTM의 {found['unit']}번 유닛"),
        12.5,
        "end",
        PALE,
    )
    return sheet
