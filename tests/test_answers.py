"""What a model says, in words and in a line, with its verdict."""

import pytest

from textgen.data.recall_task import read_task
from textgen.data.typed_documents import typed
from textgen.interpret.verdicts import answered
from textgen.ui import answers, messages

WITHOUT = {"Korean": 0.01, "German": 0.44}


@pytest.fixture(autouse=True)
def english(monkeypatch):
    words = messages.catalogue("en")
    monkeypatch.setattr(answers, "t", lambda key, **values: words[key].format(**values))


@pytest.mark.parametrize(
    "shares, said",
    [
        ({"Korean": 0.98, "German": 0.01}, "✓ Korean 98%"),
        ({"Korean": 0.01, "German": 0.98}, "✗ German 98%"),
        ({"Korean": 0.30, "German": 0.45}, "✗ does not know (German 45%)"),
        ({"Korean": 0.40, "German": 0.30}, "? does not know (Korean 40%)"),
    ],
)
def test_words_part_what_is_wrong_from_what_cannot_be_told(shares, said):
    assert answers.in_words(answered(shares, WITHOUT, "Korean")) == said


def test_a_line_has_the_right_answer_and_the_likeliest_other_as_a_bar():
    row = answers.Row("<b>RNN", "#111111", {"Korean": 0.30, "German": 0.45}, WITHOUT)
    line = answers.line(row, "Korean")
    assert "&lt;b&gt;RNN" in line and "✗ does not know (German 45%)" in line
    assert 'width:30.0%;background:#111111"' in line and "width:45.0%" in line
    assert "left:1.0%" in line and "without memory Korean 1%" in line


def test_what_cannot_be_judged_has_no_mark():
    row = answers.Row("RNN", "#111111", {"Korean": 0.30, "German": 0.45}, None)
    line = answers.line(row, "Japanese")
    assert "German 45%" in line and not set("✓✗?") & set(line) and line.count("<i ") == 1


def test_what_was_never_taught_is_not_judged_and_keeps_the_colours():
    row = answers.Row("RNN", "#111111", {"Korean": 0.30, "German": 0.45}, None)
    line = answers.line(row, "Korean")
    assert "German 45%" in line and "never taught this" in line and not set("✓✗?") & set(line)
    assert 'width:30.0%;background:#111111"' in line and line.count("<i ") == 2


@pytest.mark.parametrize(
    ("text", "taught"),
    [
        ("나는 미국 사람이야. 그래서 ___를 해.", True),
        ("나는 영국 사람이야. 그래서 ___를 해.", False),
        ("나는 폴란드 사람이야. 그래서 ___를 해.", False),
    ],
)
def test_a_model_was_taught_the_words_of_its_own_task(monkeypatch, text, taught):
    task, few = read_task("speaker-ko.toml"), read_task("speaker-few-ko.toml")
    monkeypatch.setattr(answers.page_parts, "own_task", lambda task, model: few)
    document = typed(task, text, "___")
    assert document.answer and answers.is_taught(None, task, document) == taught
    monkeypatch.setattr(answers.page_parts, "own_task", lambda task, model: task)
    assert answers.is_taught(None, task, document)
