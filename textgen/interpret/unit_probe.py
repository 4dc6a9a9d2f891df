"""What does each unit do? A probe of one unit at a time, judged on text that it was not fitted on.

After Karpathy et al. 2015 (arXiv 1506.02078), who found by eye cells for quotes and the position in
a line. Here every unit is tried on every feature of `features.py`, and weighed against the base
rate: a unit that says no more than that is not found.

N places of a text, U units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from textgen.errors import ConfigError, counted
from textgen.interpret.features import COUNTS, FEATURES, places
from textgen.interpret.measures import RIDGE
from textgen.tokenizers.tokenizer import Tokenizer

CUTS = 41  # at which a unit may part yes from no, evenly over its range
STRETCHES = 10  # of the text, so that it may change on its way
FIT = 0.6  # of each stretch, its beginning; the rest judges
FEWEST = 20  # yes and no, in either part of the text
BLOCKS = 20  # of the text that judges: what stands close together is alike
RESAMPLES = 1000
PLACES = 2 * STRETCHES  # at least: one of each stretch to fit, one to judge
ROWS = 4000  # places, at most, that the regression on all units is fitted on
LEAST = 0.1  # of the errors of the base rate, that a unit has to take away


@dataclasses.dataclass(frozen=True)
class UnitScore:
    """How well one unit tells a feature. skill: the share of the base rate's errors that it takes
    away, squared errors of a count. right: the share of places it is right at; nan of a count."""

    unit: int
    skill: float
    right: float


@dataclasses.dataclass(frozen=True)
class FeatureProbe:
    """What units tell of one feature.

    best: on text kept from the fit, in the order in which the fit found them; the first is judged.
    low: of its skill, the lower end of a 95 % interval over stretches of the text.
    base: how often the commoner answer is right; nan of a count.
    together: the skill of all units at once.
    n: places that judged.
    holds: whether it is told; None where the text has too little of it to say.
    """

    feature: str
    best: tuple[UnitScore, ...] = ()
    low: float = np.nan
    base: float = np.nan
    together: float = np.nan
    n: int = 0
    holds: bool | None = None


def probe_text(
    tokenizer: Tokenizer, ids: Sequence[int], values: np.ndarray, number: int = 12
) -> list[FeatureProbe]:
    """`probe_units` on every feature of a text, of which ids [T] and values [T, U] are given."""
    tokens, ends, text = places(tokenizer, ids)
    labels = {name: feature(text)[ends - 1] for name, feature in FEATURES.items()}
    return probe_units(values[tokens], labels, number)


def probe_units(
    values: np.ndarray, labels: Mapping[str, np.ndarray], number: int = 12
) -> list[FeatureProbe]:
    """Which units [N, U] tell which features [N], best told first; those too rare to judge last.

    A flag is told by a cut: the unit is above it, or not. A count is told by a line. Both are
    fitted on some stretches of the text, where the best `number` units are chosen, and judged on
    the others.
    Raises `ConfigError` where labels are not as many as values, and where those are too few to be
    parted.
    """
    wrong = {name: len(of) for name, of in labels.items() if len(of) != len(values)}
    if wrong:
        raise ConfigError(f"{len(values)} places and labels {wrong}: give one for each place")
    if len(values) < PLACES:
        raise ConfigError(
            f"the text has {counted(len(values), 'place')} to judge units by: give at "
            f"least {PLACES}, better some thousand characters"
        )
    stretches = np.array_split(np.arange(len(values)), STRETCHES)
    fit = np.concatenate([s[: int(len(s) * FIT)] for s in stretches])
    judge = np.concatenate([s[int(len(s) * FIT) :] for s in stretches])
    x, seen = (np.asarray(values[part], np.float32) for part in (fit, judge))
    cuts = _cuts(x, {name: label[fit] for name, label in labels.items() if name not in COUNTS})
    found = [
        _probe(name, x, label[fit], seen, label[judge], cuts.get(name), number)
        for name, label in labels.items()
    ]
    return sorted(found, key=lambda p: (p.holds is None, not p.holds, -_first_skill(p)))


def _first_skill(probe: FeatureProbe) -> float:
    return probe.best[0].skill if probe.best else -1.0


def _probe(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    seen: np.ndarray,
    wanted: np.ndarray,
    cuts: _Cuts | None,
    number: int,
) -> FeatureProbe:
    """One feature: fitted on units x [N, U] with labels y [N], judged on those seen and wanted.
    cuts: of a flag, the best cut of each unit."""
    fitted, judged = ~np.isnan(y), ~np.isnan(wanted)
    x, y, seen, wanted = x[fitted], y[fitted], seen[judged], wanted[judged]
    is_count = cuts is None
    if not _enough(y, is_count) or not _enough(wanted, is_count):
        return FeatureProbe(name, n=len(wanted))
    together = _all_units(x, y, seen)
    if cuts is None:
        order, predicted = _by_line(x, y, seen, number)
        nothing = np.full(len(wanted), y.mean())
    else:
        order, predicted = _by_cut(cuts, seen, number)
        nothing = np.full(len(wanted), float(y.mean() > 0.5))
        together = (together > 0.5).astype(float)
    missed = (predicted - wanted[:, None]) ** 2  # of a flag: 1 where it is wrong
    base = (nothing - wanted) ** 2
    scores = tuple(
        UnitScore(
            int(unit),
            1 - float(missed[:, k].mean() / base.mean()),
            np.nan if is_count else 1 - float(missed[:, k].mean()),
        )
        for k, unit in enumerate(order)
    )
    low = _lower_end(missed[:, 0], base)
    return FeatureProbe(
        name,
        scores,
        low,
        np.nan if is_count else 1 - float(base.mean()),
        1 - float(((together - wanted) ** 2).mean() / base.mean()),
        len(wanted),
        bool(low > 0 and scores[0].skill >= LEAST),
    )


def _enough(label: np.ndarray, is_count: bool) -> bool:
    if is_count:
        return len(label) >= BLOCKS and label.std() > 0
    return FEWEST <= label.sum() <= len(label) - FEWEST


def _by_line(
    x: np.ndarray, y: np.ndarray, seen: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """(the units that a straight line fits best, what they tell [N, number])."""
    mean, spread = _mean_and_spread(x)
    slope = ((x - mean) / spread).T @ (y - y.mean()) / len(y)
    order = np.argsort(-abs(slope), kind="stable")[:number]
    predicted = y.mean() + (seen - mean)[:, order] / spread[order] * slope[order]
    return order, predicted


@dataclasses.dataclass
class _Cuts:
    """Of a flag, each unit's best cut so far [U]: how often it is right; where; 1 where the flag is
    yes above it, -1 where it is yes below."""

    right: np.ndarray
    at: np.ndarray
    sign: np.ndarray


def _cuts(x: np.ndarray, flags: Mapping[str, np.ndarray]) -> dict[str, _Cuts]:
    """The best cut of each unit [N, U] for each flag [N]."""
    units = x.shape[1]
    best = {name: _Cuts(*(np.zeros(units) for _ in range(3))) for name in flags}
    labels = np.stack([np.nan_to_num(2 * flag - 1) for flag in flags.values()]).astype(np.float32)
    noes, known = (labels < 0).sum(1), (labels != 0).sum(1)
    low, high = x.min(0), x.max(0)
    for share in np.linspace(0, 1, CUTS + 2)[1:-1]:
        at = low + (high - low) * share
        # right where above and yes, or neither; of the other sign, in all other places
        agree = labels @ (x > at).astype(np.float32) + noes[:, None]
        for k, cuts in enumerate(best.values()):
            for sign, count in ((1, agree[k]), (-1, known[k] - agree[k])):
                better = count > cuts.right
                cuts.right[better], cuts.at[better] = count[better], at[better]
                cuts.sign[better] = sign
    return best


def _by_cut(cuts: _Cuts, seen: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """(the units whose best cut is right most often, what they tell [N, number])."""
    order = np.argsort(-cuts.right, kind="stable")[:number]
    above = seen[:, order] > cuts.at[order]
    return order, np.where(cuts.sign[order] > 0, above, ~above).astype(float)


def _all_units(x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """What a ridge regression on all units tells [N]."""
    some = slice(None, None, -(-len(x) // ROWS))
    x, y = x[some], y[some]
    mean, spread = _mean_and_spread(x)
    z = (x - mean) / spread
    ridge = RIDGE * np.eye(z.shape[1], dtype=np.float32)
    weights = np.linalg.solve(z.T @ z + ridge, z.T @ (y - y.mean()).astype(np.float32))
    return np.asarray((seen - mean) / spread @ weights + y.mean())


def _mean_and_spread(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = x.mean(0), x.std(0)
    return mean, np.where(spread > 0, spread, 1)


def _lower_end(missed: np.ndarray, base: np.ndarray) -> float:
    """Of the skill, over drawn anew stretches of the text: its lower 95 % end."""
    blocks = np.array_split(np.arange(len(base)), BLOCKS)
    of_unit, of_base = (np.array([e[block].sum() for block in blocks]) for e in (missed, base))
    drawn = np.random.default_rng(0).integers(0, BLOCKS, (RESAMPLES, BLOCKS))
    totals = of_base[drawn].sum(1)
    skills = 1 - of_unit[drawn].sum(1)[totals > 0] / totals[totals > 0]
    return float(np.quantile(skills, 0.025))
