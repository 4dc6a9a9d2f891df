"""Documents that say a fact, speak of something else, and then ask for it.

    나는 브라질사람이야. (filler, as long as one likes) 그래서 나는 포르투갈어를 할 줄 알아.

A task is a small TOML: ways to state a fact and to ask for it, pairs of fact and answer, files of
filler (tasks/speaker-ko.toml is one, with comments). The filler is drawn without looking at the
fact, so it carries no bit about the answer. No TensorFlow here.
"""

from __future__ import annotations

import dataclasses
import random
import re
import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from textgen import shipped
from textgen.errors import ConfigError
from textgen.text.corpus import load_corpus

BLANK = "{}"
VARIANTS = ("plain", "distractor", "correction")
HELD_OUT = ("filler", "phrasing")  # what a writer may take from what is never trained on
LARGEST_TASK = 1 << 20
AMPLE = 500  # characters
_SENTENCE = re.compile(r"[^.?!…\n]+[.?!…]*[\"”’]?")


@dataclasses.dataclass(frozen=True)
class Document:
    """`before` ends where the answer begins, `ending` follows it.

    distance: characters between the end of the sentence that tells and the answer.
    told, asked: where in `before` that sentence ends, and where the question begins.
    """

    before: str
    answer: str
    ending: str
    fact: str
    group: str
    told: int
    asked: int

    @property
    def text(self) -> str:
        return self.before + self.answer + self.ending

    @property
    def distance(self) -> int:
        return len(self.before) - self.told


@dataclasses.dataclass(frozen=True)
class Variant:
    """Ways to say and to ask, of one person."""

    facts: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task file says. pairs: group -> fact -> answer."""

    path: Path
    pairs: dict[str, dict[str, str]]
    plain: Variant
    held_out: Variant
    distractor: Variant
    correction: Variant
    filler: tuple[str, ...]
    held_out_filler: tuple[str, ...]

    @property
    def answers(self) -> list[str]:
        """The candidates at the blank, in the order of the file."""
        return list(dict.fromkeys(a for group in self.pairs.values() for a in group.values()))

    @property
    def facts(self) -> list[str]:
        return [fact for group in self.pairs.values() for fact in group]

    @property
    def variants(self) -> list[str]:
        """Those of `VARIANTS` that the file gives words for."""
        given = {
            "plain": True,
            "distractor": self.distractor.facts,
            "correction": self.correction.facts,
        }
        return [name for name in VARIANTS if given[name]]

    def group_of(self, fact: str) -> str:
        return next(name for name, group in self.pairs.items() if fact in group)

    def answer_to(self, fact: str) -> str:
        return self.pairs[self.group_of(fact)][fact]


# --- reading a task -------------------------------------------------------------------------------


def is_task(source: Any) -> bool:
    """Whether what is given to train on is a task file."""
    return isinstance(source, str | Path) and Path(source).suffix == ".toml"


def read_task(path: str | Path) -> Task:
    """The task in a TOML file; `NAME.toml` or `tasks/NAME.toml` may be a shipped one.

    Raises `ConfigError` with what is missing.
    """
    path = shipped.find(Path(path), shipped.TASKS)
    try:
        if path.stat().st_size > LARGEST_TASK:
            raise ConfigError(
                f"{path} is larger than {LARGEST_TASK} bytes: give a task file (TOML)"
            )
        data = tomllib.loads(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"cannot read the task {path}: {error.strerror}; give a TOML file"
        ) from error
    except ValueError as error:
        raise ConfigError(f"the task {path} is not valid TOML: {error}") from error
    pairs = _pairs(path, data.get("pairs"))
    variants = {
        name: Variant(_phrases(path, section, "facts"), _phrases(path, section, "questions"))
        for name, section in _sections(path, data).items()
    }
    for wanted in ("facts", "questions"):
        if not getattr(variants["plain"], wanted):
            raise ConfigError(
                f"the task {path} has no {wanted}: give at least one with {BLANK} in it"
            )
    words = [word for group in pairs.values() for pair in group.items() for word in pair]
    filler = _filler(path, data.get("filler"), words)
    if not filler:
        raise ConfigError(f"the task {path} names no filler: give filler = [files]")
    return Task(
        path,
        pairs,
        variants["plain"],
        variants["held_out"],
        variants["distractor"],
        variants["correction"],
        filler,
        _filler(path, data.get("held_out_filler"), words) or filler,
    )


def _sections(path: Path, data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    held_out = {name: data.get(f"held_out_{name}", []) for name in ("facts", "questions")}
    sections = {"plain": data, "held_out": held_out}
    for name in VARIANTS[1:]:
        section = data.get(name, {})
        if not isinstance(section, dict):
            raise ConfigError(f"the task {path} has {name} = {section!r}: make it a table [{name}]")
        sections[name] = section
    return sections


def _phrases(path: Path, section: dict[str, Any], name: str) -> tuple[str, ...]:
    found = section.get(name, [])
    if not isinstance(found, list) or not all(isinstance(p, str) for p in found):
        raise ConfigError(f"the task {path} has {name} = {found!r}: give a list of sentences")
    for phrase in found:
        if phrase.count(BLANK) != 1:
            raise ConfigError(
                f"{path}: {phrase!r} has {phrase.count(BLANK)} times {BLANK}: put it once"
            )
    return tuple(found)


def _pairs(path: Path, found: Any) -> dict[str, dict[str, str]]:
    usable = isinstance(found, dict) and all(
        isinstance(group, dict)
        and all(isinstance(answer, str) and answer for answer in group.values())
        for group in found.values()
    )
    if not usable or len({a for group in found.values() for a in group.values()}) < 2:
        raise ConfigError(
            f'the task {path} needs tables [pairs.NAME] with lines fact = "answer", '
            "two different answers at least"
        )
    facts = [fact for group in found.values() for fact in group]
    if len(set(facts)) < len(facts):
        raise ConfigError(f"the task {path} names a fact twice: each fact has one answer")
    return {name: dict(group) for name, group in found.items()}


def _filler(path: Path, names: Any, words: Sequence[str]) -> tuple[str, ...]:
    """Sentences of the files, without those that name a fact or an answer."""
    names = [names] if isinstance(names, str) else names or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"the task {path} has filler {names!r}: give a list of files")
    if not names:
        return ()
    text = load_corpus([path.parent / name for name in names]).text
    found = (sentence.strip() for sentence in _SENTENCE.findall(text))
    kept = tuple(dict.fromkeys(s for s in found if s and not any(w in s for w in words)))
    if not kept:
        raise ConfigError(
            f"the filler of {path} has no sentence without a word of the task: add text"
        )
    return kept


# --- writing documents ----------------------------------------------------------------------------


class Writer:
    """Writes documents of a task. The same seeds give the same documents.

    held_out: which of `HELD_OUT` come from what is never trained on.
    """

    def __init__(self, task: Task, held_out: Sequence[str] = ()) -> None:
        self.task = task
        self.filler = task.held_out_filler if "filler" in held_out else task.filler
        unseen = task.held_out if "phrasing" in held_out else Variant()
        self.facts = unseen.facts or task.plain.facts
        self.questions = unseen.questions or task.plain.questions
        self.by_length: dict[int, list[str]] = {}
        for sentence in self.filler:
            self.by_length.setdefault(len(sentence), []).append(sentence)
        # with more room than this any sentence may come next
        self.ample = max(AMPLE, 3 * max(self.by_length))
        self.gaps = gaps(self.by_length, self.ample)

    def write(
        self, rng: random.Random, fact: str, distance: int, variant: str = "plain"
    ) -> Document:
        """A document whose answer follows `distance` characters after the fact is told.

        Where no filler fits exactly, the distance is the nearest possible.
        """
        task = self.task
        told = rng.choice(self.facts).replace(BLANK, fact)
        opening, asked, answer = "", fact, task.answer_to(fact)
        question = rng.choice(self.questions)
        if variant == "distractor":
            # another person; which of the two is asked about, and who comes first, is drawn
            other = rng.choice([f for f in task.facts if f != fact])
            theirs = rng.choice(task.distractor.facts).replace(BLANK, other)
            if rng.random() < 0.5:
                asked, answer = other, task.answer_to(other)
                question = rng.choice(task.distractor.questions)
            sentences = [told, theirs] if rng.random() < 0.5 else [theirs, told]
            opening, told = sentences
        elif variant == "correction":
            other = rng.choice([f for f in task.facts if f != fact])
            opening = rng.choice(self.facts).replace(BLANK, other)
            told = rng.choice(task.correction.facts).replace(BLANK, fact)
        opening = f"{opening} {told}" if opening else told
        stem, ending = question.split(BLANK)
        text = opening + self.fill(rng, distance - len(stem))
        return Document(
            text + stem, answer, ending, asked, task.group_of(asked), len(opening), len(text)
        )

    def fill(self, rng: random.Random, length: int) -> str:
        """Sentences with a space before, between and after them: `length` characters in all."""
        parts: list[str] = []
        left = max(length - 1, 0)  # the space after the last
        while left:
            if left in self.gaps:  # no sentences fit: stay a little short
                left -= 1
                continue
            fitting = self.by_length.get(left - 1)
            if fitting and (left < 40 or rng.random() < 0.1):
                parts.append(rng.choice(fitting))
                break
            sentence = rng.choice(self.filler)
            rest = left - 1 - len(sentence)
            if rest >= 0 and (left > self.ample or rest not in self.gaps):
                parts.append(sentence)
                left = rest
        return "".join(f" {part}" for part in parts) + " "


def gaps(lengths: Collection[int], room: int) -> frozenset[int]:
    """Room, up to `room`, that sentences of these lengths, a space before each, cannot fill."""
    filled = [True]
    for space in range(1, room + 1):
        filled.append(any(n < space and filled[space - 1 - n] for n in lengths))
    return frozenset(space for space, is_filled in enumerate(filled) if not is_filled)


def sample_texts(task: Task, number: int = 400) -> str:
    """Documents of every kind, and all the filler: what a tokenizer is trained on."""
    rng = random.Random(0)
    texts = list(dict.fromkeys((*task.filler, *task.held_out_filler)))
    for held_out in ((), HELD_OUT):
        writer = Writer(task, held_out)
        texts += [
            writer.write(rng, fact, 60, variant).text
            for _ in range(number // len(task.facts))
            for fact in task.facts
            for variant in task.variants
        ]
    return "\n".join(texts)
