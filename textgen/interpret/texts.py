"""The experiments on a text of one's own: text in, arrays beside their tokens out.

Every text is read after a newline, as everywhere: so the arrays begin with that token, and T counts
it. U hidden_size.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np

from textgen.array_ops import softmax
from textgen.errors import GenerationError, shown
from textgen.generation.generator import Generator, check_text
from textgen.interpret.effects import ablation, occlusion, transplant
from textgen.interpret.goals import Goal, saliency, value
from textgen.interpret.patterns import outputs
from textgen.interpret.replay import Override
from textgen.interpret.trace import Trace, trace
from textgen.interpret.unit_probe import FeatureProbe, probe_text
from textgen.options import Option, check_value

AT_LEAST_ONE = Option("number of tokens", low=1)


@dataclasses.dataclass(frozen=True)
class TextTrace(Trace):
    """A `Trace` with the tokens [T] that its rows belong to."""

    tokens: tuple[str, ...]

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it by names: "layer0/f" [T, U] and so on, "logprobs" [T, V], and "tokens" [T]."""
        named = {
            f"layer{index}/{name}": values
            for index, layer in enumerate(self.layers)
            for name, values in layer.items()
        }
        return named | {"logprobs": self.logprobs, "tokens": np.array(self.tokens)}


@dataclasses.dataclass(frozen=True)
class TokenEffects:
    """What each token of a text does for an answer: effects [T], of the tokens [T]."""

    tokens: tuple[str, ...]
    effects: np.ndarray


def trace_text(model: Generator, text: str, overrides: Sequence[Override] = ()) -> TextTrace:
    """`trace` of a text. Raises `GenerationError` for what is no text, and as `trace` does."""
    ids = ids_of(model, "the text to trace", text)
    traced = trace(model.network, ids, overrides)
    return TextTrace(**vars(traced), tokens=tokens_of(model, ids))


def saliency_of(model: Generator, text: str, answer: str, foil: str = "") -> TokenEffects:
    """To first order, what each token of `text` adds to ln p(answer), or, given a foil, to
    ln p(answer) - ln p(foil), where the text goes on with them: gradient times embedding."""
    ids = ids_of(model, "the text", text)
    found = saliency(model.network, ids, goal_of(model, answer, foil))
    return TokenEffects(tokens_of(model, ids), found.product)


def occlusion_of(
    model: Generator, text: str, answer: str, foil: str = "", block: int = 1
) -> TokenEffects:
    """What the answer loses against the foil without each token of `text`, in nats."""
    check_value("block", block, AT_LEAST_ONE, int)
    ids = ids_of(model, "the text", text)
    found = occlusion(model.network, ids, goal_of(model, answer, foil), block)
    return TokenEffects(tokens_of(model, ids), found)


def ablation_of(
    model: Generator,
    text: str,
    answer: str,
    foil: str = "",
    layer: int = 0,
    last: int | None = None,
) -> np.ndarray:
    """What the answer loses against the foil without each unit of a layer, in nats [U]: its state
    held at zero from the first token, or over the `last` ones, to the end of the answer."""
    if last is not None:
        check_value("last", last, AT_LEAST_ONE, int)
    ids = ids_of(model, "the text", text)
    return ablation(model.network, ids, goal_of(model, answer, foil), layer, last)


def preference(
    model: Generator, text: str, answer: str, foil: str = "", overrides: Sequence[Override] = ()
) -> float:
    """ln p(answer), or ln p(answer) - ln p(foil), where `text` goes on with them."""
    ids = ids_of(model, "the text", text)
    return value(model.network, ids, goal_of(model, answer, foil), overrides)


def transplant_of(
    model: Generator, text: str, donor: str, after: str, parts: Collection[str]
) -> dict[str, float]:
    """The probability of each token next, where `text` was read on from the donor's `parts` ("h",
    "C") of the state: those are handed over at the end of `after`, with which `text` begins, and
    where the donor has as many tokens left as `text`."""
    ids, given = (ids_of(model, "the text", one) for one in (text, donor))
    at = len(ids_of(model, "the text before the place", after))
    if not text.startswith(after):
        raise GenerationError(f"the text does not begin with {after!r}: give what it begins with")
    state = transplant(model.network, ids, given, at, parts)
    (shares,) = softmax(model.network.logits(state).astype(np.float64))
    return {model.tokenizer.token(k): float(shares[k]) for k in np.argsort(-shares)}


def find_units(model: Generator, text: str, layer: int, part: str) -> list[FeatureProbe]:
    """`probe_text` of the value `part` of a layer while the model reads `text`."""
    _, *ids = ids_of(model, "the text", text)
    return probe_text(model.tokenizer, ids, outputs(model.network, ids, layer, part))


def ids_of(model: Generator, what: str, text: object) -> list[int]:
    """The ids of a text, after that of the newline. Raises `GenerationError` for what is none."""
    check_text(what, text)
    return [model.tokenizer.start_id, *model.tokenizer.encode(str(text))]


def tokens_of(model: Generator, ids: Sequence[int]) -> tuple[str, ...]:
    """The text of each id."""
    return tuple(model.tokenizer.token(i) for i in ids)


def goal_of(model: Generator, answer: str, foil: str) -> Goal:
    """Raises `GenerationError` for an answer that is empty, or no text."""
    for what, text in (("the answer", answer), ("the foil", foil)):
        check_text(what, text)
    if not answer:
        raise GenerationError("the answer is empty: give at least one character")
    if unknown := model.tokenizer.unknown_characters(answer + foil):
        raise GenerationError(
            f"the model cannot spell {' '.join(unknown)}: give an answer and a foil of characters "
            "that it has seen"
        )
    if answer == foil:
        raise GenerationError(f"the answer and the foil are both {shown(answer)}: give another")
    return Goal(model.tokenizer.encode(answer), model.tokenizer.encode(foil) if foil else ())
