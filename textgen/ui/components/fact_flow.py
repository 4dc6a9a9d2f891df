"""A fact flowing along the state of two models while they read, played in the browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from textgen.arrays import Array

_HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Lane:
    """A model at work. ribbons [T, K]: of K units what tells the fact, from 0 to 1.

    says [T]: what it would answer if it were asked now, in words. right [T]: how likely the right
    answer would be.
    """

    name: str
    colour: str
    state: str
    ribbons: Array
    says: Sequence[str]
    right: Array


@dataclasses.dataclass(frozen=True)
class Caption:
    """What the tour says when it has come to a token."""

    token: int
    text: str


def fact_flow(
    tokens: Sequence[str],
    fact: tuple[int, int],
    answer: str,
    rest: str,
    lanes: Sequence[Lane],
    captions: Sequence[Caption],
    words: dict[str, str],
    *,
    key: str,
) -> None:
    """fact: the first and the last token of its word. answer, rest: what follows the tokens. words:
    play, pause, back, step, tour, place, now, see, summary."""
    data: dict[str, object] = {
        "tokens": list(tokens),
        "fact": fact,
        "answer": answer,
        "rest": rest,
        "lanes": [
            {
                "name": lane.name,
                "colour": lane.colour,
                "state": lane.state,
                "ribbons": lane.ribbons.round(3).T.tolist(),
                "says": list(lane.says),
                "right": lane.right.round(4).tolist(),
            }
            for lane in lanes
        ],
        "captions": [dataclasses.asdict(caption) for caption in captions],
        "words": words,
    }
    figure = st.components.v2.component(
        "textgen_fact_flow",
        html="<div class='flow'></div>",
        css=(_HERE / "fact_flow.css").read_text(encoding="utf-8"),
        js=(_HERE / "fact_flow.js").read_text(encoding="utf-8"),
    )
    figure(data=data, key=key)
