"""What a task says, and what cannot be used as one."""

import os
import random
import tomllib

import pytest

import own_task
from own_task import GOOD
from textgen import shipped
from textgen.data.recall_documents import Writer
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError, TextgenError

TASKS = {path.stem: read_task(path) for path in sorted(shipped.TASKS.glob("*.toml"))}
SPEAKERS = ["speaker-en", "speaker-ko"]


@pytest.fixture
def task_file(tmp_path):
    return own_task.write(tmp_path)


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_speaker_task_has_many_pairs_of_both_kinds(name):
    task = TASKS[name]
    assert len(task.facts) >= 40 and set(task.pairs) == {"copyable", "associative"}
    assert len(task.answers) == len(task.facts)  # chance is one in as many
    assert task.variants == ["plain", "distractor", "correction", "passing"]
    for fact, answer in task.pairs["copyable"].items():
        assert answer.startswith(fact)
    for fact, answer in task.pairs["associative"].items():
        assert fact[:2] not in answer


@pytest.mark.parametrize("name", SPEAKERS)
def test_other_words_share_the_answer_of_a_fact(name):
    task = TASKS[name]
    assert len(task.others) >= 8 and not set(task.others) & set(task.facts)
    for word, fact in task.others.items():
        assert task.answer_to(word) == task.answer_to(fact)
        assert task.group_of(word) == task.group_of(fact)


@pytest.mark.parametrize("name", TASKS)
def test_filler_names_neither_fact_nor_answer(name):
    task = TASKS[name]
    text = "\n".join((*task.filler, *task.held_out_filler))
    words = (*task.facts, *task.answers, *task.places.values(), *task.others)
    assert not [word for word in words if word in text]
    assert not set(task.filler) & set(task.held_out_filler)


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_speaker_task_has_many_ways_and_holds_out_a_fifth_by_grammar(name):
    data, task = tomllib.loads((shipped.TASKS / f"{name}.toml").read_text("utf-8")), TASKS[name]
    for kind, number in (("facts", 80), ("questions", 50)):
        seen, unseen = data[kind], data[f"held_out_{kind}"]
        assert not set(seen) & set(unseen)
        phrases, held_out = getattr(task.plain, kind), getattr(task.held_out, kind)
        assert len(phrases) + len(held_out) >= number and not set(phrases) & set(held_out)
        assert len(held_out) >= (len(phrases) + len(held_out)) / 5


def test_a_question_after_another_means_whichever_person():
    task = TASKS["name-ko"]
    writer, rng = Writer(task, training=True), random.Random(3)
    same = number = 0
    for _ in range(300):
        document = writer.write(rng, rng.choice(task.facts), 40, "distractor", again=2)
        told = document.before[: document.opening_end]
        assert len(document.later) == 2 and document.text.startswith(document.before)
        assert document.text.endswith(document.later[-1].answer + document.later[-1].ending)
        assert all(task_fact(task, later.answer) in told for later in document.later)
        same += sum(later.answer == document.answer for later in document.later)
        number += 2
    assert 0.4 < same / number < 0.6


def task_fact(task, answer):
    return next(fact for fact in task.facts if task.answer_to(fact) == answer)


def test_the_speaker_may_be_the_only_one_who_is_asked_about():
    task = TASKS["name-ko"]
    writer, rng = Writer(task), random.Random(3)
    for fact in task.facts:
        document = writer.write(rng, fact, 40, "distractor", of_either=False, again=3)
        answers = {document.answer, *(later.answer for later in document.later)}
        assert answers == {task.answer_to(fact)}


def test_what_is_taken_back_is_not_asked_for_again():
    task = TASKS["speaker-ko"]
    document = Writer(task).write(random.Random(1), "한국", 40, "correction", again=5)
    assert {later.answer for later in document.later} == {"한국어"}


def test_a_task_of_ones_own(task_file):
    task = read_task(task_file)
    assert task.variants == ["plain"] and task.answers == ["Korean", "Portuguese"]
    assert len(task.filler) == 3 == len(task.held_out_filler)  # one names a fact
    document = Writer(task).write(random.Random(1), "Brazilian", 300)
    assert document.text.startswith("I am Brazilian. ")
    assert document.text.endswith(" So I speak Portuguese well.")


@pytest.mark.parametrize(
    "change, what",
    [
        (('["I am {}."]', "[]"), "has no facts"),
        (("So I speak {} well.", "So I speak well."), "has 0 times {}: put it once"),
        (('"Portuguese"', '"Korean"'), "two different answers"),
        (("[pairs.all]", "[other]"), r"needs tables \[pairs.NAME\]"),
        (('["filler.txt"]', "[]"), "names no filler"),
        (('["filler.txt"]', '["gone.txt"]'), "gone.txt"),
        (('["I am {}."]', '"I am {}."'), "give a list of sentences"),
        (('["I am {}."]', '["{who} is {}."]'), "says {who} in plain, but has no who"),
        (("[pairs.all]", "noise = ['hum']\n[pairs.all]"), "noise = \\['hum'\\]: give a list of"),
        (("[pairs.all]", "slips = 2\n[pairs.all]"), "slips = 2: give a share from 0 to 1"),
        (("[pairs.all]", "course = 3\n[pairs.all]"), r"make it a table \[course\] of waiting, "),
        (("[pairs.all]", "[course]\nlate = 1\n[pairs.all]"), "of waiting, persons, either, later"),
        (("[pairs.all]", "[course]\nlater = 2\n[pairs.all]"), "later = 2: give a share"),
        (("[pairs.all]", "[course]\neither = 1\n[pairs.all]"), "either = 1: give two shares"),
        (("[pairs.all]", "[course]\neither = [1, 0]\n[pairs.all]"), "the smaller share first"),
        (("[pairs.all]", "[places]\nKorean = 'Korea'\n[pairs.all]"), "for each fact"),
        (("[pairs.all]", "[others]\nFrench = 'Irish'\n[pairs.all]"), r"a fact of \[pairs\]"),
        (("[pairs.all]", "[others]\nKorean = 'Korean'\n[pairs.all]"), "that is no fact itself"),
        (("[pairs.all]", "[others]\nFrench = ['Korean']\n[pairs.all]"), "a fact of"),
        (("[pairs.all]", "others = 3\n[pairs.all]"), r"\[others\] lines word"),
        (('facts = ["I am {}."]', "facts = ["), "is not valid TOML"),
        (('filler = ["filler.txt"]', "filler = 3"), "give a list of files"),
        (("[pairs.all]", "distractor = 3\n[pairs.all]"), r"make it a table \[distractor\]"),
        (('Brazilian = "Portuguese"', 'Brazilian = "P"\n[pairs.b]\nKorean="K"'), "fact twice"),
    ],
)
def test_a_task_that_cannot_be_used_says_why(task_file, change, what):
    task_file.write_text(GOOD.replace(*change))
    with pytest.raises(TextgenError, match=what) as found:
        read_task(task_file)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("name", ["speaker-en.toml", "tasks/speaker-en.toml"])
def test_a_shipped_task_has_a_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_task(name) == TASKS["speaker-en"]


@pytest.mark.parametrize("path", ["typo/speaker-en.toml", "../speaker-en.toml", "/speaker-en.toml"])
def test_a_path_that_leads_nowhere_is_no_shipped_task(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"cannot read the task {path}: No such file"):
        read_task(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "task.toml")
    with pytest.raises(ConfigError, match="is not a plain file"):
        read_task(tmp_path / "task.toml")


def test_a_task_that_is_not_there():
    with pytest.raises(ConfigError, match=r"cannot read the task nowhere.toml"):
        read_task("nowhere.toml")
