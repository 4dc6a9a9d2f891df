"""A step of a cell, drawn with the numbers of one unit, and a walk through it, value by value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import streamlit as st

from textgen.cells.cell import Cell
from textgen.cells.flow import Share

_HERE = Path(__file__).parent
_SCRIPTS = ("cell_drawing.js", "cell_picture.js")


def picture(
    cell: Cell,
    values: Mapping[str, float],
    token: str,
    scale: float,
    replaced: Collection[str] = (),
) -> dict[str, object]:
    """What cell_drawing.js draws. scale: the largest size of the unit's state in the text.

    values: as for `equations.lines`. Gates in cividis from 0 to 1, signed values orange to blue.
    replaced: names of values that were set by hand, drawn with a double ring.
    """

    def share(of: Share | None) -> dict[str, object] | None:
        if of is None:
            return None
        return {"label": of.label, "value": float(of.of(values)), "gates": list(of.gates)}

    flow = cell.flow
    return {
        "state": cell.carried,
        "activation": cell.activation,
        "values": dict(values),
        "shares": flow
        and {
            "retained": share(flow.retained),
            "written": share(flow.written),
            "shown": share(flow.shown),
        },
        "equations": {
            heading: [{"value": e.value, "symbols": e.symbols} for e in equations]
            for heading, equations in cell.equations.items()
        },
        "token": token,
        "scale": scale,
        "replaced": list(replaced),
    }


def show(
    drawn: Mapping[str, object], walk: Sequence[tuple[str, str]], words: Mapping[str, str], key: str
) -> None:
    """Put a picture on the page, in the page's own colour of text.

    walk: the values in the order in which they are lit, and what is said of each. The container of
    an equation on the page has the key "equation f". words: play, pause, back, on, see.
    """
    place = st.components.v2.component(
        "textgen_cell",
        css=(_HERE / "cell_picture.css").read_text(encoding="utf-8"),
        js="\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    )
    steps = [{"value": value, "text": text} for value, text in walk]
    place(data={**drawn, "walk": steps, "words": dict(words)}, key=key)
