"""Write seeded Korean or English text of any size from a weighted grammar.

    python corpora/generate.py --language ko --characters 100000 --seed 1 --out tale.txt

The words and sentences live in grammar_ko.toml and grammar_en.toml; this file only knows how to
draw from them, which particle follows a Korean word, and how English writes "an" and a plural.

A grammar file has four tables:

    [paragraph]  names drawn once for a whole paragraph: who = "person"
    [forms]      the column names of words that come in several forms: eat = ["past", "and"]
    [words]      lists of words, the commonest first (a word is a string or a row of forms)
    [rules]      weighted productions: sentence = [["{who:은/는} {eat.past}.", 3], ...]

A slot in a production is {name}, and may carry more:

    {eat.past}            one form of a word
    {food:을/를}          a Korean particle, or in English :a (article) or :s (plural)
    {weather@season}      the list "weather@봄" when this paragraph's season is 봄
    {sight@place.kind}    the same, choosing by a form of this paragraph's place
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).parent
LANGUAGES = ("ko", "en")

# --- Korean: which particle follows a word -------------------------------------------------

# What the last sound of a word is, as far as particles care: 으로/로 treats ㄹ like a vowel.
OPEN, CLOSED, RIEUL = "open", "closed", "rieul"

# 영 일 이 삼 사 오 육 칠 팔 구
DIGIT_SOUND = (CLOSED, RIEUL, OPEN, CLOSED, OPEN, OPEN, CLOSED, RIEUL, RIEUL, OPEN)
# 엘, 엠, 엔 and 알; the other letter names end in a vowel.
LETTER_SOUND = {"L": RIEUL, "M": CLOSED, "N": CLOSED, "R": RIEUL}


def last_sound(word: str) -> str:
    """How `word` ends when read aloud in Korean: OPEN, CLOSED or RIEUL.

    Quotes and a gloss in parentheses are silent: 책(book)을. A word with nothing to read is open.
    """
    word = unicodedata.normalize("NFC", word)
    spoken = re.sub(r"\([^()]*\)\W*$", "", word).strip() or word
    spoken = re.sub(r"[\W_]+$", "", spoken)
    if not spoken:
        return OPEN
    last = spoken[-1]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return {0: OPEN, 8: RIEUL}.get(final, CLOSED)
    if "ㄱ" <= last <= "ㅎ":  # a consonant's own name ends in it: 기역, 리을
        return RIEUL if last == "ㄹ" else CLOSED
    if last in "0123456789":
        return _number_sound(re.findall(r"[0-9]+", spoken)[-1])
    if last.isascii() and last.isalpha():
        return _latin_sound(re.findall(r"[A-Za-z]+", spoken)[-1])
    return OPEN


def _number_sound(digits: str) -> str:
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros == 0:
        return DIGIT_SOUND[int(digits[-1])]
    # 십 백 천 만 억 경 all close; of the round numbers only 조 ends in a vowel.
    return OPEN if 12 <= zeros <= 15 and zeros < len(digits) else CLOSED


def _latin_sound(word: str) -> str:
    """Capitals are spelled out; anything else is guessed from how loanwords are written."""
    if word.isupper() or len(word) == 1:
        return LETTER_SOUND.get(word[-1].upper(), OPEN)
    word = word.lower()
    if re.search(r"le?$", word):  # 호텔, 파일
        return RIEUL
    # 팀, 폰, 킹; 북 and 캡 close after one short vowel, while 케이크 and 위크 do not
    closed = r"([mn]e?|ng|ck|(^|[^aeiou])([aeiou]|oo)[kpt])$"
    return CLOSED if re.search(closed, word) else OPEN


def with_particle(word: str, pair: str) -> str:
    """Add the fitting half of `pair`, written closed/open: 은/는, 을/를, 으로/로, 이에요/예요."""
    after_closed, after_open = pair.split("/")
    sound = last_sound(word)
    vowel_like = sound == OPEN or (sound == RIEUL and after_closed.startswith("으로"))
    return word + (after_open if vowel_like else after_closed)


# --- English: articles and plurals ---------------------------------------------------------


def with_article(phrase: str) -> str:
    """Put a or an before `phrase` by sound: a unicorn, an hour, an 8, a one-eyed cat."""
    low = phrase.lower()
    silent = re.match(r"(hour|heir|hono|8|1[18](?!\d))|honest", low)
    consonant = re.match(r"(uni(?!n|m)|us[eu]|eu|ewe|on(e\b|ce))", low)
    vowel = silent or (low[:1] in tuple("aeiou") and not consonant)
    return ("an " if vowel else "a ") + phrase


def plural(phrase: str, irregular: dict[str, str]) -> str:
    """Make the last word of `phrase` plural; the grammar file lists the irregular ones."""
    head, space, noun = phrase.rpartition(" ")
    if noun in irregular:
        return head + space + irregular[noun]
    if re.search(r"[^aeiou]y$", noun):
        return head + space + noun[:-1] + "ies"
    return phrase + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


# --- The grammar ---------------------------------------------------------------------------

SLOT = re.compile(r"\{([^{}]*)\}")
PARTS = re.compile(
    r"(?P<name>\w+)(?:\.(?P<form>\w+))?"
    r"(?:@(?P<by>\w+)(?:\.(?P<by_form>\w+))?)?"
    r"(?::(?P<ending>[\w/]+))?"
)


@dataclass(frozen=True)
class Slot:
    """One {...} of a production, taken apart."""

    name: str
    form: str | None
    by: str | None
    by_form: str | None
    ending: str | None


def parse_slot(inside: str) -> Slot:
    found = PARTS.fullmatch(inside)
    if found is None:
        raise ValueError(f"cannot read the slot {{{inside}}}")
    return Slot(**found.groupdict())


@dataclass(frozen=True)
class Choices:
    """Alternatives with weights. Each is a row: its forms, or just the one text."""

    rows: list[tuple[str, ...]]
    weights: list[float]
    forms: tuple[str, ...]

    def form(self, row: tuple[str, ...], name: str | None) -> str:
        return row[self.forms.index(name)] if name else row[0]


class Grammar:
    def __init__(self, data: dict[str, Any], language: str) -> None:
        self.language = language
        self.carried: dict[str, str] = data["paragraph"]
        self.irregular: dict[str, str] = data.get("plural", {})
        self.choices: dict[str, Choices] = {}
        for name, words in data["words"].items():
            rows = [(word,) if isinstance(word, str) else tuple(word) for word in words]
            # Zipf's law: the word of rank r comes up in proportion to 1/r.
            weights = [1 / rank for rank in range(1, len(rows) + 1)]
            forms = tuple(data["forms"].get(name.partition("@")[0], ()))
            self.choices[name] = Choices(rows, weights, forms)
        for name, alternatives in data["rules"].items():
            rows = [(text,) for text, _ in alternatives]
            self.choices[name] = Choices(rows, [float(weight) for _, weight in alternatives], ())
        self.check()

    def check(self) -> None:
        """Refuse a grammar with a slot nothing can fill, before any text is drawn."""
        for name, choices in self.choices.items():
            for row in choices.rows:
                if choices.forms and len(row) != len(choices.forms):
                    raise ValueError(f"{name}: {row[0]!r} has {len(row)} forms")
                for inside in SLOT.findall(" ".join(row)):
                    slot = parse_slot(inside)
                    for target in self.targets(slot):
                        known = self.choices.get(target)
                        if known is None or (slot.form and slot.form not in known.forms):
                            raise ValueError(f"{name}: nothing fills the slot {{{inside}}}")

    def targets(self, slot: Slot) -> list[str]:
        """Every list a slot can draw from: one, or one per value of what it chooses by."""
        if slot.by is None:
            return [self.carried.get(slot.name, slot.name)]
        by = self.choices[self.carried[slot.by]]
        return [f"{slot.name}@{value}" for value in {by.form(row, slot.by_form) for row in by.rows}]

    def paragraph(self, rng: random.Random) -> str:
        """Draw one paragraph: the same people, place and season from first sentence to last."""
        return unicodedata.normalize("NFC", _Paragraph(self, rng).write())


class _Paragraph:
    """What one paragraph remembers while it is being drawn."""

    def __init__(self, grammar: Grammar, rng: random.Random) -> None:
        self.grammar = grammar
        self.rng = rng
        self.used: dict[str, set[int]] = {}
        self.kept = {name: self.draw(source) for name, source in grammar.carried.items()}

    def write(self) -> str:
        # A shape names one sentence per slot, so each can be finished on its own.
        shape = self.draw("shape")[0]
        return SLOT.sub(lambda found: self.sentence(found[1]), shape)

    def sentence(self, inside: str) -> str:
        text = self.fill(inside)
        if self.grammar.language == "en":  # the first letter, which may follow a quotation mark
            text = re.sub(r"^\W*[a-z]", lambda found: found[0].upper(), text)
        return text

    def draw(self, name: str) -> tuple[str, ...]:
        """One weighted alternative, not one this paragraph already used while others are left."""
        choices = self.grammar.choices[name]
        used = self.used.setdefault(name, set())
        if len(used) == len(choices.rows):
            used.clear()
        left = [i for i in range(len(choices.rows)) if i not in used]
        index = self.rng.choices(left, [choices.weights[i] for i in left])[0]
        used.add(index)
        return choices.rows[index]

    def fill(self, inside: str) -> str:
        grammar, slot = self.grammar, parse_slot(inside)
        if slot.by is not None:
            by = grammar.choices[grammar.carried[slot.by]]
            source = f"{slot.name}@{by.form(self.kept[slot.by], slot.by_form)}"
        else:
            source = grammar.carried.get(slot.name, slot.name)
        row = self.kept[slot.name] if slot.name in self.kept else self.draw(source)
        text = grammar.choices[source].form(row, slot.form)
        text = SLOT.sub(lambda found: self.fill(found[1]), text)
        if slot.ending is None:
            return text
        if slot.ending == "a":
            return with_article(text)
        if slot.ending == "s":
            return plural(text, grammar.irregular)
        return with_particle(text, slot.ending)


def load_grammar(language: str) -> Grammar:
    if language not in LANGUAGES:
        raise ValueError(f"no grammar for {language!r}; there is one for {', '.join(LANGUAGES)}")
    data = tomllib.loads((HERE / f"grammar_{language}.toml").read_text(encoding="utf-8"))
    return Grammar(data, language)


def pieces(language: str, characters: int, seed: int) -> Iterator[str]:
    """Yield paragraphs, each with the blank line before it, until there are enough characters."""
    if characters < 0:
        raise ValueError("characters must not be negative")
    grammar = load_grammar(language)
    # A text seed goes through SHA-512, so 1 and -1 differ and the order holds across platforms.
    rng = random.Random(f"{language} {seed}")
    length = 0
    while length < characters:
        piece = ("\n" if length else "") + grammar.paragraph(rng) + "\n"
        length += len(piece)
        yield piece


def generate(language: str, characters: int, seed: int) -> str:
    """Text of at least `characters` characters, over by less than its last paragraph."""
    return "".join(pieces(language, characters, seed))


# --- The command line ----------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit code 2, without the usage that argparse puts before it."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def _size(text: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = -1
    if size < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return size


def main(arguments: list[str] | None = None) -> int:
    parser = _Parser(prog="generate.py", description="Write seeded text from a weighted grammar.")
    parser.add_argument("--language", choices=LANGUAGES, required=True)
    parser.add_argument("--characters", type=_size, required=True, help="write at least this many")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same text")
    parser.add_argument("--out", type=Path, help="the file to write (default: standard output)")
    options = parser.parse_args(arguments)
    text = pieces(options.language, options.characters, options.seed)
    try:
        if options.out is None:
            for piece in text:
                sys.stdout.buffer.write(piece.encode("utf-8"))
            sys.stdout.buffer.flush()
        else:
            with options.out.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(text)
    except BrokenPipeError:
        # The reader (head, say) has enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as problem:
        parser.error(f"cannot write {options.out or 'standard output'}: {problem.strerror}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
