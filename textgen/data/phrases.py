"""Phrases of a task: sentences with {} for the word of a fact or an answer.

(a|b|)     is one of these, drawn anew each time, perhaps nothing
[을/를]    is the particle that the letter before it asks for; [a/an] looks at the one after it
{place}    stands for the word as the table [places] of the task has it: Korea for Korean
{who}      is one of the persons of [distractor], the same in fact and question
"""

from __future__ import annotations

import random
import re

BLANK, PLACE, WHO = "{}", "{place}", "{who}"
_ONE_OF = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
_PARTICLE = re.compile(r"\[([^\[\]/]+)/([^\[\]/]+)\]")
# how a sentence may begin and end where it is typed as it comes
BEGINNINGS = (
    '"',
    "“",
    "'",
    "- ",
    "* ",
    "> ",
    "#",
    "1. ",
    "(",
    "~",
    "... ",
    "\n",
    "음 ",
    "ㅋㅋ ",
    "oh ",
)
ENDS = ("", "", "", "!", "!!", "?!", "..", "...", "....", "…", "~", "~~", ";", ",", ")", '"', "”")
AFTERWARDS = ("", "", "", "ㅋㅋ", " ㅎㅎ", "ㅠㅠ", "^^", " :)", " haha", "\n", " \n")
STYLES = (str.lower, str.lower, str.lower, str.upper, lambda text: text.replace(" ", ""))
_RIEUL = 8  # the final consonant ㄹ, after which 으로 is 로


def one_of(rng: random.Random, phrase: str) -> str:
    """The phrase with one of each (a|b)."""
    chosen = _ONE_OF.sub(lambda found: rng.choice(found[1].split("|")), phrase)
    return chosen.replace("  ", " ").strip()


def with_particles(text: str) -> str:
    """The text with one of each [을/를], by the letter before it: the first after a consonant.

    [a/an] stands before its word: the second before a vowel.
    """

    def one(found: re.Match[str]) -> str:
        after_consonant, after_vowel = found.groups()
        before = text[: found.start()][-1:]
        if not before or before.isspace():
            follows = text[found.end() :].lstrip()[:1].lower()
            return after_vowel if follows and follows in "aeiou" else after_consonant
        final = (ord(before) - 0xAC00) % 28 if "가" <= before <= "힣" else 0
        if final == _RIEUL and after_consonant.startswith("으"):
            final = 0
        return after_consonant if final else after_vowel

    return _PARTICLE.sub(one, text)


def slips(rng: random.Random, text: str, share: float = 0.15) -> str:
    """The text with a share of its letters dropped, or another of its own, or one of none."""
    return "".join(
        letter if rng.random() > share else rng.choice(["", rng.choice(text), "\ue000"])
        for letter in text
    )


def loose(rng: random.Random, sentence: str) -> str:
    """The sentence with another end, or none: . becomes !!, ...ㅋㅋ, or the end of a line."""
    body = sentence.rstrip(".?!~")
    return body + rng.choice(ENDS) + rng.choice(AFTERWARDS)


def carelessly(rng: random.Random, sentence: str) -> str:
    """The sentence in small letters alone, in capitals, or without spaces."""
    return rng.choice(STYLES)(sentence)
