"""The lesson: its figures and numbers are those of its measurements, and the text is borne out."""

import numpy as np
import pytest

from benchmarks.lesson.__main__ import DOCS, MEASURED, TRAINED, pages, read
from benchmarks.lesson.measure import through_tanh
from benchmarks.lesson.numbers import claims, compared, percent, power
from textgen.data import wave


def test_pages_and_figures_are_drawn_from_what_was_measured():
    made = pages(read(MEASURED), read(TRAINED))
    old = [name for name, text in made.items() if (DOCS / name).read_text("utf-8") != text]
    assert not old, "run python -m benchmarks.lesson --draw"
    files = {f"lesson/{file.name}" for file in (DOCS / "lesson").glob("*.svg")}
    assert files == {name for name in made if name.endswith(".svg")}


def test_the_text_says_what_the_models_do():
    found = claims(read(MEASURED), read(TRAINED))
    assert [claim for claim, holds in found.items() if not holds] == []


def test_a_gradient_through_tanh_is_that_of_small_changes():
    draw = np.random.default_rng(1)
    recurrent, end = draw.normal(size=(4, 4)), draw.normal(size=4)
    inputs = draw.normal(size=(3, 4))

    def read_from(first):
        h = [first]
        for x in inputs:
            h.append(np.tanh(x + h[-1] @ recurrent))
        return np.array(h)

    first = draw.normal(size=4)
    back = through_tanh(read_from(first), recurrent, end)
    for unit, small in enumerate(1e-6 * np.eye(4)):
        change = (read_from(first + small)[-1] - read_from(first - small)[-1]) @ end / 2e-6
        assert back[0][unit] == pytest.approx(change, abs=1e-8)


def test_a_wave_is_spelt_in_64_letters_and_read_again():
    heights = wave.heights(0, 2000)
    text = wave.spell(heights)
    assert abs(heights).max() <= 1 and len(set(wave.LETTERS)) == 64
    assert np.allclose(wave.levels(text) / 63 * 2 - 1, heights, atol=1 / 63)
    assert wave.levels("\n").tolist() == [32]


def test_a_verdict_asks_for_intervals_that_part():
    def at_the_end(low, high):
        return {
            name: {"20": 1.0, "1000": end}
            for name, end in zip(
                ("right", "low", "high"), ((low + high) / 2, low, high), strict=True
            )
        }

    middle = at_the_end(0.7, 0.8)
    assert compared(at_the_end(0.9, 1.0), middle) == "better"
    assert compared(at_the_end(0.5, 0.6), middle) == "worse"
    assert compared(at_the_end(0.75, 0.9), middle) == "open"


def test_numbers_say_neither_none_nor_all_of_what_is_some():
    assert [percent(s) for s in (0.0, 0.0003, 0.17, 0.9996, 1.0)] == [
        "0 %",
        "0.03 %",
        "17 %",
        "99.9 %",
        "100 %",
    ]
    assert power(3.7e-18) == "10⁻¹⁸"
