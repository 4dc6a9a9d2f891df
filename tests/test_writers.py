"""What is told of the shipped writers: the measures, known by hand, and the page."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from benchmarks import writers
from benchmarks.writers import Judge, NGramWriter, held, in_table, judgements, markdown, stem
from textgen.ui.widgets import STARTS

TEXT = "나는 밥을 먹는다. 민수는 학교에서 밥을 먹는다. 나는 학교에 간다.\n" * 3


@pytest.mark.parametrize("order", [1, 3, 5])
def test_counting_draws_by_what_it_predicts_with(order):
    counted = NGramWriter(TEXT, order)
    for before, character in (("", "나"), ("나는 ", "밥"), ("책을 ", "먹"), (TEXT, "나")):
        p = counted.next_probabilities(before)
        place = sorted(set(TEXT)).index(character)
        np.testing.assert_allclose(p.sum(), 1)
        np.testing.assert_allclose(-np.log(p[place]), counted.nats(before + character)[-1, -1])


def test_counting_writes_what_it_counted():
    counted = NGramWriter(TEXT, 5)
    written = counted.write("나는 ", 60, 1.0, seed=1)
    assert written.startswith("나는 ") and len(written) == 60 and set(written) <= set(TEXT)
    assert counted.write("나는 ", 60, 1.0, seed=1) == written
    assert counted.write("나는 ", 6, 0.01, seed=1) in TEXT


@pytest.mark.parametrize(
    "word, without",
    [
        ("학교에서는", "학교"),
        ("밥을", "밥"),
        ("친구라고", "친구"),
        ("이", "이"),
        ("먹었다", "먹었다"),
    ],
)
def test_a_particle_is_not_of_the_word(word, without):
    assert stem(word) == without


def test_figures_of_texts(monkeypatch):
    monkeypatch.setattr(writers, "in_no_dictionary", lambda language, words: {"밥그를"})
    judge = Judge(TEXT, "ko")
    found = judge.figures(["나는 밥도 학교도 밥그를 우산는 먹는다", "나는 나는"], "나는 ")
    # of 밥도 학교도 밥그를 우산는, and of the other text nothing: its last word may be cut
    assert found["words"] == 4 and found["words_known"] == 0.5 and found["words_listed"] == 0.75
    assert found["unknown"] == ["밥그를"] and found["copied"] == found["repeated"] == 0
    assert found["particles"] == 3 and found["particles_right"] == pytest.approx(2 / 3)
    assert judge.figures([TEXT])["copied"] == 1 and not Judge("a dog", "en").knows("dogs")


def test_judgements_are_of_the_weights_that_were_read():
    row = {"name": "mine", "hash": "1234"}
    told = {"hash": "1234", "temperature": writers.OPENING, "texts": ["yes: a dog", "no"]}
    assert held(judgements(row, {"mine": told})) == "1 of 2"
    for other in ({"hash": "5678"}, {"temperature": 9.0}):
        assert judgements(row, {"mine": told | other}) == []
    assert judgements(row, {}) == []


def test_a_text_stays_in_its_cell():
    assert in_table('a|b\n\n"*c*"\n') == 'a\\|b<br>"\\*c\\*"'


def test_the_page_is_written_from_what_was_measured():
    home = Path(writers.__file__).parent
    rows = json.loads((home / "writers.json").read_text(encoding="utf-8"))
    judged = tomllib.loads(writers.JUDGED.read_text(encoding="utf-8"))
    page = (home.parent / "docs/writers.md").read_text(encoding="utf-8")
    assert page == markdown(rows, judged)
    assert [row["name"] for row in rows] == list(writers.WRITERS)
    assert all(len(judgements(row, judged)) == len(writers.SEEDS) for row in rows)


def test_the_page_shows_how_the_app_opens():
    assert STARTS["temperature"] == writers.OPENING
