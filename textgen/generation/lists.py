"""Lists: one item a line, none twice, none that stands in the training text.

Items are written side by side, each to the end of its line. One that will not do is refused, and
another is drawn in its place.
"""

from __future__ import annotations

import dataclasses
import itertools
import secrets
from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np

from textgen import shipped
from textgen.data.sources import find_training_text, why_not_found
from textgen.errors import ConfigError, GenerationError
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.generator import Generator
from textgen.generation.options import GenerationConfig, generation_config
from textgen.text.nfc import nfc

TOGETHER = 64  # items written side by side
HOPELESS = 2000  # items refused in a row: the model has nothing else to write
LONGEST_LIST = 1_000_000  # items
WITHOUT_END = "without an end"


@dataclasses.dataclass(frozen=True)
class Item:
    """A line that was written. logprob: natural, of its tokens and its end, under the model."""

    text: str
    logprob: float
    seed: int


def check_list(number: int, prompt: str, options: dict[str, object]) -> GenerationConfig:
    """What `options`, those of generation, come to. Raises `ConfigError` for what a list has no use
    for, before a text is read for it."""
    if not 1 <= number <= LONGEST_LIST:
        raise ConfigError(f"list is {number}: give 1 to {LONGEST_LIST:,} items")
    if "\n" in prompt:
        raise ConfigError("the prompt holds a newline, where an item ends: leave it out")
    for name in ("stop_strings", "num_beams", "top_logprobs"):
        if name in options:
            raise ConfigError(f"{name} is not for a list, whose items end with their line")
    return generation_config(**options)


class ListWriter:
    """Writes items with a model, and counts what it refuses.

    unique: no item twice. known: items that are not to be written, such as the lines of the
    training text. guard: what may be copied within an item. refused: why -> how many items so far;
    refused_tokens: by the guard. seed: of the list that is written, once it is.
    """

    def __init__(
        self,
        model: Generator,
        *,
        unique: bool = False,
        known: Collection[str] = (),
        guard: CopyGuard | None = None,
    ) -> None:
        self.model, self.unique, self.guard = model, unique, guard
        self.known = {nfc(item).strip() for item in known}
        self.refused: Counter[str] = Counter()
        self.refused_tokens = 0
        self.seed: int | None = None

    def write(self, number: int, prompt: str = "", **options: object) -> Iterator[Item]:
        """`number` items that begin with `prompt`; the same ones for the same seed.

        options: those of generation. Raises `ConfigError` for one that a list has no use for, and
        `GenerationError` where the model has nothing to write that is not refused.
        """
        seed = check_list(number, prompt, options).loop.seed
        self.seed = seed = secrets.randbits(31) if seed is None else seed
        options.pop("seed", None)  # each turn has its own
        return self._accepted(number, prompt, seed, options)

    def _accepted(
        self, number: int, prompt: str, seed: int, options: dict[str, object]
    ) -> Iterator[Item]:
        seen: set[str] = set()
        accepted = in_vain = 0
        for item, has_ended in self._drawn(prompt, seed, options):
            if reason := self._refusal(item.text, has_ended, seen):
                self.refused[reason] += 1
                in_vain += 1
                if in_vain == HOPELESS:
                    raise GenerationError(self._hopeless(number, accepted))
                continue
            seen.add(item.text)
            yield item
            accepted, in_vain = accepted + 1, 0
            if accepted == number:
                return

    def _hopeless(self, number: int, accepted: int) -> str:
        """The message where the model writes nothing else that is not refused."""
        most, _ = self.refused.most_common(1)[0]
        advice = "give a higher --temperature, or ask for fewer"
        if most == WITHOUT_END:
            advice = "give more --max-new-tokens"
        return (
            f"{accepted} of {number} items were found, and the last {HOPELESS:,} drawn were "
            f"refused, most as {most}: {advice}"
        )

    def _drawn(
        self, prompt: str, seed: int, options: dict[str, object]
    ) -> Iterator[tuple[Item, bool]]:
        """Items without end, and whether each came to the end of its line."""
        for turn in itertools.count():
            (drawn,) = np.random.SeedSequence((seed, turn)).generate_state(1, np.uint64)
            texts = self.model.generate_batch(
                [prompt] * TOGETHER,
                guard=self.guard,
                seed=int(drawn >> np.uint64(1)),
                stop_strings=("\n",),
                **options,
            )
            for index, one in enumerate(texts):
                if self.guard is not None:
                    self.refused_tokens += self.guard.refused(index, len(one.token_ids))
                item = Item((prompt + one.text).strip(), sum(one.logprobs), seed)
                yield item, one.finish_reason == "stop"

    def _refusal(self, text: str, has_ended: bool, seen: Collection[str]) -> str:
        """Why an item will not do; "" where it will."""
        if not text:
            return "blank"
        if not has_ended:
            return WITHOUT_END
        if self.unique and text in seen:
            return "written before"
        if nfc(text) in self.known:
            return "in the training text"
        return ""


def whole_text(
    model: Generator, text: str | None = None, remedy: str = "give it as training_text"
) -> str:
    """All of the text that a model was trained on, what was held out included: `text` where it is
    given, else where config.json says that it is. Raises `ConfigError`, which
    ends with `remedy`, where that is not at hand."""
    if text is None:
        data = find_training_text(model.card, shipped.HOME)
        if data is None:
            raise ConfigError(
                f"the text that {model.name or 'the model'} was trained on "
                f"{why_not_found(model.card, shipped.HOME)}, and what is copied is told by "
                f"it: {remedy}"
            )
        text = data.corpus.text
    return nfc(text)
