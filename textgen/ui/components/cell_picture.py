"""A cell at work, drawn: the state on its way from left to right, the gates with their numbers."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Collection, Mapping

import streamlit as st

from textgen.cells.cell import Cell
from textgen.cells.flow import Flow, Share

WIDTH, RADIUS = 420, 26
# cividis (Nuñez et al. 2018) at 0, 1/4 ... 1: gates
CIVIDIS = ((0, 34, 78), (65, 77, 107), (124, 123, 120), (188, 175, 111), (254, 232, 56))
# orange to grey to blue, at -1, 0 and 1: signed values
SIGNED = ((217, 95, 2), (226, 224, 218), (31, 119, 180))


def picture(
    cell: Cell,
    values: Mapping[str, float],
    token: str,
    scale: float,
    replaced: Collection[str] = (),
) -> str:
    """SVG, as wide as what it is put into. scale: the largest size of the unit's state in the text.

    values: as for `equations.lines`. Gates in cividis from 0 to 1, signed values orange to blue.
    replaced: names of values that were set by hand, drawn with a double ring.
    """
    state = cell.carried
    unit = _Unit(values, max(scale, 1e-9), replaced)
    parts = [
        _state(f"{state}<tspan dy='4' font-size='10'>t−1</tspan>", 40, values[f"was_{state}"], unit)
    ]
    if cell.flow is None:
        parts += _anew(cell.activation)
        end = 152
    else:
        parts += _conveyor(cell.flow, state, unit)
        end = 262 if cell.flow.shown else 244
    parts.append(
        _state(f"{state}<tspan dy='4' font-size='10'>t</tspan>", WIDTH - 40, values[state], unit)
    )
    shown = html.escape(token.replace(" ", "␣").replace("\n", "↵"))
    parts.append(
        _text(
            14,
            end - 4,
            f"x<tspan dy='4' font-size='10'>t</tspan><tspan dy='-4'> = {shown}</tspan>",
            "start",
        )
    )
    return (
        f'<svg class="tg-cell" viewBox="0 0 {WIDTH} {end}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg" font-size="14" fill="currentColor">'
        f"{_ARROW}{''.join(parts)}</svg>"
    )


def show(svg: str, key: str) -> None:
    """Put a picture on the page, in the page's own colour of text. `st.html` would drop it."""
    place = st.components.v2.component(
        "textgen_cell",
        html="<div class='cell'></div>",
        css=".cell { color: var(--st-text-color); max-width: 30rem; margin: 0 auto; }"
        ".cell svg { width: 100%; height: auto; font-family: var(--st-font); }",
        js="export default ({ parentElement, data }) => {"
        " parentElement.querySelector('.cell').innerHTML = data.svg; };",
    )
    place(data={"svg": svg}, key=key)


@dataclasses.dataclass(frozen=True)
class _Unit:
    """What is drawn of one unit."""

    values: Mapping[str, float]
    scale: float
    replaced: Collection[str]


_ARROW = (
    '<defs><marker id="tg-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="currentColor"/></marker>'
    "</defs>"
)
TOP = 44  # of the line on which the state travels


def _conveyor(flow: Flow, state: str, unit: _Unit) -> list[str]:
    """C_{t-1} -> × retained -> + written × candidate -> C_t, and what is shown of it."""
    forget, add, tap = 118, 228, 322
    parts = [
        _line(70, TOP, forget - 13, TOP),
        _line(forget + 13, TOP, add - 13, TOP),
        _line(add + 13, TOP, WIDTH - 72, TOP),
        _operator(forget, TOP, "×"),
        _operator(add, TOP, "+"),
        _operator(add, 106, "×"),
        _line(forget, 134, forget, TOP + 13),
        _line(add, 93, add, TOP + 13),
        _line(190, 150, 219, 115),
        _line(266, 150, 237, 115),
        _share(flow.retained, forget, 160, unit),
        _share(flow.written, 184, 176, unit),
        _candidate(state, 272, 176, unit),
    ]
    if flow.shown:
        parts += [
            _line(tap, TOP, tap, 88),
            _box(tap, 102, "tanh"),
            _line(tap, 116, tap, 163),
            _operator(tap, 176, "×"),
            _line(354, 176, tap + 13, 176),
            _share(flow.shown, 380, 176, unit),
            _line(tap, 189, tap, 214),
            _value(unit.values["h"], tap, 234, "h" in unit.replaced),
            _text(tap + 42, 239, "h<tspan dy='4' font-size='10'>t</tspan>", "start"),
        ]
    return parts


def _anew(activation: str) -> list[str]:
    """The plain recurrence: no old state goes round the activation."""
    middle = WIDTH / 2
    return [
        _line(70, TOP, middle - 34, TOP),
        _box(middle, TOP, activation),
        _line(middle + 34, TOP, WIDTH - 72, TOP),
        _line(middle, 108, middle, TOP + 16),
        _text(
            middle,
            126,
            "W x<tspan dy='4' font-size='10'>t</tspan><tspan dy='-4'> + U "
            "h</tspan><tspan dy='4' font-size='10'>t−1</tspan><tspan dy='-4'> + b</tspan>",
        ),
    ]


def _state(name: str, x: float, value: float, unit: _Unit) -> str:
    return _pill(x, TOP, value, value / unit.scale) + _text(x, TOP - 24, name)


def _share(share: Share, x: float, y: float, unit: _Unit) -> str:
    ring = not set(unit.replaced).isdisjoint(share.gates)
    number = share.of(unit.values)
    circle = _circle(x, y, _colour(CIVIDIS, number), ring) + _text(
        x, y + 5, f"{number:.2f}", fill=_ink(CIVIDIS, number)
    )
    return circle + _text(x, y + RADIUS + 21, share.label)


def _candidate(state: str, x: float, y: float, unit: _Unit) -> str:
    label = f"{state}\u0303<tspan dy='4' font-size='10'>t</tspan>"
    pill = _value(unit.values["c"], x, y, "c" in unit.replaced)
    return pill + _text(x, y + RADIUS + 21, label)


def _value(value: float, x: float, y: float, ring: bool) -> str:
    """A value that lies between -1 and 1, or is drawn as if it did."""
    return _pill(x, y, value, value, ring)


def _pill(x: float, y: float, value: float, signed: float, ring: bool = False) -> str:
    """value: the number; signed: where its colour lies between -1 and 1."""
    share = (min(max(signed, -1.0), 1.0) + 1) / 2
    outer = (
        f'<rect x="{x - 34}" y="{y - 18}" width="68" height="36" rx="18" fill="none" '
        'stroke="currentColor" stroke-width="1.5"/>'
        if ring
        else ""
    )
    return (
        f'{outer}<rect x="{x - 30}" y="{y - 14}" width="60" height="28" rx="14" '
        f'fill="{_rgb(_colour(SIGNED, share))}"/>'
        + _text(x, y + 5, f"{value:+.2f}".replace("-", "−"), fill=_ink(SIGNED, share))
    )


def _circle(x: float, y: float, colour: tuple[int, ...], ring: bool) -> str:
    outer = (
        f'<circle cx="{x}" cy="{y}" r="{RADIUS + 4}" fill="none" stroke="currentColor" '
        'stroke-width="1.5"/>'
        if ring
        else ""
    )
    return f'{outer}<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{_rgb(colour)}"/>'


def _operator(x: float, y: float, sign: str) -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="12" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        + _text(x, y + 5, sign)
    )


def _box(x: float, y: float, word: str) -> str:
    return (
        f'<rect x="{x - 32}" y="{y - 14}" width="64" height="28" rx="5" fill="none" '
        f'stroke="currentColor" stroke-width="1.5"/>' + _text(x, y + 5, word)
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor" stroke-width="1.5" '
        'marker-end="url(#tg-head)"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle", fill: str = "") -> str:
    colour = f' fill="{fill}"' if fill else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{colour}>{text}</text>'


def _colour(stops: tuple[tuple[int, ...], ...], share: float) -> tuple[int, ...]:
    """The colour at `share`, 0 to 1, between evenly spaced stops."""
    at = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    left = min(int(at), len(stops) - 2)
    return tuple(
        round(a + (b - a) * (at - left)) for a, b in zip(stops[left], stops[left + 1], strict=True)
    )


def _ink(stops: tuple[tuple[int, ...], ...], share: float) -> str:
    red, green, blue = _colour(stops, share)
    return "#111" if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else "#fff"


def _rgb(colour: tuple[int, ...]) -> str:
    return f"rgb({','.join(map(str, colour))})"
