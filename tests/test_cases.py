"""Every input of cases/ becomes the text that is right for it, or one line: at once, streamed, by
the commands and in the app alike."""

import re

import pytest
from cases import documents, encodings, exports, json_files, names, tables

from textgen.config import TrainConfig
from textgen.data.sources import read_training_data
from textgen.errors import TextgenError
from textgen.options import build
from textgen.text.chunks import read_chunks
from textgen.text.corpus import load_corpus
from textgen.text.read_config import ReadConfig
from textgen.ui.processes import trainings
from tiny import only

CASES = [
    case
    for module in (encodings, tables, json_files, names, exports, documents)
    for case in module.CASES
]
UPLOADS = [case for case in CASES if len(case.files) == 1]


def outcome(read):
    """(text, sources) or the line it is refused with."""
    try:
        return read()
    except TextgenError as error:
        return str(error)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_read_right_or_refused(case, folder):
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = case.source or next(iter(case.files))
    config = build(ReadConfig, case.options)

    def at_once():
        corpus = load_corpus(source, config)
        return corpus.text, corpus.sources, corpus.documents

    found = outcome(at_once)
    if case.refused:
        assert isinstance(found, str), f"it was read: {found[0][:200]!r}"
        assert re.search(case.refused, found) and "\n" not in found and len(found) < 400
    else:
        assert not isinstance(found, str), found
        text, sources, documents = found
        if isinstance(case.right, str):
            assert text == case.right
        else:
            lines = [line for line in text.split("\n") if line.strip()]
            assert list(case.right) == (lines if len(documents) == 1 else list(documents))
        assert case.encoding in ("", sources[0].encoding)
        dropped = {what: n for source in sources for what, n in source.dropped.items()}
        assert case.dropped.items() <= dropped.items()

    # a run is given the same options among those of its training, streamed or not
    training = build(TrainConfig, case.options)

    def to_train_on():
        data = read_training_data(source, training)
        return data.corpus.text, data.corpus.sources, data.corpus.documents

    assert outcome(to_train_on) == found
    for settings in (config, training):
        sources = []
        streamed = outcome(
            lambda settings=settings, sources=sources: "".join(
                chunk.text for chunk in read_chunks(source, settings, sources)
            )
        )
        if case.refused:
            assert streamed == found
        else:
            assert (streamed, sources) == (found[0], list(found[1]))


@pytest.mark.parametrize("case", only(UPLOADS[::6], UPLOADS), ids=lambda case: case.name)
def test_an_upload_is_read_as_the_file_is(case, folder, monkeypatch):
    (name, content) = next(iter(case.files.items()))
    data = content if isinstance(content, bytes) else content.encode()
    source = case.source or name
    if "/" in name or not source.startswith(name):
        return
    (folder / name).write_bytes(data)
    monkeypatch.setattr(trainings, "UPLOADS", folder / "uploads")
    config = build(ReadConfig, case.options)
    texts = [
        outcome(lambda read=read: load_corpus(read(), config).documents)
        for read in (
            lambda: source,
            lambda: f"{trainings.keep_upload(name, data)}{source.removeprefix(name)}",
        )
    ]
    assert texts[0] == texts[1] or all(isinstance(text, str) for text in texts)
