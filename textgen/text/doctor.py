"""The corpus doctor: what a text is like, what suits it, and what will trouble a small model."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textgen.terminal import Report, facts
from textgen.text.corpus import MAX_CHARACTERS, Corpus
from textgen.text.findings import Finding
from textgen.text.oddities import oddities
from textgen.text.source import Provenance, dropped_of, encodings_of

SHORT_KOREAN = 50_000  # characters, of which jamo learn as much as any: docs/tokenizers.md
SCRIPTS = ("hangul", "latin", "digit", "space", "punctuation", "han", "kana", "jamo", "other")
CHARACTERS_SEEN = 15_000_000  # what training should read in all; `epochs` is chosen for it
LONG_LINE = 2_000
PREVIEWED, PREVIEW_LENGTH = 5, 500  # documents, or paragraphs of one; characters of each


@dataclass(frozen=True)
class Suggestion:
    """Settings to begin with, and why."""

    tokenizer: str
    vocab_size: int | None  # None where the tokenizer has no such setting
    hidden_size: int
    epochs: int
    reason: Finding


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found."""

    characters: int
    documents: int
    sources: tuple[Provenance, ...]  # what was read, and how
    preview: tuple[str, ...]  # how its first documents begin, or the paragraphs of one
    alphabet_size: int
    rarest: tuple[tuple[str, int], ...]  # (character, count), rarest first
    duplicate_documents: int  # beyond the first of each
    duplicate_lines: int
    scripts: dict[str, float]  # shares of all characters
    suggestion: Suggestion
    warnings: tuple[Finding, ...]


def diagnose(corpus: Corpus) -> Diagnosis:
    """Examine every character, line and document of `corpus`."""
    counts = Counter(corpus.text)
    lines = [line for line in map(str.strip, corpus.text.split("\n")) if line]
    scripts = _script_shares(counts)
    return Diagnosis(
        characters=len(corpus.text),
        documents=len(corpus.documents),
        sources=corpus.sources,
        preview=preview_of(corpus.documents),
        alphabet_size=len(counts),
        rarest=tuple(sorted(counts.items(), key=lambda item: (item[1], item[0]))[:20]),
        duplicate_documents=len(corpus.documents) - len(set(corpus.documents)),
        duplicate_lines=len(lines) - len(set(lines)),
        scripts=scripts,
        suggestion=_suggest(counts, scripts),
        warnings=tuple(_warnings(corpus, counts, lines, scripts)),
    )


def preview_of(documents: Sequence[str]) -> tuple[str, ...]:
    """What a model will read first: of several documents the first, of one its paragraphs."""
    parts: Sequence[str] = documents[:PREVIEWED]
    if len(documents) == 1:
        parts = [line for line in documents[0].split("\n") if line.strip()][:PREVIEWED]
    return tuple(part[:PREVIEW_LENGTH] for part in parts)


# --- scripts ------------------------------------------------------------------------------------

JAMO = ((0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0xFFA0, 0xFFDC))


def script_of(char: str) -> str:
    """The one of `SCRIPTS` that `char` belongs to."""
    code, category = ord(char), unicodedata.category(char)
    if 0xAC00 <= code <= 0xD7A3:
        return "hangul"
    if char.isspace():
        return "space"
    if any(low <= code <= high for low, high in JAMO):
        return "jamo"
    if category == "Nd":
        return "digit"
    if category[0] == "P" or category in ("Sm", "Sc", "Sk"):
        return "punctuation"
    name = unicodedata.name(char, "")
    if name.startswith(("LATIN", "FULLWIDTH LATIN")):
        return "latin"
    if name.startswith("CJK") and category == "Lo":
        return "han"
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")):
        return "kana"
    return "other"


def _script_shares(counts: Mapping[str, int]) -> dict[str, float]:
    totals = dict.fromkeys(SCRIPTS, 0)
    for char, count in counts.items():
        totals[script_of(char)] += count
    characters = max(1, sum(totals.values()))
    return {script: total / characters for script, total in totals.items()}


def _writing_shares(scripts: Mapping[str, float]) -> dict[str, float]:
    """Shares of the letters alone, for Korean, Latin, and Chinese and Japanese together."""
    letters = {
        "hangul": scripts["hangul"] + scripts["jamo"],
        "latin": scripts["latin"],
        "han": scripts["han"] + scripts["kana"],
    }
    total = sum(letters.values()) or 1.0
    return {script: share / total for script, share in letters.items()}


# --- suggestion ---------------------------------------------------------------------------------


def _suggest(counts: Mapping[str, int], scripts: Mapping[str, float]) -> Suggestion:
    characters, alphabet = sum(counts.values()), len(counts)
    size = sum(count * len(char.encode("utf-8", "replace")) for char, count in counts.items())
    megabytes = round(size / 1e6, 1)
    # Korean of so many syllables that in a short text most are too rare to be learned one by one
    rich_korean = _writing_shares(scripts)["hangul"] > 0.3 and alphabet > 500
    values = {"characters": characters, "alphabet": alphabet, "megabytes": megabytes}
    vocab_size = None
    long = characters >= 100_000 if rich_korean else megabytes >= 3
    large = alphabet >= 3000
    if long or large:
        # docs/tokenizers.md; in a large alphabet room for each character and for pieces beyond
        pieces = max(1000, characters // 1000, alphabet + 1000 if large else 0)
        vocab_size = min(8000, -(-pieces // 1000) * 1000)
        values["vocab_size"] = vocab_size
        if long:
            tokenizer, code = "sentencepiece", "long_text"
            text = (
                f"{megabytes:,} MB of text is enough to learn {vocab_size:,} frequent word pieces"
            )
        else:
            tokenizer, code = "sentencepiece", "large_alphabet"
            text = f"{alphabet:,} different characters are too many to learn one by one"
    elif rich_korean and characters < SHORT_KOREAN:
        tokenizer, code = "jamo", "small_korean"
        times = round(characters / alphabet)
        values["times"] = times
        text = (
            f"each of {alphabet:,} characters is seen only {times:,} times on average; "
            "jamo build every syllable from a few dozen letters"
        )
    else:
        tokenizer, code = "char", "small_alphabet"
        text = f"{alphabet:,} different characters are few enough to learn one by one"
    return Suggestion(
        tokenizer=tokenizer,
        vocab_size=vocab_size,
        hidden_size=128 if characters < 300_000 else 256 if characters < 3_000_000 else 512,
        epochs=min(60, max(2, round(CHARACTERS_SEEN / max(1, characters)))),
        reason=Finding(code, dict(values), text),
    )


# --- warnings -----------------------------------------------------------------------------------


def _warnings(
    corpus: Corpus, counts: Mapping[str, int], lines: list[str], scripts: Mapping[str, float]
) -> list[Finding]:
    warnings: list[Finding] = []

    def warn(code: str, text: str, **values: object) -> None:
        warnings.append(Finding(code, values, text))

    characters = len(corpus.text)
    if characters < 10_000:
        text = f"only {characters:,} characters: a model will copy them; give 10,000 or more"
        warn("too_little", text, characters=characters)

    once, alphabet = sum(count == 1 for count in counts.values()), len(counts)
    if once > 20 and once > alphabet / 5:
        text = f"{once:,} of {alphabet:,} characters appear only once: a model cannot learn them"
        warn("many_rare", text, once=once, alphabet=alphabet)

    # by their length, so that "}" or a speaker's name does not count as much as a sentence
    share = 1 - sum(map(len, set(lines))) / max(1, sum(map(len, lines)))
    repeats = len(lines) - len(set(lines))
    if share > 0.1:
        text = f"{share:.0%} of the text repeats earlier lines ({repeats:,} lines): remove copies"
        warn("many_duplicates", text, share=share, lines=repeats)

    mixed = {name: part for name, part in _writing_shares(scripts).items() if part >= 0.2}
    if len(mixed) > 1:
        parts = ", ".join(f"{name} {part:.0%}" for name, part in mixed.items())
        text = f"several scripts share the letters ({parts}): a small model learns one better"
        warn("mixed_scripts", text, **mixed)

    long = [len(line) for line in lines if len(line) > LONG_LINE]
    if sum(long) > characters / 10:
        text = f"{len(long):,} lines are longer than {LONG_LINE:,} characters: break them up"
        warn("long_lines", text, lines=len(long), longest=max(long), limit=LONG_LINE)

    replaced = counts.get("\ufffd", 0)
    if replaced:
        text = f"{replaced:,} replacement characters (U+FFFD): the text was once decoded wrongly"
        warn("replacement_characters", text, count=replaced)

    for source in corpus.sources:
        if source.truncated:
            text = (
                f"{source.name} was read up to {MAX_CHARACTERS:,} characters; "
                "textgen train --stream reads the rest, too"
            )
            warn("truncated", text, name=source.name, characters=MAX_CHARACTERS)
    return warnings + oddities(corpus.text, counts, lines)


# --- report -------------------------------------------------------------------------------------


def as_dict(diagnosis: Diagnosis) -> dict[str, object]:
    """What was read, and how, for `textgen corpus --json`. separator and columns: of tables, null
    and empty where there is none."""
    sources = diagnosis.sources
    separators = dict.fromkeys(source.separator for source in sources if source.separator)
    return {
        "documents": diagnosis.documents,
        "characters": diagnosis.characters,
        "encoding": ", ".join(encodings_of(sources)),
        "kind": ", ".join(dict.fromkeys(s.kind for s in sources if s.encoding)),
        "separator": ", ".join(separators) or None,
        "columns": list(dict.fromkeys(name for source in sources for name in source.columns)),
        "preview": list(diagnosis.preview),
        "dropped": dropped_of(sources),
        "warnings": [warning.text for warning in diagnosis.warnings],
    }


def report(diagnosis: Diagnosis) -> Report:
    """The diagnosis for a terminal."""
    d, s = diagnosis, diagnosis.suggestion
    encodings = Counter(source.encoding for source in d.sources if source.encoding)
    tables = dict.fromkeys(
        f"column {'+'.join(source.columns)}"
        + (f", cells parted by {source.separator!r}" if source.separator else "")
        for source in d.sources
        if source.columns
    )
    scripts = sorted(((v, k) for k, v in d.scripts.items() if v >= 0.0005), reverse=True)
    vocab = f" --vocab-size {s.vocab_size}" if s.vocab_size else ""
    lines = [
        ("read as", ", ".join(dict.fromkeys(s.kind for s in d.sources if s.encoding))),
        *(("table", table) for table in tables),
        ("characters", f"{d.characters:,}"),
        ("documents", f"{d.documents:,} ({d.duplicate_documents:,} of them copies)"),
        ("lines twice", f"{d.duplicate_lines:,}"),
        ("encoding", ", ".join(f"{name} ({n:,})" for name, n in encodings.most_common())),
        *(("left out", f"{what} ({n:,})") for what, n in dropped_of(d.sources).items()),
        ("alphabet", f"{d.alphabet_size:,} different characters"),
        ("rarest", " ".join(f"{_shown(char)} {n:,}" for char, n in d.rarest[:10])),
        ("scripts", ", ".join(f"{script} {share:.1%}" for share, script in scripts)),
        (
            "suggestion",
            f"--tokenizer {s.tokenizer}{vocab} --hidden-size {s.hidden_size} --epochs {s.epochs}",
        ),
        ("because", s.reason.text),
        *(("warning", warning.text) for warning in d.warnings),
        *(("begins" if not n else "", _one_line(text)) for n, text in enumerate(d.preview)),
    ]
    return [facts(lines)]


def _one_line(text: str) -> str:
    """The beginning of a text, for a terminal: what cannot be shown is written out."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:80])
    return shown if len(text) <= 80 else f"{shown}..."


def _shown(char: str) -> str:
    """A character that can be seen as itself, any other as U+XXXX."""
    unseen = not char.isprintable() or char.isspace() or unicodedata.combining(char)
    return f"U+{ord(char):04X}" if unseen else char
