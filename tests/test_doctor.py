"""The corpus doctor, on texts whose facts are known by construction."""

import random

import pytest

from textgen.terminal import as_text
from textgen.text.corpus import Corpus
from textgen.text.doctor import SCRIPTS, diagnose, report, script_of
from textgen.text.source import Provenance

SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 2500)]


def corpus_of(*documents, sample_by="document", sources=()):
    return Corpus(documents, sources, sample_by)


def lines_of(letters, characters, width=50, seed=1):
    """Text of random `letters` in lines, none of which repeats."""
    chosen = random.Random(seed).choices(letters, k=characters)
    return "\n".join("".join(chosen[i : i + width]) for i in range(0, characters, width))


def codes(corpus):
    return [finding.code for finding in diagnose(corpus).warnings]


def test_facts():
    source = Provenance("a.txt", "cp949")
    d = diagnose(corpus_of("가가나\n가가나", "b1", "b1", sources=(source,)))
    assert (d.characters, d.documents, d.duplicate_documents, d.duplicate_lines) == (15, 3, 1, 2)
    assert d.sources == (source,) and d.preview == ("가가나\n가가나", "b1", "b1")
    assert d.alphabet_size == 5
    assert d.rarest == (("1", 2), ("b", 2), ("나", 2), ("가", 4), ("\n", 5))
    assert d.scripts["hangul"] == pytest.approx(6 / 15)
    assert sum(d.scripts.values()) == pytest.approx(1)
    assert tuple(d.scripts) == SCRIPTS


@pytest.mark.parametrize(
    ("chars", "script"),
    [
        ("가힣", "hangul"),
        ("aZéＡ", "latin"),
        ("07٣", "digit"),
        (" \n\t\u3000", "space"),
        (".,!?\"'()<>=+$~…「」", "punctuation"),
        ("漢字㐀豈", "han"),
        ("あアｱ", "kana"),
        ("ㅋㅠᄀᆨ", "jamo"),
        ("я😀α\ufffd", "other"),
    ],
)
def test_scripts(chars, script):
    assert [script_of(char) for char in chars] == [script] * len(chars)


@pytest.mark.parametrize(
    ("letters", "characters", "tokenizer", "vocab_size", "hidden_size", "epochs"),
    [
        ("abcdefgh ", 100_000, "char", None, 128, 60),
        ("abcdefgh ", 1_000_000, "char", None, 256, 15),
        (SYLLABLES[:300], 100_000, "char", None, 128, 60),
        (SYLLABLES[:1000], 49_000, "jamo", None, 128, 60),
        (SYLLABLES[:1000], 98_000, "char", None, 128, 60),
        (SYLLABLES[:1000], 100_000, "sentencepiece", 1000, 128, 60),
        (SYLLABLES[:1000], 500_000, "sentencepiece", 1000, 256, 29),
        (SYLLABLES[:300], 500_000, "char", None, 256, 29),
        (SYLLABLES[:300], 1_200_000, "sentencepiece", 2000, 256, 12),
        (SYLLABLES[:1500], 1_200_000, "sentencepiece", 2000, 256, 12),
        (SYLLABLES[:1500], 4_700_000, "sentencepiece", 5000, 512, 3),
        ([chr(0x4E00 + i) for i in range(3500)], 100_000, "sentencepiece", 5000, 128, 60),
    ],
)
def test_suggestions(letters, characters, tokenizer, vocab_size, hidden_size, epochs):
    s = diagnose(corpus_of(lines_of(letters, characters))).suggestion
    assert (s.tokenizer, s.vocab_size, s.hidden_size) == (tokenizer, vocab_size, hidden_size)
    assert abs(s.epochs - epochs) <= 1
    assert s.reason.text and "\n" not in s.reason.text


GOOD = lines_of("가나다라마바사아자차카타파하 .", 20_000)


def test_a_good_text_has_no_warnings():
    assert codes(corpus_of(GOOD)) == []


@pytest.mark.parametrize(
    ("corpus", "code"),
    [
        (corpus_of("짧은 글"), "too_little"),
        (corpus_of(GOOD + "".join(SYLLABLES[1000:1050])), "many_rare"),
        (corpus_of(GOOD, GOOD[:10_000]), "many_duplicates"),
        (corpus_of(GOOD, lines_of("abcdefghij", 20_000)), "mixed_scripts"),
        (corpus_of(GOOD, GOOD[:5000].replace("\n", " ")), "long_lines"),
        (corpus_of(GOOD + "\ufffd"), "replacement_characters"),
        (corpus_of(GOOD, sources=(Provenance("hf:x", "utf-8", truncated=True),)), "truncated"),
    ],
)
def test_each_warning_alone(corpus, code):
    (warning,) = diagnose(corpus).warnings
    assert warning.code == code
    assert warning.values and "\n" not in warning.text


def test_japanese_is_not_mixed():
    assert codes(corpus_of(lines_of("漢字日本語あいうえおアイウ", 20_000))) == []


def test_report_shows_facts_suggestion_and_warnings():
    source = Provenance("a.txt", "cp949")
    text = as_text(report(diagnose(corpus_of("가\u200b나\n", sources=(source,)))))
    for part in (
        "cp949 (1)",
        "U+200B 1",
        "--tokenizer char --hidden-size 128",
        "warning",
        "hangul",
    ):
        assert part in text
    assert all(line.isprintable() for line in text.split("\n"))
