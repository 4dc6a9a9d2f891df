import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from textgen import shipped
from textgen.cli.main import main
from textgen.generation.generator import Generator
from tiny import TEXT


def run(capsys, *arguments):
    """(exit code, stdout, stderr) of one command, in this process."""
    capsys.readouterr()  # what making the fixtures printed
    try:
        main([str(a) for a in arguments])
        code = 0
    except SystemExit as stop:
        code = stop.code
    found = capsys.readouterr()
    return code, found.out, found.err


def fails(capsys, *arguments):
    """The error line of a command that must fail on bad input, after what was read."""
    code, _, errors = run(capsys, *arguments)
    assert code == 2
    *notes, line = errors.strip().splitlines()
    assert line.startswith("error: ")
    assert all(note.startswith(("note: ", "read ")) for note in notes)
    return line


def test_help_needs_no_tensorflow():
    # which takes seconds to load: without it, help answers at once
    heavy = "tensorflow keras sentencepiece datasets pandas streamlit prompt_toolkit"
    script = (
        "import sys\nfrom textgen.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit as stop: assert not stop.code\n"
        f"assert not set('{heavy}'.split()) & set(sys.modules)"
    )
    for command in ([], ["train"], ["generate"], ["write"], ["score"], ["corpus"]):
        subprocess.run([sys.executable, "-c", script, *command, "--help"], check=True)


def test_bad_input_is_refused_before_tensorflow_is_loaded(text_file, tmp_path):
    # an empty text would be noticed if it were read
    names, empty = tmp_path / "names.txt", tmp_path / "empty.txt"
    names.write_text("Kim\nLee\n", encoding="utf-8")
    empty.touch()
    model, held = shipped.MODELS / "en-lstm-char", tmp_path / "held"
    held.mkdir()
    (held / "config.json").write_text("{}")
    train = ["train", empty, "--out", tmp_path / "run"]
    refused = [
        ([*train, "--replay", "x=7"], "replay is 'x=7'"),
        ([*train, "--replay", "x=0.2"], "no such file or folder: 'x'"),
        ([*train, "--replay", f"{names}=0.2", "--sample-by", "line"], "leave one of them out"),
        ([*train, tmp_path / "none.txt"], "none.txt"),
        ([*train, "--from", "nowhere"], "no run folder at nowhere"),
        ([*train, "--from", model, "--cell", "rnn"], "cell is 'rnn', but"),
        ([*train, "--budget", "5s"], "budget is '5s'"),
        ([*train, "--forget-bias", "2", "--cell", "rnn"], "forget_bias would have no effect"),
        (["train", empty, "--out", held], "holds a run already"),
        (
            ["train", names, "--out", tmp_path / "run", "--label-by", "file"],
            "has the label 'names'",
        ),
        (["train", names, "--out", tmp_path / "run", "--prompt", "Ж"], "prompt is 'Ж'"),
        (["train", names, "--out", tmp_path / "run", "--budget", "20s"], "one window takes 65"),
        (["race", empty, "--out", tmp_path / "race", "--replay", "x=7"], "replay is 'x=7'"),
        (["generate", model, "--list", "0", "--new", "--train", empty], "list is 0"),
        (["generate", model, "--list", "3", "--num-beams", "2"], "num_beams is not for a list"),
        (["generate", "nowhere", "--temperature", "-1"], "temperature is -1"),
        (["generate", "nowhere", "--max-copied", "9", "--num-beams", "2"], "with max_copied"),
        (["evaluate", model, text_file, "--label", "x"], "this model has no labels"),
        (["evaluate", model, text_file, "-n", "1", "--look-back"], "n is 1"),
        (["evaluate", "nowhere", text_file, "--json", tmp_path], "Is a directory"),
        (["evaluate", "nowhere", text_file, "--csv", names / "x"], "Not a directory"),
        (["voice", model, "x", names], "give at least 5"),
        (["voice", model, "x", shipped.CORPORA / "ko/stories/letters.txt"], "has never seen"),
    ]
    script = (
        "import json, sys\nfrom textgen.cli.main import main\n"
        "for words in json.load(sys.stdin):\n"
        "    try: main(words)\n    except SystemExit as stop: assert stop.code == 2\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps([list(map(str, words)) for words, _ in refused]),
        capture_output=True,
        text=True,
        check=True,
    ).stderr.splitlines()
    errors = [line for line in told if line.startswith("error: ")]
    for (words, message), line in zip(refused, errors, strict=True):
        assert message in line, words
    assert not (tmp_path / "run").exists() and not (tmp_path / "race").exists()


@pytest.mark.slow
def test_train(capsys, text_file, tmp_path):
    out = tmp_path / "run"
    flags = ["--hidden-size", 16, "--batch-size", 4, "--sequence-length", 16]
    code, _, errors = run(capsys, "train", text_file, "--out", out, "--epochs", 1, *flags)
    assert code == 0 and "epoch 1/1" in errors and "bits/char" in errors
    config = json.loads((out / "config.json").read_text())
    assert config["model"]["hidden_size"] == 16 and config["training"]["epochs"] == 1


@pytest.mark.slow
def test_resume(capsys, runs, tmp_path):
    out = shutil.copytree(runs(), tmp_path / "run")
    code, _, errors = run(capsys, "train", "--resume", out, "--epochs", 3)
    assert code == 0 and "epoch 3/3" in errors and "epoch 2/" not in errors
    config = json.loads((out / "config.json").read_text())
    assert config["model"]["hidden_size"] == 32 and config["training"]["epochs"] == 3


def test_generate_and_score(capsys, runs, text_file):
    out = runs()
    options = ["--prompt", "나는", "--max-new-tokens", 30, "--seed", 4, "--top-p", 0.9]
    code, text, errors = run(capsys, "generate", out, *options)
    assert code == 0 and text.startswith("나는") and "seed 4" in errors
    assert run(capsys, "generate", out, *options)[1] == text
    _, lines, _ = run(capsys, "generate", out, *options, "--json", "--num-samples", 2)
    first, second = map(json.loads, lines.splitlines())
    assert first["prompt"] + first["text"] + "\n" == text and second["text"] != first["text"]

    code, text, _ = run(capsys, "score", out, "나는 한국사람", "--tokens")
    assert code == 0 and text.startswith("bits_per_char ")
    assert text.splitlines()[1].split() == ["token", "probability", "rank"]
    assert len(text.splitlines()) == 9
    assert run(capsys, "score", out, text_file)[0] == 0


@pytest.mark.slow
def test_a_recipe_and_flags_that_override_it(capsys, text_file, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"corpus = ['{text_file}']\nout = '{tmp_path / 'run'}'\n"
        "[model]\ncell = 'gru'\nhidden_size = 16\n"
        "[tokenizer]\ntokenizer = 'jamo'\n"
        "[training]\nepochs = 9\nbatch_size = 4\n",
        encoding="utf-8",
    )
    flags = ["--epochs", 1, "--sample-length", 0]
    assert run(capsys, "train", "--config", recipe, *flags)[0] == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["model"]["cell"] == "gru" and config["tokenizer"]["name"] == "jamo"
    assert config["training"]["epochs"] == 1 and config["training"]["batch_size"] == 4


def test_the_corpus_doctor(capsys, text_file):
    code, text, _ = run(capsys, "corpus", text_file)
    assert code == 0 and f"characters   {len(TEXT):,}" in text


def test_an_unknown_character_is_a_note(capsys, runs):
    code, _, errors = run(capsys, "generate", runs(), "--prompt", "나는 龍", "--max-new-tokens", 3)
    assert code == 0 and "never seen '龍'" in errors


@pytest.mark.parametrize(
    "options, what",
    [
        (["--temperature", "-1"], "temperature is -1.0: give a value of at least 0"),
        (["--top-p", "1.5"], "top_p is 1.5"),
        (["--prompt", "龍鳳"], "only characters this model has never seen"),
        (["--num-samples", "0"], "num_samples is 0"),
        (["--top-logprobs", "3"], "top_logprobs is 3 without --json"),
        (["--num-beams", "0"], "num_beams is 0"),
        (["--num-beams", "2", "--top-p", "0.5"], "top_p is 0.5 with num_beams 2"),
        (["--num-beams", "2", "--num-samples", "3"], "with 3 texts"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["--seed", "-5m"], "argument --seed: invalid int value: '-5m'"),
        (
            ["--sead", "1"],
            "unrecognized arguments: --sead 1 (is it --seed?); see textgen generate --help",
        ),
    ],
)
def test_bad_options_of_generate(capsys, runs, options, what):
    assert what in fails(capsys, "generate", runs(), *options)


def test_bad_input_of_train(capsys, tmp_path, text_file):
    out = tmp_path / "run"
    empty, binary, folder = tmp_path / "empty.txt", tmp_path / "binary.txt", tmp_path / "folder"
    empty.touch()
    binary.write_bytes(bytes(range(256)) * 20)
    folder.mkdir()
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[model]\nhiden_size = 3\n")
    outside = tmp_path / "outside.toml"
    outside.write_text("max_seconds = 60\n")
    timed = tmp_path / "timed.toml"
    timed.write_text("budget = '3m'\n")
    for arguments, what in [
        ([text_file, "--config", outside], "sets max_seconds outside a section: put it under [tr"),
        ([text_file, "--config", timed], "sets budget, which no recipe holds: give --budget"),
        ([tmp_path / "none.txt", "--out", out], "none.txt"),
        ([empty, "--out", out], "empty"),
        ([binary, "--out", out], "binary"),
        ([folder, "--out", out], "folder"),
        ([text_file], "add --out RUN"),
        (["--out", out], "no text given"),
        ([text_file, "--out", out, "--cell", "x"], "choose one of"),
        ([text_file, "--out", out, "--epochs", "0"], "epochs is 0"),
        ([text_file, "--config", recipe], "hiden_size"),
        ([text_file, "--config", tmp_path / "no.toml"], "no.toml"),
        (["--resume", tmp_path / "nowhere"], "nowhere is no run to go on with"),
        (["--resume", tmp_path / "nowhere", "--workers", "2"], "nowhere is no run to go on with"),
        (
            [text_file, "--out", out, "--tokenizer", "sentencepiece", "--vocab-size", "50000"],
            "50000",
        ),
        ([text_file, "--out", binary / "x"], "binary.txt"),
    ]:
        assert what in fails(capsys, "train", *arguments)
        assert not out.exists()
    assert "nowhere" in fails(capsys, "generate", "nowhere")
    assert "nowhere" in fails(capsys, "score", "nowhere", text_file)


def test_a_run_cannot_change_when_resumed(capsys, runs):
    assert "hidden_size cannot change" in fails(
        capsys, "train", "--resume", runs(), "--hidden-size", "8"
    )


def test_app_is_for_this_machine_alone_unless_told(monkeypatch):
    begun = []
    monkeypatch.setattr(os, "execv", lambda program, words: begun.append(words[1:]))
    monkeypatch.setattr("textgen.cli.app.listen", lambda host, port, how: socket.socket())
    main(["app", "--port", "9000"])
    main(["app", "--host", "0.0.0.0"])
    module = ["-m", "textgen.ui.app"]
    assert begun == [
        [*module, "--server.address=localhost", "--server.port=9000"],
        [*module, "--server.address=0.0.0.0", "--server.port=8501"],
    ]


def test_a_port_that_the_app_cannot_have_is_told_in_a_line(capsys, monkeypatch):
    monkeypatch.setattr(os, "execv", lambda program, words: pytest.fail("it was begun"))
    assert "port is 99999" in fails(capsys, "app", "--port", "99999")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = fails(capsys, "app", "--host", "127.0.0.1", "--port", port)
    assert f"port {port} (" in said and "give another --host or --port, or PORT=" in said


def test_output_that_cannot_be_written_is_told_in_a_line():
    command = [sys.executable, "-m", "textgen", "generate", "en-lstm-char", "--max-new-tokens", "5"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("error: the disk")
    assert "Traceback" not in done.stderr
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, text=True
    )
    assert "Traceback" not in closed.stderr


def test_what_several_texts_had_written_is_printed_at_ctrl_c(capsys, runs, monkeypatch):
    written = Generator.stream_batch

    def interrupted(self, *arguments, **options):
        yield next(written(self, *arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "stream_batch", interrupted)
    code, text, _ = run(capsys, "generate", runs(), "--prompt", "나는", "--num-samples", 2)
    assert code == 130 and text.count("--- ") == 2 and text.count("나는") >= 2
