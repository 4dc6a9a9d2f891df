"""Minimal pairs for Korean: a sentence that is right, and the same one with one thing wrong in it.

They are drawn from the sentences and words of korean_pairs.toml, which says how it is written. Of
each part as many are drawn in which one form is right as the other (은 and 는, 가셨다 and 갔다,
apart and together), so that whoever always prefers one is right half of the time.

    python -m benchmarks.korean_sentences [NUMBER]    shows so many of each kind, by chance
"""

from __future__ import annotations

import dataclasses
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("korean_pairs.toml")
KINDS = ("particle", "honorific", "spacing")
BANDS = (0, 2, 10, 20, 35)  # characters between cue and place: from each of these up to the next
RIEUL = 8  # the code of the final consonant ㄹ, after which 로 stands
TRIES = 200_000  # with too few words this ends, and does not go on for ever
_SLOT = re.compile(r"\{(\w+)\}")
_CUE = re.compile(r"<([^<>]*)>")
_FORK = re.compile(r"\[([^\[\]|/]*)([|/])([^\[\]|/]*)\]")


@dataclasses.dataclass(frozen=True)
class Pair:
    """part: within the kind, "은/는". case: which of two forms is right. distance: characters
    between the cue, which decides, and the place where it does."""

    kind: str
    part: str
    case: str
    distance: int
    right: str
    wrong: str

    @property
    def band(self) -> int:
        """The place of the last of `BANDS` that the distance reaches."""
        return sum(self.distance >= shortest for shortest in BANDS) - 1


def pairs(number: int = 1000, seed: int = 1) -> list[Pair]:
    """So many different pairs of each kind, the same ones for the same seed."""
    content = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    chance = random.Random(seed)
    found: list[Pair] = []
    for kind in KINDS:
        sentences = [(group["part"], s) for group in content[kind] for s in group["sentences"]]
        if kind == "particle":
            parts: Sequence[Hashable] = list(dict.fromkeys(part for part, _ in sentences))
            cases = ("consonant", "vowel")
        elif kind == "honorific":
            parts, cases = range(len(BANDS)), ("honoured", "plain")
        else:
            parts, cases = ("words", "words", "words", "지", "밖에"), ("apart", "together")
        groups = [(part, case) for part in parts for case in cases]
        wanted = Counter(groups[k % len(groups)] for k in range(number))
        drawn = _drawn(kind, sentences, content["words"], wanted, chance)
        order = [part for part, _ in sentences]
        found += sorted(drawn, key=lambda pair: order.index(pair.part))
    return found


def _drawn(
    kind: str,
    sentences: Sequence[tuple[str, str]],
    words: Mapping[str, Sequence[str]],
    wanted: Counter[tuple[Hashable, str]],
    chance: random.Random,
) -> list[Pair]:
    """Different pairs, so many of each group: a distance of honorifics, else a part, and a case."""
    found: dict[str, Pair] = {}
    for _ in range(TRIES):
        part, sentence = chance.choice(sentences)
        while _SLOT.search(sentence):
            sentence = _SLOT.sub(lambda slot: chance.choice(words[slot[1]]), sentence)
        pair = pair_of(kind, part, sentence)
        group = (pair.band if kind == "honorific" else pair.part, pair.case)
        if wanted[group] and pair.right not in found and not _repeats(pair.right):
            found[pair.right] = pair
            wanted[group] -= 1
        if not wanted.total():
            return list(found.values())
    raise ValueError(f"{SOURCE.name} has too few words for {+wanted}")


def pair_of(kind: str, part: str, sentence: str) -> Pair:
    """The pair that a sentence stands for in which a cue and two forms are marked."""
    cue, fork = _CUE.search(sentence), _FORK.search(sentence)
    if cue is None or fork is None:
        raise ValueError(f"{sentence!r} marks no cue, or no two forms")
    first, mark, second = fork.groups()
    if mark == "/":
        is_first = _takes_first(cue[1], first)
        case = "consonant" if is_first else "vowel"
    elif kind == "honorific":
        is_first = cue[1].endswith("께서")
        case = "honoured" if is_first else "plain"
    else:
        is_first = True
        case = "apart" if first else "together"
    right, wrong = (
        _CUE.sub(r"\1", sentence[: fork.start()] + form + sentence[fork.end() :])
        for form in ((first, second) if is_first else (second, first))
    )
    ends = sorted([cue.span(), fork.span()])
    return Pair(kind, part, case, ends[1][0] - ends[0][1], right, wrong)


def _takes_first(cue: str, particle: str) -> bool:
    """Whether the last sound of a word in Hangul is a consonant, as 은, 이, 을, 과 and 으로 ask."""
    final = (ord(cue[-1]) - ord("가")) % 28
    return final != 0 and not (particle == "으로" and final == RIEUL)


def _repeats(sentence: str) -> bool:
    """Whether two words begin alike, such as 동생은 and 동생보다."""
    begins = [word[:2] for word in sentence.split() if len(word) > 1]
    return len(set(begins)) < len(begins)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    drawn = pairs()
    for kind in KINDS:
        of_kind = [pair for pair in drawn if pair.kind == kind]
        for pair in random.Random(0).sample(of_kind, number):
            print(f"{pair.part} {pair.case} {pair.distance}: {pair.right}  *{pair.wrong}")


if __name__ == "__main__":
    main()
