"""Korean particles and the sound before them: 은 after a consonant, 는 after a vowel.

No dictionary is needed: the last sound of a syllable stands in its code, and digits and Latin
letters are read aloud in a known way. What looks like a particle may be the end of another word
(먹는, 아이). In some letters no noun ends, so what follows them is the ending of a verb (있는).
Else a word that breaks the rule counts as wrong only where the training text, in which it would be
another word, does not have it; and beside what a model writes stands a text that a person wrote,
whose share of "wrong" words is that of false alarms.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Collection

from textgen.text.nfc import nfc

# (after a consonant, after a vowel)
PAIRS = (
    ("은", "는"),
    ("이", "가"),
    ("을", "를"),
    ("과", "와"),
    ("으로", "로"),
    ("아", "야"),
    ("이라", "라"),
)
_QUOTING = ("", "고", "는", "도", "면", "서", "니", "며")  # what may follow 이라 and 라
_NONE, _RIEUL = 0, 8  # in a syllable's code: no final consonant; ㄹ
_OTHER = 1  # any other final consonant
_OF_VERBS = (
    2,
    5,
    6,
    13,
    14,
    15,
    18,
    20,
    27,
)  # ㄲ ㄵ ㄶ ㄾ ㄿ ㅀ ㅄ ㅆ ㅎ: 닦 앉 않 핥 읊 앓 없 있 좋
_NOUNS_WITH_SUCH = "밖팎값읗"  # 안팎, 히읗
_CLOSING = "\"'”’)]}」』》〉】〕〗〙｣>）］｝＞＂＇»›`*"  # ` and * those of TeX and of Markdown
# finals of 영 일 이 삼 사 오 육 칠 팔 구
_DIGITS = dict(zip("0123456789", (1, 8, 0, 1, 0, 0, 1, 8, 8, 0), strict=True))
_LARGE = (_OTHER, _OTHER, _NONE, _OTHER)  # finals of 만 억 조 경: one, two, three, four times 0000
_NAMED = {"L": _RIEUL, "M": _OTHER, "N": _OTHER}  # 엘 엠 엔; the names of the others end in vowels
_UNSURE_NAME = "R"  # 아르, 알
_UNSURE_ENDS = "BCDEGKPT"  # of a word: book is 북, test 테스트, apple 애플, cake 케이크
_WORD = re.compile(rf"[0-9A-Za-z가-힣.,]*[0-9A-Za-z가-힣][{re.escape(_CLOSING)}]*[가-힣]+")
_HANGUL = re.compile("[가-힣]")


@dataclasses.dataclass(frozen=True)
class Particles:
    """How a text sets its particles. right, wrong: by pair, "은/는". words: the wrong ones, all of
    them, most frequent first, and how often each stands there."""

    name: str
    right: dict[str, int]
    wrong: dict[str, int]
    words: list[tuple[str, int]]

    @property
    def number(self) -> int:
        """Of all, right and wrong."""
        return sum(self.right.values()) + sum(self.wrong.values())

    @property
    def share(self) -> float:
        """Of those that are right, of all; 1 where there are none."""
        return sum(self.right.values()) / self.number if self.number else 1.0


def particles(name: str, text: str, known: Collection[str] = ()) -> Particles:
    """Count the particles of `text`. known: words that are right, whatever they look like."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for word in words_of(text):
        judged = judge(word)
        if judged is None or (not judged[1] and word in known):
            continue
        pair, is_right = judged
        (right if is_right else wrong)[pair] += 1
        if not is_right:
            words[word] += 1
    return Particles(name, dict(right), dict(wrong), words.most_common())


def words_of(text: str) -> list[str]:
    """What may end in a particle: letters, digits, perhaps closing marks, and Hangul."""
    return _WORD.findall(nfc(text))


def judge(word: str) -> tuple[str, bool] | None:
    """(the pair of the particle that `word` ends in, whether it fits the sound before); None where
    it ends in none, or where that sound cannot be told."""
    for after_consonant, after_vowel, ending in _ENDINGS:
        for particle in (after_consonant, after_vowel):
            stem = word.removesuffix(particle + ending)
            if stem in ("", word):
                continue
            if particle == "가" and stem.endswith("는"):
                return None  # 먹는가, 있는가: a question
            if _is_of_a_verb(stem[-1]) or (final := _final(stem.rstrip(_CLOSING))) is None:
                return None
            pair = f"{after_consonant}/{after_vowel}"
            has_consonant = final != _NONE
            if after_vowel == "로" and final == _RIEUL:
                has_consonant = False  # 서울로
            if after_vowel == "라" and (
                (particle == "라" and final == _RIEUL)  # 몰라, 골라: verbs
                or (particle == "이라" and not has_consonant)  # 친구이라고 is 친구라고 written out
            ):
                return None
            return pair, has_consonant == (particle == after_consonant)
    return None


def _is_of_a_verb(last: str) -> bool:
    """Whether no noun ends in the letter `last`, but stems of verbs and adjectives do."""
    is_hangul = _HANGUL.match(last) and last not in _NOUNS_WITH_SUCH
    return bool(is_hangul) and (ord(last) - ord("가")) % 28 in _OF_VERBS


def _final(stem: str) -> int | None:
    """The final consonant of the last sound: none, ㄹ or another. None where it cannot be told."""
    last = stem[-1:]
    if _HANGUL.match(last):
        code = (ord(last) - ord("가")) % 28
        return code if code in (_NONE, _RIEUL) else _OTHER
    if number := re.search(r"[0-9][0-9.,]*$", stem):
        if re.match("[A-Za-z]", stem[: number.start()][-1:]):
            return None  # MP3 is read 엠피스리 by some, 엠피삼 by others: 를 and 을 are both right
        return _final_of_number(number[0].replace(",", ""))
    if latin := re.search(r"[A-Za-z]+$", stem):
        return _final_of_latin(latin[0])
    return None


def _final_of_number(number: str) -> int | None:
    """Read aloud: 3 is 삼, 10 십, 300 삼백, 20000 이만; behind a point each digit by itself."""
    zeros = len(number) - len(number.rstrip("0"))
    if not zeros or "." in number or not number.strip("0"):
        return _DIGITS.get(number[-1])
    fours = zeros // 4
    return _LARGE[min(fours, len(_LARGE)) - 1] if fours else _OTHER  # 십, 백, 천


def _final_of_latin(word: str) -> int | None:
    last = word[-1].upper()
    if word.isupper():  # read letter by letter
        return None if last == _UNSURE_NAME else _NAMED.get(last, _NONE)
    if word.endswith("ng"):
        return _OTHER
    return None if last in _UNSURE_ENDS else _NAMED.get(last, _NONE)


# longer endings first, so that 학생이라는 is 이라 and not 는
_ENDINGS = [("이라", "라", ending) for ending in sorted(_QUOTING, key=len, reverse=True)]
_ENDINGS += [(*pair, "") for pair in sorted(PAIRS[:-1], key=lambda pair: -len(pair[0]))]
