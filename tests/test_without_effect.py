"""Settings that would change nothing: refused where a person gave them, else noted."""

import dataclasses
import json

import numpy as np
import pytest

from textgen import shipped
from textgen.backend import keras
from textgen.cells import CELLS
from textgen.cli.main import main
from textgen.config import EvaluateConfig, ModelConfig, TokenizerConfig, TrainConfig, without_effect
from textgen.data.sources import names_a_task
from textgen.errors import ConfigError
from textgen.generation.options import LoopConfig
from textgen.model import build_model
from textgen.options import build, options_of
from textgen.runs.recipe import CONFIGS, read_recipe
from tiny import only


@pytest.mark.parametrize(
    "flags, why",
    [
        ("--cell=rnn --chrono=100", "chrono would have no effect: the rnn cell has no gate"),
        ("--cell=rnn --forget-bias=2", "forget_bias would have no effect: the rnn cell"),
        ("--cell=gru --forget-bias=2", "forget_bias would have no effect: the gru cell"),
        ("--chrono=100 --forget-bias=2", "forget_bias would have no effect: chrono sets"),
        (
            "--cell=lstm --activation=relu",
            "activation would have no effect: the lstm cell keeps tanh, but --cell rnn",
        ),
        ("--vocab-size=500", "vocab_size would have no effect: it is for the sentencepiece"),
        ("--tokenizer=jamo --model-type=bpe", "model_type would have no effect"),
        ("--distance=60", "distance would have no effect: it is for a task"),
        ("--answer-weight=3", "answer_weight would have no effect: it is for a task"),
        ("--steps-per-epoch=9", "steps_per_epoch would have no effect: it is for a task or with"),
        ("--budget=1m --cell=gru --forget-bias=2", "forget_bias would have no effect: the gru"),
        ("--sample-length=0 --prompt=abc", "prompt would have no effect: sample_length is 0"),
        # a default that is named is refused, too
        ("--cell=gru --forget-bias=1", "forget_bias would have no effect: the gru cell"),
        ("--vocab-size=2000", "vocab_size would have no effect: it is for the sentencepiece"),
        ("--steps-per-epoch=0", "steps_per_epoch would have no effect: it is for a task or with"),
        ("TASK --sample-by=line", "sample_by would have no effect: it is for a text"),
        ("TASK --validation-fraction=0.2", "validation_fraction would have no effect"),
        ("--stream --held-out=documents", "held_out would have no effect: of a streamed text"),
        ("TASK --held-out=documents", "held_out would have no effect: it is for a text"),
        ("TASK --sequence-length=32", "sequence_length would have no effect"),
    ],
)
def test_a_flag_without_effect_is_refused(text_file, tmp_path, capsys, flags, why):
    source = "speaker-ko.toml" if flags.startswith("TASK") else str(text_file)
    flags = flags.removeprefix("TASK ").split()
    with pytest.raises(SystemExit) as ended:
        main(["train", source, "--out", str(tmp_path / "run"), *flags])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and line.startswith(f"error: {why}") and "leave it out" in line
    assert not (tmp_path / "run").exists()


def test_a_default_without_effect_counts_only_where_it_was_named():
    configs = ModelConfig(cell="gru"), TokenizerConfig(), TrainConfig()
    assert without_effect(*configs, task=False) == {}
    assert list(without_effect(*configs, task=False, given={"forget_bias", "epochs"})) == [
        "forget_bias"
    ]


def test_a_sample_is_no_longer_than_generation_can_write():
    for cls in (TrainConfig, EvaluateConfig):
        written = options_of(LoopConfig)["max_new_tokens"][0].high
        assert options_of(cls)["sample_length"][0].high == written
        with pytest.raises(ConfigError, match="sample_length is 99999999999: give a value of at"):
            build(cls, {"sample_length": 99_999_999_999})


@pytest.mark.parametrize("cell", only(["lstm", "mingru"], CELLS))
def test_a_setting_has_an_effect_where_it_changes_the_first_weights(cell):
    def differ(**settings):
        weights = []
        for config in (ModelConfig(cell=cell), ModelConfig(cell=cell, **settings)):
            keras.utils.set_random_seed(1)
            config = dataclasses.replace(config, hidden_size=4, embedding_size=3)
            weights.append(build_model(config, 5).named_weights())
        return not all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])

    for settings in ({"chrono": 50}, {"forget_bias": 3.0}):
        found = without_effect(
            ModelConfig(cell=cell, **settings), TokenizerConfig(), TrainConfig(), task=False
        )
        assert differ(**settings) == (not found), settings


@pytest.mark.slow
def test_a_setting_of_a_recipe_without_effect_is_noted_and_not_recorded(
    text_file, tmp_path, caplog
):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[model]\nforget_bias = 3.0\nhidden_size = 16\n[training]\nbatch_size = 4\n")
    flags = ["--cell=gru", "--epochs=1", "--sequence-length=16"]
    main(["train", str(text_file), "--out", str(tmp_path / "run"), "--config", str(recipe), *flags])
    assert "note: forget_bias has no effect: the gru cell has no forget gate" in caplog.text
    card = json.loads((tmp_path / "run/config.json").read_text())
    assert card["model"]["forget_bias"] == ModelConfig().forget_bias


def test_the_recipes_that_are_shipped_say_nothing_in_vain():
    for path in shipped.RECIPES.glob("*.toml"):
        recipe = read_recipe(path)
        configs = [build(cls, recipe) for cls in CONFIGS]
        assert without_effect(*configs, task=names_a_task(recipe["corpus"])) == {}, path
