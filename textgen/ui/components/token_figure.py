"""The figure of tokens: a canvas of units x tokens and the text itself, coloured by one of them.

Hover, scrolling, keys and the export to PNG and SVG stay in the browser; only a pinned cell or a
brushed span of tokens comes back to Python.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from textgen.arrays import Array
from textgen.ui.messages import t

_HERE = Path(__file__).parent / "token_figure"
LABELS = ("token", "hint", "keys", "text_keys", "space", "smaller", "larger")


@dataclasses.dataclass(frozen=True)
class Scale:
    """How numbers become colours.

    kind: "share", cividis from 0 to 1; "signed", orange over nothing to blue, from -end to end;
    "log", the same by the logarithm, with no tint below `begin`, nor below `floor`.
    """

    kind: str
    title: str
    end: float = 1.0
    begin: float = 0.0
    floor: float = 0.0


@dataclasses.dataclass(frozen=True)
class Pin:
    """The row, by name, and the token that are pinned."""

    row: str | None = None
    token: int | None = None


def token_figure(
    tokens: Sequence[str],
    values: Array,
    rows: Sequence[str],
    scales: Sequence[Scale],
    *,
    key: str,
    title: str,
    caption: str,
    value_word: str,
    row_word: str = "",
    scale_of: Sequence[int] = (),
    pinned: Pin | None = None,
    on_pin: Callable[[Pin], None] | None = None,
    brush: tuple[int, int] | None = None,
    on_span: Callable[[int, int], None] | None = None,
    marks: Sequence[tuple[int, str]] = (),
    rest: str = "",
    matrix: bool = True,
    strip: bool = True,
    legend: bool = True,
) -> None:
    """Show values [rows, tokens].

    scale_of: which of `scales` each row has; none given, the first. marks: (the token it stands
    after, its words). rest: what follows the tokens. on_pin and on_span are called before the next
    run of the page; a brushed span counts its last token.
    """
    pinned = pinned or Pin()
    data = {
        "tokens": list(tokens),
        "rows": list(rows),
        "values": base64.b64encode(np.asarray(values).astype("<f2").tobytes()).decode(),
        "scales": [dataclasses.asdict(scale) for scale in scales],
        "scale_of": list(scale_of) or [0] * len(rows),
        "pinned": dataclasses.asdict(pinned),
        "brush": brush,
        "marks": [{"token": token, "label": label} for token, label in marks],
        "title": title,
        "caption": caption,
        "value_word": value_word,
        "row_word": row_word,
        "rest": rest,
        "matrix": matrix,
        "strip": strip,
        "legend": legend,
        "file": key,
        "labels": {name: t(f"figure.{name}") for name in LABELS},
    }

    def chosen(name: str, hand_over: Callable[[Any], None]) -> Callable[[], None]:
        def callback() -> None:
            value = getattr(st.session_state[key], name, None)
            if value is not None:
                hand_over(value)

        return callback

    _component()(
        data=data,
        key=key,
        on_pin_change=chosen("pin", lambda cell: on_pin(Pin(**cell)) if on_pin else None),
        on_span_change=chosen("span", lambda span: on_span(*span) if on_span else None),
    )


def _component() -> Callable[..., object]:
    """What mounts the figure, of its files of CSS and JavaScript."""
    component: Callable[..., object] = st.components.v2.component(
        "textgen_token_figure",
        css=(_HERE / "figure.css").read_text(encoding="utf-8"),
        js="\n".join(
            (_HERE / f"{part}.js").read_text(encoding="utf-8")
            for part in ("scales", "paper", "matrix", "strip", "figure")
        ),
    )
    return component
