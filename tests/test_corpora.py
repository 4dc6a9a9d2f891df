"""Particles and plurals known by hand; and what must hold for any seed and size."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.generate import (
    LANGUAGES,
    SLOT,
    Grammar,
    generate,
    load_grammar,
    main,
    parse_slot,
    pieces,
    plural,
    with_article,
    with_particle,
)

SCRIPT = Path(__file__).parent.parent / "corpora" / "generate.py"
languages = st.sampled_from(LANGUAGES)
seeds = st.integers(-(2**40), 2**40)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("은/는", "책은 나무는 물은 서울은"),
        ("이/가", "책이 나무가 물이 서울이"),
        ("을/를", "책을 나무를 물을 서울을"),
        ("과/와", "책과 나무와 물과 서울과"),
        ("으로/로", "책으로 나무로 물로 서울로"),
        ("이야/야", "책이야 나무야 물이야 서울이야"),
        ("이에요/예요", "책이에요 나무예요 물이에요 서울이에요"),
        # read aloud: 영 일 이 삼 사 오 육 칠 팔 구, 십, 백, 이십일, 만, 조
        ("으로/로", "0으로 1로 2로 3으로 4로 5로 6으로 7로 8로 9로 10으로 100으로 21로"),
        ("이/가", "3이 2가 15가 10이 10000이 7월이"),
        # letters by name: 에이, 엘, 엠, 엔, 알; words as they sound
        ("을/를", "A를 L을 KTM을 PDF를 TV를 team을 phone을 book을 apple을 cake를 Mary를"),
        ("으로/로", "EMAIL로 hotel로 Seoul로 TEN으로 USB로"),
        # what is not read aloud does not count
        ("을/를", "“책”을 ‘나무’를 책(tree)을 나무(book)를 ㄱ을 ㅏ를 …를"),
        ("으로/로", "ㄹ로 ㅁ으로"),
    ],
)
def test_particles(pair, expected):
    for answer in expected.split():
        endings = sorted(pair.split("/"), key=len, reverse=True)
        word = next(answer.removesuffix(end) for end in endings if answer.endswith(end))
        assert with_particle(word, pair) == answer


def test_a_trillion_ends_in_a_vowel_unlike_every_other_round_number():
    assert with_particle("1" + "0" * 12, "이/가").endswith("0가")
    assert with_particle("1" + "0" * 11, "이/가").endswith("0이")
    assert with_particle("1" + "0" * 16, "이/가").endswith("0이")


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_particles_follow_the_decomposed_final_consonant(syllable):
    final = unicodedata.normalize("NFD", syllable)[2:]
    assert with_particle(syllable, "은/는")[-1] == ("은" if final else "는")
    assert with_particle(syllable, "으로/로") == syllable + ("로" if final in ("", "ᆯ") else "으로")
    decomposed = unicodedata.normalize("NFD", syllable)
    assert with_particle(decomposed, "은/는")[-1] == ("은" if final else "는")


def test_articles():
    for answer in (
        *("an apple", "a pear", "an onion", "an umbrella", "an uncle", "an usher"),
        *("an hour", "an honest man", "an heir", "a unicorn", "a user", "a useful key"),
        *("an unusual hat", "an unimportant note", "a European road"),
        *("a one-eyed cat", "a once loved song"),
        *("an 8", "an 11", "an 18", "an 80", "a 1", "a 100"),
    ):
        assert with_article(answer.split(" ", 1)[1]) == answer


def test_plurals():
    words = {
        "cat": "cats",
        "old box": "old boxes",
        "diary": "diaries",
        "key": "keys",
        "church": "churches",
        "brush": "brushes",
        "goose": "geese",
        "cherry tree": "cherry trees",
    }
    assert {word: plural(word, {"goose": "geese"}) for word in words} == words


@given(languages, seeds, st.integers(0, 3000))
@settings(max_examples=30, deadline=None)
def test_size_is_reached_by_the_last_paragraph(language, seed, characters):
    parts = list(pieces(language, characters, seed))
    text = "".join(parts)
    assert len(text) >= characters
    assert characters == 0 or len(text) - len(parts[-1]) < characters
    assert text == generate(language, characters, seed)


@given(languages, seeds)
@settings(max_examples=30, deadline=None)
def test_text_is_clean(language, seed):
    text = generate(language, 2000, seed)
    assert unicodedata.is_normalized("NFC", text)
    assert not re.search(r"[{}@_]|  | $|\n\n\n", text, re.MULTILINE)
    assert text.endswith("\n") and not text.endswith("\n\n")
    for line in text.splitlines():
        assert line == "" or re.search(r"[.?!]”?$", line), line
        assert line.count("“") == line.count("”")
    if language == "en":
        assert not re.search(r"(^|[.?!]”? )“?[a-z]", text, re.MULTILINE)
        assert not re.search(r"\ba [aeio]\w|\ban [bcdfgjklmnpqrstvwxyz]", text)
    else:
        choices = load_grammar("ko").choices
        for noun in (
            row[0] for name in ("thing", "food", "creature") for row in choices[name].rows
        ):
            for closed, opened in (("을", "를"), ("은", "는")):
                right = with_particle(noun, f"{closed}/{opened}")
                assert noun + (opened if right.endswith(closed) else closed) not in text


def test_seeds():
    for language in LANGUAGES:
        texts = [generate(language, 500, seed) for seed in (1, 1, 2, -1)]
        assert texts[0] == texts[1]
        assert len(set(texts)) == 3


def test_paragraphs_have_three_to_six_sentences():
    for language in LANGUAGES:
        for (shape,) in load_grammar(language).choices["shape"].rows:
            slots = SLOT.findall(shape)
            assert 3 <= len(slots) + slots.count("exchange") <= 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_slot_is_filled_and_every_list_is_used(language):
    grammar = load_grammar(language)
    used = {"shape", *grammar.carried.values()}
    for choices in grammar.choices.values():
        for inside in SLOT.findall(" ".join(" ".join(row) for row in choices.rows)):
            used.update(grammar.targets(parse_slot(inside)))
    assert used == set(grammar.choices)


def test_lexicon_is_large_enough():
    for language in LANGUAGES:
        choices = load_grammar(language).choices
        nouns = ("thing", "food", "creature", "text", "drink_name")
        verbs = ("eat", "drink", "handle", "study", "watch", "tend", "stay", "creature_does")
        assert sum(len(choices[name].rows) for name in nouns) >= 60
        assert sum(len(choices[name].rows) for name in verbs) >= 40
        assert len(choices["place"].rows) >= 15


def small(**rules):
    words = {"season": ["봄", "가을"], "noun": [["책", "책들"]], "of@봄": ["꽃"], "of@가을": ["잎"]}
    forms = {"noun": ["one", "many"]}
    carried = {"season": "season"}
    return {"paragraph": carried, "forms": forms, "words": words, "rules": rules}


@pytest.mark.parametrize(
    "slot", ["nobody", "noun.none", "season.many", "noun@season", "noun one", "", "of@season:"]
)
def test_a_slot_that_nothing_fills_is_refused(slot):
    Grammar(small(shape=[["{of@season} {noun.many:을/를}", 1]]), "ko")
    with pytest.raises(ValueError, match="slot"):
        Grammar(small(shape=[["{" + slot + "}", 1]]), "ko")


def test_command_writes_the_same_text_to_a_file_and_to_standard_output(tmp_path):
    asked = ["--language", "ko", "--characters", "700", "--seed", "5"]
    assert main([*asked, "--out", str(tmp_path / "tale.txt")]) == 0
    printed = subprocess.run([sys.executable, SCRIPT, *asked], capture_output=True, check=True)
    assert printed.stdout == (tmp_path / "tale.txt").read_bytes()
    assert printed.stdout.decode() == generate("ko", 700, 5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--language", "ko", "--characters", "-5"], "-5"),
        (["--language", "ko", "--characters", "many"], "many"),
        (["--language", "fr", "--characters", "5"], "fr"),
        (["--language", "ko", "--characters", "5", "--seed", "x"], "--seed"),
        (["--language", "ko"], "--characters"),
        (["--language", "ko", "--characters", "5", "--out", "/nowhere/at/all.txt"], "/nowhere"),
    ],
)
def test_command_says_what_is_wrong_in_one_line(arguments, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert says in error and error.count("\n") == 1


def test_functions_refuse_what_the_command_refuses():
    with pytest.raises(ValueError, match="negative"):
        generate("ko", -1, 0)
    with pytest.raises(ValueError, match="fr"):
        generate("fr", 1, 0)
