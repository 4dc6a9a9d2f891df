"""Tasks of one's own: what is wrong with one, how it is kept, and the page that trains on it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import textgen.ui
from textgen.data.recall_documents import documents
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError, TextgenError
from textgen.ui import own_tasks
from textgen.ui.processes import trainings

PAGE = Path(textgen.ui.__file__).parent / "pages/10_task.py"
PAIRS = "cat = meow\ndog = woof\ncalf = moo\nduck = quack"
FACTS = "There is a {} in the yard.\nWe have a {}."
QUESTIONS = "So I hear {} all day.\nThat is why I wake up to {}."
FILLER = " ".join(f"The rain of day {k} fell on the old road." for k in range(40))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(pairs=PAIRS, facts=FACTS, questions=QUESTIONS, filler=FILLER):
    _, found = own_tasks.checked(own_tasks.toml_of(pairs, facts, questions), filler)
    return {finding.code: finding.stops for finding in found}


def test_a_sound_task_is_found_sound():
    assert codes() == {}


@pytest.mark.parametrize(
    "changed, code, stops",
    [
        ({"questions": "So the cat says {}.\nI hear {}."}, "leak", True),
        ({"questions": "So I hear [a/an] {}.\nI hear {}."}, "particle", True),
        ({"pairs": "cat = meow\nlion = meow\ntiger = meow\ndog = woof"}, "one_answer", False),
        ({"pairs": PAIRS + "\nowl = \ufffd"}, "unspellable", True),
        ({"pairs": "cat = meow\ndog = woof"}, "few_facts", False),
        ({"facts": "There is a {}."}, "few_ways", False),
        ({"filler": "It rained. It snowed."}, "few_sentences", False),
        ({"filler": FILLER + "".join(f" A duck {k}." for k in range(20))}, "dropped", False),
    ],
)
def test_what_is_wrong_with_a_task_is_found(changed, code, stops):
    assert codes(**changed) == {code: stops}


@pytest.mark.parametrize(
    "changed, what",
    [
        ({"pairs": "cat meow"}, "'cat meow' is no pair"),
        ({"pairs": "cat = meow"}, "two different answers"),
        ({"facts": "There is a cat."}, "0 times {}"),
        ({"questions": ""}, "has no questions"),
        ({"filler": ""}, "empty"),
        ({"filler": "x" * (own_tasks.LARGEST_FILLER + 1)}, "give at most"),
    ],
)
def test_what_is_no_task_is_told_in_a_line_that_names_no_folder(changed, what):
    with pytest.raises(TextgenError, match=what) as error:
        codes(**changed)
    assert "/tmp" not in str(error.value) and "\n" not in str(error.value)


def test_a_task_is_kept_and_read_as_it_was_written():
    toml = own_tasks.toml_of('a "b"\\c = 냐옹\n개구리 = 개굴', FACTS, QUESTIONS)
    path = own_tasks.keep("pets", toml, FILLER)
    assert own_tasks.available() == {"pets": path}
    task = read_task(path)
    assert task.facts == ['a "b"\\c', "개구리"] and len(task.filler) == 40
    assert documents(task, 60, 2)[1].answer == "개굴"
    for taken in ("pets", "speaker-ko", "", "a/b", "..", "x" * 41):
        with pytest.raises(ConfigError, match="the name"):
            own_tasks.keep(taken, toml, FILLER)
    assert trainings.all_runs() == []
    with pytest.raises(ConfigError, match="'tasks' cannot be"):
        trainings.checked_name("tasks")


def test_the_files_that_a_task_names_are_not_opened():
    toml = own_tasks.toml_of(PAIRS, FACTS, QUESTIONS).replace(
        'filler = ["filler.txt"]',
        "filler = [\n  '/etc/passwd',\n]\nheld_out_filler = \"/dev/zero\"",
    )
    path = own_tasks.keep("pets", toml, FILLER)
    assert "passwd" not in path.read_text() and "zero" not in path.read_text()
    task = read_task(path)
    assert task.filler == task.held_out_filler and len(task.filler) == 40


# --- the page -------------------------------------------------------------------------------------


def page(**address):
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in ({"lang": "en"} | address).items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_example_of_the_form_is_sound(language):
    app = page(lang=language)
    assert not app.error and not app.warning


def test_a_task_is_written_kept_and_trained_on(monkeypatch):
    started = []
    monkeypatch.setattr(trainings, "start", lambda *asked: started.append(asked))
    app = page()
    app.text_area(key="pairs en").set_value("cat meow").run()
    assert not app.exception and "is no pair" in app.error[0].value
    app.text_area(key="questions en").set_value("The cat says {}.\nI hear {}.")
    app.text_area(key="pairs en").set_value(PAIRS).run()
    assert "says ‘cat’ itself" in app.error[0].value and app.button(key="keep").disabled
    app.text_area(key="questions en").set_value(QUESTIONS).run()
    app.button(key="keep").click().run()
    assert not app.exception and not app.error
    assert list(own_tasks.available()) == ["pets"]
    assert app.selectbox(key="task").value == "pets"
    app.button(key="train").click().run()
    assert not app.exception
    ((source, name, settings),) = started
    assert source == own_tasks.TASKS / "pets.toml" and name == "pets-lstm-1"
    assert settings["cell"] == "lstm"
