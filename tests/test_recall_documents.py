"""What a document tells, asks and answers, and that its filler says nothing of the fact."""

import dataclasses
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import own_task
from own_task import GOOD
from textgen import shipped
from textgen.data.filler import Filler, gaps
from textgen.data.recall_documents import Writer, documents, sample_texts
from textgen.data.recall_task import read_task
from tiny import only

TASKS = {path.stem: read_task(path) for path in sorted(shipped.TASKS.glob("*.toml"))}


@pytest.fixture
def task_file(tmp_path):
    return own_task.write(tmp_path)


@pytest.mark.parametrize("name", only(list(TASKS)[::4], TASKS))
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_answer_follows_at_the_distance_asked_for(name, data):
    task = TASKS[name]
    fact = data.draw(st.sampled_from(task.facts))
    distance = data.draw(st.integers(60, 700))
    held_out = data.draw(st.sampled_from([(), ("filler", "phrasing")]))
    rng = random.Random(data.draw(st.integers()))
    document = Writer(task, held_out).write(rng, fact, distance)
    assert document.distance == distance
    told, rest = document.before[: document.fact_end], document.before[document.opening_end :]
    assert document.word in told and document.word not in rest
    assert document.word in (fact, task.places.get(fact))
    assert document.answer == task.answer_to(fact) and document.answer not in document.ending
    question = document.before[document.question_begin :] + "{}" + document.ending
    asked = (task.held_out if held_out else task.plain).questions
    assert any(could_be(question, way) for way in asked)
    same = Writer(task, held_out).write(random.Random(5), fact, distance)
    assert same == Writer(task, held_out).write(random.Random(5), fact, distance)


def could_be(sentence, phrase):
    """Whether a phrase may be said so. A bar outside of brackets is a bar: | Language | {} |"""
    pattern = ""
    for part in re.split(r"(\([^()]*\)|\[[^]]*\])", phrase):
        mark = {"(": "|", "[": "/"}.get(part[:1], "")
        said = part[1:-1].split(mark) if mark and mark in part else [part]
        pattern += "(?:" + "|".join(re.escape(way).replace(r"\ ", " ?") for way in said) + ")"
    return re.fullmatch(pattern, sentence) is not None


def test_a_bar_outside_of_brackets_is_one():
    table = "| (Language|Spoken) | {} |"
    assert could_be("| Spoken | {} |", table) and could_be("| Language | {} |", table)
    assert not could_be("| Tongue | {} |", table) and not could_be(" ", table)
    assert could_be("언어는 {}", "언어[은/는] {}") and not could_be("언어를 {}", "언어[은/는] {}")
    assert could_be("I sing in {}", "(So|) I (sing|speak) in {}")
    assert not could_be("I  in {}", "(So|) I (sing|speak) in {}")


@pytest.mark.parametrize("name", TASKS)
def test_short_distances_are_nearly_met(name):
    writer, rng = Writer(TASKS[name]), random.Random(1)
    for distance in range(20, 60):
        found = writer.write(rng, TASKS[name].facts[0], distance).distance
        assert abs(found - distance) <= 20


@pytest.mark.parametrize("name", only(["speaker-ko"], TASKS))
def test_filler_says_nothing_of_the_fact(name):
    """A naive Bayes classifier on the letters of the filler alone finds chance."""
    task, writer, rng = TASKS[name], Writer(TASKS[name]), random.Random(7)
    place = {letter: k for k, letter in enumerate(sorted(set("".join(task.filler))))}
    facts = [rng.choice(task.facts) for _ in range(4800)]
    counts = np.zeros((len(facts), len(place)))
    for k, fact in enumerate(facts):
        document = writer.write(rng, fact, 120)
        for letter in document.before[document.opening_end :]:
            if letter in place:
                counts[k, place[letter]] += 1
    labels = np.array([task.facts.index(fact) for fact in facts])
    train, test = slice(0, 2400), slice(2400, None)
    likelihood = np.stack(
        [counts[train][labels[train] == c].sum(0) + 1 for c in range(len(task.facts))]
    )
    guesses = counts[test] @ np.log(likelihood / likelihood.sum(1, keepdims=True)).T
    right = (guesses.argmax(1) == labels[test]).mean()
    chance = 1 / len(task.facts)
    assert abs(right - chance) < 4 * np.sqrt(chance * (1 - chance) / 2400)


@pytest.mark.parametrize("name", TASKS)
def test_every_filler_is_read_with_every_fact(name):
    task = TASKS[name]
    number = len(task.facts)
    texts = documents(task, 100, 2 * number)
    for same in (texts[:number], texts[number:]):
        assert {d.fact for d in same} == set(task.facts)
        assert len({d.before[d.opening_end :] for d in same}) == 1
    assert texts[0].before[-90:] != texts[number].before[-90:]


def test_of_two_persons_the_one_asked_about_counts():
    task = TASKS["name-ko"]
    writer, rng = Writer(task), random.Random(3)
    asked_of_other = 0
    for _ in range(200):
        document = writer.write(rng, rng.choice(task.facts), 60, "distractor")
        told = document.before[: document.opening_end]
        (who,) = [who for who in task.distractor.who if who in told]
        other = who in document.before[document.question_begin :]
        asked_of_other += other
        theirs = told[told.index(who) :].split(".")[0]
        assert (document.fact in theirs) == other
        assert sum(fact in told for fact in task.facts) == 2
    assert 70 < asked_of_other < 130


EVERY = [(name, variant) for name, task in TASKS.items() for variant in task.variants]


@pytest.mark.parametrize("name, variant", EVERY)
def test_the_distance_is_that_of_the_fact_asked_about(name, variant):
    task, writer, farther = TASKS[name], Writer(TASKS[name]), 0
    for seed in range(40):
        fact = task.facts[seed % len(task.facts)]
        document = writer.write(random.Random(seed), fact, 120, variant)
        before = document.before
        told = before[: document.fact_end]
        assert document.word in told[told[:-1].rfind(".") + 1 :]
        assert document.distance == len(before) - document.fact_end
        farther += document.fact_end < document.opening_end
    assert (8 < farther < 32) == (variant == "distractor")


@pytest.mark.parametrize("name, variant", EVERY)
def test_another_fact_is_told_of_the_one_asked_about_and_nothing_else_changes(name, variant):
    task = TASKS[name]
    pairs = [documents(task, 120, 60, variant, swapped=swapped) for swapped in (False, True)]
    for document, swapped in zip(*pairs, strict=True):
        assert swapped.answer == task.answer_to(swapped.fact) != document.answer
        assert swapped.group == task.group_of(swapped.fact)
        assert swapped.distance == document.distance
        for at in ("opening_end", "question_begin"):
            rest = document.before[getattr(document, at) :]
            assert swapped.before[getattr(swapped, at) :] == rest
        # the other sentence, before or after it, is as it was
        before, after = (
            [
                d.before[: d.fact_end].rpartition(".")[0].rpartition(".")[0]
                for d in (document, swapped)
            ],
            [d.before[d.fact_end : d.opening_end] for d in (document, swapped)],
        )
        assert before[0] == before[1] and after[0] == after[1]


def test_where_only_two_facts_are_told_they_change_places(task_file):
    task_file.write_text(GOOD + '[distractor]\nfacts = ["He is {}."]\nquestions = ["He says {}."]')
    task = read_task(task_file)
    pairs = [documents(task, 50, 20, "distractor", swapped=swapped) for swapped in (False, True)]
    for document, swapped in zip(*pairs, strict=True):
        assert {swapped.answer, document.answer} == {"Korean", "Portuguese"}


def test_a_task_of_very_many_facts(task_file):
    many = "".join(f'"nation{k:03}" = "tongue{k:03}"\n' for k in range(450))
    task_file.write_text(GOOD + many)
    task = read_task(task_file)
    text = sample_texts(task)
    assert len(task.facts) == 452
    assert all(f"I am {fact}." in text for fact in task.facts)
    few = documents(task, 50, 6)
    # from all over the task, not its first six
    assert len({d.fact for d in few}) == 6 and few[-1].fact > "nation300"
    assert {d.fact for d in documents(task, 50, 500)} == set(task.facts)


def test_what_is_taken_back_does_not_count():
    task = TASKS["speaker-en"]
    for seed in range(50):
        document = Writer(task).write(random.Random(seed), "Polish", 80, "correction")
        told = document.before[: document.fact_end]
        assert document.answer == "Polish" and told.endswith(f"{document.word}.")
        assert sum(fact in told or task.places.get(fact, fact) in told for fact in task.facts) == 2


def test_what_is_said_in_passing_is_said_whatever_the_fact():
    task = TASKS["place-ko"]
    for seed in range(20):
        texts = [
            Writer(task).write(random.Random(seed), fact, 150, "passing") for fact in task.facts
        ]
        (rest,) = {d.before[d.opening_end : d.question_begin] for d in texts}
        assert any(fact in rest for fact in task.facts) and texts[0].distance == 150


def test_held_out_phrasings_are_never_trained_on():
    task = TASKS["place-ko"]
    rng = random.Random(1)
    for part in ("facts", "questions", "phrasing"):
        writer = Writer(task, (part,))
        assert (writer.facts == task.held_out.facts) == (part != "questions")
        assert (writer.questions == task.held_out.questions) == (part != "facts")
    trained = Writer(task, training=True)
    for _ in range(300):
        seen = trained.write(rng, "찬장", 80)
        assert "숨겨 놓았지" not in seen.before[: seen.opening_end]
        assert "손을 넣었다" not in seen.ending


def test_sentences_of_training_end_and_begin_in_many_ways():
    task = TASKS["speaker-ko"]
    writer, rng = Writer(task, training=True), random.Random(4)
    told, asked = set(), set()
    for _ in range(300):
        document = writer.write(rng, "한국", 20)
        assert document.word in document.before[: document.fact_end]
        told.add(document.before[: document.fact_end][-1])
        asked.add(document.ending[-1:])
    assert len(told) > 10 < len(asked)


def test_other_words_are_told_in_training_alone():
    task = TASKS["speaker-ko"]
    others = [word for word, fact in task.others.items() if fact == "미국"]
    for training, expected in ((True, {"미국", *others}), (False, {"미국"})):
        writer, rng = Writer(task, training=training), random.Random(1)
        found = [writer.write(rng, "미국", 60) for _ in range(200)]
        assert {document.fact for document in found} == expected
        assert {document.answer for document in found} == {"영어"}


def test_sentences_of_training_may_be_typed_carelessly():
    task = dataclasses.replace(TASKS["speaker-en"], slips=1e-9, careless=1.0, lead=0.0)
    writer, rng = Writer(task, training=True), random.Random(1)
    told = set()
    for _ in range(60):
        document = writer.write(rng, "Korean", 60)
        assert document.answer == "Korean"  # names of languages keep their capital
        told.add(document.before[: document.fact_end])
    small, capitals = ({t for t in told if t == way(t)} for way in (str.lower, str.upper))
    assert small and capitals
    assert all(" " not in sentence.strip() for sentence in told - small - capitals)
    clean = Writer(task).write(rng, "Korean", 60).before
    assert " " in clean and clean not in (clean.lower(), clean.upper())


def test_somebody_else_may_be_the_only_one_told_of():
    task = dataclasses.replace(TASKS["speaker-ko"], slips=0.0, lead=0.0)
    writer, rng = Writer(task, training=True), random.Random(1)
    found = [writer.write(rng, "독일", 80) for _ in range(100)]
    others = [d for d in found if any(d.before.startswith(who) for who in task.distractor.who)]
    assert 5 < len(others) < 30 and {d.answer for d in others} == {"독일어"}
    for document in others:
        who = next(who for who in task.distractor.who if document.before.startswith(who))
        assert who in document.before[document.question_begin :]
    only = [writer.write(rng, "독일", 80, of_either=False).before for _ in range(50)]
    assert not [text for text in only if text.startswith(task.distractor.who)]


def test_names_stand_in_sentences_of_filler_that_tell_nothing():
    task = TASKS["speaker-ko"]
    writer, rng = Writer(task, training=True), random.Random(4)
    names = [*task.facts, *task.others, *task.answers]
    named = [writer.naming(rng) for _ in range(50)]
    assert all(any(name in sentence for name in names) for sentence in named)
    assert len(set(named)) > 40


def test_a_sentence_in_passing_draws_each_country_anew():
    task = TASKS["speaker-ko"]
    phrases = dataclasses.replace(task.passing, facts=("{}[과/와] {}[을/를] 보았다.",))
    writer, rng = Writer(dataclasses.replace(task, passing=phrases)), random.Random(1)
    said = {writer.in_passing(rng) for _ in range(400)}
    both = {re.fullmatch("(.+)[과와] (.+)[을를] 보았다.", sentence).groups() for sentence in said}
    names = {*task.facts, *task.others}
    assert {first for first, _ in both} == {second for _, second in both} == names
    assert len(both) > 300


def test_training_documents_are_noisy_and_as_long_as_asked_for():
    task = TASKS["place-ko"]
    writer, clean = Writer(task, training=True), Writer(task)
    rng, letters = random.Random(2), set("".join((*task.filler, *task.held_out_filler)))
    noisy = [writer.write(rng, rng.choice(task.facts), 120) for _ in range(200)]
    assert sum(bool(set(d.before[d.opening_end : d.question_begin]) - letters) for d in noisy) > 50
    assert all(len(d.before) <= 120 + 80 for d in noisy)
    assert any(d.before.index(d.word) > 30 for d in noisy)
    for _ in range(100):
        document = clean.write(rng, rng.choice(task.facts), 120)
        assert (
            not set(document.before[document.opening_end : document.question_begin])
            - letters
            - {" "}
        )
    loud = Writer(task, ("noise",)).write(rng, "찬장", 300)
    assert (
        loud.distance == 300 and set(loud.before[loud.opening_end : loud.question_begin]) - letters
    )


@given(lengths=st.sets(st.integers(1, 40), min_size=1, max_size=4), distance=st.integers(0, 2000))
@settings(deadline=None)
def test_any_filler_fills_any_distance_as_well_as_it_can(lengths, distance):
    filler = Filler([(n - 1) * "a" + "." for n in lengths])
    found = len(filler.fill(random.Random(1), distance))
    assert max(distance, 1) - max(lengths) - 1 <= found <= max(distance, 1)


def test_gaps_by_hand():
    # sentences of 2 and 4, each with its space: 3, 5, 6, 8, 9, 10, ...
    assert gaps({2, 4}, 12) == {1, 2, 4, 7}
