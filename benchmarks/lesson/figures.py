"""The figures of the lesson, each in English and in Korean, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.lesson.svg import GRID, INK, PALE, Axes, Sheet, blend, signed
from textgen.cells import CELLS

Found = Mapping[str, Any]
Say = Callable[[str, str], str]  # (English, Korean) -> that of the figure's language

WIDTH = 760
BLANK = 6 * "\u00a0"  # SVG makes one of several blanks
RED, BLUE, GREEN = "#c8453b", "#1f6fb4", "#2e8b57"
FACT_COLOURS = {"한국": "#1f6fb4", "일본": "#c8453b", "미국": "#2e8b57"}
IN_ENGLISH = {"한국": "Korea", "일본": "Japan", "미국": "America"}


def colour(cell: str) -> str:
    return CELLS[cell].colour


def name_of(cell: str) -> str:
    return {"mingru": "minGRU", "peephole": "peephole", "coupled": "coupled"}.get(
        cell, cell.upper()
    )


def all_figures(found: Found, learned: Found, language: str) -> dict[str, Sheet]:
    """Name of the file -> the figure."""

    def say(english: str, korean: str) -> str:
        return korean if language == "ko" else english

    return {
        "1-unrolled": unrolled(found["unrolled"], say),
        "2-slopes": slopes(found["slopes"], say),
        "3-powers": powers(found["powers"], say),
        "4-sentence": sentence(found, say),
        "4-recall": recall(found["recall"], say),
        "5-step": step(found["step"], say),
        "6-gradient": gradient(found["gradient"], say),
        "7-overlay": overlay(found["overlay"], say),
        "8-cells": cells(found, say),
        "9-race": race(found["speed"], found["recall"], say),
        "10-mingru": mingru(found["speed"], say),
        "11-wave": wave(learned["wave"], say),
    }


# --- 1: the loop unrolled -------------------------------------------------------------------------


def unrolled(found: Found, say: Say) -> Sheet:
    tokens = found["tokens"]
    sheet = Sheet(
        WIDTH,
        330,
        say(
            "A recurrent cell as a loop, and the same cell unrolled over the characters it reads",
            "고리로 그린 순환 셀과, 같은 셀을 읽는 글자마다 펼친 그림",
        ),
    )
    top, bottom = 120, 190
    # the loop
    sheet.box(30, top, 70, 70, "#e8f0e4", "#7fa36b", 8)
    sheet.text(65, top + 41, "RNN", 14, bold=True)
    sheet.line([(65, 268), (65, bottom + 3)], arrow=True)
    sheet.line([(65, top), (65, 62)], arrow=True)
    sheet.curve(f"M 100 {top + 22} C 140 {top - 30}, 20 {top - 46}, 42 {top - 3}")
    sheet.text(65, 286, "x_t", 15)
    sheet.text(65, 52, "y_t", 15)
    sheet.text(122, top - 14, "h", 15)
    sheet.text(136, 160, "=", 24)
    # unrolled
    left, pitch = 172, (WIDTH - 180) / len(tokens)
    for k, token in enumerate(tokens):
        x = left + k * pitch
        middle = x + 27
        sheet.box(x, top, 54, 70, "#e8f0e4", "#7fa36b", 8)
        for unit, value in enumerate(found["h"][k]):
            sheet.box(
                x + 8 + 13 * (unit % 3),
                top + 20 + 16 * (unit // 3),
                12,
                14,
                signed(value),
                "#b9c2b3",
            )
        sheet.line([(middle, 254), (middle, bottom + 3)], arrow=True)
        sheet.line([(middle, top), (middle, 82)], arrow=True)
        if k + 1 < len(tokens):
            sheet.line([(x + 54, top + 35), (x + pitch - 1, top + 35)], arrow=True)
        sheet.text(middle, 274, token.replace(" ", "␣"), 19, bold=True)
        sheet.text(middle, 294, f"x_{k}", 12, colour=PALE)
        sheet.text(middle, 68, found["next"][k].replace(" ", "␣").replace("\n", "↵"), 19, bold=True)
        sheet.text(middle, 46, f"{found['p'][k]:.0%}", 12, colour=PALE)
    sheet.text(
        left,
        24,
        say("y: the character it expects next", "y: 다음에 올 것으로 예상한 글자"),
        12.5,
        "start",
        PALE,
    )
    sheet.text(
        left,
        318,
        say(
            "x: what it reads.  h: six of its 128 numbers, orange below 0, blue above",
            "x: 읽은 글자.  h: 숫자 128개 가운데 여섯 개 (주황은 음수, 파랑은 양수)",
        ),
        12.5,
        "start",
        PALE,
    )
    return sheet


# --- 2, 3: slopes, and products of them -----------------------------------------------------------


def slopes(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        330,
        say(
            "tanh, sigmoid and ReLU, and the slope of each",
            "tanh, 시그모이드, ReLU와 그 기울기",
        ),
    )
    a = np.array(found["a"])
    values = {"tanh": np.tanh(a), "sigmoid": 1 / (1 + np.exp(-a)), "relu": np.maximum(a, 0)}
    colours = {"tanh": BLUE, "sigmoid": "#e08a00", "relu": GREEN}
    names = {"tanh": "tanh", "sigmoid": say("sigmoid", "시그모이드"), "relu": "ReLU"}
    left = Axes(sheet, 60, 60, 290, 210, (-4, 4), (-1.2, 2.2))
    right = Axes(sheet, 430, 60, 290, 210, (-4, 4), (0, 1.15))
    left.y_ticks([-1, 0, 1, 2], title=say("value", "함숫값"))
    right.y_ticks([0, 0.25, 0.5, 0.75, 1], title=say("slope", "기울기 (미분값)"))
    for axes in (left, right):
        axes.x_ticks([-4, -2, 0, 2, 4], title="a")
    for name in values:
        inside = values[name] <= 2.2
        left.line(a[inside].tolist(), values[name][inside].tolist(), colours[name], 2.5)
        right.line(found["a"], found["slope"][name], colours[name], 2.5)
    x, y = right.at(-2.1, 0.25)
    sheet.text(x, y - 4, "1/4", 13, "end", colours["sigmoid"], True)
    x, y = right.at(-0.15, 1.0)
    sheet.text(x, y - 7, "1", 13, "end", colours["tanh"], True)
    for k, name in enumerate(values):
        sheet.line([(430 + 105 * k, 24), (452 + 105 * k, 24)], colours[name], 3)
        sheet.text(458 + 105 * k, 28, names[name], 13, "start")
    return sheet


def powers(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        340,
        say(
            "0.9, 1 and 1.1 multiplied by themselves a hundred times",
            "0.9, 1, 1.1을 백 번 곱하면",
        ),
    )
    steps = list(range(len(found["1.0"])))
    axes = Axes(sheet, 80, 40, 560, 230, (0, steps[-1]), (1e-5, 1e5), log=True)
    axes.y_ticks(
        [1e-4, 1e-2, 1, 1e2, 1e4],
        ["0.0001", "0.01", "1", "100", "10,000"],
        say("product", "곱한 값"),
    )
    axes.x_ticks(range(0, steps[-1] + 1, 20), title=say("steps", "단계"))
    for factor, shade in (("0.9", RED), ("1.0", PALE), ("1.1", BLUE)):
        axes.line(steps, found[factor], shade, 2.5)
        x, y = axes.at(steps[-1], found[factor][-1])
        last = {"0.9": f"{found['0.9'][-1]:.6f}", "1.0": "1", "1.1": f"{found['1.1'][-1]:,.0f}"}
        sheet.text(x + 8, y + 5, last[factor], 13, "start", shade, True)
        x, y = axes.at(42, found[factor][42])
        label = {"0.9": "0.9 × 0.9 × …", "1.0": "1 × 1 × …", "1.1": "1.1 × 1.1 × …"}[factor]
        sheet.text(x, y - 14 if factor != "0.9" else y - 16, label, 13, "start", shade)
    return sheet


# --- 4: the sentence ------------------------------------------------------------------------------


def sentence(found: Found, say: Say) -> Sheet:
    """Each model's three likeliest answers for each fact."""
    between = say(f"{found['between']} characters", f"다른 이야기 {found['between']}글자")
    sheet = Sheet(
        WIDTH,
        470,
        say(
            "What RNN, LSTM and GRU put into the blank, for three countries",
            "세 나라를 말했을 때 RNN, LSTM, GRU가 빈칸에 넣은 답",
        ),
    )
    sheet.text(
        20,
        26,
        f"“나는 …사람이야. ({between}) 그래서 나는 ({BLANK})를 할 줄 알아.”",
        15,
        "start",
    )
    for column, fact in enumerate(("한국", "일본", "미국")):
        x = 110 + column * 220
        sheet.text(x, 66, f"나는 {fact}사람이야.", 15, "start", bold=True)
        for row, cell in enumerate(("rnn", "lstm", "gru")):
            y = 84 + row * 128
            if not column:
                sheet.text(20, y + 52, name_of(cell), 16, "start", colour(cell), True)
            one = found["sentence"][cell][fact]
            best = sorted(one["shares"].items(), key=lambda pair: -pair[1])[:3]
            for k, (answer, share) in enumerate(best):
                place = y + 12 + k * 30
                right = answer == one["right"]
                sheet.text(x + 64, place + 15, answer, 12.5, "end", INK, right)
                sheet.box(
                    x + 70,
                    place + 2,
                    max(1, 84 * share),
                    17,
                    colour(cell) if right else "#c3c3c9",
                    radius=2,
                )
                sheet.text(x + 76 + 84 * share, place + 16, f"{share:.0%}", 12.5, "start")
        if column:
            sheet.line([(x - 20, 50), (x - 20, 450)], GRID, 1)
    sheet.text(
        20,
        462,
        say("in colour: the right answer", "색칠한 막대: 맞는 답"),
        12.5,
        "start",
        PALE,
    )
    return sheet


def recall(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        360,
        say(
            "Right answers against the number of characters between fact and answer",
            "사실과 답 사이의 글자 수에 따른 정답률",
        ),
    )
    distances = [int(d) for d in found["rnn"]["right"]]
    ends = (float(distances[0]), float(distances[-1]))
    axes = Axes(sheet, 70, 40, 580, 250, ends, (0, 1), log_x=True)
    axes.y_ticks(
        [0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"], say("right", "정답률")
    )
    axes.x_ticks(distances, title=say("characters in between", "사이에 있는 글자 수"))
    chance = found["rnn"]["chance"]
    axes.line(ends, (chance, chance), PALE, 1.2, "4 4")
    x, y = axes.at(ends[0], chance)
    sheet.text(x + 6, y + 15, say("guessing", "무작위 추측"), 12, "start", PALE)
    ends_at: list[tuple[float, str]] = []
    for cell in ("rnn", "lstm", "gru"):
        right = [found[cell]["right"][str(d)] for d in distances]
        axes.line(distances, right, colour(cell), 2.5)
        for d, share in zip(distances, right, strict=True):
            x, y = axes.at(d, share)
            sheet.dot(x, y, 4, colour(cell))
        ends_at.append((axes.at(ends[1], right[-1])[1], cell))
    for (_, cell), y in zip(sorted(ends_at), spaced([y for y, _ in sorted(ends_at)]), strict=True):
        sheet.text(662, y + 5, name_of(cell), 14, "start", colour(cell), True)
    return sheet


def spaced(places: Sequence[float], least: float = 18) -> list[float]:
    """Places from above to below, none nearer than `least` to the one before it."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least) if found else place)
    return found


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
            f"unit {found['unit']} of the LSTM, at the last character of {found['fact']}",
            f"LSTM의 {found['unit']}번 유닛이 {found['fact']}의 마지막 글자를 읽을 때",
        ),
        13,
        colour=PALE,
    )
    return sheet


def number(value: float) -> str:
    """With three decimals; what would be nothing but zeros, as a power of ten."""
    if value and abs(value) < 5e-4:
        mantissa, exponent = f"{value:.0e}".split("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa}×10{power}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−")


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


# --- 8, 9, 10: cells ------------------------------------------------------------------------------


def cells(found: Found, say: Say) -> Sheet:
    """Parameters, and right answers at two distances, cell by cell."""
    sheet = Sheet(
        WIDTH,
        360,
        say(
            "Six cells: their parameters, and how often each is right",
            "여섯 가지 셀의 매개변수와 정답률",
        ),
    )
    order = ("rnn", "lstm", "peephole", "coupled", "gru", "mingru")
    most = max(found["parameters"][cell] for cell in order)
    sheet.text(
        110,
        30,
        say("parameters (d = 32, u = 128)", "매개변수 (d = 32, u = 128)"),
        13,
        "start",
        PALE,
    )
    for k, distance in enumerate(("100", "1000")):
        sheet.text(
            480 + 140 * k,
            30,
            say(f"right at {int(distance):,}", f"{int(distance):,}글자 뒤 정답률"),
            13,
            "start",
            PALE,
        )
    for row, cell in enumerate(order):
        y = 50 + row * 48
        count = found["parameters"][cell]
        sheet.text(98, y + 21, name_of(cell), 15, "end", INK, True)
        sheet.box(110, y + 6, 260 * count / most, 22, colour(cell), radius=2)
        sheet.text(118 + 260 * count / most, y + 22, f"{count:,}", 13, "start")
        for k, distance in enumerate(("100", "1000")):
            right = found["recall"][cell]["right"][distance]
            sheet.box(480 + 140 * k, y + 6, 70, 22, "#efeff2", radius=2)
            sheet.box(480 + 140 * k, y + 6, max(1, 70 * right), 22, colour(cell), radius=2)
            sheet.text(558 + 140 * k, y + 22, f"{right:.0%}", 13, "start")
    return sheet


def race(speed: Found, found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        330,
        say(
            "LSTM and GRU: how fast each learns, and how far back each is right",
            "LSTM과 GRU: 배우는 속도와 거리별 정답률",
        ),
    )
    pair = ("lstm", "gru")
    thousands = {cell: speed[cell] / 1000 for cell in pair}
    most = 100 * float(np.ceil(max(thousands.values()) * 1.1 / 100))
    left = Axes(sheet, 90, 60, 220, 200, (-0.5, 1.5), (0, most))
    left.y_ticks(
        np.linspace(0, most, 5).tolist(),
        title=say("thousand characters a second", "1초에 배우는 글자 (천)"),
    )
    distances = [d for d in found["lstm"]["right"] if int(d) >= 100]
    right = Axes(sheet, 440, 60, 250, 200, (-0.5, len(distances) - 0.5), (0, 1))
    right.y_ticks(
        [0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"], say("right", "정답률")
    )
    left.x_ticks([0, 1], ["LSTM", "GRU"])
    right.x_ticks(
        range(len(distances)),
        [f"{int(d):,}" for d in distances],
        say("characters in between; bars: 95 %", "사이에 있는 글자 수 (세로줄은 95 % 구간)"),
    )
    for k, cell in enumerate(pair):
        x, y = left.at(k, thousands[cell])
        sheet.box(x - 32, y, 64, 260 - y, colour(cell), radius=2)
        sheet.text(x, y - 7, f"{thousands[cell]:.0f}", 13, bold=True)
        for place, distance in enumerate(distances):
            x, y = right.at(place, found[cell]["right"][distance])
            x += 8 * (2 * k - 1)
            ends = [right.at(place, found[cell][end][distance])[1] for end in ("low", "high")]
            sheet.line([(x, end) for end in ends], colour(cell), 2)
            sheet.dot(x, y, 5, colour(cell))
        sheet.dot(560 + 70 * k, 33, 5, colour(cell))
        sheet.text(570 + 70 * k, 38, name_of(cell), 13, "start")
    return sheet


def mingru(speed: Found, say: Say) -> Sheet:
    """What has to wait for the step before, and what does not."""
    sheet = Sheet(
        WIDTH,
        330,
        say(
            "Which products wait for the step before: in a GRU and in a minGRU",
            "앞 단계를 기다려야 하는 곱셈: GRU와 minGRU",
        ),
    )
    d, u = 32, 128
    loads = {
        "lstm": (4 * u * d, 4 * u * u),
        "gru": (3 * u * d, 3 * u * u),
        "mingru": (2 * u * d, 0),
    }
    most = max(map(sum, loads.values()))
    sheet.text(
        110, 30, say("multiplications a character", "글자 하나에 드는 곱셈"), 13, "start", PALE
    )
    for row, (cell, (at_once, one_by_one)) in enumerate(loads.items()):
        y = 48 + row * 62
        sheet.text(98, y + 24, name_of(cell), 15, "end", INK, True)
        first, second = (400 * part / most for part in (at_once, one_by_one))
        sheet.box(110, y + 8, first, 24, blend(0.45, "#ffffff", colour(cell)))
        sheet.box(110 + first, y + 8, second, 24, colour(cell))
        sheet.text(118 + first + second, y + 25, f"{at_once + one_by_one:,}", 13, "start")
        thousands = speed[cell] / 1000
        sheet.text(
            118 + first + second,
            y + 43,
            say(
                f"learns {thousands:,.0f} thousand characters a second",
                f"1초에 {thousands / 10:,.0f}만 글자를 배움",
            ),
            12,
            "start",
            PALE,
        )
    for k, (shade, words) in enumerate(
        (
            (
                blend(0.45, "#ffffff", PALE),
                say(
                    "with x: all characters at once",
                    "x와의 곱: 모든 글자를 한꺼번에 계산할 수 있음",
                ),
            ),
            (
                PALE,
                say(
                    "with h of the step before: one after another",
                    "앞 단계의 h와의 곱: 차례를 기다려야 함",
                ),
            ),
        )
    ):
        y = 262 + 28 * k
        sheet.box(110, y, 22, 16, shade)
        sheet.text(140, y + 13, words, 13, "start")
    return sheet


# --- 11: a wave -----------------------------------------------------------------------------------


def wave(found: Found, say: Say) -> Sheet:
    sheet = Sheet(
        WIDTH,
        420,
        say(
            "A wave of two periods, and how RNN and LSTM go on with it",
            "두 주기가 섞인 파동과, RNN과 LSTM이 이어 그린 파동",
        ),
    )
    shown = 240
    for row, cell in enumerate(("rnn", "lstm")):
        top = 50 + row * 185
        axes = Axes(sheet, 70, top, 640, 125, (0, shown - 1), (0, 63))
        axes.y_ticks([0, 21, 42, 63])
        axes.x_ticks(
            range(0, shown, 40), title="" if row == 0 else say("steps written", "이어 쓴 단계")
        )
        axes.line(range(shown), found["true"][:shown], "#b9b9c2", 4)
        axes.line(range(shown), found["continued"][cell][:shown], colour(cell), 2)
        sheet.text(70, top - 12, name_of(cell), 15, "start", colour(cell), True)
        error = found["error"][cell]
        sheet.text(
            710,
            top - 12,
            say(
                f"off by {error:.1f} of 64 levels on average",
                f"64단계에서 평균 {error:.1f}단계 어긋남",
            ),
            13,
            "end",
        )
    sheet.line([(150, 34), (176, 34)], "#b9b9c2", 4)
    sheet.text(182, 38, say("the true wave", "실제 파동"), 12.5, "start", PALE)
    return sheet
