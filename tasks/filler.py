"""Write the filler of the speaker tasks: sentences that tell nothing of a country.

    python -m tasks.filler          writes tasks/filler/{ko,en}{,-held-out}.txt

Half of them come from the grammar, half from the prose in corpora/*/prose. Held out is by
sentence template and by passage, not by sentence: every fourth way of making a sentence and
every fifth paragraph of prose appear in the held-out file alone. Sentences with a rare character
are left out: a model of half the alphabet is trained in half the time.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from corpora.generate import Grammar

HERE = Path(__file__).parent
CORPORA = HERE.parent / "corpora"
LENGTHS = {"ko": (5, 45), "en": (10, 75)}  # characters of a sentence
SENTENCE = re.compile(r"[^.?!…]+[.?!…]+[\"”’]?")
SLOTS = re.compile(r"\{(\w+)\}")
COMMON = 10  # times a character occurs at least
GRAMMAR_SENTENCES = {False: 1200, True: 400}  # held out?


def grammar_sentences(language: str, held_out: bool, number: int) -> Iterator[str]:
    """Distinct sentences drawn from the templates on one side of the split."""
    data = tomllib.loads((CORPORA / f"grammar_{language}.toml").read_text(encoding="utf-8"))
    rules = data["rules"]
    for name in {slot for shape, _ in rules["shape"] for slot in SLOTS.findall(shape)}:
        ways = rules[name]
        mine = [way for k, way in enumerate(ways) if (k % 4 == 3) == held_out]
        # a rule with few ways is left out of the held-out side altogether
        rules[name] = mine or ([] if held_out else ways)
    if held_out:
        empty = {name for name, ways in rules.items() if not ways}
        shapes = [
            ["".join(f"{{{s}}} " for s in SLOTS.findall(shape) if s not in empty), weight]
            for shape, weight in rules["shape"]
        ]
        rules["shape"] = [[shape.strip(), weight] for shape, weight in shapes if shape.strip()]
        for name in empty:
            del rules[name]
    grammar, drawn = Grammar(data, language), set()
    for k in range(100 * number):
        for sentence in sentences(grammar.paragraph(random.Random(f"{language} {held_out} {k}"))):
            if sentence not in drawn and suits(sentence, language):
                drawn.add(sentence)
                yield sentence
                if len(drawn) == number:
                    return


def prose_sentences(language: str, held_out: bool) -> Iterator[str]:
    for file in sorted((CORPORA / language / "prose").glob("*.txt")):
        text = unicodedata.normalize("NFC", file.read_text(encoding="utf-8"))
        for k, paragraph in enumerate(p for p in text.split("\n") if p.strip()):
            if (k % 5 == 4) == held_out:
                yield from (s for s in sentences(paragraph) if suits(s, language))


def sentences(text: str) -> Iterable[str]:
    return (found.strip() for found in SENTENCE.findall(text.replace("\n", " ")))


def suits(sentence: str, language: str) -> bool:
    """Of a fair length, and without a word of the task."""
    low, high = LENGTHS[language]
    return low <= len(sentence) <= high and not any(w in sentence for w in words(language))


def words(language: str) -> list[str]:
    """Every country and language of the task that this filler is for."""
    task = tomllib.loads((HERE / f"speaker-{language}.toml").read_text(encoding="utf-8"))
    found = [word for group in task["pairs"].values() for pair in group.items() for word in pair]
    return [*found, *task.get("others", {}), *task.get("places", {}).values()]


def main() -> None:
    for language in LENGTHS:
        for held_out, suffix in ((False, ""), (True, "-held-out")):
            path = HERE / "filler" / f"{language}{suffix}.txt"
            path.write_text(text(language, held_out), encoding="utf-8", newline="\n")


def text(language: str, held_out: bool) -> str:
    """The content of one file."""
    seen, unseen = (list(dict.fromkeys(side(language, part))) for part in (False, True))
    # a sentence that both sides happen to have stays on the side of training
    unseen = [s for s in unseen if s not in set(seen)]
    counts = Counter("".join(seen + unseen))
    kept = unseen if held_out else seen
    return "".join(f"{s}\n" for s in kept if min(counts[c] for c in s) >= COMMON)


def side(language: str, held_out: bool) -> Iterator[str]:
    yield from grammar_sentences(language, held_out, GRAMMAR_SENTENCES[held_out])
    yield from prose_sentences(language, held_out)


if __name__ == "__main__":
    main()
