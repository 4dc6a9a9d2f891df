"""The loop unrolled, as lessons draw it: x in, h passed on, y out, token after token."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.interpret import Trace

SHOWN = 7  # tokens
UNITS = 6  # of h, those that move most
BELOW, ABOVE = "213, 94, 0", "0, 114, 178"  # red, green and blue of a value's colour


def show(model: Model, ids: list[int], trace: Trace, token: int) -> None:
    """The cell at the chosen token and at those around it: the same cell at each."""
    first = min(max(token - SHOWN // 2, 0), max(len(ids) - SHOWN, 0))
    h = trace.layers[0]["h"]
    units = np.sort(np.argsort(-h.std(0))[:UNITS])
    steps = "".join(
        step(model, ids, trace, k, h[k, units], k == token)
        for k in range(first, min(first + SHOWN, len(ids)))
    )
    st.html(f'<div class="tg-unrolled" tabindex="0">{steps}</div>')
    st.caption(t("unrolled.how", shown=UNITS, units=h.shape[1]))


def step(model: Model, ids: list[int], trace: Trace, k: int, h: Array, here: bool) -> str:
    """HTML: from below, what is read, the values of h, and the likeliest next token."""
    likeliest = int(trace.logprobs[k].argmax())
    share = float(np.exp(trace.logprobs[k, likeliest]))
    read = visible(model.tokenizer.token(ids[k])) if k else "↵"
    values = "".join(
        f'<i style="background: rgba({ABOVE if value > 0 else BELOW}, {min(abs(value), 1):.2f})">'
        "</i>"
        for value in h
    )
    return (
        f"<div{' class=tg-here' if here else ''}>"
        f"<small>{share:.0%}</small><b>{html.escape(visible(model.tokenizer.token(likeliest)))}</b>"
        f"<small>y<sub>{k}</sub> ↑</small><span>{values}</span>"
        f"<small>↑ x<sub>{k}</sub></small><b>{html.escape(read)}</b></div>"
    )


def visible(text: str) -> str:
    """A token of white space as a sign."""
    return text.replace(" ", "␣").replace("\n", "↵")
