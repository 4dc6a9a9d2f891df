import json
import os
import re
import string
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from textgen import shipped
from textgen.data.recall_task import read_task
from textgen.errors import ConfigError, CorpusError
from textgen.generation.sampling import TRANSFORMS
from textgen.interpret.lesson import facts_in_order
from textgen.options import options_of
from textgen.ui import messages, samples, widgets
from textgen.ui.processes import trainings

UI = Path(messages.__file__).parents[1]
SOURCES = [*UI.rglob("*.py")]
CATALOGUES = {language: messages.catalogue(language) for language in messages.LANGUAGES}

# --- the catalogues -----------------------------------------------------------------------------


def test_the_languages_have_the_same_keys_and_places():
    korean, english = CATALOGUES["ko"], CATALOGUES["en"]
    assert list(korean) == list(english)
    for key in korean:
        places = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (korean[key], english[key])
        ]
        assert places[0] == places[1], key


def test_no_particle_follows_a_place():
    # 은/는, 이/가, 을/를 ... depend on the letter before them, which a place does not tell,
    # except for a share, which is read as 퍼센트
    for key, text in CATALOGUES["ko"].items():
        assert not re.search(r"(?<!%)\}(은|는|이|가|을|를|과|와|으로|로)\b", text), key


def test_every_key_is_shown_and_every_key_shown_exists():
    asked = set()
    for source in SOURCES:
        asked |= set(
            re.findall(r"\b(?:t|has)\(\s*f?[\"']([^\"']+)[\"']", source.read_text("utf-8"))
        )
    pages = [page.stem.split("_", 1)[1] for page in UI.glob("pages/*.py")]
    asked |= {"strip.{name}", *(f"{page}.{part}" for page in pages for part in ("title", "intro"))}
    asked |= {f"{page}.own_intro" for page in pages} & set(CATALOGUES["ko"])  # of a few
    exact = {key for key in asked if "{" not in key}
    sections = {key.split(".")[0] for key in asked if "{" in key and not key.startswith("{")}
    sections |= {"reason", "warning", "dropped"}  # by the codes of the doctor
    known = set(CATALOGUES["ko"])
    assert exact <= known
    shown = {key for key in known if key in exact or key.split(".")[0] in sections}
    assert known - shown == set()


def test_every_transform_is_named_and_explained():
    for name in (name for cls in TRANSFORMS for name in options_of(cls)):
        for catalogue in CATALOGUES.values():
            assert catalogue[f"option.{name}"] and catalogue[f"help.{name}"]


def test_every_finding_of_the_doctor_is_translated():
    files = ("text/doctor.py", "text/oddities.py")
    source = "".join((UI.parent / file).read_text("utf-8") for file in files)
    codes = set(
        re.findall(
            r"warn\(\"(\w+)\"|code = \"\w+\", \"(\w+)\"|(?:Finding|_pattern|_begins)\(\"(\w+)\"",
            source,
        )
    )
    codes = {code for pair in codes for code in pair if code}
    assert len(codes) >= 11
    known = {key.split(".")[1] for key in CATALOGUES["ko"] if key.startswith(("reason", "warning"))}
    assert codes == known


def test_all_that_is_left_out_is_translated():
    source = "".join(file.read_text("utf-8") for file in UI.parent.glob("text/*.py"))
    dropped = set(re.findall(r"drop\(\"([^\"]+)\"|left_out\[\"([^\"]+)\"\]", source))
    keys = {re.sub(r"\W+", "_", (one or other).lower()).strip("_") for one, other in dropped}
    assert len(keys) > 20
    assert {f"dropped.{key}" for key in keys} <= set(CATALOGUES["ko"]) & set(CATALOGUES["en"])


def test_the_order_of_facts_is_that_of_the_task_whatever_the_language_of_the_page(monkeypatch):
    told = {"ko": ["한국", "일본", "미국"], "en": ["Korean", "Japanese", "American"]}
    for page in messages.LANGUAGES:
        monkeypatch.setattr(messages, "language", lambda page=page: page)
        for task, facts in told.items():
            in_order = facts_in_order(read_task(f"speaker-{task}.toml"))
            assert in_order[:3] == facts and in_order.count(facts[2]) == 1
    places = read_task("place-en.toml")  # of one group: as in the file
    assert facts_in_order(places) == places.facts


def test_text_from_outside_stays_text():
    assert widgets.plain("**a** [b](c) <i> :red[x] $1$") == (
        r"\*\*a\*\* \[b\]\(c\) \<i\> \:red\[x\] \$1\$"
    )
    assert "<script>" not in widgets.running_text("<script>", "<script>", caret=True)


# --- what was written ---------------------------------------------------------------------------


def test_a_sample_is_cut_and_written_on(runs):
    import textgen

    model = textgen.load(runs())
    texts, job = samples.begin("나는 ", 2, {"max_new_tokens": 12, "seed": 3})
    for _ in samples.write(model, texts, job):
        pass
    first = texts[0]
    assert len(first.tokens) == 12 and texts[1].text(model.tokenizer) != first.text(model.tokenizer)
    assert all(len(token.best) == samples.ALTERNATIVES for token in first.tokens)
    before, other = [t.token_id for t in first.tokens[:5]], first.tokens[5].best[3]
    untouched = texts[1].text(model.tokenizer)
    first.cut(5, other.token_id)
    for _ in samples.write(model, texts, samples.Job([0], {"max_new_tokens": 4, "seed": 3})):
        pass
    assert [t.token_id for t in first.tokens[:6]] == [*before, other.token_id]
    assert len(first.tokens) == 10 and first.tokens[5].logprob == other.logprob
    assert texts[1].text(model.tokenizer) == untouched
    shown = samples.strip_data(first, model.tokenizer)
    text = shown["prompt"] + "".join(group["text"] for group in shown["groups"])
    assert text == first.text(model.tokenizer)


def test_copies_are_marked_from_the_prompt_on(runs):
    import textgen
    from textgen.evaluation.copying import CopyMeter

    model = textgen.load(runs())
    texts, job = samples.begin("나는 ", 1, {"max_new_tokens": 30, "seed": 3})
    for _ in samples.write(model, texts, job):
        pass
    (sample,) = texts
    text = sample.text(model.tokenizer)
    copied = samples.copies(sample, model.tokenizer, CopyMeter("x" + text[1:9] + "y", 5))
    assert copied.share == 6 / 30 and copied.length == 8
    data = samples.strip_data(sample, model.tokenizer, copied)
    assert [group["copied"] for group in data["groups"]] == [8] * 6 + [0] * 24
    plain = samples.strip_data(sample, model.tokenizer)
    assert {group["copied"] for group in plain["groups"]} == {0}


# --- runs ---------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working directory, which is where the app keeps its runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_run(name, **status):
    (trainings.RUNS / name).mkdir(parents=True, exist_ok=True)
    (trainings.RUNS / name / "status.json").write_text(json.dumps(status))


def test_names(home):
    assert trainings.free_name("나의 글.txt") == "나의-글-txt-1"
    assert trainings.checked_name(" 나의-글 ") == "나의-글"
    for bad in ("", "..", "a/b", ".hidden", "uploads", "x" * 61, "a b"):
        with pytest.raises(ConfigError, match="cannot be a folder"):
            trainings.checked_name(bad)
    write_run("here-1", state="finished")
    assert trainings.free_name("here") == "here-2"
    with pytest.raises(ConfigError, match="taken"):
        trainings.checked_name("here-1")


def test_an_upload_is_kept_once(home):
    first = trainings.keep_upload("../글 하나.txt", b"abc")
    assert first.parent == trainings.UPLOADS and first.read_bytes() == b"abc"
    assert trainings.keep_upload("../글 하나.txt", b"abc") == first
    assert trainings.keep_upload("../글 하나.txt", b"abd") != first
    with pytest.raises(CorpusError, match="empty"):
        trainings.keep_upload("a.txt", b" \n")


def test_the_state_of_a_run(home, monkeypatch):
    monkeypatch.setattr(trainings, "_is_textgen", lambda pid: pid == os.getpid())
    assert trainings.all_runs() == []
    gone = 2**22 + 1  # beyond what the system hands out
    write_run("done", pid=gone, state="finished", step=3)
    write_run("halted", pid=gone, state="stopped")
    write_run("killed", pid=gone, state="running")
    write_run("going", pid=os.getpid(), state="running")
    states = {run.name: run.state for run in trainings.all_runs()}
    assert states == {
        "done": "finished",
        "halted": "stopped",
        "killed": "failed",
        "going": "running",
    }
    old = time.time() - 2 * trainings.STALE  # the number now belongs to another process
    os.utime(trainings.RUNS / "going/status.json", (old, old))
    assert trainings.read("going").state == "failed"
    (trainings.RUNS / "halted/status.json").write_text("{ half")
    assert trainings.read("halted").state == "failed"


def test_a_run_that_fails_says_why(home, text_file):
    trainings.start(text_file, "bad", {"hidden_size": -1})
    deadline = time.monotonic() + 60
    while trainings.read("bad").alive and time.monotonic() < deadline:
        time.sleep(0.1)
    run = trainings.read("bad")
    assert run.state == "failed" and "hidden_size" in run.message and "error:" not in run.message


# --- the pages ----------------------------------------------------------------------------------


@pytest.fixture
def page(home, monkeypatch, runs):
    """page(name) -> that page with one tiny model shipped."""
    folder = home / "models"
    folder.mkdir()
    (folder / "ko-tiny").symlink_to(runs())
    monkeypatch.setattr(shipped, "MODELS", folder)

    def open_page(name, **query):
        app = AppTest.from_file(str(UI / "pages" / name), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_page


def test_write_opens_writing(page):
    app = page("1_write.py", lang="en", max_new_tokens="40", seed="5")
    assert not app.exception and not app.error
    texts = app.session_state["texts"]
    assert len(texts) == 1 and len(texts[0].tokens) == 40 and texts[0].seed == 5
    app.button(key="continue").click().run()
    assert len(app.session_state["texts"][0].tokens) == 80
    before = app.session_state["texts"][0].tokens
    app.button(key="regenerate").click().run()
    assert app.session_state["texts"][0].seed != 5
    assert app.session_state["texts"][0].tokens != before[:40]


def test_write_colours_by_what_is_copied(page, runs, text_file):
    app = page("1_write.py", lang="en", max_new_tokens="40", seed="5", colour="copied")
    assert not app.exception
    assert any(re.search(r"Copied: \d+% of this text", caption.value) for caption in app.caption)


def test_write_says_where_the_training_text_is_not_at_hand(page, home):
    import shutil

    folder = home / "models/ko-tiny"
    real = folder.resolve()
    folder.unlink()
    shutil.copytree(real, folder)
    card = json.loads((folder / "config.json").read_text())
    card["corpus"]["source"] = "gone.txt"
    (folder / "config.json").write_text(json.dumps(card))
    app = page("1_write.py", lang="en", max_new_tokens="20")
    app.segmented_control(key="colour").set_value("copied").run()
    assert not app.exception and any("not here" in caption.value for caption in app.caption)


def test_write_says_what_is_wrong_in_one_line(page):
    app = page("1_write.py", lang="en", max_new_tokens="20")
    app.text_area(key="prompt").input("龘龘").run()
    app.button(key="write").click().run()
    assert not app.exception
    (error,) = app.error
    assert "龘" in error.value and "\n" not in error.value


def test_write_with_no_model_at_all(page, home):
    (home / "models/ko-tiny").unlink()
    app = page("1_write.py", lang="en")
    assert not app.exception and "Train" in app.info[0].value


def test_write_with_a_broken_model(page, home):
    (home / "models/ko-tiny").unlink()
    broken = home / "models/ko-tiny"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"junk")
    app = page("1_write.py", lang="en")
    assert not app.exception and len(app.error) == 1


def test_train_shows_what_the_doctor_found(page):
    app = page("2_train.py", lang="en")
    assert not app.exception and not app.error
    app.segmented_control(key="way").set_value("paste").run()
    app.text_area(key="pasted").input("짧은 글입니다. " * 20).run()
    assert not app.exception
    assert any("copy" in warning.value for warning in app.warning)
    app.text_area(key="pasted").input(" \n ").run()
    assert not app.exception and not app.error


def test_train_begins_from_a_model(page, monkeypatch):
    started = []
    monkeypatch.setattr(trainings, "start", lambda *arguments: started.append(arguments))
    app = page("2_train.py", lang="en")
    shown = {w.key.split()[0] for w in (*app.selectbox, *app.number_input)}
    assert {"cell", "hidden_size", "tokenizer"} <= shown
    app.selectbox(key="from").set_value("ko-tiny").run()
    shown = {w.key.split()[0] for w in (*app.selectbox, *app.number_input)}
    assert "epochs" in shown and not {"cell", "hidden_size", "tokenizer"} & shown
    app.button(key="train").click().run()
    assert not app.exception and set(started[0][2]) == {"from", "epochs", "prompt"}
