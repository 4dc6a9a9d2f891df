"""What a name that nothing has may have been meant as: a slip of the fingers away, no more."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable

LETTERS_A_SLIP = 4  # for so many letters of a name one may be wrong
SHORTEST = 3  # letters: of fewer, one is half the name
MOST = 5000  # names that are looked through


def guesses(name: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that are nearest to `name`; none where none is near.

    Near is a name with a letter wrong, missing, too much or swapped with the next, one for every
    `LETTERS_A_SLIP`, and other numbers in none: run-2 is not meant by run-3. Where there is none,
    one that has all words of `name` and more: stop_strings is, by stop.
    """
    meant = _plain(name)
    letters = sum(map(str.isalpha, meant))
    allowed = max(1, letters // LETTERS_A_SLIP) if letters >= SHORTEST else 0
    slips: dict[str, int] = {}
    wider: list[str] = []
    for one in itertools.islice(names, MOST):
        plain = _plain(one)
        if _numbers(plain) == _numbers(meant) and abs(len(plain) - len(meant)) <= allowed:
            slips[one] = _slips(meant, plain)
        if letters >= SHORTEST and {*meant.split()} <= {*plain.split()}:
            wider.append(one)
    least = min(slips.values(), default=allowed + 1)
    return [one for one, number in slips.items() if number == least <= allowed] or wider


def _plain(name: str) -> str:
    """Its words, by letters (of Hangul, too) and digits, whatever stands between and above them."""
    letters = unicodedata.normalize("NFD", name).casefold().replace("_", " ")
    return " ".join(re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c))))


def _numbers(plain: str) -> list[str]:
    return re.findall(r"\d+", plain)


def _slips(a: str, b: str) -> int:
    """Letters to change, leave out, put in, or swap with the next, to make `b` of `a` (Damerau
    1964)."""
    above = two_above = [*range(len(b) + 1)]
    for i, letter in enumerate(a, 1):
        row = [i]
        for k, other in enumerate(b, 1):
            least = min(above[k] + 1, row[-1] + 1, above[k - 1] + (letter != other))
            if i > 1 and k > 1 and a[i - 2] == other and letter == b[k - 2]:
                least = min(least, two_above[k - 2] + 1)
            row.append(least)
        two_above, above = above, row
    return above[-1]
