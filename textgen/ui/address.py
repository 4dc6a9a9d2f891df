"""What the address of a page says. Anyone may have written it: what cannot be is as if unsaid."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

_NUMBER = re.compile("[0-9]{1,15}")  # not what Python takes for digits, such as ² or ٣


def number(name: str, low: int, high: int) -> int | None:
    """The whole number `name` in the address; None where there is none from low to high."""
    return _number(st.query_params.get(name, ""), low, high)


def span(name: str, low: int, high: int) -> tuple[int, int] | None:
    """The two numbers `name` in the address, the first not above the second; else None."""
    said = st.query_params.get_all(name)
    if len(said) != 2:
        return None
    first, last = (_number(text, low, high) for text in said)
    return (first, last) if first is not None and last is not None and first <= last else None


def choice(name: str, options: Sequence[str]) -> str | None:
    """The option that the address names; None where it names none of them."""
    said = st.query_params.get(name)
    return said if said in options else None


# what several pages look at: a document, its models, a unit and a token of it
CARRIED = (
    *("source", "text", "answer", "against", "donor_text", "any", "several"),
    *("label", "fact", "distance", "variant", "filler", "model", "cells", "layer", "unit", "token"),
)


def carried() -> dict[str, list[str]]:
    """What a link to another page takes along of the address."""
    return {name: st.query_params.get_all(name) for name in CARRIED if name in st.query_params}


def _number(text: str, low: int, high: int) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) and low <= int(text) <= high else None
