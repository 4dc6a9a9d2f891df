"""What a person types: which fact it names, and what is right."""

import random
import re

import pytest

from textgen.data.phrases import one_of
from textgen.data.recall_documents import Writer
from textgen.data.recall_task import read_task
from textgen.data.typed_documents import facts_named, is_denied, one_blank, typed
from textgen.errors import ConfigError

KOREAN, ENGLISH = read_task("speaker-ko.toml"), read_task("speaker-en.toml")


def test_what_is_typed_is_judged_where_it_names_one_fact():
    text = "음. 나는 한국사람이야.\nblah~\nblah~\n그래서 나는 ___를 할 줄 알아."
    document = typed(KOREAN, text, "___")
    assert (document.fact, document.answer, document.word) == ("한국", "한국어", "한국")
    assert document.before[: document.fact_end] == "음. 나는 한국사람이야."
    assert document.before + "___" + document.ending == text
    for other in ("나는 사람이야. ___를 해.", "나는 한국, 너는 독일에서 왔지. ___를 해."):
        assert typed(KOREAN, other, "___").answer == ""
    for wrong in ("나는 한국사람이야.", "___ ___"):
        with pytest.raises(ConfigError, match="times ___: put it once"):
            typed(KOREAN, wrong, "___")


@pytest.mark.parametrize(
    ("task", "text", "named"),
    [
        (KOREAN, "나는 인도네시아사람이야.", []),
        (KOREAN, "나는 부탄사람이야. 행복이란 무엇일까.", []),
        (KOREAN, "저는 영국사람입니다.", ["미국"]),
        (KOREAN, "대한민국 국민이거든요", ["한국"]),
        (KOREAN, "나는 한국사람이야. 행복이란 무엇일까.", ["한국"]),
        (KOREAN, "난한국사람이야!!", ["한국"]),
        (KOREAN, "나는 한국인", ["한국"]),
        (KOREAN, "이란이 내 조국이고, 국적: 이란", ["이란", "이란"]),
        (KOREAN, "독일어를 배우는 독일사람", ["독일"]),
        (KOREAN, "한국과 일본", ["한국", "일본"]),
        (KOREAN, "덴마크인이올시다", ["덴마크"]),
        (KOREAN, "나 중국인ㅋㅋ", ["중국"]),
        (KOREAN, "한국여자, 베트남분, 토종 독일놈", ["한국", "베트남", "독일"]),
        (ENGLISH, "I come from Indiana.", []),
        (ENGLISH, "I'm Korean, from the Netherlands.", ["Korean", "Dutch"]),
        (ENGLISH, "hey im from japan lol", ["Japanese"]),
        (ENGLISH, "I AM RUSSIAN", ["Russian"]),
        (ENGLISH, "from south korea", ["Korean"]),
        (ENGLISH, "I'm Canadian, from Canada.", ["American", "American"]),
        (ENGLISH, "I polish shoes, and I am Korean.", ["Korean"]),
    ],
)
def test_a_name_is_a_word_of_its_own_or_stands_as_the_task_has_it(task, text, named):
    assert [fact for fact, _ in facts_named(task, text)] == named


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (KOREAN, "나는 일본 사람이 아니야. 그래서 ___를 해."),
        (KOREAN, "나는 러시아에서 오지 않았다. ___를 한다."),
        (KOREAN, "난 한국인이 아닌데 ___는 잘해."),
        (ENGLISH, "I am not Korean. So I speak ___."),
        (ENGLISH, "I don't come from Russia, but I speak ___."),
        (ENGLISH, "I was never Spanish. I speak ___."),
    ],
)
def test_what_is_denied_is_no_fact(task, text):
    document = typed(task, text, "___")
    assert (document.fact, document.answer) == ("", "")


@pytest.mark.parametrize("task", [KOREAN, ENGLISH], ids=["ko", "en"])
def test_no_way_to_tell_of_a_task_denies_it(task):
    rng = random.Random(1)
    writer = Writer(task)
    for phrase in (*task.plain.facts, *task.held_out.facts):
        for _ in range(10):
            told, word = writer.filled(one_of(rng, phrase), task.facts[0])
            match = re.search(re.escape(word), told)
            assert not is_denied(told, match), told


def test_a_longer_blank_is_one():
    assert one_blank("나는 ＿＿를 해.", "___") == "나는 ___를 해."
    assert one_blank("나는 _____를, a_b __ 해.", "___") == "나는 ___를, a_b ___ 해."
