import contextlib
import dataclasses
import io
import json
import math
import os
import shutil
import signal

import pytest

from textgen.backend import keras
from textgen.cells import CELLS, make_cell
from textgen.cli.arguments import parser
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import ConfigError, RunError, TextgenError
from textgen.model import build_model
from textgen.terminal import as_text
from textgen.training.stop_request import Interrupted
from textgen.training.train import start
from textgen.tuning.race import Result, measured, race, report
from tiny import only, tiny


@pytest.fixture(scope="module")
def ran(tmp_path_factory, text_file):
    """(folder, printed table) of a race by the command, with a setting for one of the two alone."""
    out = tmp_path_factory.mktemp("race") / "r"
    settings = "--cells rnn,lstm --chrono 50 --epochs 2 --hidden-size 32 --embedding-size 16"
    settings += " --batch-size 4 --sequence-length 16 --sample-length 0"
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(printed):
        main(["race", str(text_file), "--out", str(out), *settings.split()])
    return out, printed.buffer.getvalue().decode()


def test_each_cell_has_its_run_and_its_figures(ran):
    out, _ = ran
    rnn, lstm = results = [
        Result(**json.loads((out / cell / "race.json").read_text())) for cell in ("rnn", "lstm")
    ]
    assert rnn.steps == lstm.steps > 10
    assert lstm.recurrent_parameters == 4 * rnn.recurrent_parameters
    assert lstm.parameters - rnn.parameters == 3 * rnn.recurrent_parameters
    for result, chrono in zip(results, (0, 50), strict=True):
        card = json.loads((out / result.cell / "config.json").read_text())
        assert card["model"]["cell"] == result.cell and card["model"]["chrono"] == chrono
        assert result.bits_per_char == card["metrics"]["val_bits_per_char"]
        assert not card["training"]["ngrams"]
        assert 0 < result.ms_per_step < 1000 * result.seconds and result.reach >= 1
    assert json.loads((out / "race.json").read_text())["cells"] == ["rnn", "lstm"]
    assert json.loads((out / "status.json").read_text())["state"] == "finished"


def test_the_command_prints_a_table(ran):
    head, *rows = ran[1].splitlines()
    assert head.split()[0] == "cell" and [row.split()[0] for row in rows] == ["rnn", "lstm"]


def test_speed_leaves_out_the_step_that_was_compiled(ran, tmp_path):
    out, _ = ran
    (tmp_path / "rnn").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "rnn" / name).write_bytes((out / "rnn" / name).read_bytes())
    rows = ["1,1,9.0,5,5,,,0.1,10,0.1", "1,41,10.0,4,4,,,0.1,9,40", "1,91,12.0,4,4,,,0.1,9,25"]
    header = (out / "rnn/history.csv").read_text().splitlines()[0]
    (tmp_path / "rnn/history.csv").write_text("\n".join([header, *rows, ""]))
    found = measured(tmp_path / "rnn")
    assert (found.steps, found.seconds) == (91, 3.0)
    assert found.ms_per_step == pytest.approx(1000 / 25)


@pytest.mark.parametrize("cells", [[], [""], ["lstm", "lstm"], ["transformer"]])
def test_a_field_that_cannot_be_raced(text_file, tmp_path, cells):
    with pytest.raises(ConfigError, match="give each once"):
        race(text_file, tmp_path / "r", cells, *tiny())
    assert not (tmp_path / "r").exists()


def test_a_refused_race_leaves_what_was_there(ran, text_file, tmp_path):
    model, tokenizer, train = tiny()
    short = dataclasses.replace(tokenizer, tokenizer="sentencepiece", vocab_size=100_000)
    with pytest.raises(TextgenError, match="vocab"):
        race(text_file, tmp_path / "race", ["lstm"], model, short, train)
    assert not (tmp_path / "race").exists()
    out, _ = ran
    earlier = (out / "race.json").read_text()
    for cells in (["rnn"], ["mingru"], ["mingru", "lstm"]):
        with pytest.raises(RunError, match=r"holds a race already .*: choose another --out"):
            race(text_file, out, cells, *tiny())
    assert (out / "race.json").read_text() == earlier and not (out / "mingru").exists()


def test_a_run_in_its_way_is_seen_before_any_cell_is_trained(ran, text_file, tmp_path):
    shutil.copytree(ran[0] / "lstm", tmp_path / "lstm")
    with pytest.raises(RunError, match="another --out"):
        race(text_file, tmp_path, ["rnn", "lstm"], *tiny())
    assert [path.name for path in tmp_path.iterdir()] == ["lstm"]


def test_a_race_wants_a_folder(text_file, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["race", str(text_file), "--out", ""])
    assert stopped.value.code == 2 and "--out" in capsys.readouterr().err


def test_nothing_held_out_is_refused_before_a_cell_is_trained(text_file, tmp_path):
    with pytest.raises(ConfigError, match="nothing of the text is held out"):
        race(text_file, tmp_path / "r", ["gru"], *tiny(validation_fraction=0.0))
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_too_short_a_held_out_text_ends_no_race(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("가나다라마바사아자차 " * 10 + "하\n", encoding="utf-8")
    settings = tiny(epochs=1, sample_length=0, validation_fraction=0.01)
    (result,) = race(path, tmp_path / "r", ["gru"], *settings)
    assert result.reach is None and "None" not in report([result])


@pytest.mark.slow
def test_of_a_model_that_has_learned_nothing_no_reach_is_told(text_file, tmp_path):
    settings = tiny(epochs=1, sample_length=0, learning_rate=1e-9)
    (result,) = race(text_file, tmp_path / "r", ["gru"], *settings)
    assert result.bits_per_char > json.loads((tmp_path / "r/race.json").read_text())["frequencies"]
    assert result.reach is None


class _StopAtTheThirdBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
def test_a_race_that_was_stopped_goes_on(text_file, tmp_path, monkeypatch):
    def stopped_at_lstm(source, out, config, *settings):
        callbacks = [_StopAtTheThirdBatch()] if config.cell == "lstm" else []
        return start(source, out, config, *settings, callbacks=callbacks)

    folder, cells, settings = tmp_path / "r", ["rnn", "lstm"], tiny(epochs=1, sample_length=0)
    (folder / "lstm").mkdir(parents=True)
    (folder / "lstm/notes.txt").write_text("somebody's own")
    monkeypatch.setattr("textgen.tuning.race.start", stopped_at_lstm)
    with pytest.raises(Interrupted):
        race(text_file, folder, cells, *settings)
    monkeypatch.undo()
    of_rnn = (folder / "rnn/history.csv").stat()
    sized = dataclasses.replace(settings[0], hidden_size=9)
    for field, model, what in ((cells[::-1], settings[0], "cells"), (cells, sized, "hidden_size")):
        with pytest.raises(RunError, match=f"unfinished race with {what} .*, not "):
            race(text_file, folder, field, model, *settings[1:])
    rnn, lstm = race(text_file, folder, cells, *settings)
    assert (rnn.cell, lstm.cell) == ("rnn", "lstm") and rnn.steps == lstm.steps > 3
    assert (folder / "rnn/history.csv").stat() == of_rnn and (folder / "lstm/notes.txt").is_file()
    with pytest.raises(RunError, match="holds a race already"):
        race(text_file, folder, cells, *settings)
    (folder / "status.json").unlink()  # killed when all but the end was done, with a damaged file
    for damaged in ("", "[]", '{"a": 1}', (folder / "rnn/race.json").read_text().replace("1", '"')):
        (folder / "rnn/race.json").write_text(damaged)
        assert race(text_file, folder, cells, *settings) == [rnn, lstm]
        (folder / "status.json").unlink()
    (folder / "race.json").write_text("{}")
    with pytest.raises(RunError, match=r"race.json cannot be read: choose another --out"):
        race(text_file, folder, cells, *settings)


@pytest.mark.slow
def test_a_cell_that_ends_before_its_time_is_told_of(text_file, tmp_path, caplog):
    race(text_file, tmp_path / "r", ["gru"], *tiny(epochs=1, sample_length=0, max_seconds=500.0))
    assert "note: gru ended after" in caplog.text


def test_cells_are_named_with_commas(text_file, tmp_path):
    names = parser().parse_args(["race", "a.txt", "--out=r", "--cells=lstm, gru,"]).cells
    assert names == ["lstm", "gru"]
    with pytest.raises(ConfigError, match="there is no cell 'lstn': give each once"):
        race(text_file, tmp_path / "r", ["lstn"], *tiny())


def test_a_setting_for_none_of_the_cells_is_a_mistake(text_file, tmp_path):
    model, tokens, config = tiny(epochs=1)
    model = dataclasses.replace(model, chrono=50)
    with pytest.raises(ConfigError, match="chrono would have no effect: the rnn cell"):
        race(text_file, tmp_path / "r", ["rnn"], model, tokens, config, given={"chrono"})
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("cell", only(["gru"], CELLS))
def test_recurrent_parameters_are_those_of_the_model(cell):
    config = ModelConfig(cell=cell, hidden_size=12, embedding_size=5)
    (layer,) = build_model(config, 9).recurrent
    assert make_cell(cell).parameters(5, 12) == layer.count_params()


def test_report_is_a_table():
    lines = as_text(report([Result("gru", 1200, 300, 7, 2.0, 4.25, math.nan, 20)])).splitlines()
    assert len(lines) == 2 and len(lines[0]) == len(lines[1])
    assert lines[1].split() == ["gru", "1,200", "300", "7", "2.0", "4.2", "nan", "20"]
