"""Single numbers for many values: how saturated, how lasting, how readable."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from textgen.errors import ConfigError

LEFT, RIGHT = 0.1, 0.9  # beyond these a gate counts as saturated
RIDGE = 1.0


def saturation(gate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(left [U], right [U]): shares of tokens at which a gate [T, U] is below 0.1, above 0.9.

    Karpathy et al. 2015, arXiv 1506.02078, section 4.2.
    """
    return (gate < LEFT).mean(0), (gate > RIGHT).mean(0)


def time_scale(retained: np.ndarray) -> np.ndarray:
    """How long units remember [U], in tokens: in that time they lose all but 1/e.

    retained [T, U]: the share of the old state that stays at each token (`Cell.retained`). Of its
    mean r, -1 / ln r: the age at which a leak of that rate has forgotten (Tallec & Ollivier 2018,
    section 2).
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.abs(np.log(np.asarray(retained, np.float64).mean(0))))


def linear_probe(
    states: np.ndarray,
    labels: ArrayLike,
    folds: int = 5,
    groups: ArrayLike | None = None,
) -> float:
    """The share of held-out states off which a linear probe reads the right label.

    states [N, U], labels [N]. The probe is one ridge regression for each label, on standardised
    states, fitted on all folds but the one it is judged on.

    groups [N]: states of one group share a fold. Give them where states are alike in all but the
    label, as after one filler read with every fact: a probe that was fitted on the others of the
    group would know what the label is not, and fall below chance.

    Raises `ConfigError` for too few labels, states or groups.
    """
    kinds, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    _, first, group = np.unique(
        np.arange(len(label)) if groups is None else groups, return_index=True, return_inverse=True
    )
    if len(states) != len(label) or len(group) != len(label):
        raise ConfigError(
            f"{len(states)} states, {len(label)} labels, {len(group)} groups: give as many of each"
        )
    rarest = min(counts, default=0)
    if len(kinds) < 2 or not 2 <= folds <= min(rarest, len(first)):
        raise ConfigError(
            f"{len(kinds)} labels, the rarest {rarest} times, {len(first)} groups, {folds} folds: "
            "give two labels, two folds, and as many groups and as many of each label as folds"
        )
    shuffled = np.random.default_rng(0).permutation(len(first))
    by_label = shuffled[np.argsort(label[first[shuffled]], kind="stable")]  # in equal shares
    fold = np.empty(len(first), int)
    fold[by_label] = np.arange(len(first)) % folds
    x, wanted = np.asarray(states, np.float64), np.eye(len(kinds))[label]
    right = 0
    for held_out in (fold[group] == k for k in range(folds)):
        seen, mean = x[~held_out], wanted[~held_out].mean(0)
        spread = seen.std(0)
        z = (x - seen.mean(0)) / np.where(spread > 0, spread, 1)
        fitted = z[~held_out]
        weights = np.linalg.solve(
            fitted.T @ fitted + RIDGE * np.eye(x.shape[1]), fitted.T @ (wanted[~held_out] - mean)
        )
        right += int(((z[held_out] @ weights + mean).argmax(1) == label[held_out]).sum())
    return right / len(x)
