"""Drawing in SVG: shapes and words on a sheet, and axes that turn numbers into places on it."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Sequence

INK, PALE, GRID = "#26262b", "#74747c", "#e2e2e6"
FONTS = "'Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif"


class Sheet:
    """A white sheet; x grows to the right, y downwards. title: what it shows, in words."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str = INK,
        width: float = 1.5,
        dash: str = "",
        arrow: bool = False,
    ) -> None:
        """Through all points; with an arrow at the last."""
        through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        more = f' stroke-dasharray="{dash}"' if dash else ""
        if arrow:
            more += ' marker-end="url(#head)"'
        self.parts.append(
            f'<polyline points="{through}" fill="none" stroke="{colour}" '
            f'stroke-width="{width:g}" stroke-linejoin="round"{more}/>'
        )

    def curve(self, path: str, colour: str = INK, width: float = 1.5) -> None:
        """A path of SVG with an arrow at its end."""
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'marker-end="url(#head)"/>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "none",
        colour: str = "none",
        radius: float = 0,
    ) -> None:
        """x, y: its upper left corner."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{radius:g}" fill="{fill}" stroke="{colour}"/>'
        )

    def dot(
        self, x: float, y: float, radius: float = 3, fill: str = INK, colour: str = "none"
    ) -> None:
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{colour}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 13,
        anchor: str = "middle",
        colour: str = INK,
        bold: bool = False,
    ) -> None:
        """y: of the line that the words stand on. What follows _ up to a blank is set low."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
            f'fill="{colour}"{weight}>{_lowered(words)}</text>'
        )

    def svg(self) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" role="img" font-family="{FONTS}">\n'
            f"<title>{html.escape(self.title)}</title>\n"
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="context-stroke"/>'
            "</marker></defs>\n"
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def _lowered(words: str) -> str:
    """ "C_t-1 = 0.5": t-1 set low, and what follows it back on the line."""
    parts, low = [], False
    for index, word in enumerate(words.split(" ")):
        before, mark, after = word.partition("_")
        shift = "<tspan dy='-4'> </tspan>" if low else (" " if index else "")
        parts.append(shift + html.escape(before))
        low = bool(mark)
        if low:
            parts.append(f"<tspan dy='4' font-size='75%'>{html.escape(after)}</tspan>")
    return "".join(parts)


@dataclasses.dataclass(frozen=True)
class Axes:
    """A part of a sheet, from `left`, `top` on, with numbers along it.

    x, y: the numbers at its ends. log: y grows by powers of ten.
    """

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False
    log_x: bool = False

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a pair of numbers; what lies outside is moved to the edge."""
        across = _share(x, self.x, self.log_x)
        up = _share(y, self.y, self.log)
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str,
        width: float = 2,
        dash: str = "",
    ) -> None:
        self.sheet.line([self.at(x, y) for x, y in zip(xs, ys, strict=True)], colour, width, dash)

    def x_ticks(self, values: Sequence[float], labels: Sequence[str] = (), title: str = "") -> None:
        bottom = self.top + self.height
        for k, value in enumerate(values):
            place, _ = self.at(value, self.y[0])
            self.sheet.line([(place, bottom), (place, bottom + 4)], PALE, 1)
            label = labels[k] if labels else f"{value:,g}".replace("-", "−")
            self.sheet.text(place, bottom + 18, label, 12, colour=PALE)
        self.sheet.line([(self.left, bottom), (self.left + self.width, bottom)], PALE, 1)
        if title:
            self.sheet.text(self.left + self.width / 2, bottom + 38, title, 12.5, colour=PALE)

    def y_ticks(self, values: Sequence[float], labels: Sequence[str] = (), title: str = "") -> None:
        """title: stands above the axis."""
        for k, value in enumerate(values):
            _, place = self.at(self.x[0], value)
            self.sheet.line([(self.left, place), (self.left + self.width, place)], GRID, 1)
            label = labels[k] if labels else f"{value:,g}".replace("-", "−")
            self.sheet.text(self.left - 7, place + 4, label, 12, "end", PALE)
        if title:
            self.sheet.text(self.left - 34, self.top - 12, title, 12.5, "start", PALE)


def _share(value: float, ends: tuple[float, float], log: bool) -> float:
    """Where a number lies between two others: 0 at the first, 1 at the second."""
    if log:
        value, ends = max(value, 1e-300), (math.log10(ends[0]), math.log10(ends[1]))
        value = math.log10(value)
    return min(1.0, max(0.0, (value - ends[0]) / (ends[1] - ends[0])))


def blend(value: float, low: str, high: str) -> str:
    """A colour between two, for a number from 0 to 1."""
    value = min(1.0, max(0.0, value))
    pairs = [(int(low[k : k + 2], 16), int(high[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * value):02x}" for a, b in pairs)


def signed(value: float, scale: float = 1.0) -> str:
    """Orange below zero, white at it, blue above."""
    share = value / scale
    return blend(abs(share), "#ffffff", "#1f6fb4" if share > 0 else "#d95f02")
