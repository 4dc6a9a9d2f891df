"""The ten stations: each has its words, and an answer that is measured on the shipped models."""

import pytest
from streamlit.testing.v1 import AppTest

from textgen import shipped
from textgen.ui import messages, stations

PAGES = messages.PAGES


@pytest.mark.parametrize("name", stations.STATIONS)
def test_a_station_leads_to_a_page_that_there_is(name):
    page, _, needed, _ = stations.STATIONS[name]
    assert any(messages.page_name(file) == page for file in PAGES.glob("[0-9]*_*.py"))
    assert all((shipped.MODELS / f"speaker-{cell.lower()}-ko").is_dir() for cell in needed)


def test_every_station_answers_a_guess(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_file(str(PAGES / "0_lesson.py"), default_timeout=240)
    app.query_params["lang"] = "en"  # in which there is no minGRU
    app.run()
    assert not app.exception and not app.error
    there = [name for name in stations.STATIONS if name != "without_h"]
    assert len(app.expander) == len(there)
    for name in there:
        app.pills(key=f"guess {name}").set_value("b")
    app.run()
    assert not app.exception and not app.error
    answers = [e.proto.body for e in app.get("html") if "tg-claim" in e.proto.body]
    assert len(answers) == len(there)
    assert all("See it" in answer and 'href="' in answer for answer in answers)
