"""Pairs of sentences: one right, one wrong, and nothing to be gained by a fixed preference."""

from collections import Counter

import numpy as np
import pytest

from benchmarks import korean_pairs
from benchmarks.korean_sentences import BANDS, KINDS, pair_of, pairs
from textgen.evaluation.particles import judge, words_of
from tiny import TEXT, drawn_model

ASKED = pairs(1000)


def of(kind):
    return [pair for pair in ASKED if pair.kind == kind]


def test_there_are_a_thousand_different_ones_of_each_kind():
    assert Counter(pair.kind for pair in ASKED) == dict.fromkeys(KINDS, 1000)
    assert len({pair.right for pair in ASKED}) == 3000
    assert {pair.right for pair in ASKED}.isdisjoint(pair.wrong for pair in ASKED)
    assert not any(set("<>[]{}|/") & set(pair.right + pair.wrong) for pair in ASKED)
    assert pairs(50) == pairs(50) != pairs(50, seed=2)


def test_a_fixed_preference_is_right_half_of_the_time():
    for kind in KINDS:
        assert set(Counter(pair.case for pair in of(kind)).values()) == {500}
    assert Counter(pair.band for pair in of("honorific")) == dict.fromkeys(range(len(BANDS)), 200)


def test_particles_are_right_by_the_sound_before_them():
    for pair in of("particle"):
        (right,) = set(words_of(pair.right)) - set(words_of(pair.wrong))
        (wrong,) = set(words_of(pair.wrong)) - set(words_of(pair.right))
        if pair.part == "이라/라":
            assert right.endswith("라도") and wrong.endswith("라도")
            continue
        assert judge(right) == (pair.part, True) and judge(wrong) == (pair.part, False)


def test_what_is_marked_is_told_apart():
    pair = pair_of("particle", "을/를", '칠판에 "<하늘>"[을/를] 썼다.')
    assert pair.right == '칠판에 "하늘"을 썼다.' and pair.wrong == '칠판에 "하늘"를 썼다.'
    assert (pair.case, pair.distance, pair.band) == ("consonant", 1, 0)
    assert "교실로" in pair_of("particle", "으로/로", "<교실>[으로/로] 갔다.").right
    pair = pair_of("honorific", "시", "<동생이> 다시 [가셨다|갔다].")
    assert (pair.right, pair.case, pair.distance) == ("동생이 다시 갔다.", "plain", 4)
    pair = pair_of("spacing", "지", "떠난[ |]지 벌써 <일 년이> 지났다.")
    assert (pair.wrong, pair.case, pair.distance) == ("떠난지 벌써 일 년이 지났다.", "apart", 5)
    with pytest.raises(ValueError, match="marks no cue"):
        pair_of("spacing", "지", "떠난[ |]지")


def test_a_sentence_has_the_probability_that_the_model_scores():
    model = drawn_model()
    texts = ["나는 길을 걷는다.", "비", "오늘은 비가 온다. 우산을 들고"]
    by_hand = [sum(token.logprob for token in model.score(text).tokens) for text in texts]
    np.testing.assert_allclose(korean_pairs.logprobs(model, texts), by_hand, rtol=1e-4)


def test_the_page_tells_what_was_counted():
    asked = pairs(20)
    rows = [korean_pairs.row_of("mine", drawn_model(), asked), korean_pairs.of_ngrams(TEXT, asked)]
    counts = korean_pairs.counted(asked, lambda texts: -np.array(list(map(len, texts))))
    always = {"name": "the shorter", "counts": counts}
    assert korean_pairs.share(always, kind="spacing") == "50.0"
    assert korean_pairs.share(always, kind="spacing", case="together") == "100.0"
    page = korean_pairs.markdown([*rows, always], asked, "a machine")
    assert "| mine |" in page and "| n-grams of 5 characters |" in page
    assert korean_pairs.digest(asked) != korean_pairs.digest(asked[1:])
