"""Documents that say a fact, speak of something else, and then ask for it.

    나는 브라질사람이야. (filler, as long as one likes) 그래서 나는 포르투갈어를 할 줄 알아.

The filler is drawn without looking at the fact, so it carries no bit about the answer. No
TensorFlow here.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections.abc import Collection, Sequence

from textgen.data import noise
from textgen.data.filler import Filler
from textgen.data.phrases import (
    BEGINNINGS,
    BLANK,
    PLACE,
    WHO,
    carelessly,
    loose,
    one_of,
    slips,
    with_particles,
)
from textgen.data.recall_task import Task, Variant
from textgen.errors import ConfigError

# what a writer may take from what is never trained on
HELD_OUT = ("filler", "phrasing", "facts", "questions", "noise")
LEAD = 20  # characters: from this distance on filler may stand before the fact
SPEAKER, UNASKED = "(speaker)", "(unasked)"  # among the persons of an opening
NAMED = (1, 1, 1, 2, 3)  # words of a sentence whose place names take
NAME_SLOT = re.compile(f"{re.escape(BLANK)}|{re.escape(PLACE)}")
OTHER = 0.25  # of the documents of training whose fact has others: they tell one of those
ALONE = 0.15  # of the plain documents of training: they tell of somebody else, and ask for that
LOOSE = 0.3  # of the sentences of training documents with slips: with another end or beginning


@dataclasses.dataclass(frozen=True)
class Question:
    """Asked after another: `before` is filler and the question as far as its blank."""

    before: str
    answer: str
    ending: str


@dataclasses.dataclass(frozen=True)
class Opening:
    """What a document tells: phrases with their facts, in the order of the text.

    persons: of whom each tells; SPEAKER, or UNASKED where nobody asks for it. about: which of the
    phrases is asked for first.
    """

    phrases: list[tuple[str, str]]
    persons: list[str]
    about: int
    question: str


@dataclasses.dataclass(frozen=True)
class Document:
    """A text with a blank: `before` ends where the answer begins, `ending` follows it.

    fact: what the question asks about. word: the fact as its sentence has it; empty: as `fact` is.
    The rest are places in `before`: where the sentence with that fact ends; where the opening ends,
    of which the sentence about another person is a part; and where the question begins.
    later: questions after the first, in documents to train on.
    """

    before: str
    answer: str
    ending: str
    fact: str
    group: str
    fact_end: int
    opening_end: int
    question_begin: int
    word: str = ""
    later: tuple[Question, ...] = ()

    @property
    def text(self) -> str:
        later = "".join(one.before + one.answer + one.ending for one in self.later)
        return self.before + self.answer + self.ending + later

    @property
    def distance(self) -> int:
        """Characters between the end of the sentence with the fact and the answer."""
        return len(self.before) - self.fact_end


class Writer:
    """Writes documents of a task. The same seeds give the same documents.

    held_out: which of `HELD_OUT` come from what is never trained on; "phrasing" is facts and
    questions, "noise" takes the place of all filler.
    training: with noise among the filler, before the fact and in the sentences themselves, as the
    task asks for it; without, documents are clean.
    """

    def __init__(self, task: Task, held_out: Sequence[str] = (), training: bool = False) -> None:
        self.task, self.training = task, training
        self.filler = task.held_out_filler if "filler" in held_out else task.filler
        self.facts, self.questions = task.plain.facts, task.plain.questions
        if {"phrasing", "facts"} & set(held_out):
            self.facts = task.held_out.facts or self.facts
        if {"phrasing", "questions"} & set(held_out):
            self.questions = task.held_out.questions or self.questions
        loud = "noise" in held_out and bool(task.held_out_noise)
        kinds = task.held_out_noise if loud else task.noise if training else ()
        self.fill = Filler(self.filler, kinds, only_noise=loud).fill
        self.others: dict[str, list[str]] = {}
        for word, fact in task.others.items():
            self.others.setdefault(fact, []).append(word)
        self.names = task.names

    def write(
        self,
        rng: random.Random,
        fact: str,
        distance: int,
        variant: str = "plain",
        swapped: bool = False,
        of_either: bool = True,
        again: int = 0,
        later_of_either: bool = False,
    ) -> Document:
        """A document whose answer follows `distance` characters after the opening, which tells
        `fact`; in the variant "distractor" it may ask for that of the other person, if `of_either`.

        Where no filler fits exactly, the distance is the nearest possible. swapped: another fact is
        told of the person asked about, and answered; everything else is as without. again: further
        questions, each `distance` characters after the one before it, which may ask for that of the
        other person if `of_either` or `later_of_either`.
        """
        if self.training and fact in self.others and rng.random() < OTHER:
            fact = rng.choice(self.others[fact])
        opening = self.opening(rng, fact, variant, of_either, of_either or later_of_either)
        phrases, about, question = opening.phrases, opening.about, opening.question
        if swapped:
            phrase, asked = phrases[about]
            phrases[about] = phrase, self.another(asked, [other for _, other in phrases])
        asked = phrases[about][1]
        sentences, words = zip(*(self.filled(*one) for one in phrases), strict=True)
        if len(phrases) == 1 and self.training and rng.random() < self.task.slips:
            sentences = (self.slipped(rng, sentences[0], words[0]),)
            question = self.asked_anyhow(rng, question)
        if self.training and self.task.slips:
            sentences = tuple(self.loosely(rng, sentence) for sentence in sentences)
            question = self.loosely(rng, question)
        # filler before the opening leaves less after it, so that a batch is not padded
        lead = self.lead(rng, distance)
        text = lead + " ".join(sentences)
        fact_end, opening_end = len(lead + " ".join(sentences[: about + 1])), len(text)
        answer = self.task.answer_to(asked)
        stem, ending = self.around(question, answer)
        text += self.between(rng, distance - len(lead) - len(stem), variant)
        return Document(
            text + stem,
            answer,
            ending,
            asked,
            self.task.group_of(asked),
            fact_end,
            opening_end,
            len(text),
            words[about],
            tuple(self.asked_again(rng, opening, distance) for _ in range(again)),
        )

    def asked_again(self, rng: random.Random, opening: Opening, after: int) -> Question:
        """About the same person or another, whatever was asked before: so that what was answered
        tells nothing of whom this question means."""
        about = rng.choice([k for k, one in enumerate(opening.persons) if one != UNASKED])
        question = self.ask(rng, opening.persons[about])
        if self.training and self.task.slips:
            question = self.loosely(rng, question)
        answer = self.task.answer_to(opening.phrases[about][1])
        stem, ending = self.around(question, answer)
        return Question(self.fill(rng, after - len(stem)) + stem, answer, ending)

    def ask(self, rng: random.Random, person: str) -> str:
        """A question about the speaker, or another person."""
        if person == SPEAKER:
            return one_of(rng, rng.choice(self.questions))
        return one_of(rng, rng.choice(self.task.distractor.questions).replace(WHO, person))

    def around(self, question: str, answer: str) -> tuple[str, str]:
        """What stands before and after the answer."""
        stem, ending = question.split(BLANK)
        return with_particles(stem), with_particles(answer + ending)[len(answer) :]

    def opening(
        self,
        rng: random.Random,
        fact: str,
        variant: str,
        of_either: bool = True,
        asked_later: bool = True,
    ) -> Opening:
        """The phrases of a document and its first question. asked_later: whether another question
        may be about the other person."""
        task = self.task
        phrase = one_of(rng, rng.choice(self.facts))
        question = one_of(rng, rng.choice(self.questions))
        if variant == "distractor":
            # another person; which of the two is asked about, and who comes first, is drawn
            other = rng.choice([f for f in task.facts if f != fact])
            who, theirs = self.somebody(rng, task.distractor)
            persons = [SPEAKER, who if asked_later else UNASKED]
            phrases, about = [(phrase, fact), (theirs, other)], 0
            if of_either and rng.random() < 0.5:
                about, question = 1, self.ask(rng, who)
            if rng.random() >= 0.5:
                about = 1 - about
                phrases.reverse()
                persons.reverse()
            return Opening(phrases, persons, about, question)
        if variant == "correction":
            other = rng.choice([f for f in task.facts if f != fact])
            withdrawn = one_of(rng, rng.choice(self.facts))
            corrected = one_of(rng, rng.choice(task.correction.facts))
            phrases = [(withdrawn, other), (corrected, fact)]
            return Opening(phrases, [UNASKED, SPEAKER], 1, question)
        if self.training and of_either and task.distractor.facts and rng.random() < ALONE:
            who, theirs = self.somebody(rng, task.distractor)
            return Opening([(theirs, fact)], [who], 0, self.ask(rng, who))
        return Opening([(phrase, fact)], [SPEAKER], 0, question)

    def somebody(self, rng: random.Random, variant: Variant) -> tuple[str, str]:
        """(one of the persons of a variant, a phrase that tells of them)."""
        who = rng.choice(variant.who or ("",))
        return who, one_of(rng, rng.choice(variant.facts).replace(WHO, who))

    def lead(self, rng: random.Random, distance: int) -> str:
        """Filler before the opening, where the task asks for it in training and there is room."""
        if not (self.training and distance > LEAD and rng.random() < self.task.lead):
            return ""
        return self.fill(rng, rng.randint(LEAD // 2, distance // 2)).lstrip()

    def another(self, fact: str, but: Collection[str]) -> str:
        """The next fact of the task with another answer: if there is one, none of `but`."""
        facts, answer = self.task.facts, self.task.answer_to(fact)
        place = facts.index(fact)
        others = [f for f in facts[place:] + facts[:place] if self.task.answer_to(f) != answer]
        return next((f for f in others if f not in but), others[0])

    def say(self, rng: random.Random, phrase: str, fact: str, who: str = "") -> tuple[str, str]:
        """The sentence, and the fact as it has it."""
        return self.filled(one_of(rng, phrase.replace(WHO, who)), fact)

    def filled(self, phrase: str, fact: str) -> tuple[str, str]:
        """A phrase in which nothing is left to draw, with a fact in it; the fact as it has it."""
        word = self.task.places[fact] if PLACE in phrase else fact
        return with_particles(phrase.replace(PLACE, BLANK).replace(BLANK, word)), word

    def between(self, rng: random.Random, length: int, variant: str) -> str:
        """Filler, in which other persons may be spoken of in passing: `length` characters."""
        if variant != "passing":
            return self.fill(rng, length)
        text = ""
        for _ in range(rng.randint(1, 5 if self.training else 3)):
            naming = self.training and rng.random() < 0.5
            said = self.naming(rng) if naming else self.in_passing(rng)
            before = rng.randint(1, max(1, (length - len(text) - len(said)) // 2))
            if len(text) + before + len(said) < length:
                text += self.fill(rng, before) + said
        return text + self.fill(rng, length - len(text))

    def in_passing(self, rng: random.Random) -> str:
        """A sentence of the task that names countries, each drawn anew: any, the one told among
        them, so that it tells nothing."""
        _, phrase = self.somebody(rng, self.task.passing)

        def country(slot: re.Match[str]) -> str:
            fact = rng.choice(self.names)
            return self.task.places[fact] if slot[0] == PLACE else fact

        return with_particles(NAME_SLOT.sub(country, phrase))

    def naming(self, rng: random.Random) -> str:
        """A sentence of filler in which names of countries and of their languages have taken the
        place of some words."""
        words = rng.choice(self.filler).split()
        for at in rng.sample(range(len(words)), min(len(words), rng.choice(NAMED))):
            fact = rng.choice(self.names)
            particle = words[at][-1] if "가" <= words[at][-1] <= "힣" else ""
            words[at] = rng.choice((fact, self.task.answer_to(fact))) + particle
        return " ".join(words)

    def loosely(self, rng: random.Random, sentence: str) -> str:
        """The sentence, perhaps begun, ended or spelled as people do when they type."""
        if rng.random() < LOOSE:
            sentence = loose(rng, sentence)
        if rng.random() < LOOSE / 3:
            sentence = rng.choice(BEGINNINGS) + sentence
        return carelessly(rng, sentence) if rng.random() < self.task.careless else sentence

    def slipped(self, rng: random.Random, sentence: str, word: str) -> str:
        """Some letters around the word are others, or missing."""
        before, word, after = sentence.partition(word)
        return slips(rng, before) + word + slips(rng, after)

    def asked_anyhow(self, rng: random.Random, question: str) -> str:
        """A question with slips, or one that begins as any sentence does."""
        before, after = question.split(BLANK)
        if rng.random() < 0.5:
            sentence = rng.choice(self.filler)
            before = sentence[: rng.randint(1, len(sentence))].rstrip(".?! ") + " "
        else:
            before = slips(rng, before)
        return before + BLANK + after


def documents(
    task: Task,
    distance: int,
    n: int,
    variant: str = "plain",
    held_out: Sequence[str] = ("filler",),
    seed: int = 1,
    swapped: bool = False,
) -> list[Document]:
    """`n` documents of one distance: with each filler one for each fact, of which only the fact
    differs; for fewer documents than facts, facts from all over the task. swapped: see `Writer`.
    Raises `ConfigError` for a variant that the task gives no words for."""
    if variant not in task.variants:
        raise ConfigError(f"variant is {variant!r}: {task.path} has {', '.join(task.variants)}")
    writer, facts = Writer(task, held_out), task.facts
    if n < len(facts):
        facts = [facts[k * len(facts) // n] for k in range(n)]
    texts = []
    for k, fact in zip(range(n), itertools.cycle(facts), strict=False):
        rng = random.Random(f"{seed} {distance} {k // len(facts)}")  # one wording for all facts
        texts.append(writer.write(rng, fact, distance, variant, swapped))
    return texts


def sample_texts(task: Task, number: int = 400) -> str:
    """Documents of every kind, and all the filler: what a tokenizer is trained on."""
    rng = random.Random(0)
    texts = list(dict.fromkeys((*task.filler, *task.held_out_filler)))
    if task.noise:
        texts.append(noise.alphabet())
    for variant in (task.plain, task.held_out, task.distractor, task.correction, task.passing):
        texts += [*variant.facts, *variant.questions, *variant.who]
    texts += [word for group in task.pairs.values() for pair in group.items() for word in pair]
    texts += [*task.places.values(), *task.others]
    for held_out in ((), ("filler", "phrasing")):
        writer = Writer(task, held_out)
        texts += [
            writer.write(rng, fact, 60, variant).text
            for _ in range(max(1, number // len(task.facts)))
            for fact in task.facts
            for variant in task.variants
        ]
    return "\n".join(texts)
