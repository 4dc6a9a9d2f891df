"""An option is declared once: its default, range, choices and help live on a dataclass field.

The command line, the recipes and the sliders of the app are all read off these fields.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import numbers
import os
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from textgen.errors import ConfigError, shown
from textgen.guesses import guesses

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Option:
    """What is known of an option beside its name and default.

    choices: the values it may take. A registry itself can stand here (`choices=CELLS`): a name put
    into it later is then a choice on the command line, in a recipe and on the pages.
    """

    help: str
    low: float | None = None
    high: float | None = None
    low_open: bool = False  # True: the lower bound itself is not allowed
    choices: Collection[str] | None = None


def option(default: object, help: str, **rules: Any) -> Any:
    """A dataclass field that carries an `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(help, **rules)})


def options_of(cls: type) -> dict[str, tuple[Option, object, type]]:
    """name -> (option, default, type) of every field of `cls` declared with `option`."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            field.metadata["option"],
            field.default,
            _plain_type(hints[field.name], field.default),
        )
        for field in dataclasses.fields(cls)
        if "option" in field.metadata
    }


def _plain_type(hint: Any, default: object) -> type:
    """`float | None` -> float; `tuple[str, ...]` -> str; `Any` -> the type of the default."""
    if hint is Any:
        return type(default)
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        hint = typing.get_args(hint)[0]
    return hint


def check(instance: object) -> None:
    """Raise `ConfigError` for the first field of `instance` that lies outside its range.

    A number of another library, such as NumPy, becomes Python's own, as JSON takes it.
    """
    for name, (rule, default, kind) in options_of(type(instance)).items():
        value = plain_number(getattr(instance, name))
        object.__setattr__(instance, name, value)  # the instance may be frozen
        if value is None and default is None:
            continue
        items = value if isinstance(default, tuple) and isinstance(value, tuple) else (value,)
        for item in items:
            check_value(name, item, rule, kind)


def check_value(name: str, value: object, rule: Option, kind: type) -> None:
    """Raise `ConfigError` where `value` is no `kind`, or not what `rule` allows."""
    value = plain_number(value)
    if not is_of(value, kind):
        raise ConfigError(f"{name} is {shown(value)}: give a value of type {kind.__name__}")
    if rule.choices is not None and value not in rule.choices:
        raise ConfigError(f"{name} is {shown(value)}: choose one of {', '.join(rule.choices)}")
    if not isinstance(value, int | float) or kind is bool:
        return
    if value != value:
        raise ConfigError(f"{name} is not a number: give {allowed_range(rule)}")
    too_low = rule.low is not None and (value <= rule.low if rule.low_open else value < rule.low)
    too_high = rule.high is not None and value > rule.high
    if too_low or too_high:
        raise ConfigError(f"{name} is {shown(value)}: give {allowed_range(rule)}")


def is_of(value: object, kind: type) -> bool:
    """Whether `value` can stand where an option is a `kind`: a whole number also for a float."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (float, int) if kind is float else kind)


def plain_number(value: object) -> Any:
    """A number of another library, such as NumPy, as Python's own; anything else as it is."""
    if type(value) in (bool, int, float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def path_of(value: object, what: str) -> Path:
    """`value` as a path. Raises `ConfigError` where it is none, or no file could have that name."""
    if not isinstance(value, str | Path) or value == "":
        raise ConfigError(f"{what} is {shown(value)}: give a path")
    try:
        os.stat(value)
    except ValueError:  # a NUL, or half a character
        raise ConfigError(f"{what} is {shown(value)}: no path holds such a character") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ConfigError(f"{what} is {shown(value)}: give a shorter path") from None
    return Path(value)


def allowed_range(rule: Option) -> str:
    """The range in words: "a value above 0 and at most 1"."""
    parts = []
    if rule.low is not None:
        parts.append(f"{'above' if rule.low_open else 'of at least'} {rule.low:g}")
    if rule.high is not None:
        parts.append(f"at most {rule.high:g}")
    return f"a value {' and '.join(parts)}" if parts else "any number"


def add_arguments(parser: argparse.ArgumentParser, cls: type, skip: Iterable[str] = ()) -> None:
    """Give `parser` one flag for each option of `cls`; a flag not given stays out of the result."""
    group = parser.add_argument_group(_first_line(cls))
    for name, (rule, default, kind) in options_of(cls).items():
        if name in skip:
            continue
        flag = "--" + name.replace("_", "-")
        text = rule.help.replace("%", "%%")
        if default not in (None, ()):
            text += f" (default {default})"
        settings: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS, "help": text}
        if kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **settings)
        elif isinstance(default, tuple):
            group.add_argument(flag, action="append", type=kind, metavar="TEXT", **settings)
        else:
            metavar = "{" + ",".join(rule.choices) + "}" if rule.choices else kind.__name__.upper()
            group.add_argument(flag, type=kind, metavar=metavar, **settings)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


def build(cls: type[T], values: Mapping[str, object]) -> T:
    """An instance of `cls` from those `values` that are its options, checked."""
    known = options_of(cls)
    given = {name: _plain(value) for name, value in values.items() if name in known}
    instance = cls(**given)
    check(instance)
    return instance


def build_strictly(cls: type[T], values: Mapping[str, object]) -> T:
    """As `build`. Raises `ConfigError` also for a name that is no option of `cls`."""
    refuse_unknown(values, options_of(cls))
    return build(cls, values)


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise `ConfigError` for the first of `names` that is not `known`, with the nearest."""
    known = list(known)
    for name in names:
        if name not in known:
            near = guesses(name, known) or known
            raise ConfigError(f"there is no option {shown(name)}: give {', '.join(near)}")


def _plain(value: object) -> object:
    """As the fields of a dataclass hold it: several values as a tuple, a number as Python's own."""
    return tuple(value) if isinstance(value, list) else plain_number(value)
