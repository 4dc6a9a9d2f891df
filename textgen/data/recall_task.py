"""A recall task: a small TOML with ways to state a fact and to ask for it, pairs of fact and
answer, and files of filler. tasks/speaker-ko.toml is one, with comments. No TensorFlow here.
"""

from __future__ import annotations

import dataclasses
import re
import stat
import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeGuard

from textgen import shipped
from textgen.data import noise
from textgen.data.phrases import BLANK, PLACE, WHO
from textgen.errors import ConfigError
from textgen.options import path_of
from textgen.text.corpus import load_corpus

VARIANTS = ("plain", "distractor", "correction", "passing")
LARGEST_TASK = 1 << 20
SENTENCE = re.compile(r"[^.?!…\n]+[.?!…]*[\"”’]?")


@dataclasses.dataclass(frozen=True)
class Variant:
    """Ways to say and to ask, of one person. who: whom {who} may stand for."""

    facts: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    who: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Course:
    """In which order a task is learned, in shares of a training.

    waiting: until when the distance stays at its shortest, where a task tells of two persons.
    persons: from when on documents do. either: from when to when the share of those whose questions
    may be about the other person grows, from none to all. later: from when on every question but
    the first may be. Whom a question means is learned last: see `DocumentBatches`.
    """

    waiting: float = 0.4
    persons: float = 0.0
    either: tuple[float, float] = (0.06, 0.5)
    later: float = 1.0


@dataclasses.dataclass(frozen=True)
class Task:
    """What a task file says.

    pairs: group -> fact -> answer. places: fact -> what {place} is. noise: kinds of it (noise.py)
    among the filler of training. lead: share of training documents in which filler stands before
    the fact. slips: share in which letters of fact and question are others, or missing, or the
    question begins as any sentence does. careless: share of the sentences, in a task with slips,
    that are in small letters or capitals alone, or without spaces. others: further words, each with
    the fact whose answer is its own too (Britain with America); training documents have one of them
    in place of the fact now and then.
    """

    path: Path
    pairs: dict[str, dict[str, str]]
    plain: Variant
    held_out: Variant
    distractor: Variant
    correction: Variant
    passing: Variant
    filler: tuple[str, ...]
    held_out_filler: tuple[str, ...]
    places: dict[str, str]
    noise: tuple[str, ...] = ()
    held_out_noise: tuple[str, ...] = ()
    lead: float = 0.0
    slips: float = 0.0
    careless: float = 0.0
    others: dict[str, str] = dataclasses.field(default_factory=dict)
    course: Course = Course()

    @property
    def answers(self) -> list[str]:
        """The candidates at the blank, in the order of the file."""
        return list(dict.fromkeys(a for group in self.pairs.values() for a in group.values()))

    @property
    def facts(self) -> list[str]:
        return [fact for group in self.pairs.values() for fact in group]

    @property
    def names(self) -> list[str]:
        """The facts and the others: what a sentence of the task may tell."""
        return [*self.facts, *self.others]

    @property
    def variants(self) -> list[str]:
        """Those of `VARIANTS` that the file gives words for."""
        return [name for name in VARIANTS if name == "plain" or getattr(self, name).facts]

    def group_of(self, fact: str) -> str:
        """The group of a fact, or of one of the others."""
        fact = self.others.get(fact, fact)
        return next(name for name, group in self.pairs.items() if fact in group)

    def answer_to(self, fact: str) -> str:
        """The answer to a fact, or to one of the others."""
        return self.pairs[self.group_of(fact)][self.others.get(fact, fact)]


# --- reading a task -------------------------------------------------------------------------------


def is_task(source: object) -> bool:
    """Whether what is given to train on is a task file."""
    return isinstance(source, str | Path) and Path(source).suffix == ".toml"


def read_task(path: str | Path) -> Task:
    """The task in a TOML file; `NAME.toml` or `tasks/NAME.toml` may be a shipped one.

    Raises `ConfigError` with what is missing.
    """
    path = shipped.find(path_of(path, "the task"), shipped.TASKS)
    data = _toml(path)
    pairs = _pairs(path, data.get("pairs"))
    facts = [fact for group in pairs.values() for fact in group]
    others = _others(path, data.get("others", {}), facts)
    places = _places(path, data.get("places", {}), [*facts, *others])
    variants = {
        name: Variant(
            _phrases(path, section, "facts", bool(places), several=name == "passing"),
            _phrases(path, section, "questions"),
            _who(path, name, section),
        )
        for name, section in _sections(path, data).items()
    }
    for wanted in ("facts", "questions"):
        if not getattr(variants["plain"], wanted):
            raise ConfigError(
                f"the task {path} has no {wanted}: give at least one with {BLANK} in it"
            )
    words = [word for group in pairs.values() for pair in group.items() for word in pair]
    words += [*places.values(), *others]
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
        variants["passing"],
        filler,
        _filler(path, data.get("held_out_filler"), words) or filler,
        places,
        _kinds(path, data, "noise"),
        _kinds(path, data, "held_out_noise"),
        _share(path, data, "lead"),
        _share(path, data, "slips"),
        _share(path, data, "careless"),
        others,
        _course(path, data.get("course", {})),
    )


def _toml(path: Path) -> dict[str, object]:
    """The content of a task file. Raises `ConfigError`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            raise ConfigError(f"the task {path} is not a plain file: give a task file (TOML)")
        if status.st_size > LARGEST_TASK:
            raise ConfigError(
                f"{path} is larger than {LARGEST_TASK} bytes: give a task file (TOML)"
            )
        return tomllib.loads(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"cannot read the task {path}: {error.strerror}; give a TOML file"
        ) from error
    except ValueError as error:
        raise ConfigError(f"the task {path} is not valid TOML: {error}") from error


def _sections(path: Path, data: dict[str, object]) -> dict[str, dict[str, object]]:
    held_out = {name: data.get(f"held_out_{name}", []) for name in ("facts", "questions")}
    sections = {"plain": data, "held_out": held_out}
    for name in VARIANTS[1:]:
        section = data.get(name, {})
        if not isinstance(section, dict):
            raise ConfigError(f"the task {path} has {name} = {section!r}: make it a table [{name}]")
        sections[name] = section
    return sections


def _phrases(
    path: Path, section: dict[str, object], name: str, places: bool = False, several: bool = False
) -> tuple[str, ...]:
    """The sentences of a list, or of a table of lists, one for each grammar.

    places: {place} counts as {}. several: a sentence may name more than one country.
    """
    found = section.get(name, [])
    phrases: list[str] = []
    for part in found.values() if isinstance(found, dict) else [found]:
        if not isinstance(part, list) or not all(isinstance(phrase, str) for phrase in part):
            raise ConfigError(f"the task {path} has {name} = {found!r}: give a list of sentences")
        phrases += part
    for phrase in phrases:
        number = phrase.count(BLANK) + places * phrase.count(PLACE)
        if number != 1 and not (several and number):
            raise ConfigError(f"{path}: {phrase!r} has {number} times {BLANK}: put it once")
    return tuple(phrases)


def _who(path: Path, name: str, section: dict[str, object]) -> tuple[str, ...]:
    """The persons of a section, of which every {who} needs some."""
    found = section.get("who", [])
    if not isinstance(found, list) or not all(isinstance(who, str) and who for who in found):
        raise ConfigError(f"the task {path} has who = {found!r}: give a list of persons")
    if not found and WHO in str([section.get("facts"), section.get("questions")]):
        raise ConfigError(f"the task {path} says {WHO} in {name}, but has no who: give a list")
    return tuple(found)


def _are_words(found: object) -> TypeGuard[dict[str, str]]:
    """Whether it is a table of lines name = "word"."""
    return isinstance(found, dict) and all(isinstance(w, str) and w for w in found.values())


def _places(path: Path, found: object, facts: Collection[str]) -> dict[str, str]:
    if not _are_words(found) or (found and set(found) != set(facts)):
        raise ConfigError(f'the task {path} needs in [places] a line fact = "place" for each fact')
    return dict(found)


def _others(path: Path, found: object, facts: Collection[str]) -> dict[str, str]:
    if not _are_words(found) or not all(
        word and word not in facts and fact in facts for word, fact in found.items()
    ):
        raise ConfigError(
            f'the task {path} needs in [others] lines word = "fact": a word that is no fact '
            "itself, and a fact of [pairs]"
        )
    return dict(found)


def _kinds(path: Path, data: dict[str, object], name: str) -> tuple[str, ...]:
    found = data.get(name, [])
    known = [*noise.KINDS, noise.SALAD]
    if not isinstance(found, list) or not set(map(str, found)) <= set(known):
        raise ConfigError(
            f"the task {path} has {name} = {found!r}: give a list of {', '.join(known)}"
        )
    return tuple(found)


def _share(path: Path, data: dict[str, object], name: str) -> float:
    found = data.get(name, 0.0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        raise ConfigError(f"the task {path} has {name} = {found!r}: give a share from 0 to 1")
    return float(found)


def _course(path: Path, found: object) -> Course:
    usual = Course()
    names = [field.name for field in dataclasses.fields(Course)]
    if not isinstance(found, dict) or not set(found) <= set(names):
        raise ConfigError(
            f"the task {path} has course = {found!r}: make it a table [course] of "
            f"{', '.join(names)}"
        )
    either = found.get("either", list(usual.either))
    if not isinstance(either, list) or len(either) != 2:
        raise ConfigError(f"the task {path} has either = {either!r}: give two shares of a training")
    begin, end = (_share(path, {"either": share}, "either") for share in either)
    if begin >= end:
        raise ConfigError(f"the task {path} has either = {either!r}: give the smaller share first")
    waiting, persons, later = (
        _share(path, dataclasses.asdict(usual) | found, name)
        for name in ("waiting", "persons", "later")
    )
    return Course(waiting, persons, (begin, end), later)


def _pairs(path: Path, found: object) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    if isinstance(found, dict) and all(map(_are_words, found.values())):
        groups = found
    if len({answer for group in groups.values() for answer in group.values()}) < 2:
        raise ConfigError(
            f'the task {path} needs tables [pairs.NAME] with lines fact = "answer", '
            "two different answers at least"
        )
    facts = [fact for group in groups.values() for fact in group]
    if len(set(facts)) < len(facts):
        raise ConfigError(f"the task {path} names a fact twice: each fact has one answer")
    return groups


def _filler(path: Path, names: object, words: Sequence[str]) -> tuple[str, ...]:
    """Sentences of the files, without those that name a fact or an answer."""
    names = [names] if isinstance(names, str) else names or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"the task {path} has filler {names!r}: give a list of files")
    if not names:
        return ()
    text = load_corpus([path.parent / name for name in names]).text
    found = (sentence.strip() for sentence in SENTENCE.findall(text))
    kept = tuple(dict.fromkeys(s for s in found if s and not any(w in s for w in words)))
    if not kept:
        raise ConfigError(
            f"the filler of {path} has no sentence without a word of the task: add text"
        )
    return kept
