"""Measure a folder of stories: how many of each kind, how long, and how alike any two of them are.

    python corpora/measure_stories.py corpora/ko/stories

A file is a kind, and a blank line parts two stories. Two are as alike as their runs of five words
(Jaccard: those that both have over those that either has): 1 is the same story, 0.5 one in which a
sentence or two was changed, and two that were written apart share hardly a run. Every pair is
compared; for a few hundred stories that takes seconds, and nothing has to be estimated (MinHash).
Two can tell one plot in other sentences. So their words are compared, too: by the cosine, a word
weighing the more the fewer stories have it. Whether a pair tells one plot, only reading tells.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

RUN = 5  # words of a run
OPENING = 2  # words of an opening
NEAR = 0.1  # two stories that are at least so alike are near duplicates
WORD = re.compile(r"\w+(?:'\w+)*")  # don't is one word
HANGUL = re.compile("[가-힣]")
STEM = 2  # syllables of a Korean word that are compared: what follows is mostly its endings
SENTENCE = re.compile(r"[^.?!\n]+[.?!]+")


class Pair(NamedTuple):
    """Two stories. likeness: from 0 to 1, see above."""

    likeness: float
    first: str
    second: str


def stories_of(folder: Path) -> dict[str, list[str]]:
    """kind -> its stories. Raises `OSError` for what cannot be read."""
    files = sorted(folder.glob("*.txt"))
    return {f.stem: f.read_text(encoding="utf-8").strip("\n").split("\n\n") for f in files}


def words_of(text: str) -> list[str]:
    """Its words in lower case, with the particles or endings they have."""
    return WORD.findall(text.lower())


def runs_of(text: str, length: int = RUN) -> frozenset[tuple[str, ...]]:
    """Its different runs of `length` words; of a shorter text the one run that it is."""
    words = words_of(text)
    starts = range(max(1, len(words) - length + 1))
    return frozenset(tuple(words[k : k + length]) for k in starts)


def most_alike(stories: Iterable[str]) -> list[Pair]:
    """All pairs that share a run of words, the most alike first."""
    runs = [(story, runs_of(story)) for story in stories]
    pairs = [
        Pair(shared / (len(a) + len(b) - shared), first, second)
        for (first, a), (second, b) in itertools.combinations(runs, 2)
        if (shared := len(a & b))
    ]
    return sorted(pairs, reverse=True)


def nearest_in_words(stories: Sequence[str]) -> Pair:
    """The two with the largest cosine between the words that each has, each weighed by how few
    stories have it (the logarithm of the inverse of their share). Needs two stories at least."""
    words = [{w[:STEM] if HANGUL.match(w) else w for w in words_of(story)} for story in stories]
    places = {word: k for k, word in enumerate(sorted(set().union(*words)))}
    table = np.zeros((len(stories), len(places)), np.float32)
    for row, of_story in zip(table, words, strict=True):
        row[[places[word] for word in of_story]] = 1
    table *= np.log(len(stories) / table.sum(0))
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    likeness = np.triu(table @ table.T, 1)
    first, second = divmod(int(likeness.argmax()), len(stories))
    return Pair(float(likeness.max()), stories[first], stories[second])


def openings(stories: Iterable[str]) -> Counter[str]:
    """The first words of the stories -> how many begin with them."""
    return Counter(" ".join(words_of(story)[:OPENING]) for story in stories)


def repeated_sentences(stories: Iterable[str]) -> tuple[int, int]:
    """(sentences of more than `RUN` words that stood in another story before, all such ones)."""
    seen: set[str] = set()
    repeated = total = 0
    for story in stories:
        found = [s.strip() for s in SENTENCE.findall(story.replace('"', ""))]
        own = {s for s in found if len(words_of(s)) > RUN}
        repeated += len(own & seen)
        total += len(own)
        seen |= own
    return repeated, total


def report(folder: Path) -> str:
    """The figures of a folder, a line of Markdown each."""
    kinds = stories_of(folder)
    stories = [story for of_kind in kinds.values() for story in of_kind]
    numbers = ", ".join(f"{kind} {len(of_kind)}" for kind, of_kind in kinds.items())
    lengths = sorted(map(len, stories))
    words = [word for story in stories for word in words_of(story)]
    pairs = most_alike(stories)
    nearest = nearest_in_words(stories)
    near, most = sum(pair.likeness >= NEAR for pair in pairs), pairs[0].likeness if pairs else 0
    opening, begun = openings(stories).most_common(1)[0]
    repeated, sentences = repeated_sentences(stories)
    return "\n".join(
        [
            f"- {len(stories)} stories ({numbers}), {sum(lengths):,} characters",
            f"- {lengths[0]} to {lengths[-1]} characters a story, {lengths[len(lengths) // 2]} in "
            "the middle",
            f"- {len(words):,} words of {len(set(words)):,} different forms",
            f"- duplicates: {len(stories) - len(set(stories))}; near duplicates, which share "
            f"{NEAR:.0%} of their runs of {RUN} words or more: {near}; the two most alike share "
            f"{most:.1%}",
            f"- cosine of the two whose words are most alike: {nearest.likeness:.2f}",
            f'- commonest opening of {OPENING} words: "{opening}", {begun / len(stories):.1%} of '
            "the stories",
            f"- sentences of more than {RUN} words that stand in another story, too: {repeated} of "
            f"{sentences:,}",
        ]
    )


def main(arguments: list[str]) -> int:
    folders = [Path(argument) for argument in arguments]
    if not folders:
        print("usage: measure_stories.py FOLDER ...", file=sys.stderr)
        return 2
    for folder in folders:
        if not any(folder.glob("*.txt")):
            print(f"error: {folder} holds no .txt file: name a folder of stories", file=sys.stderr)
            return 2
        print(f"{folder}\n\n{report(folder)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
