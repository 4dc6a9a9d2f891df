"""The app as a whole: a page is one file, and no address can break one."""

import ast
import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from textgen.generation.sampling import TRANSFORMS
from textgen.options import options_of
from textgen.ui import address, messages
from textgen.ui import app as navigation
from tiny import only

UI = Path(messages.__file__).parents[1]
PAGES = navigation.page_files([navigation.PAGES])
TEST_PAGES = Path(__file__).parent / "pages"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty working directory, which is where the app keeps its runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- a page is one file ---------------------------------------------------------------------------


def opened(*folders, page="", **query):
    """(the app over the pages of these folders, its navigation), at the address of one page."""

    def script(folders):
        from textgen.ui import app

        app.main(folders)

    app = AppTest.from_function(script, args=(folders,), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app._page_hash = calc_hash(page)  # as a browser asks for a page; AppTest has no way to
    app.run()
    assert not app.exception
    return app, [link.proto.label for link in app.get("page_link")]


@pytest.mark.parametrize("language, title", [("ko", "안녕"), ("en", "Hello")])
def test_a_page_is_one_file(language, title):
    app, links = opened(navigation.PAGES, TEST_PAGES, page="hello", lang=language, size="7")
    assert links[-1] == f"**{title}**" and len(links) == len(PAGES) + 1
    assert [element.value for element in app.title] == [title]
    assert app.caption[0].value in ("은닉 7", "hidden 7")


def test_a_page_opened_alone_has_its_words(monkeypatch):
    monkeypatch.setattr(messages, "PAGES", TEST_PAGES)
    monkeypatch.setattr(messages, "_of_pages", {})
    app = AppTest.from_file(str(TEST_PAGES / "20_hello.py"), default_timeout=60)
    app.query_params["lang"] = "en"
    app.run()
    assert not app.exception and [element.value for element in app.title] == ["Hello"]


def test_a_page_stands_in_the_navigation_after_those_before_it():
    files = navigation.page_files([navigation.PAGES, TEST_PAGES])
    assert [file.name for file in files] == [*(file.name for file in PAGES), "20_hello.py"]


def test_a_page_without_words_is_titled_by_its_name(tmp_path):
    (tmp_path / "1_bare.py").write_text("import streamlit as st\nst.write('nothing')\n")
    _, links = opened(tmp_path)
    assert links == ["**bare**"]


# --- addresses ------------------------------------------------------------------------------------

HOSTILE = {
    "no ASCII digits": "²",
    "Arabic digits": "٣",
    "negative": "-1",
    "too large": "9999",
    "huge": "9" * 400,
    "no number": "nan",
    "infinite": "1e999",
    "empty": "",
    "a name of another": "../../etc/passwd",
    "markup": "<img src=x onerror=alert(1)>\x00",
}


def parameters(file):
    """Every parameter that a file of the app reads from the address."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        names = [word.value for word in node.keywords if word.arg == "key"]
        called = ast.unparse(node.func)
        if any(word.arg == "bind" for word in node.keywords):
            yield from names
        elif called.endswith(("worded", "one_of")):
            yield node.args[3]
        elif re.search(r"query_params\.(get|get_all|pop)$|address\.(number|span|choice)$", called):
            yield node.args[0]


def addressed(file):
    """The names of those of a page, of what pages share, and of the options of generation."""
    shared = [file, UI / "page_parts.py", UI / "messages/__init__.py"]
    nodes = [node for source in shared for node in parameters(source)]
    names = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return names | {name for cls in TRANSFORMS for name in options_of(cls)}


def test_every_parameter_is_known_by_its_name():
    assert {"unit", "token", "span", "filler", "lang"} <= addressed(UI / "pages/8_neurons.py")
    assert "race" in addressed(UI / "pages/9_race.py")
    assert {"temperature", "prompt"} <= addressed(UI / "pages/1_write.py")


@pytest.mark.parametrize("kind", only(["no number"], HOSTILE))
@pytest.mark.parametrize("file", only([PAGES[0], PAGES[5]], PAGES), ids=lambda file: file.stem)
def test_no_address_breaks_a_page(file, kind):
    app = AppTest.from_file(str(file), default_timeout=600)  # the first compiles many programs
    for name in addressed(file) - {"prompt"}:  # of which a model may not know a letter
        app.query_params[name] = HOSTILE[kind]
    app.run()
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error


PINS = [("²", "9999"), ("-3", "²"), ("9999", "-1"), ("", "x")]


@pytest.mark.parametrize("token, unit", only(PINS[:1], PINS))
@pytest.mark.parametrize(
    "name", only(["5_gates"], ["4_evidence", "5_gates", "6_step", "8_neurons"])
)
def test_a_pin_that_cannot_be_is_the_default(name, token, unit):
    def pins(**query):
        app = AppTest.from_file(str(UI / f"pages/{name}.py"), default_timeout=120)
        for key, value in ({"lang": "en", "distance": "40"} | query).items():
            app.query_params[key] = value
        app.run()
        assert not app.exception and not app.error
        data = [json.loads(element.proto.json) for element in app.get("bidi_component")]
        widgets = [w.value for w in (*app.slider, *app.selectbox) if w.key in ("token", "unit")]
        return [figure["pinned"] for figure in data if "pinned" in figure] + widgets

    assert pins(token=token, unit=unit) == pins()


@pytest.mark.parametrize(
    "said, number, span",
    [
        (["7"], 7, None),
        (["0", "7"], 7, (0, 7)),
        (["7", "0"], 0, None),
        (["3", "²"], None, None),
        (["3", "8"], None, None),
        (["1", "2", "3"], 3, None),
        ([" 7"], None, None),
        (["+7"], None, None),
        (["7" * 16], None, None),
    ],
)
def test_numbers_of_an_address(monkeypatch, said, number, span):
    query = QueryParams()
    monkeypatch.setattr(address.st, "query_params", query)
    query.said = said
    assert address.number("x", 0, 7) == number
    assert address.span("x", 0, 7) == span


class QueryParams:
    """The address, where one name is said several times: `get` gives the last, as Streamlit's."""

    said: list[str]

    def get(self, name, default=None):
        return self.said[-1]

    def get_all(self, name):
        return self.said
