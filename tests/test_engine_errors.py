"""Errors of the engine on a Korean page: in Korean, and of a kind that is still raised."""

import ast
import re
import string
from pathlib import Path

import pytest

import textgen
from textgen.errors import TextgenError
from textgen.text.corpus import load_corpus
from textgen.ui import messages
from textgen.ui.messages import errors

PACKAGE = Path(textgen.__file__).parent
KNOWN = errors.tomllib.loads((messages.FOLDER / "errors_ko.toml").read_text(encoding="utf-8"))


def written():
    """Every text in the code, with an x where something is put in."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.fixture(scope="module")
def all_written():
    return "\n".join({text for text in written() if len(text) > 10})


@pytest.mark.parametrize("line", KNOWN)
def test_an_error_that_is_translated_is_still_raised(line, all_written):
    for part in re.split(r"\{\w+\}", line):
        assert part in all_written or all(piece in all_written for piece in part.split(": ")), part


@pytest.mark.parametrize("line", KNOWN)
def test_a_translation_names_places_of_its_error(line):
    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert places(KNOWN[line]) <= places(line)
    assert not re.search(r"\}(은|는|이|가|을|를|과|와|으로|로)\b", KNOWN[line])
    assert re.search("[가-힣]", KNOWN[line])


def test_what_was_raised_is_said_in_korean(tmp_path, monkeypatch):
    empty = tmp_path / "빈 파일.txt"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(TextgenError) as raised:
        load_corpus([empty])
    monkeypatch.setattr(errors, "language", lambda: "ko")
    assert errors.in_words(str(raised.value)).endswith("비어 있습니다. 글이 든 파일을 주세요.")
    assert errors.in_words("never said") == "never said"
    monkeypatch.setattr(errors, "language", lambda: "en")
    assert errors.in_words(str(raised.value)) == str(raised.value)
