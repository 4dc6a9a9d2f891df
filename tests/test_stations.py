"""The stations: each has its words, an address, and an answer measured on the shipped models."""

from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from textgen import shipped
from textgen.evaluation.wave import GIVEN
from textgen.interpret.questions import QUESTIONS
from textgen.ui import messages, stations, unrolled

PAGES = messages.PAGES


@pytest.mark.parametrize("name", stations.STATIONS)
def test_a_station_leads_to_a_page_that_there_is(name):
    page, _ = stations.STATIONS[name]
    needed = QUESTIONS[name].cells
    assert any(messages.page_name(file) == page for file in PAGES.glob("[0-9]*_*.py"))
    assert all((shipped.MODELS / f"speaker-{cell.lower()}-ko").is_dir() for cell in needed)
    address = urlsplit(stations.link(name, "한국"))
    assert address.path == f"./{page}".replace("./lesson", "./")
    assert parse_qs(address.query)["station"] == [name]


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("name", stations.STATIONS)
def test_a_station_says_what_to_guess_to_move_and_to_see(name, language):
    words = messages.catalogue(language)
    for part in ("", "_a", "_b", "_answer", "_move", "_see"):
        text = words[f"stations.{name}{part}"]
        assert text and text.count(". ") <= 3


def strip_alone():
    from textgen.ui import stations

    stations.strip()


def opened(name, language, guess=None):
    """The strip of a station and nothing else."""
    app = AppTest.from_function(strip_alone, default_timeout=240)
    app.query_params.update({"lang": language, "station": name, "fact": "한국"})
    app.session_state[f"guess {name}"] = guess
    return app.run()


SLOW = ("raced",)  # it reads many long documents


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in stations.STATIONS],
)
def test_every_station_answers_a_guess(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = opened(name, "ko", "b")
    assert not app.exception and not app.error
    answers = [e.proto.body for e in app.get("html") if "tg-answer" in e.proto.body]
    assert len(answers) == 1


def test_nothing_is_told_before_a_guess(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = opened("slopes", "ko")
    assert not app.exception and len(app.pills) == 1
    assert not any("tg-answer" in e.proto.body for e in app.get("html"))


def test_a_station_without_its_model_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = opened("without_h", "en")
    assert not app.exception and not app.get("html")


def test_the_page_of_the_wave_draws_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_file(str(PAGES / "0_lesson.py"), default_timeout=120)
    app.query_params.update({"lang": "ko", "station": "wave"})
    app.run()
    assert not app.exception and not app.error
    assert len(app.get("vega_lite_chart")) == 1 and app.slider(key="given").value == GIVEN


def unrolled_alone(token):
    from textgen import shipped
    from textgen.api import load
    from textgen.interpret import trace
    from textgen.ui import unrolled

    model = load(shipped.MODELS / "speaker-rnn-ko")
    ids = [model.tokenizer.start_id, *model.tokenizer.encode("나는 일본사람이야.")]
    unrolled.show(model, ids, trace(model.network, ids), token)


@pytest.mark.parametrize("token", [0, 5, 10])
def test_the_loop_unrolled_has_the_token_among_its_neighbours(token):
    app = AppTest.from_function(unrolled_alone, kwargs={"token": token}, default_timeout=120).run()
    assert not app.exception
    (drawn,) = [e.proto.body for e in app.get("html")]
    assert drawn.count("<span>") == unrolled.SHOWN and drawn.count("tg-here") == 1
    assert f"x<sub>{token}</sub>" in drawn.split("tg-here")[1].split("</div>")[0]
