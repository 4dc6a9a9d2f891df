"""What a person types, as a document of a task: which fact it names, and so what is right.

Names are looked for, and whether one is denied beside it. Who is meant, and what the question
asks, are not understood.
"""

from __future__ import annotations

import functools
import random
import re

from textgen.data.phrases import BLANK, PLACE, WHO, one_of, with_particles
from textgen.data.recall_documents import Document
from textgen.data.recall_task import SENTENCE, Task
from textgen.errors import ConfigError

DRAWS = 30  # of the alternatives of a phrase
NAMES = ("뷔", "뷁", "뷜")  # that end in a vowel, a consonant, and ㄹ
SHORT_BLANK = re.compile("[_\uff3f]{2,}")
# what may follow a Korean name beside what the tasks have
PERSONS = frozenset(
    ("국민", "국적", "남자", "남성", "놈", "분", "아이", "애", "여자", "여성", "출신", "토박이")
)
# in the same clause, not far from the name: it is no fact
DENIED_AFTER = re.compile(r"[^.!?,\n]{0,12}?(아니|아닌|아닙|아님|않)")
DENIED_BEFORE = re.compile(
    r"(\b(not|never|no|ai?nt|arent|dont|isnt|wasnt)|n['’]t)\b[^.!?,\n]{0,16}$", re.IGNORECASE
)


def typed(task: Task, text: str, blank: str) -> Document:
    """A text with one `blank` as a document of the task. Where one country, or whatever the facts
    are, is named before the blank, that is the fact, and its pair the answer; where none or several
    are, or the one is denied, `answer` is empty. Raises `ConfigError` for a text without a blank,
    or with several.
    """
    if text.count(blank) != 1:
        raise ConfigError(f"the text has {text.count(blank)} times {blank}: put it once")
    before, ending = text.split(blank)
    named = facts_named(task, before)
    told = len({fact for fact, _ in named}) == 1
    if not told or any(is_denied(before, match) for _, match in named):
        return Document(before, "", ending, "", "", 0, 0, len(before))
    fact, match = named[-1]
    end = SENTENCE.match(before, match.start())
    fact_end = end.end() if end else match.end()
    group, answer = task.group_of(fact), task.answer_to(fact)
    return Document(before, answer, ending, fact, group, fact_end, fact_end, len(before), match[0])


def facts_named(task: Task, text: str) -> list[tuple[str, re.Match[str]]]:
    """Each fact that the text names, and where: a whole word, or one with what the task's own
    sentences write around it (인도사람, 난한국, and not 인도네시아, 행복이란 or Indiana). Names in
    another case count where none stands in its own."""
    facts = {fact: fact for fact in task.facts} | task.others
    words = {task.places.get(word, word): fact for word, fact in facts.items()} | facts
    # the longer first, so that no word is found within another
    any_word = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    lower = {word.lower(): fact for word, fact in words.items()}
    before, after = _around(tuple((*task.plain.facts, *task.held_out.facts, *task.passing.facts)))
    for flags in (re.NOFLAG, re.IGNORECASE):
        found = [
            (lower[match[0].lower()], match)
            for match in re.finditer(any_word, text, flags)
            if _run(text[: match.start()][::-1])[::-1] in before
            and _goes_on(_run(text[match.end() :]), after)
        ]
        if found:
            return found
    return []


def is_denied(text: str, name: re.Match[str]) -> bool:
    """Whether the clause denies the name: "not Korean", 한국사람이 아니야."""
    before, after = text[: name.start()], text[name.end() :]
    return bool(DENIED_AFTER.match(after) or DENIED_BEFORE.search(before))


def _goes_on(rest: str, after: frozenset[str]) -> bool:
    """Whether a name may be followed so: as in the task, or by a part of that."""
    return not rest or any(rest.startswith(one[:2]) or one.startswith(rest) for one in after)


@functools.lru_cache(16)
def _around(phrases: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The letters that phrases have right before their slot, or one word before it, and those that
    they have right after it."""
    rng = random.Random(0)
    before, after = {""}, set()
    for phrase in phrases:
        for drawn in {one_of(rng, phrase.replace(WHO, "")) for _ in range(DRAWS)}:
            for name in NAMES:
                said = with_particles(drawn.replace(PLACE, BLANK).replace(BLANK, name))
                left, right, *_ = said.split(name)
                before |= {_run(left[::-1])[::-1], _run(left.rstrip()[::-1])[::-1]}
                after.add(_run(right))
    return frozenset(before), frozenset(after - {""} | PERSONS)


def _run(text: str) -> str:
    """The letters that a text begins with; ㅋㅋ and ㅠㅠ are none."""
    return text[: next((k for k, letter in enumerate(text) if not _is_letter(letter)), len(text))]


def _is_letter(character: str) -> bool:
    return character.isalnum() and not "ㄱ" <= character <= "ㅣ"


def one_blank(text: str, blank: str) -> str:
    """The text with the blank for every run of underscores of two and more."""
    return SHORT_BLANK.sub(blank, text)
