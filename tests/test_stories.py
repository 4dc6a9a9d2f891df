"""How alike stories are, known by hand; and what holds of every story that is shipped."""

import math
import re
import unicodedata
from itertools import pairwise

import pytest

from corpora.measure_stories import (
    NEAR,
    main,
    most_alike,
    nearest_in_words,
    openings,
    repeated_sentences,
    runs_of,
    stories_of,
    words_of,
)
from textgen import shipped
from textgen.text.corpus import load_corpus
from textgen.text.read_config import ReadConfig

LANGUAGES = ("ko", "en")
BOTH = ["animals", "dialogues", "family", "letters", "lost", "quarrel"]
BOTH += ["questions", "school", "weather"]
MORE = ["food", "garden", "helping", "journeys", "night", "surprise"]
KINDS = {"ko": sorted(BOTH + MORE), "en": BOTH}
LETTERS = {"ko": "가-힣", "en": "A-Za-z'"}


def test_likeness_is_the_share_of_runs_of_five_words():
    # of each story two runs, one of which they share: one of three
    (pair,) = most_alike(["A dog ran up a hill.", "a dog, ran up: a stair", "nothing like it"])
    assert pair == (1 / 3, "A dog ran up a hill.", "a dog, ran up: a stair")
    assert most_alike(["one two", "one two"])[0].likeness == 1
    assert runs_of("one two") == {("one", "two")}


def test_words_that_few_stories_have_make_two_of_them_alike():
    """ "the" stands in all and counts nothing; of four stories "fox" stands in two: ln 2."""
    stories = ["the fox ran", "the hen sat", "the fox hid", "the cow"]
    pair = nearest_in_words(stories)
    weights = {"fox": math.log(2), "ran": math.log(4)}
    assert (pair.first, pair.second) == (stories[0], stories[2])
    assert pair.likeness == pytest.approx(
        weights["fox"] ** 2 / (weights["fox"] ** 2 + weights["ran"] ** 2)
    )
    # a Korean word is its first two syllables
    assert nearest_in_words(["할머니는 왔다", "할머니가 갔다", "개"]).likeness > 0


def test_words_and_openings():
    assert words_of('"I don\'t," said 강아지는.') == ["i", "don't", "said", "강아지는"]
    assert openings(["One day it rained.", "one day, a dog", "A dog"]) == {"one day": 2, "a dog": 1}


def test_a_sentence_counts_where_another_story_had_it():
    long, short = "The dog ran up the hill.", "He ran."
    assert repeated_sentences([f"{long} {short}", f'"{long}"\n{short}', f"{long[:-1]} twice."]) == (
        1,
        3,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_stories_are_alike(language):
    folder = shipped.CORPORA / language / "stories"
    kinds = stories_of(folder)
    stories = [story for of_kind in kinds.values() for story in of_kind]
    assert sorted(kinds) == KINDS[language] and min(map(len, kinds.values())) >= 30
    assert len(set(stories)) == len(stories) and most_alike(stories)[0].likeness < NEAR
    assert max(openings(stories).values()) <= 0.03 * len(stories)
    assert load_corpus(folder, ReadConfig(sample_by="paragraph")).documents == tuple(stories)


@pytest.mark.parametrize("language", LANGUAGES)
def test_stories_are_clean(language):
    for file in (shipped.CORPORA / language / "stories").iterdir():
        text = file.read_text(encoding="utf-8")
        assert unicodedata.is_normalized("NFC", text)
        odd = re.findall(rf"[^{LETTERS[language]} .,?!\"\n]|  | $|\n\n\n", text, re.MULTILINE)
        assert not odd, file
        assert text.endswith("\n") and not text.endswith("\n\n")
        assert all(line.count('"') % 2 == 0 for line in text.splitlines()), file


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tenth_of_every_kind_is_held_out(language):
    folder = shipped.CORPORA / language / "stories"
    corpus = load_corpus(folder, ReadConfig(sample_by="paragraph"))
    held_out = corpus.split(0.1, "documents")[1].split("\n\n")
    for stories in stories_of(folder).values():
        assert abs(len(set(stories) & set(held_out)) - len(stories) / 10) < 1
    places = [k for k, story in enumerate(corpus.documents) if story in held_out]
    assert {b - a for a, b in pairwise(places)} == {10}


def test_command(tmp_path, capsys):
    (tmp_path / "animals.txt").write_text("A dog ran.\n\nA dog sat.\nIt slept.\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    assert "- 2 stories (animals 2), 30 characters\n" in capsys.readouterr().out
    assert main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'none'} holds no .txt file")
    assert main([]) == 2
