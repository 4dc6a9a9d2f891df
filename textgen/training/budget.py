"""Minutes given, settings found: what a budget is, and how a training is fitted into it.

The rule that says which settings is in plan.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection

import numpy as np

from textgen.config import ModelConfig, TrainConfig
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, counted
from textgen.log import logger
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training.plan import plan

# Share of the budget in which a tokenizer learns its vocabulary; characters that it learns from,
# however short that is; stretches of a longer text that they are taken from.
LEARNED, LEAST_LEARNED, STRETCHES = 0.1, 500_000, 100
SHORTEST_BUDGET, LONGEST_BUDGET = 10.0, 720 * 3600.0  # seconds
LEAST_TRAINED = 2.0  # seconds of training, without which there is no use in beginning
LEAST_LEFT = 0.5  # a smaller share of the budget that is left after measuring is worth a note
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """ "90s", "3m", "1.5h" or a number of seconds. Raises `ConfigError`."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smh]?)", text.strip())
    if not match:
        raise ConfigError(f"budget is {text!r}: give a time such as 90s, 3m or 1.5h")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not SHORTEST_BUDGET <= seconds <= LONGEST_BUDGET:
        raise ConfigError(
            f"budget is {text!r}: give at least {SHORTEST_BUDGET:.0f} seconds and at most "
            f"{LONGEST_BUDGET / _UNITS['h']:.0f} hours, such as 90s, 3m or 1h"
        )
    return seconds


def check_left(seconds: float) -> None:
    """Raises `ConfigError` where next to nothing is left of the budget before any training."""
    if seconds < LEAST_TRAINED:
        raise ConfigError(
            "the budget went into reading the text, and measuring how fast this machine trains: "
            "give a longer --budget"
        )


def to_learn_from(text: str, kind: type[Tokenizer], seconds: float) -> str:
    """Of a text that a tokenizer of this kind is to learn its vocabulary from, what it learns from
    in `LEARNED` of `seconds`: all, or stretches of it from everywhere, at least `LEAST_LEARNED`."""
    most = max(LEAST_LEARNED, LEARNED * seconds * kind.learned_per_second)
    if len(text) <= most:
        return text
    begins = np.linspace(0, len(text), STRETCHES, endpoint=False).astype(int).tolist()
    length = round(most) // STRETCHES
    return "\n".join(text[at : at + length] for at in begins)


def within(
    seconds: float,
    data: TrainingData,
    tokenizer: Tokenizer,
    model: ModelConfig,
    training: TrainConfig,
    fixed: Collection[str] = (),
    begun: bool = False,
) -> tuple[ModelConfig, TrainConfig]:
    """The settings to train with on `data` for `seconds`, shown on stderr; see `plan`.

    Raises `ConfigError` for a task, which has no passes, and where next to no time is left.
    """
    begin = time.perf_counter()
    tokens = data.tokens(tokenizer)
    seconds -= time.perf_counter() - begin
    check_left(seconds)
    if tokens <= training.sequence_length:
        data.batches(tokenizer)  # which refuses so short a text, before anything is measured
    given = training.max_seconds
    model, training = plan(tokens, tokenizer.vocab_size, seconds, model, training, fixed, begun)
    left = training.max_seconds
    if not given:
        check_left(left)
        if left < LEAST_LEFT * seconds:
            logger.warning(
                f"note: of the budget {left:.0f} s are left for training, as this machine is slow "
                "or busy: give a longer --budget"
            )
    logger.info(
        f"in {left:.0f} s: {model.num_layers} x {model.hidden_size} units of {model.cell}, "
        f"dropout {model.dropout}, {training.optimizer} with a decay of {training.weight_decay}, "
        f"{counted(training.epochs, 'epoch')} in batches of {training.batch_size} x "
        f"{training.sequence_length}"
    )
    return model, training
