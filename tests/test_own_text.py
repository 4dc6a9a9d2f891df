"""Any model and any text on the pages that look inside: here, models that the suite trained."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import textgen.ui
from textgen import shipped
from textgen.runs import array_file, run_folder
from textgen.ui import models, passages
from textgen.ui.models import RUNS
from tiny import only

PAGES = Path(textgen.ui.__file__).parent / "pages"
LOOK = ("4_evidence", "5_gates", "6_step", "7_gradients")
MODELS = [("sentencepiece", "gru"), ("jamo", "lstm"), ("char", "rnn")]
TEXT = "오늘은 비가 온다. 우산을 들고 "


@pytest.fixture
def look(runs, tmp_path, monkeypatch):
    """look(page, (tokenizer, cell), **address) -> the page, which reads a text of one's own under a
    model of that kind, and knows no other model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "MODELS", tmp_path / "models")

    def run(page, model, **address):
        folder = tmp_path / RUNS / "mine"
        if not folder.exists():
            shutil.copytree(runs(*model), folder)
        app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=120)
        for name, value in ({"lang": "en", "source": "own", "text": TEXT} | address).items():
            app.query_params[name] = value
        return app.run()

    return run


def said(app):
    return [error.value for error in app.error]


def whose(app):
    """What a page says of its figures: beneath them, or in them."""
    beneath = [block.proto.body for block in app.get("html")]
    return " ".join([*beneath, *(figure.proto.json for figure in app.get("bidi_component"))])


@pytest.mark.parametrize(("tokenizer", "cell"), only(MODELS[:1], MODELS))
@pytest.mark.parametrize("page", LOOK[1:3])
def test_a_page_reads_any_text_under_any_model(look, page, tokenizer, cell):
    app = look(page, (tokenizer, cell))
    assert not app.exception and not said(app)
    assert app.selectbox(key="any").value == "mine"
    (answer,) = app.text_input
    assert answer.placeholder and not answer.value  # what the model itself would go on with
    assert app.get("download_button")  # there are figures, and their numbers


@pytest.mark.parametrize("page", [LOOK[0], LOOK[3]])
def test_a_page_that_compares_models_reads_any_text(look, page):
    app = look(page, MODELS[0], answer="비가", against="눈이")
    assert not app.exception and not said(app)
    assert app.multiselect(key="several").value == ["mine"]
    assert [box.value for box in app.text_input] == ["비가", "눈이"]
    assert app.get("download_button")


@pytest.mark.parametrize("model", MODELS)
def test_a_state_is_handed_over_between_any_two_texts(look, model):
    app = look("11_transplant", model, donor_text="어제는 눈이 왔다. 우산을 들고 ")
    assert not app.exception and not said(app)
    shown = " ".join(str(block.body) for block in app.get("html"))
    assert "어제는 눈이" in shown and "nothing is judged" in shown and "tg-claim" not in shown
    # where the whole state is handed over at the end, what comes next is the donor's own
    place = app.slider(key="place")
    place.set_value(place.max).run()
    shown = " ".join(str(block.body) for block in app.get("html"))
    assert not app.exception and "0% from the donor" in shown
    app.text_area(key="donor_text").set_value("").run()
    assert not app.exception and "there is no text" in said(app)[0]


def test_no_claim_is_judged_where_no_fact_is_known(look):
    app = look("5_gates", ("char", "lstm"))
    shown = " ".join(str(block.body) for block in app.get("html"))
    assert "no fact is known" in shown and "tg-claim" not in shown


def test_a_replaced_gate_changes_what_comes_next(look):
    app = look("6_step", ("char", "lstm"), gate="f", value="0", always="true", whole="true")
    assert not app.exception and not said(app)
    assert any(heading.value == "What comes next" for heading in app.subheader)


@pytest.mark.parametrize("model", MODELS[:2])
def test_neurons_tells_what_units_do_and_writes_without_them(look, model):
    app = look("8_neurons", model)
    assert not app.exception and not said(app)
    shown = " ".join(block.proto.body for block in app.get("html"))
    assert "end of a sentence" in shown and "base rate" in shown and "(included prose)" in shown
    texts = shown.split('class="tg-text"')[1:]
    assert len(texts) == 2 and texts[0].split("<small>")[0] != texts[1].split("<small>")[0]
    app.multiselect(key="off").set_value([]).run()
    assert "both write the same" in " ".join(block.proto.body for block in app.get("html"))
    app.selectbox(key="by").set_value("answer").run()
    assert not app.exception and app.text_input(key="answer").placeholder


@pytest.mark.parametrize("page", only(["6_step"], ["5_gates", "6_step", "8_neurons"]))
def test_a_model_stands_beside_its_last_save_and_itself_before(look, page, monkeypatch):
    # what draws first values is TensorFlow's, and tested elsewhere
    monkeypatch.setattr(passages.cached, "untrained", lambda model: model)
    for beside in ("same", "untrained"):
        app = look(page, ("char", "lstm"), beside=beside)
        assert not app.exception and not said(app)
        assert ("mine@" in whose(app)) == (beside == "same")
    app = look(page, ("char", "lstm"), version="last")
    assert not app.exception and "mine@" in whose(app)


def test_models_are_compared_with_their_last_saves(look):
    app = look("4_evidence", ("char", "lstm"), also_last="true")
    assert not app.exception and not said(app)
    first, second = (heading.value for heading in app.subheader)
    assert first == "mine" and second.startswith("mine@")


def test_a_model_that_is_trained_on_while_it_is_looked_at_is_told_of(look, tmp_path, loaded):
    app = look("5_gates", ("char", "lstm"))
    assert not any("trained on since" in c.value for c in app.caption)
    weights = {k: w * 0.9 for k, w in loaded("char", "lstm").network.weights.items()}
    array_file.write_arrays(tmp_path / RUNS / "mine" / run_folder.WEIGHTS, weights)
    app.run()
    assert not app.exception and any("trained on since" in c.value for c in app.caption)


def test_a_passage_of_the_models_own_text_is_read(look, text_file):
    app = look("5_gates", ("char", "lstm"))
    for part in passages.PARTS:
        app.button(key=f"passage {part}").click().run()
        assert not app.exception and not said(app)
        text = app.text_area(key="text").value
        assert len(text) > 20 and text in text_file.read_text(encoding="utf-8")


def test_where_the_models_text_is_gone_a_line_says_so(look, tmp_path):
    look("5_gates", ("char", "lstm"))
    for kept in (models._load, models._training_text):
        kept.clear()  # what was read before
    config = tmp_path / RUNS / "mine" / run_folder.CONFIG
    config.write_text(config.read_text().replace("text.txt", "gone.txt"))
    app = look("5_gates", ("char", "lstm"))
    app.button(key="passage training").click().run()
    assert not app.exception and any("trained on is not here" in c.value for c in app.caption)
    assert app.text_area(key="text").value == TEXT


@pytest.mark.parametrize("page", only(["5_gates"], LOOK))
def test_what_cannot_be_read_is_told_in_a_line(look, page, monkeypatch):
    monkeypatch.setattr(passages, "LONGEST", 50)
    (error,) = said(look(page, ("char", "lstm"), text="비가 온다 " * 20))
    assert "give at most 50" in error
    app = look(page, ("char", "lstm"))
    app.text_area(key="text").set_value("").run()
    assert not app.exception and "there is no text" in said(app)[0]


def test_a_model_that_is_deleted_while_it_is_looked_at_is_told_of(look, tmp_path):
    app = look("5_gates", ("char", "lstm"))
    (tmp_path / RUNS / "mine").rename(tmp_path / RUNS / "other")
    app.run()
    assert not app.exception and app.selectbox(key="any").value is None
    assert "no model mine" in said(app)[0] and not app.get("download_button")
    app.selectbox(key="any").set_value("other").run()
    assert not app.exception and not said(app) and app.get("download_button")
    shutil.rmtree(tmp_path / RUNS / "other")
    app.run()
    assert not app.exception and "there is no model" in said(app)[0]
