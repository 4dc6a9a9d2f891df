"""A text that a person and a model write together, a word at a time. No terminal in here."""

from __future__ import annotations

import dataclasses
import secrets

import numpy as np

from textgen.errors import ConfigError
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.generator import Generator, check_text
from textgen.generation.next_words import NextWords, Word, WordSource
from textgen.generation.options import LoopConfig, generation_config
from textgen.options import options_of
from textgen.text.nfc import nfc

CHOICES = 5  # words that are proposed at a place
# it ends when the person says so
NOT_FOR_A_DRAFT = options_of(LoopConfig).keys() - {"seed", "ngrams"}


@dataclasses.dataclass
class _Place:
    """A text, and the words that were drawn to come next. typed: the person made it, and did not
    take it from the model."""

    text: str
    typed: bool = False
    words: list[Word] = dataclasses.field(default_factory=list)
    refused: set[str] = dataclasses.field(default_factory=set)
    chosen: int = 0
    drawn: int = 0


class Draft:
    """The text so far, the words that the model proposes to come next, and the way back.

    What is proposed hangs on the seed, the text and how many words were drawn there before, so the
    same steps give the same text.
    """

    def __init__(
        self, model: Generator, text: str = "", *, guard: CopyGuard | None = None, **options: object
    ) -> None:
        """options: `seed`, `ngrams` and those of the transforms. guard: what of the training text
        may be copied. Raises `ConfigError` for another option, or a value outside its range."""
        check_text("the text to go on from", text)
        for name in options:
            if name in NOT_FOR_A_DRAFT:
                raise ConfigError(
                    f"{name} is not for a draft, written a word at a time: leave it out"
                )
        config = generation_config(**options)
        seed = config.loop.seed
        self.seed = secrets.randbits(31) if seed is None else seed
        self.tokenizer = model.tokenizer
        mixture = model.mixture if config.loop.ngrams else None
        self._source = WordSource(model.network, model.tokenizer, config.transforms, guard, mixture)
        # after the text as it is; None until they are asked for
        self._next_words: NextWords | None = None
        self._place = _Place(nfc(text))
        self._past: list[_Place] = []

    @property
    def text(self) -> str:
        return self._place.text

    @property
    def words(self) -> list[Word]:
        """The words proposed, all different, `CHOICES` of them where the model has so many; drawn
        when they are first asked for."""
        while len(self._place.words) < CHOICES and (word := self._draw()):
            self._place.words.append(word)
        return list(self._place.words)

    @property
    def chosen(self) -> int:
        """The place, among `words`, of the one that `take` adds."""
        return self._place.chosen

    @property
    def proposal(self) -> Word | None:
        """The word that `take` adds; None where the model has none."""
        words = self.words
        return words[self.chosen] if words else None

    def choose(self, steps: int) -> None:
        """Choose the word so many further down, and behind the last the first."""
        self._place.chosen = (self.chosen + steps) % max(len(self.words), 1)

    def take(self) -> bool:
        """Add the chosen word to the text; whether there was one."""
        if (word := self.proposal) is None:
            return False
        self._leave(_Place(nfc(self.text + word.text)))
        return True

    def refuse(self) -> bool:
        """Draw another word in place of the chosen one, which does not come again here; whether
        there was another."""
        if (word := self.proposal) is None:
            return False
        place = self._place
        place.refused.add(word.text)
        place.words.pop(place.chosen)
        if another := self._draw():
            place.words.insert(place.chosen, another)
        else:
            place.chosen = max(min(place.chosen, len(place.words) - 1), 0)
        return another is not None

    def edit(self, text: str) -> None:
        """The person has made it this text. Letters typed one after another are one step back,
        each word its own."""
        text = nfc(text)
        if text == self.text:
            return
        one_more = text[:-1] == self.text and not text[-1].isspace()
        if one_more and self._place.typed:
            self._place = self._past.pop()
        self._leave(_Place(text, typed=True))

    def undo(self) -> bool:
        """Go one step back, to what was proposed there too; whether there was one."""
        if not self._past:
            return False
        self._place = self._past.pop()
        self._next_words = None
        return True

    def unknown_characters(self) -> list[str]:
        """Those of the text that the model has never seen."""
        return self.tokenizer.unknown_characters(self.text)

    def _leave(self, place: _Place) -> None:
        self._past.append(self._place)
        self._place, self._next_words = place, None

    def _draw(self) -> Word | None:
        """A word that is neither proposed nor refused here; None where there is no other."""
        place = self._place
        if self._next_words is None:
            self._next_words = self._source.after(place.text)
        known = place.refused | {word.text for word in place.words}
        while True:
            noise = np.random.PCG64((self.seed, len(place.text), place.drawn))
            word = self._next_words.draw(np.random.Generator(noise))
            if word is None:
                return None
            place.drawn += 1
            if word.text not in known:  # tokens may spell it in more ways than one
                return word
