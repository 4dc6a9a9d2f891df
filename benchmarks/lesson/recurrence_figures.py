"""Stations 1 to 4: the loop, its slopes and products, and the lesson's sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.lesson.style import BLUE, GREEN, RED, WIDTH, Found, Say, colour, name_of
from benchmarks.lesson.svg import GRID, INK, PALE, Axes, Sheet, signed

BLANK = 6 * "\u00a0"  # SVG makes one of several blanks

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
