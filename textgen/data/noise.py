"""Noise to stand between a fact and its question: what people paste, repeat, or lean on keys for.

Each kind is a function of a random generator and a number of characters, and gives a text of that
many. Nothing of it depends on a fact. No TensorFlow here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Noise = Callable[[random.Random, int], str]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARKS = "~!?.,…·-_=+*^/\\|:;'\"()[]{}<>@#$%&`"
DRAWN_OUT = "ㅋㅎㅠㅜㅇㄱㄴㄷㅏㅗ~!?.…ㅡ-=+*^하흐아오lozh"
EMOJI = "😀😂🤣😊😍😭😅🙏👍🔥✨🎉💯🥲🤔👀❤️☀☔🍜🐶🚀✅❌⭐♥☆★♪→※"
# first and last code point
SCRIPTS = [
    (0x3041, 0x3093),  # hiragana
    (0x30A1, 0x30F6),  # katakana
    (0x4E00, 0x9FA5),  # Han
    (0x0430, 0x044F),  # Cyrillic
    (0x03B1, 0x03C9),  # Greek
    (0x0E01, 0x0E2E),  # Thai
    (0x0627, 0x0649),  # Arabic
    (0x0905, 0x0939),  # Devanagari
    (0xE000, 0xE0FF),  # private use: no vocabulary has them
]
WORDS = (
    "if",
    "else",
    "for",
    "while",
    "return",
    "def",
    "class",
    "import",
    "let",
    "const",
    "var",
    "int",
)
LEVELS = ("INFO", "DEBUG", "WARN", "ERROR", "TRACE")
SALAD = "words"
AFTER = ("", "", "", "", ",", ".", "!", "?", "~", "ㅋㅋ", "ㅠㅠ", "...", "!!", " :", " -")
# what stands before, within and after a field
FORMS = (
    ("", ": ", ""),
    ("", ": ", ""),
    ("- ", ": ", ""),
    ("", " - ", ""),
    ("", "=", ";"),
    ("", " / ", ""),
    ("| ", " | ", " |"),
    ("", ",", ","),
    ('"', '": "', '"'),
)
FEW = (1, 1, 2, 3)
HEADS = ("https://www.", "http://", "www.", "@", "#", "#")


def repeats(rng: random.Random, n: int) -> str:
    """blah~ blah~, 와글와글, ㅋㅋㅋㅋ, ..."""
    if rng.random() < 0.6:
        word = _word(rng) if rng.random() < 0.6 else _korean(rng) * rng.randint(1, 2)
        word += rng.choice(["~", "~", "~~", "!", "...", "", "", "-"])
        return _repeated(word + rng.choice([" ", " ", "\n", "\n\n", ", ", ""]), n)
    return _joined(rng, n, lambda: rng.choice(DRAWN_OUT) * rng.randint(1, 12), " \n ")


def digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choices("0123456789", k=n)) if rng.random() < 0.3 else _numbers(rng, n)


def _numbers(rng: random.Random, n: int) -> str:
    return _joined(rng, n, lambda: str(rng.randrange(10 ** rng.randint(1, 6))), " .,-:/+\n")


def marks(rng: random.Random, n: int) -> str:
    few = rng.sample(MARKS, rng.randint(1, 8))
    return "".join(rng.choices([*few, " "], k=n))


def emoji(rng: random.Random, n: int) -> str:
    return "".join(rng.choices([*rng.sample(EMOJI, 8), " "], k=n))


def blanks(rng: random.Random, n: int) -> str:
    return "".join(rng.choices(rng.choice(["\n", " ", " \n", "\n\t "]), k=n))


def letters(rng: random.Random, n: int) -> str:
    """Latin words that are none, in small letters, in capitals, or mixed."""
    cases = rng.choice(
        [(str.lower,), (str.lower,), (str.upper,), (str.lower, str.upper, str.title)]
    )
    between = rng.choice([" ", " \n", " ,.", "_ =();"])
    return _joined(rng, n, lambda: rng.choice(cases)(_word(rng, 1, 10)), between)


def syllables(rng: random.Random, n: int) -> str:
    """Korean words that are none, most of them of syllables without a rare final."""
    few = [_syllable(rng) for _ in range(40)]
    every = few + [chr(0xAC00 + rng.randrange(11172)) for _ in range(20)]
    return _joined(rng, n, lambda: "".join(rng.choices(every, k=rng.randint(1, 5))), " \n .")


def scripts(rng: random.Random, n: int) -> str:
    first, last = rng.choice(SCRIPTS)
    block = [chr(rng.randint(first, last)) for _ in range(30)]
    return _joined(rng, n, lambda: "".join(rng.choices(block, k=rng.randint(1, 12))), " 、。.\n")


def addresses(rng: random.Random, n: int) -> str:
    def one() -> str:
        head = rng.choice(HEADS)
        if head == "#":
            return head + (_word(rng) if rng.random() < 0.5 else _korean(rng) + _korean(rng))
        tail = "".join(rng.choices("./-_=?&", k=1)) + _word(rng) + str(rng.randrange(1000))
        return head + _word(rng) + tail

    return _joined(rng, n, one, " \n")


def log(rng: random.Random, n: int) -> str:
    def one() -> str:
        clock = ":".join(f"{rng.randrange(60):02d}" for _ in range(3))
        day = f"20{rng.randrange(10, 30)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        value = f"{_word(rng)}={rng.randrange(16**4):x}"
        return f"{day} {clock} [{rng.choice(LEVELS)}] {_word(rng)}: {value}"

    return _joined(rng, n, one, "\n")


def fields(rng: random.Random, n: int) -> str:
    """Lines of a form that tell something else: nyje: 4410, | 호벤 | Qar tuol |, ..."""

    def some() -> str:
        words = [_word(rng) if rng.random() < 0.5 else _korean(rng) for _ in range(rng.choice(FEW))]
        if rng.random() < 0.7:
            return " ".join(words)
        return str(rng.randrange(10 ** rng.randint(1, 5)))

    begin, between, end = rng.choice(FORMS)
    return _joined(rng, n, lambda: f"{begin}{some()}{between}{some()}{end}", "\n\n\n,")


def anything(rng: random.Random, n: int) -> str:
    """Any characters of all the kinds."""
    return "".join(rng.choices(alphabet() + "\n  \ue000\ue001", k=n))


def code(rng: random.Random, n: int) -> str:
    def one() -> str:
        name, other = _word(rng), _word(rng)
        return rng.choice(
            [
                f"{rng.choice(WORDS)} ({name} == {rng.randrange(100)}) {{ {other}(); }}",
                f"{rng.choice(WORDS)} {name} = {other}[{rng.randrange(9)}];",
                f"def {name}(self, {other}): return {other}.{_word(rng)}()",
            ]
        )

    return _joined(rng, n, one, "\n")


def table(rng: random.Random, n: int) -> str:
    def one() -> str:
        return rng.choice(["|", ",", "\t"]).join(
            rng.choice([_word(rng), f"{rng.random() * 1000:.2f}", "-"]) for _ in range(4)
        )

    return _joined(rng, n, one, "\n")


def salad(rng: random.Random, n: int, words: Sequence[str]) -> str:
    """Words in any order, one in four with a syllable that does not belong there."""

    def one() -> str:
        word = rng.choice(words)
        if rng.random() < 0.25:
            at = rng.randrange(len(word))
            word = word[:at] + chr(0xAC00 + rng.randrange(11172)) + word[at + 1 :]
        return rng.choice(["#", "", "", "", ""]) + word + rng.choice(AFTER)

    return _joined(rng, n, one, rng.choice([" ", "  \n"]))


KINDS: dict[str, Noise] = {
    kind.__name__: kind
    for kind in (
        repeats,
        digits,
        marks,
        emoji,
        blanks,
        letters,
        syllables,
        scripts,
        addresses,
        log,
        fields,
        anything,
        code,
        table,
    )
}


def pool(kind: str, n: int, words: Sequence[str]) -> str:
    """Much noise of a kind, the same each time, to cut from: drawing it letter by letter would take
    longer than training on it. words: of ordinary text, for the kind `SALAD`."""
    rng = random.Random(kind)
    text = ""
    while len(text) < n:
        size = rng.randint(20, 100)
        text += salad(rng, size, words) if kind == SALAD else KINDS[kind](rng, size)
        text += rng.choice(" \n")
    return text[:n]


def _word(rng: random.Random, shortest: int = 2, longest: int = 8) -> str:
    word = "".join(rng.choices(LETTERS, k=rng.randint(shortest, longest)))
    return word if rng.random() < 0.8 else word.upper() if rng.random() < 0.5 else word.title()


def _syllable(rng: random.Random) -> str:
    finals = (0, 0, 1, 4, 8, 21)  # none, ㄱ, ㄴ, ㄹ, ㅇ
    return chr(0xAC00 + 28 * rng.randrange(399) + rng.choice(finals))


def _korean(rng: random.Random) -> str:
    return "".join(_syllable(rng) for _ in range(rng.randint(1, 3)))


def _repeated(text: str, n: int) -> str:
    return (text * (n // len(text) + 1))[:n]


def _joined(rng: random.Random, n: int, part: Callable[[], str], between: str) -> str:
    """Parts with one of the characters `between` after each, cut at n characters."""
    text = ""
    while len(text) < n:
        text += part() + rng.choice(between)
    return text[:n]


def alphabet() -> str:
    """The characters of noise that a vocabulary should know; those of `SCRIPTS` are left out."""
    return "".join(
        dict.fromkeys(LETTERS + LETTERS.upper() + "0123456789" + MARKS + EMOJI + DRAWN_OUT)
    )
