"""A guess at what a name was meant as appears where it is near, and nowhere else."""

import pytest

from textgen.generation.options import generation_options
from textgen.guesses import guesses
from textgen.options import options_of
from textgen.runs.recipe import CONFIGS

SETTINGS = [name for cls in CONFIGS for name in options_of(cls)]
MODELS = ["en-lstm-char", "ko-gru-sentencepiece", "ko-lstm-char", "speaker-gru-ko"]


@pytest.mark.parametrize(
    "name, names, meant",
    [
        ("hiden_size", SETTINGS, ["hidden_size"]),
        ("hidden-size", SETTINGS, ["hidden_size"]),
        ("dropuot", SETTINGS, ["dropout"]),
        ("layers", SETTINGS, ["num_layers"]),
        ("lr", SETTINGS, []),
        ("units", SETTINGS, []),
        ("train_steps", SETTINGS, []),
        ("max_tokens", generation_options(), ["max_new_tokens"]),
        ("stop", generation_options(), ["stop_strings"]),
        ("top_n", generation_options(), ["top_k", "top_p"]),
        ("num_samples", generation_options(), []),
        ("length_penalty", generation_options(), []),
        ("ko_lstm_char", MODELS, ["ko-lstm-char"]),
        ("KO-LSTM", MODELS, ["ko-lstm-char"]),
        ("en-gru-char", MODELS, []),
        ("speaker-gru-kr", MODELS, ["speaker-gru-ko"]),
        ("nope", ["new", "note"], ["note"]),
        ("a", ["b"], []),
        ("run-3", ["run-2"], []),
        ("철쑤", ["영희", "철수"], ["철수"]),
        ("민수", ["영희", "철수"], []),
        ("résume", ["resume"], ["resume"]),
        ("", ["a"], []),
        ("anything", [], []),
    ],
)
def test_only_what_is_near_is_guessed(name, names, meant):
    assert guesses(name, names) == meant
