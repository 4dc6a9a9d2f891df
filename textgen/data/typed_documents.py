"""What a person types, as a document of a task: which fact it names, and so what is right.

Only names are looked for. Who is meant, whether it is denied, and what the question asks are not
understood.
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
SHORT_BLANK = re.compile("_{2,}")


def typed(task: Task, text: str, blank: str) -> Document:
    """A text with one `blank` as a document of the task. Where one country, or whatever the facts
    are, is named before the blank, that is the fact, and its pair the answer; where none or several
    are, `answer` is empty. Raises `ConfigError` for a text without a blank, or with several.
    """
    if text.count(blank) != 1:
        raise ConfigError(f"the text has {text.count(blank)} times {blank}: put it once")
    before, ending = text.split(blank)
    named = facts_named(task, before)
    if len({fact for fact, _ in named}) != 1:
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
    return frozenset(before), frozenset(after - {""})


def _run(text: str) -> str:
    """The letters that a text begins with."""
    return text[: next((k for k, letter in enumerate(text) if not letter.isalnum()), len(text))]


def one_blank(text: str, blank: str) -> str:
    """The text with the blank for every run of underscores of two and more."""
    return SHORT_BLANK.sub(blank, text)
