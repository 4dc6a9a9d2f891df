"""How a cell's state flows through a step: which share of it stays, and which share is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from textgen.arrays import Array


@dataclasses.dataclass(frozen=True)
class Share:
    """A factor between 0 and 1 on the way of the state.

    label: as a picture names it. gates: which it is made of. of: its value, given those of the
    gates, which may be numbers or arrays.
    """

    label: str
    gates: tuple[str, ...]
    of: Callable[[Mapping[str, Array]], Array]


def share(gate: str) -> Share:
    """The gate itself."""
    return Share(gate, (gate,), lambda values: values[gate])


def rest(gate: str) -> Share:
    """What the gate leaves of 1."""
    return Share(f"1 − {gate}", (gate,), lambda values: 1 - values[gate])


def part(gate: str, other: str) -> Share:
    """What the gate makes up of itself and the other."""
    return Share(
        f"{gate} / ({' + '.join(sorted((gate, other)))})",
        (gate, other),
        lambda values: values[gate] / (values[gate] + values[other]),
    )


@dataclasses.dataclass(frozen=True)
class Flow:
    """With s what the cell carries along, C or h: s_t = retained * s_{t-1} + written * candidate.

    shown: of a cell that carries C, h_t = shown * tanh(C_t); None where it carries h itself.
    squashed: False where h_t = shown * C_t, since C_t lies between -1 and 1 anyway.
    """

    retained: Share
    written: Share
    shown: Share | None = None
    squashed: bool = True
