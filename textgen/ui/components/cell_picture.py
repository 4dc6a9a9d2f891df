"""A cell at work, drawn: the state on its way from left to right, the gates with their numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from textgen.cells.cell import Cell
from textgen.cells.flow import Share

_HERE = Path(__file__).parent


def picture(
    cell: Cell,
    values: Mapping[str, float],
    token: str,
    scale: float,
    replaced: Collection[str] = (),
) -> dict[str, Any]:
    """What cell_picture.js draws. scale: the largest size of the unit's state in the text.

    values: as for `equations.lines`. Gates in cividis from 0 to 1, signed values orange to blue.
    replaced: names of values that were set by hand, drawn with a double ring.
    """

    def share(of: Share | None) -> dict[str, Any] | None:
        if of is None:
            return None
        ring = not set(replaced).isdisjoint(of.gates)
        return {"label": of.label, "value": float(of.of(values)), "ring": ring}

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
        "token": token,
        "scale": scale,
        "replaced": list(replaced),
    }


def show(drawn: Mapping[str, Any], key: str) -> None:
    """Put a picture on the page, in the page's own colour of text."""
    place = st.components.v2.component(
        "textgen_cell",
        css=(_HERE / "cell_picture.css").read_text(encoding="utf-8"),
        js=(_HERE / "cell_picture.js").read_text(encoding="utf-8"),
    )
    place(data=dict(drawn), key=key)
