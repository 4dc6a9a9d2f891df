"""Models on the Hugging Face Hub: its own client, over HTTP, with a Hub on loopback."""

import contextlib
import dataclasses
import json
import shutil

import huggingface_hub
import numpy as np
import pytest
import yaml
from hub import hub
from huggingface_hub import constants

import textgen
from textgen import shipped
from textgen.cli.main import main
from textgen.errors import ConfigError, RunError
from textgen.export import disclosure
from textgen.export.push import files_of, hub_card, push
from textgen.ngrams.counts import NGrams
from textgen.ngrams.mixture import TERMS, Mixture
from textgen.runs.model_card import model_card, write_card
from textgen.runs.ngrams import NGRAMS, write_ngrams
from textgen.runs.run_config import Origin, RunConfig
from textgen.runs.voices import write_voices

NAME = "speaker-rnn-en"
FOLDER = shipped.MODELS / NAME
KEPT = {"config.json", "model.safetensors", "tokenizer.json"}
FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir()}


@pytest.fixture
def on_hub(tmp_path, monkeypatch):
    """on_hub(files) -> a Hub with the model user/mine, which the client asks and keeps here."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    def asked(address):
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    @contextlib.contextmanager
    def holds(files, **settings):
        with hub("user/mine", files, kind="models", **settings) as address:
            asked(address)
            yield

    return holds


def refused(address="hf://user/mine"):
    with pytest.raises(RunError) as error:
        textgen.load(address)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- load -----------------------------------------------------------------------------------------


def test_a_model_of_the_hub_writes_as_the_folder_does(on_hub, tmp_path):
    with on_hub(FILES):
        model = textgen.load("hf://user/mine")
    here = textgen.load(NAME)
    assert model.name == "mine" and model.hash == here.hash
    texts = [m.generate("The ", max_new_tokens=20, seed=1).text for m in (model, here)]
    assert texts[0] == texts[1]
    kept = {path.name for path in (tmp_path / "cache").rglob("snapshots/*/*")}
    assert kept == KEPT  # and nothing else
    assert textgen.load("hf://user/mine").hash == here.hash  # out of reach: what is kept serves


def test_voices_go_along_whether_they_were_learned_with_the_model_or_later(on_hub, tmp_path):
    run = tmp_path / "copy"
    shutil.copytree(FOLDER, run)
    model = textgen.load(run)
    voice = np.ones((1, 1, model.config.hidden_size), np.float32)
    write_voices(run, {"민수": voice}, model.hash)
    with on_hub(files_of(run, "user/mine")):
        fetched = textgen.load("hf://user/mine")
    assert fetched.labels == ("민수",)
    written = [
        m.in_voice("민수").generate("The ", seed=1).text for m in (fetched, textgen.load(run))
    ]
    assert written[0] == written[1]


def test_the_commands_take_the_address(on_hub, capsys):
    with on_hub(FILES):
        main(["generate", "hf://user/mine@main", "--prompt", "The ", "--max-new-tokens", "3"])
    assert capsys.readouterr().out.startswith("The ")


@pytest.mark.parametrize("address", ["hf://", "hf://mine", "hf://a/b/c", "hf://a/b@", "hf:// /b"])
def test_what_is_no_address_is_refused(address):
    assert "write hf://user/name" in refused(address)


def test_what_the_hub_would_not_call_so_is_refused(on_hub):
    with on_hub(FILES):
        assert "is no name that the Hub allows" in refused("hf://user/a--b")


def test_what_is_not_there_is_refused(on_hub):
    with on_hub(FILES):
        assert "is not there, or not yours" in refused("hf://user/other")
    without = {name: data for name, data in FILES.items() if name != "model.safetensors"}
    with on_hub(without):
        assert "is no run folder of textgen" in refused()


def test_a_hub_that_breaks_off_leaves_no_model(on_hub):
    size = len(FILES["config.json"])
    with on_hub(FILES, breaks_at=size):  # after the config.json
        refused()
    with on_hub(FILES):  # and it can be tried again
        assert textgen.load("hf://user/mine").name == "mine"


def test_a_hub_out_of_reach_is_said(on_hub):
    with on_hub(FILES):
        pass
    assert "is out of reach" in refused()


HOSTILE = [
    ("config.json", b" " * ((1 << 20) + 1), "config.json is larger than"),
    ("config.json", b"[]", "is not a textgen configuration"),
    ("config.json", FILES["config.json"].replace(b'"char"', b'"../x"'), "names the tokenizer"),
    ("model.safetensors", b"\xff" * 1000, "is too small|too large|whole safetensors"),
    ("model.safetensors", FILES["model.safetensors"][:-4], "is not a whole safetensors file"),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_model_is_one_line(number, on_hub):
    name, data, said = HOSTILE[number]
    with on_hub(FILES | {name: data}):
        message = refused()
    assert any(part in message for part in said.split("|"))


# --- push -----------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(disclosure, "TOKENS", 30)


def test_what_is_pushed_can_be_loaded(on_hub, capsys, quick):
    files = {}
    with on_hub(files, open=True):
        main(["push", NAME, "user/mine"])
        assert capsys.readouterr().out.endswith("hf://user/mine\n")
        model = textgen.load("hf://user/mine")
    assert model.hash == textgen.load(NAME).hash
    assert set(files) == {"README.md", "history.csv", *KEPT}


@pytest.fixture
def counted_run(tmp_path):
    """A run folder with n-grams, and a card that tells of them."""
    run = tmp_path / "counted"
    shutil.copytree(FOLDER, run)
    model = textgen.load(run)
    counts = NGrams.count(model.tokenizer.encode_array("I am Korean."), model.network.vocab_size, 3)
    write_ngrams(run, Mixture(counts, np.zeros((3, TERMS)), 7), model.hash)
    card = json.loads((run / "config.json").read_text())
    card["metrics"] |= {"mixed_bits_per_char": 1.25, "network_bits_per_char": 2.5}
    (run / "config.json").write_text(json.dumps(card))
    write_card(run, RunConfig.from_dict(card), 1)
    assert "1.250" in (run / "README.md").read_text()
    return run


def test_n_grams_go_along_only_where_they_are_asked_for_and_confirmed(
    on_hub, capsys, quick, counted_run
):
    files = {}
    with on_hub(files, open=True):
        main(["push", str(counted_run), "user/mine"])
        assert "the network goes alone" in capsys.readouterr().out and NGRAMS not in files
        assert b"ngrams" not in files["README.md"] and b"mixed_bits" not in files["config.json"]
        assert b"- Result: " in files["README.md"]

        sent = dict(files)
        with pytest.raises(SystemExit):
            main(["push", str(counted_run), "user/mine", "--ngrams"])
        said = capsys.readouterr().err
        assert "longer passages can be put together again" in said and "add --yes" in said
        assert said.count("\n") == 1 and files == sent

        main(["push", str(counted_run), "user/mine", "--ngrams", "--yes"])
        assert "longer passages" in capsys.readouterr().out
        assert b"1.250" in files["README.md"] and b"mixed_bits" in files["config.json"]
        assert textgen.load("hf://user/mine").mixture is not None


def test_what_does_not_go_along_any_more_is_taken_off(on_hub, caplog):
    files = {NGRAMS: b"old", "voices.safetensors": b"old", "notes.txt": b"mine"}
    with on_hub(files, open=True):
        push(FOLDER, "user/mine")
    assert set(files) == {"README.md", "history.csv", "notes.txt", *KEPT}
    assert "its history still has" in caplog.text


def test_n_grams_of_other_weights_are_never_sent(on_hub, counted_run, capsys):
    write_ngrams(counted_run, textgen.load(counted_run).mixture, "01234567")
    with pytest.raises(ConfigError, match="no n-grams of its weights"):
        push(counted_run, "user/mine", ngrams=True)
    files = {}
    with on_hub(files, open=True), pytest.raises(SystemExit):
        main(["push", str(counted_run), "user/mine", "--ngrams", "--yes"])
    assert "leave --ngrams out" in capsys.readouterr().err and files == {}


def test_what_is_to_be_private_is_not_sent_where_others_see_it(on_hub, capsys, quick):
    files = {}
    with on_hub(files, open=True, private=None):
        main(["push", NAME, "user/mine", "--private"])
    assert "config.json" in files
    files.clear()
    with on_hub(files, open=True, private=False), pytest.raises(SystemExit):
        main(["push", NAME, "user/mine", "--private"])
    assert "is there, and not private" in capsys.readouterr().err and files == {}


def test_a_push_that_breaks_off_leaves_nothing(on_hub, capsys, quick):
    files = {}
    with on_hub(files, open=True, breaks_at=0), pytest.raises(SystemExit) as stop:
        main(["push", NAME, "user/mine"])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1 and files == {}


@pytest.mark.parametrize("token", ["", "hf_wrong"])
def test_who_is_not_known_is_told_to_log_in_before_anything_is_read(
    on_hub, capsys, monkeypatch, token
):
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "nowhere")
    with on_hub({}, open=True), pytest.raises(SystemExit):
        main(["push", "nowhere", "user/mine"])
    assert "is not yours to write: `hf auth login`" in capsys.readouterr().err


def test_a_push_that_cannot_reach_the_hub_says_so_before_anything_is_read(on_hub, capsys):
    with on_hub({}, open=True):
        pass
    with pytest.raises(SystemExit):
        main(["push", "nowhere", "user/mine"])
    assert capsys.readouterr().err == (
        "error: hf://user/mine is out of reach: connect to the internet\n"
    )


def test_what_is_no_repository_is_refused_before_anything_is_read(capsys):
    for name in (
        "mine",
        "a/b/c",
        "a b/c",
        "../x",
        "",
        "a/b.git",
        "a/b--c",
        "김/글",
        "a/" + "b" * 97,
    ):
        with pytest.raises(SystemExit):
            main(["push", "nowhere", name])
        assert "write user/name" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        push(FOLDER, "mine")
    with pytest.raises(ConfigError, match="hf://user/mine is on the Hub: give a run folder"):
        push("hf://user/mine", "user/other")


def test_no_folder_of_this_machine_is_sent(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(FOLDER, run)
    card = json.loads((run / "config.json").read_text())
    card["corpus"]["source"] = ["/home/kim/secret/diary.txt", "texts/b.txt", "hf:kim/texts"]
    card["training"]["replay"] = "/home/kim/secret/old.txt=0.2"
    card["from"] = {"run": "/home/kim/secret/runs/old", "hash": "01234567", "bits": {}}
    (run / "config.json").write_text(json.dumps(card))
    sent = files_of(run, "user/mine")
    told = json.loads(sent["config.json"])
    assert told["corpus"]["source"] == ["diary.txt", "b.txt", "hf:kim/texts"]
    assert told["training"]["replay"] == "old.txt=0.2" and told["from"]["run"] == "old"
    assert not any(b"secret" in data for data in sent.values())
    origin = Origin("/home/kim/secret/runs/old", "01234567")
    began = dataclasses.replace(RunConfig.from_dict(card), origin=origin)
    assert "Before, it was old (01234567)" in model_card("mine", began, 1)


def test_one_document_is_one():
    card = RunConfig.from_dict(json.loads((FOLDER / "config.json").read_text()))
    data = dataclasses.replace(card.data, task=None, characters=1, documents=1)
    one = dataclasses.replace(card, data=data)
    assert "- Text: 1 character in 1 document.\n" in model_card("mine", one, 1)


def test_the_card_has_the_result_in_the_form_of_the_hub():
    card = json.loads(FILES["config.json"])
    made = hub_card(FILES["README.md"].decode(), "user/mine", card)
    front, body = made.removeprefix("---\n").split("---\n", 1)
    (result,) = yaml.safe_load(front)["model-index"][0]["results"]
    value = card["metrics"]["val_bits_per_char"]
    assert result["metrics"][0]["value"] == pytest.approx(value, abs=1e-4)
    assert 'textgen.load("hf://user/mine")' in body
    huggingface_hub.ModelCard(made)  # its own client reads it
    assert hub_card(made, "user/mine", card) == made  # of a card that came from the Hub
    assert hub_card("A note", "user/mine", {}) == "---\nlibrary_name: textgen\n---\nA note"
