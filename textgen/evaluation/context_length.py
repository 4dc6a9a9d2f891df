"""How far back does a model look? Its loss on the same tokens, with contexts cut shorter.

After Khandelwal et al. 2018, "Sharp Nearby, Fuzzy Far Away": the context beyond which the loss no
longer falls is what the model makes use of.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from textgen.errors import ConfigError, counted
from textgen.evaluation.batch_reader import Reader
from textgen.evaluation.recall_probe import Z95
from textgen.generation.generator import Generator
from textgen.terminal import Report, table

CONTEXTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclasses.dataclass(frozen=True)
class ContextRow:
    """context: tokens. bits: per token, with its 95 % interval.

    lost: bits more than with the longest context, on the same tokens; lost_error: half the width of
    its 95 % interval.
    """

    context: int
    bits: float
    low: float
    high: float
    lost: float
    lost_error: float


def context_curve(
    generator: Generator,
    text: str,
    contexts: Sequence[int] = CONTEXTS,
    n: int = 256,
    seed: int = 1,
) -> list[ContextRow]:
    """The loss on `n` tokens of `text`, each predicted from the last `context` tokens alone.

    Raises as `usable_contexts` does, of which it takes those that it gives.
    """
    ids = generator.tokenizer.encode_array(text)
    usable = usable_contexts(len(ids), contexts, n)
    places = np.arange(usable[-1], len(ids))
    chosen = np.random.default_rng(seed).choice(places, min(n, len(places)), replace=False)
    reader = Reader(generator.network)
    bits = {}
    for context in usable:
        state = reader.read([ids[t - context : t].tolist() for t in chosen])
        logprobs = reader.next_logprobs(state[-1][0])
        bits[context] = -logprobs[np.arange(len(chosen)), ids[chosen]] / math.log(2)
    return [_row(context, values, bits[usable[-1]]) for context, values in bits.items()]


def usable_contexts(tokens: int, contexts: Sequence[int], n: int) -> list[int]:
    """Those of `contexts` that a text of so many tokens is long enough for, the shortest first.

    Contexts longer than half the text are left out, and those that leave it fewer than two tokens
    to predict: of one there is no interval. Raises `ConfigError` when none is left.
    """
    usable = sorted({int(c) for c in contexts if 1 <= c <= min(tokens // 2, tokens - 2)})
    if n < 2 or not usable:
        raise ConfigError(
            f"n is {n}, the text has {counted(tokens, 'token')} and the contexts are "
            f"{list(contexts)}: give n of at least 2, and a text of at least 3 tokens and "
            "of twice the shortest context"
        )
    return usable


def _row(context: int, bits: np.ndarray, longest: np.ndarray) -> ContextRow:
    mean, half = float(bits.mean()), _half_width(bits)
    lost = bits - longest  # the same tokens: their own difficulty drops out
    return ContextRow(
        context, mean, mean - half, mean + half, float(lost.mean()), _half_width(lost)
    )


def _half_width(values: np.ndarray) -> float:
    return float(Z95 * values.std(ddof=1) / math.sqrt(len(values)))


def looks_back(rows: Sequence[ContextRow]) -> int:
    """The shortest context beyond which nothing more is gained, within the error."""
    gaining = [row.context for row in rows if row.lost - row.lost_error > 0]
    longer = [row.context for row in rows if not gaining or row.context > max(gaining)]
    return min(longer)


def report(rows: Sequence[ContextRow]) -> Report:
    """The curve as a table for a terminal."""
    lines = [
        [
            f"{r.context}",
            f"{r.bits:.3f}",
            f"{r.low:.3f} to {r.high:.3f}",
            f"{r.lost:.3f} ± {r.lost_error:.3f}",
        ]
        for r in rows
    ]
    return [
        table(["context", "bits per token", "95 %", "lost"], lines, words=0),
        f"looks back {looks_back(rows)} tokens, of {rows[-1].context} tried",
    ]
