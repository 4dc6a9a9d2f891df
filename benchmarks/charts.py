"""How the charts of docs/ are drawn."""

from __future__ import annotations

from typing import Any

INK = "#85857e"


def on_any_ground(chart: Any) -> Any:
    """`chart`, of Altair, with words and lines that are read on light ground and on dark."""
    axis = {"labelColor": INK, "titleColor": INK, "gridColor": INK, "gridOpacity": 0.25}
    drawn = chart.configure(background="transparent").configure_axis(**axis)
    drawn = drawn.configure_legend(labelColor=INK).configure_header(labelColor=INK)
    return drawn.configure_view(stroke=None)
