import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.errors import ConfigError
from textgen.evaluation.copying import CopyMeter, Span, covered
from textgen.evaluation.variety import distinct, repetition
from textgen.text.stretches import _BASE, Stretches, window_hashes
from tiny import TEXT


def by_hand(sample, text, shortest):
    """Every copied span that no other contains, by trying all lengths."""
    longest = [
        max((n for n in range(len(sample) - i + 1) if sample[i : i + n] in text), default=0)
        for i in range(len(sample))
    ]
    return [
        Span(i, i + n)
        for i, n in enumerate(longest)
        if n >= shortest and (i == 0 or i - 1 + longest[i - 1] < i + n)
    ]


@given(
    sample=st.text("ab가", max_size=30), text=st.text("ab가", max_size=60), size=st.integers(1, 5)
)
def test_the_spans_are_the_longest_that_both_texts_have(sample, text, size):
    assert CopyMeter(text, size).spans(sample) == by_hand(sample, text, size)


def test_a_known_sample():
    meter = CopyMeter("the rain fell on the old road", 8)
    sample = "so the rain fell, and the old road led home"
    spans = meter.spans(sample)
    assert [sample[s.begin : s.end] for s in spans] == ["the rain fell", " the old road"]
    longest = covered(spans, len(sample))
    assert longest[3] == 13 and longest[0] == longest[16] == 0
    assert (longest > 0).sum() == 26


def test_letters_typed_apart_are_found():
    apart = unicodedata.normalize("NFD", TEXT[:60])
    assert CopyMeter(TEXT, 20).spans(apart)[0] == Span(0, 60)


def test_nothing_is_copied_from_what_is_too_short():
    assert CopyMeter("", 5).spans("abcdefg") == []
    assert CopyMeter("abcdefg", 5).spans("abc") == []
    with pytest.raises(ConfigError, match="shortest is 0"):
        CopyMeter("abc", 0)


def test_variety():
    assert distinct(["a", "b", "a", "b", "a"], 1) == 2 / 5
    assert distinct(["a", "b", "a", "b", "a"], 2) == 2 / 4
    assert distinct([], 1) == 1.0
    assert repetition("abcdefgh", 4) == 0.0
    assert repetition("abcdXabcd", 4) == 4 / 9
    assert repetition("abcabcabc", 3) == 6 / 9
    assert repetition("", 3) == 0.0


@given(st.text("가나ab", max_size=60), st.integers(1, 70))
def test_hashes_are_polynomials_of_every_window(text, size):
    def polynomial(window):
        value = 0
        for character in window:
            value = (value * int(_BASE) + ord(character) + 1) % 2**64
        return value

    expected = [polynomial(text[k : k + size]) for k in range(len(text) - size + 1)]
    assert window_hashes(text, size).tolist() == expected


def test_stretches_longer_than_any_text_take_no_time():
    assert not len(window_hashes("가나" * 1000, 10**18))
    assert not Stretches("가나" * 1000, 10**18).holds([]).any()
