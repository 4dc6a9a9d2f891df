"""What a sweep may choose from: a small TOML that names settings of `textgen train`.

cell = ["lstm", "gru"]
hidden_size = {low = 128, high = 512, step = 64}
learning_rate = {low = 1e-3, high = 1e-2, log = true}
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from textgen.errors import ConfigError, shown
from textgen.options import Option, check_value, options_of
from textgen.runs.recipe import CONFIGS, read_toml

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

# They decide what is measured, for how long, or what is written beside it: trials with different
# ones do not compare.
OF_ALL_TRIALS = (
    "validation_fraction",
    "held_out",
    "sample_by",
    "distance",
    "max_seconds",
    "prompt",
    "sample_length",
    "interpolate",
    "ngrams",
    "deterministic",
    "stream",
)
DIGITS = 4  # of a number from a range without steps: no result hangs on more
RANGE = ("low", "high", "log", "step")

Value: TypeAlias = bool | int | float | str  # of a setting


@dataclasses.dataclass(frozen=True)
class Choices:
    """Any of `values`."""

    values: tuple[Value, ...]

    def distribution(self) -> BaseDistribution:
        """Optuna's, to draw from."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def tidy(self, value: Value) -> Value:
        """A drawn value as it is tried: as it is."""
        return value

    def all(self) -> tuple[Value, ...] | None:
        """Every value."""
        return self.values


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included. step: between them (None: any)."""

    low: float
    high: float
    log: bool
    step: float | None

    def distribution(self) -> BaseDistribution:
        """Optuna's, to draw from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if isinstance(self.low, int):
            return IntDistribution(self.low, int(self.high), self.log, int(self.step or 1))
        return FloatDistribution(self.low, self.high, self.log, self.step)

    def tidy(self, value: float) -> float:
        """`value` in few digits."""
        if isinstance(value, int):
            return value
        if self.step:
            return float(f"{value:.10g}")
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def all(self) -> tuple[float, ...] | None:
        """Every value, or None where there is no end of them."""
        step = self.step or (1 if isinstance(self.low, int) else 0)
        if not step:
            return None
        return tuple(self.tidy(self.low + k * step) for k in range(_steps(self, step) + 1))


Space = dict[str, Choices | Range]


def read_space(path: Path) -> Space:
    """name of a setting -> what it may be. Raises `ConfigError`."""
    known = {name: entry for cls in CONFIGS for name, entry in options_of(cls).items()}
    content = read_toml(path, "the space")
    if not content:
        raise ConfigError(f'{path} names no setting: write, for example, cell = ["lstm", "gru"]')
    for name in content:
        if name not in known:
            raise ConfigError(f"{path} names {shown(name)}: settings are {', '.join(known)}")
        if name in OF_ALL_TRIALS:
            raise ConfigError(
                f"{path} varies {name}, which is to be the same in all trials: "
                "set it in a recipe, and give that with --config"
            )
    return {name: _setting(path, name, value, *known[name]) for name, value in content.items()}


def _setting(
    path: Path, name: str, given: object, rule: Option, default: object, kind: type
) -> Choices | Range:
    try:
        if isinstance(given, list) and given:
            return _choices(name, given, rule, kind)
        if isinstance(given, dict):
            return _range(name, given, rule, kind)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    raise ConfigError(
        f"{path}: {name} is {shown(given)}: "
        "give a list of choices, or a range {low = ..., high = ...}"
    )


def _choices(name: str, given: list[object], rule: Option, kind: type) -> Choices:
    for value in given:
        check_value(name, value, rule, kind)
    values = tuple(kind(value) for value in given)
    if len(set(values)) < len(values):
        raise ConfigError(f"{name} is {shown(given)}: give each choice once")
    return Choices(values)


def _range(name: str, given: dict[str, Any], rule: Option, kind: type) -> Range:
    if kind not in (int, float):
        raise ConfigError(f"{name} is not a number: give a list of choices instead of a range")
    if not {"low", "high"} <= set(given) <= set(RANGE):
        raise ConfigError(f"{name} is {shown(given)}: give low and high, and log or step")
    log, step = given.get("log", False), given.get("step")
    for end in ("low", "high"):
        check_value(name, given[end], rule, kind)
    low, high = kind(given["low"]), kind(given["high"])
    if not low < high < math.inf:
        raise ConfigError(f"{name} goes from {low} to {high}: give a low below the high")
    if not isinstance(log, bool):
        raise ConfigError(f"log of {name} is {shown(log)}: give true or false")
    if log and (step is not None or low <= 0):
        raise ConfigError(f"{name} is {shown(given)}: with log leave step out, and begin above 0")
    if step is None:
        return Range(low, high, log, None)
    check_value(f"step of {name}", step, Option("", low=0, high=high - low, low_open=True), kind)
    span = Range(low, high, log, kind(step))
    last = span.tidy(low + _steps(span, step) * step)  # the high may lie between two steps
    return dataclasses.replace(span, high=last)


def _steps(numbers: Range, step: float) -> int:
    """From low to high. A float such as (0.3 - 0.1) / 0.1 may fall short by its last digit."""
    return int((numbers.high - numbers.low) / step + 1e-9)
