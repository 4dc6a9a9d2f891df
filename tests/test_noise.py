"""Words and noise that documents are made of."""

import random
from pathlib import Path

import pytest

from tasks import filler
from textgen.data import noise
from textgen.data.phrases import one_of, with_particles
from textgen.text.nfc import nfc

# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, said",
    [
        ("한국[을/를]", "한국을"),
        ("터키[을/를]", "터키를"),
        ("태국[으로/로]", "태국으로"),
        ("네팔[으로/로]", "네팔로"),  # after ㄹ as after a vowel
        ("ABC[이야/야]", "ABC야"),
        ("[a/an] Egyptian", "an Egyptian"),
        ("[a/an] Thai", "a Thai"),
        ("1/2 [x] 그대로", "1/2 [x] 그대로"),
    ],
)
def test_a_particle_is_the_one_that_its_word_asks_for(text, said):
    assert with_particles(text) == said


def test_one_of_the_words_is_drawn_each_time():
    found = {one_of(random.Random(k), "(a|b|) c (d)") for k in range(50)}
    assert found == {"a c (d)", "b c (d)", "c (d)"}


# --- noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", noise.KINDS)
def test_noise_has_the_length_asked_for_and_is_the_same_each_time(kind):
    for n in (1, 7, 200):
        text = noise.KINDS[kind](random.Random(n), n)
        assert len(text) == n == len(nfc(text))
    assert noise.pool(kind, 500, ()) == noise.pool(kind, 500, ())


def test_a_salad_is_of_the_words_given():
    text = noise.pool(noise.SALAD, 2000, ["one", "two"])
    assert len(text) == 2000 and text.count("one") > 50 < text.count("two")


@pytest.mark.slow
def test_the_filler_is_what_its_script_writes():
    for language in filler.LENGTHS:
        for held_out, suffix in ((False, ""), (True, "-held-out")):
            path = Path(filler.HERE) / "filler" / f"{language}{suffix}.txt"
            assert path.read_text(encoding="utf-8") == filler.text(language, held_out)
