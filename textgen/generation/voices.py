"""The voice of a label, or of several mixed: 철수, or 철수=0.7,영희=0.3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from textgen.errors import ConfigError, shown
from textgen.guesses import guesses
from textgen.options import plain_number
from textgen.text.columns import listed
from textgen.text.nfc import nfc

LARGEST_SHARE = 2.0  # of a voice: more than 1 exaggerates it


def state_of(label: str | Mapping[str, float], voices: Mapping[str, np.ndarray]) -> np.ndarray:
    """The state [layers, parts, U] that a label begins in, or the sum of several, each times its
    share; what is missing to 1 is the state of no label, which is zeros.

    voices: the state of each label. Raises `ConfigError` for a label that is not one of them, and
    for a share out of range.
    """
    shares = shares_of(label, voices)
    for name, share in shares.items():
        if name not in voices:
            raise ConfigError(f"label is {shown(name)}: {_choice(name, voices)}")
        if not (isinstance(share, int | float) and 0 <= share <= LARGEST_SHARE):
            raise _no_share(name, share)
    parts = [np.float32(share) * voices[name] for name, share in shares.items()]
    return np.asarray(np.sum(parts, axis=0))


def shares_of(
    label: str | Mapping[str, float], voices: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """The share of each label that is named. Raises `ConfigError` for what names none."""
    if isinstance(label, Mapping) and label:
        return {nfc(str(name)): plain_number(share) for name, share in label.items()}
    if not isinstance(label, str):
        raise ConfigError(f"label is {shown(label)}: give a label, or the share of each of several")
    label = nfc(label)
    label = label if label in voices else label.strip()
    parts = [part.rpartition("=") for part in label.split(",")]
    if label in voices or not all(name for name, _, _ in parts):
        return {label: 1.0}
    names = [name.strip() for name, _, _ in parts]
    if len({*names}) < len(names):
        raise ConfigError(f"label is {shown(label)}: name each label once")
    return {name: _number(name, share) for name, (_, _, share) in zip(names, parts, strict=True)}


def _choice(name: str, voices: Mapping[str, np.ndarray]) -> str:
    """What may be meant by `name`, and all labels in their own order."""
    if not voices:
        return "this model has no labels"
    near = guesses(name, voices)
    return (f"is it {listed(near)}? " if near else "") + f"choose from {listed(voices)}"


def _number(name: str, share: str) -> float:
    try:
        return float(share)
    except ValueError:
        raise _no_share(name, share) from None


def _no_share(name: str, share: object) -> ConfigError:
    return ConfigError(
        f"label gives {shown(name)} the share {shown(share)}: "
        f"give a number of at least 0 and at most {LARGEST_SHARE:g}, such as {name}=0.7"
    )
