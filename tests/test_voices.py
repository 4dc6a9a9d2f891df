"""Voices: states that texts begin in, learned for each label, mixed, asked for and added to."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import textgen
from labelled_rows import ROWS, SETTINGS, call, table
from run_files import same_weights
from textgen import shipped
from textgen.api import Model
from textgen.backend import tf
from textgen.cells import CELLS
from textgen.config import ModelConfig, TrainConfig
from textgen.data.labelled_text import LabelledLanes, LabelledText
from textgen.data.sources import as_trained_on
from textgen.errors import ConfigError, RunError
from textgen.evaluation.evaluate import carried_nats
from textgen.evaluation.voices import bits_by_voice
from textgen.generation.draft import Draft
from textgen.generation.voices import state_of
from textgen.model import build_model
from textgen.runs.run_folder import WEIGHTS, read_config
from textgen.runs.voices import VOICES, labels_of, read_voices, write_voices
from textgen.tokenizers.tokenizer import CharTokenizer
from textgen.training.new_voice import learn_voice
from textgen.training.optimizers import optimizer
from textgen.training.stop_request import Interrupted
from textgen.training.train import resume, start
from textgen.training.trainer import LaneTrainer
from textgen.training.voices import FASTER, Voices
from textgen.ui import cached, messages, models, passages
from tiny import drawn, interrupt, once, only, tiny

UI = Path(messages.__file__).parents[1]


@pytest.fixture(scope="session")
def voiced(shared):
    """A run that was trained on the rows, which no test may change."""
    text = table(shared / "rows.csv")
    settings = tiny(epochs=10, learning_rate=0.02, **SETTINGS)
    return once(shared, "voiced", lambda path: start(text, path, *settings))


def naive(network, ids, first):
    """-ln p of a document, token by token, from the state `first` [layers, parts, U]."""
    state = tuple(tuple(part[None] for part in layer) for layer in first)
    nats = 0.0
    for token, target in itertools.pairwise(ids):
        logits, state = network.step(np.array([token]), state)
        logits = logits[0].astype(np.float64)
        nats += np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[target]
    return nats


@pytest.mark.parametrize("cell", only(["lstm"], [cell for cell in CELLS if cell != "lstm"]))
def test_training_reads_each_document_from_its_voice(cell):
    rng = np.random.default_rng(1)
    documents = [rng.integers(0, 11, n) for n in (21, 9, 3, 14, 17)]
    lanes = LabelledLanes(documents, [1, 0, 2, 2, 1], 2, 8, 1, 0.0)
    model = build_model(ModelConfig(cell=cell, hidden_size=8, embedding_size=4, num_layers=2), 11)
    network = model.network()
    voices = Voices(["a", "b", "unheard"], network)
    states = rng.normal(0, 0.5, voices.scaled.shape).astype(np.float32)
    voices.scaled.assign(states / FASTER)
    trainer = LaneTrainer(model, 2, voices=voices)
    total = 0.0
    with tf.GradientTape() as tape:
        for inputs, targets, weights, begins in lanes.dataset().take(lanes.steps):
            total += tf.reduce_sum(trainer(inputs, targets, begins=begins) * weights)
    firsts = [np.zeros_like(states[0]), *states]

    def expected():
        found = zip(documents, lanes.labels, strict=True)
        return sum(naive(network, ids, firsts[label]) for ids, label in found)

    np.testing.assert_allclose(float(total), expected(), rtol=1e-5)
    slopes = tf.convert_to_tensor(tape.gradient(total, voices.scaled.value)).numpy() / FASTER
    assert not slopes[2].any()
    for place in [(0, 0, 0, 3), (1, 1, 0, 5)]:  # the gradient ends with the first window
        ends = []
        for step in (1e-2, -1e-2):
            moved = states[place[0]].copy()
            moved[place[1:]] += step
            ends.append(
                sum(
                    naive(network, ids[:9], moved)
                    for ids, label in zip(documents, lanes.labels, strict=True)
                    if label == place[0] + 1
                )
            )
        np.testing.assert_allclose(slopes[place], (ends[0] - ends[1]) / 2e-2, rtol=0.02, atol=2e-3)


def test_a_voice_that_is_not_read_stays_as_it_is():
    lanes = LabelledLanes([np.arange(9), np.arange(5)], [1, 0], 2, 8, 1, 0.0)
    model = build_model(ModelConfig(cell="gru", hidden_size=8, embedding_size=4), 11)
    voices = Voices(["read", "unread"], model.network())
    before = np.ones(voices.scaled.shape, np.float32)
    voices.scaled.assign(before)
    kernel = np.asarray(model.head.kernel)
    trainer = LaneTrainer(model, 2, voices=voices)
    step = trainer.prepare(optimizer(TrainConfig(weight_decay=5.0, learning_rate=0.01), 10))
    batches = iter(lanes.dataset())
    for _ in range(4):
        step(batches)
    after = np.asarray(voices.scaled)
    np.testing.assert_array_equal(after[1], before[1])
    assert (after[0] != before[0]).all()
    assert abs(np.asarray(model.head.kernel)).sum() < abs(kernel).sum()  # weights decay


def test_the_right_voice_predicts_best(voiced, shared):
    model = textgen.load(voiced)
    assert model.labels == ("영희", "철수") and read_config(voiced)["corpus"]["labels"]
    data = as_trained_on(model.card, shared / "rows.csv")
    assert isinstance(data, LabelledText)
    rows = {row.label: row for row in bits_by_voice(model, data)}
    assert set(rows) == {"영희", "철수", "all"} and rows["all"].documents == 8
    for row in rows.values():
        assert row.own < row.none < row.other
    text = next(d.text for d in data.documents[1] if d.label == "철수")
    own, other = (model.in_voice(label).score(text).bits_per_char for label in ("철수", "영희"))
    assert own < model.score(text).bits_per_char < other


@pytest.mark.slow
def test_a_stopped_run_resumes_to_the_same_voices(tmp_path, monkeypatch):
    text, settings = table(tmp_path / "a.csv"), tiny(epochs=2, **SETTINGS)
    whole = start(text, tmp_path / "whole", *settings)
    interrupt(monkeypatch, 17)
    with pytest.raises(Interrupted):
        start(text, tmp_path / "run", *settings)
    monkeypatch.undo()
    run = resume(tmp_path / "run")
    same_weights(whole, run)
    for label, state in textgen.load(whole).voices.items():
        np.testing.assert_array_equal(textgen.load(run).voices[label], state)
    rows = [("영희" if label == "철수" else label, text) for label, text in ROWS]
    with pytest.raises(RunError, match="is not the one"):
        resume(run, table(tmp_path / "b.csv", rows))


def test_a_run_without_labels_has_no_voices(runs):
    assert not (runs() / VOICES).exists() and textgen.load(runs()).labels == ()
    assert "labels" not in read_config(runs())["corpus"]


# --- a voice is a state ---------------------------------------------------------------------------


def a_model(cell="lstm", layers=2):
    tokenizer = CharTokenizer.train("ab \n")
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=8, num_layers=layers)
    network = drawn(config, tokenizer.vocab_size)
    rng = np.random.default_rng(2)
    shape = (layers, len(network.cell.state_names), 8)
    voices = {name: rng.normal(size=shape).astype(np.float32) for name in ("철수", "영희")}
    return Model(network, tokenizer, name="mine", voices=voices)


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_begins_in_the_state_of_its_label(cell):
    model = a_model(cell)
    state = tuple(tuple(part[None] for part in layer) for layer in model.voices["철수"])
    ids, written = [model.tokenizer.start_id, *model.tokenizer.encode("ab")], []
    while len(written) < 9:
        for token in ids:
            logits, state = model.network.step(np.array([token]), state)
        allowed = np.delete(np.arange(logits.shape[1]), list(model.tokenizer.banned_ids))
        ids = [int(allowed[logits[0, allowed].argmax()])]
        written += ids
    options = {"temperature": 0.0, "max_new_tokens": 9}
    assert model.in_voice("철수").generate("ab", **options).token_ids == written
    # what the model itself writes stays as it is
    plain = Model(model.network, model.tokenizer).generate("ab", seed=1)
    assert model.generate("ab", seed=1) == plain


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_both_engines_begin_in_the_voice(cell):
    model, options = a_model(cell), {"seed": 3, "max_new_tokens": 9}
    plain = model.generate("a", **options)
    one, other = (
        model.in_voice("영희=1.5").generate("a", engine=engine, **options)
        for engine in ("numpy", "tensorflow")
    )
    assert one.text == other.text
    np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-4)
    assert abs(one.logprobs[0] - plain.logprobs[0]) > 1e-3


def test_a_mix_is_the_sum_of_the_states():
    model = a_model()
    a, b = model.voices["철수"], model.voices["영희"]
    mixed = model.in_voice("철수=0.7, 영희=0.3").network.first
    np.testing.assert_allclose(mixed, 0.7 * a + 0.3 * b, rtol=1e-6)
    same = model.in_voice({"철수": 0.7, "영희": 0.3})
    np.testing.assert_array_equal(same.network.first, mixed)
    np.testing.assert_array_equal(state_of("철수=0.5", model.voices), np.float32(0.5) * a)
    odd = {"a,b=1": a}
    np.testing.assert_array_equal(state_of("a,b=1", odd), a)  # a name is taken before a mix
    nothing = model.in_voice({"철수": 0.0})
    assert nothing.generate("a", seed=1).text == model.generate("a", seed=1).text


@pytest.mark.parametrize(
    "label, message",
    [
        ("민수", "label is '민수': choose from 철수, 영희"),
        ("철수,영희", "label is '철수,영희': choose from"),
        ("영히", "label is '영히': is it 영희\\? choose from 철수, 영희$"),  # in their own order
        ("철수=0.5,민수=0.5", "label is '민수'"),
        ("철수=3", "the share 3.0: give a number of at least 0 and at most 2"),
        ("철수=viel", "the share 'viel': give a number"),
        ("", "label is ''"),
        (3, "label is 3: give a label"),
        ({}, "give a label"),
    ],
)
def test_a_label_that_is_not_there_lists_those_that_are(label, message):
    with pytest.raises(ConfigError, match=message):
        a_model().in_voice(label)
    with pytest.raises(ConfigError, match="this model has no labels"):
        Model(a_model().network, a_model().tokenizer).in_voice("철수")


def test_a_label_with_a_blank_of_another_kind_can_be_asked_for():
    found = state_of("철수\xa0", {"철수\xa0": np.ones((1, 1, 2), np.float32)})
    assert found.tolist() == [[[1, 1]]]
    with pytest.raises(ConfigError, match="name each label once"):
        state_of("a=0.5,a=0.5", {"a": np.ones((1, 1, 2), np.float32)})


def test_silent_units_are_silent_in_a_voice_from_the_beginning():
    model = a_model().in_voice("철수").without([2, 5])
    state = model.network.initial_state(1)
    assert all(not part[0, [2, 5]].any() for part in state[0]) and state[1][0][0, 2] != 0
    assert model.labels == ("철수", "영희")


def test_the_file_of_voices_is_checked(tmp_path, voiced, caplog):
    model = a_model()
    write_voices(tmp_path, model.voices, "abc")
    for label, state in read_voices(tmp_path, model.network, "abc").items():
        np.testing.assert_array_equal(state, model.voices[label])
    assert read_voices(tmp_path, model.network, "other") == {}
    assert "belongs to other weights" in caplog.text
    with pytest.raises(RunError, match="does not fit the model"):
        read_voices(tmp_path, a_model("gru").network, "abc")
    write_voices(tmp_path, {"a": np.full((2, 2, 8), np.nan, np.float32)}, "abc")
    with pytest.raises(RunError, match="does not fit the model"):
        read_voices(tmp_path, model.network, "abc")
    (tmp_path / VOICES).write_bytes(b"\1" * 99)
    with pytest.raises(RunError):
        read_voices(tmp_path, model.network, "abc")


# --- and is asked for -----------------------------------------------------------------------------


def test_the_command_writes_in_a_voice(capsys, voiced):
    words = ["generate", voiced, "--seed", 1, "--max-new-tokens", 12]
    code, lines, _ = call(capsys, *words, "--label", "철수", "--json")
    told = json.loads(lines)
    model = textgen.load(voiced).in_voice("철수")
    assert code == 0 and told["label"] == "철수"
    assert told["text"] == model.generate("", seed=1, max_new_tokens=12).text
    assert "label" not in json.loads(call(capsys, *words, "--json")[1])
    code, lines, _ = call(capsys, *words, "--label", "철수=0.5,영희=0.5", "--list", 2, "--json")
    assert code == 0 and json.loads(lines.splitlines()[0])["label"] == "철수=0.5,영희=0.5"
    code, text, errors = call(capsys, *words, "--label", "민수")
    assert (code, text) == (2, "") and "choose from 영희, 철수" in errors
    scores = [
        call(capsys, "score", voiced, "나는 산에 간다.", "--words", "--label", label)[1]
        for label in ("철수", "영희")
    ]
    assert scores[0] < scores[1]  # bits_per_char N


def test_evaluate_tells_what_a_voice_is_worth(capsys, voiced, shared, tmp_path):
    words = ["evaluate", voiced, shared / "rows.csv", "--sample-length", 0, "--json"]
    code, text, _ = call(capsys, *words, tmp_path / "a.json")
    assert code == 0 and "its voice" in text and "against none" in text
    found = json.loads((tmp_path / "a.json").read_text())
    assert {row["label"] for row in found["voices"]} == {"영희", "철수", "all"}
    code, text, _ = call(capsys, *words, tmp_path / "b.json", "--label", "철수")
    assert code == 0 and "held out of 철수, read in one go" in text
    found = json.loads((tmp_path / "b.json").read_text())
    data = as_trained_on(textgen.load(voiced).card, shared / "rows.csv")
    own = [d.text for d in data.documents[1] if d.label == "철수"]
    assert found["label"] == "철수" and found["characters"] == len("\n\n".join(own))
    both = data.held_out_of(("철수", "영희"))
    assert set(both.split("\n\n")) == {d.text for d in data.documents[1] if d.label}
    with pytest.raises(ConfigError, match="nothing is held out of 민수"):
        data.held_out_of(("민수",))


def test_a_voice_is_learned_later_and_no_weight_changes(capsys, voiced, tmp_path):
    run = shutil.copytree(voiced, tmp_path / "run")
    text = tmp_path / "new.txt"
    text.write_text("\n\n".join(f"ㅋㅋㅋ {n} The rain fell" for n in range(60)), encoding="utf-8")
    code, _, errors = call(capsys, "voice", run, "민수", text)
    assert code == 0 and "in no voice" in errors and "--label 민수" in errors
    model = textgen.load(run)
    assert model.labels == ("영희", "철수", "민수")
    assert (run / WEIGHTS).read_bytes() == (voiced / WEIGHTS).read_bytes()
    line = "ㅋㅋㅋ 70 The rain fell"
    assert model.in_voice("민수").score(line).bits_per_char < model.score(line).bits_per_char
    for words, message in [
        (["철수", text], "label is '철수', which"),
        (["", text], "give a name of 1 to 100"),
        (["x", "나는 산에 간다"], "no such file or folder"),
    ]:
        code, _, errors = call(capsys, "voice", run, *words)
        assert code == 2 and message in errors
    assert "or --remove to take the voice away" in call(capsys, "voice", run, "x")[2]
    assert "which is no voice that" in call(capsys, "voice", run, "철수", "--remove")[2]
    code, _, errors = call(capsys, "voice", run, "민수", "--remove")
    assert code == 0 and textgen.load(run).labels == ("영희", "철수")
    text.write_text("\n\n".join(f"ЖЯЖЯЖЯЖЯ {n}" for n in range(60)), encoding="utf-8")
    assert "has never seen" in call(capsys, "voice", run, "x", text)[2]
    text.write_text("ㅋㅋㅋ", encoding="utf-8")
    assert "give at least 5, parted by blank lines" in call(capsys, "voice", run, "x", text)[2]
    assert "is no run folder" in call(capsys, "voice", "ko-lstm-char", "x", text)[2]


def test_no_voice_is_learned_from_what_the_model_cannot_write(voiced):
    """Half of each document is one unknown letter: to expect it would look like a gain."""
    model = textgen.load(voiced)
    known = [f"The rain fell {n}" for n in range(60)]
    strange = [f"ЖЖЖЖЖЖЖЖЖЖ {text} ЖЖЖЖ" for text in known]
    unk = model.tokenizer.unk_id
    found = learn_voice(model, strange)
    held_out = strange[::5]
    bits = characters = 0.0
    for text in held_out:
        ids = model.tokenizer.encode(text)
        counts = np.array(ids) != unk
        bits += carried_nats(model, ids)[counts].sum() / np.log(2)
        characters += counts.sum()
    assert found.none == pytest.approx(bits / characters, rel=1e-3)


def test_on_resume_it_is_said_which_voices_may_be_lost(voiced, tmp_path, caplog):
    run = shutil.copytree(voiced, tmp_path / "run")
    model = textgen.load(run)
    write_voices(run, {**model.voices, "민수": model.voices["철수"]}, model.hash)
    assert labels_of(run) == ["영희", "철수", "민수"] and labels_of(tmp_path) == []
    resume(run)
    assert "voices that were learned later (민수)" in caplog.text


def test_the_page_writes_in_a_voice(voiced, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for name, folder in (("ko-voiced", voiced), ("zz-plain", runs())):
        (tmp_path / "models" / name).symlink_to(folder)
    monkeypatch.setattr(shipped, "MODELS", tmp_path / "models")
    app = AppTest.from_file(str(UI / "pages/1_write.py"), default_timeout=60)
    app.query_params.update(lang="en", max_new_tokens="20", seed="5", label="철수")
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key="label").value == "철수"
    written = [token.token_id for token in app.session_state["texts"][0].tokens]
    options = {"max_new_tokens": 20, "seed": 5, "temperature": 0.8}
    model = textgen.load(voiced)
    assert written == model.in_voice("철수").generate("", **options).token_ids
    app.selectbox(key="label").set_value(None).run()
    app.button(key="write").click().run()
    written = [token.token_id for token in app.session_state["texts"][0].tokens]
    assert written == model.generate("", **options).token_ids
    app.selectbox(key="model").set_value("zz-plain").run()
    assert not app.exception and "label" not in {box.key for box in app.selectbox}


def test_a_text_is_written_together_in_a_voice(capsys, monkeypatch, voiced):
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    drafts = []
    monkeypatch.setattr(
        "textgen.cli.draft_screen.DraftScreen.run", lambda screen: drafts.append(screen.draft)
    )
    monkeypatch.setattr(
        "textgen.cli.draft_screen.DraftScreen.__init__",
        lambda screen, draft, out: setattr(screen, "draft", draft),
    )
    words = ["write", voiced, "--seed", 1, "--label"]
    assert call(capsys, *words, "철수")[0] == call(capsys, *words, "영희")[0] == 0
    model = textgen.load(voiced)
    for draft, label in zip(drafts, ("철수", "영희"), strict=True):
        alike = Draft(model.in_voice(label), seed=1)
        assert draft.words == alike.words
    assert drafts[0].words != drafts[1].words
    code, _, errors = call(capsys, *words, "민수")
    assert code == 2 and "choose from 영희, 철수" in errors


def test_a_page_that_looks_inside_reads_in_the_voice(voiced, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/mine").symlink_to(voiced)
    app = AppTest.from_file(str(UI / "pages/5_gates.py"), default_timeout=60)
    asked = {"lang": "en", "source": "own", "any": "mine", "text": "나는 산", "answer": "에"}
    app.query_params.update(asked, label="철수")
    read = []
    trace = passages.cached.trace
    monkeypatch.setattr(
        passages.cached, "trace", lambda model, ids: read.append(model) or trace(model, ids)
    )
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key="label").value == "철수"
    model = textgen.load(voiced)
    for one in read:
        np.testing.assert_array_equal(one.network.first, model.voices["철수"])
    assert read
    # what is measured in one voice is not shown for another
    key = cached.HASHES["textgen.api.Model"]
    voices = [model, *map(model.in_voice, model.labels)]
    assert len({repr(key(one)) for one in voices}) == 3
    assert len({models.IN_ANY_VOICE["textgen.api.Model"](one) for one in voices}) == 1
