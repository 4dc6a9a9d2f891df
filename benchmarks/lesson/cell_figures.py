"""Stations 8 to 11: the cells beside each other, and a wave."""

from __future__ import annotations

import numpy as np

from benchmarks.lesson.style import WIDTH, Found, Say, colour, name_of
from benchmarks.lesson.svg import INK, PALE, Axes, Sheet, blend

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
