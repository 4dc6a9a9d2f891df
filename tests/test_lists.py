"""Lists and what may be copied: nothing twice, nothing known, and it is said what was refused."""

import io
import json

import numpy as np
import pytest

import textgen
from textgen.api import Model
from textgen.cli.generate import piped_in, training_text, unescaped
from textgen.cli.main import main
from textgen.config import ModelConfig
from textgen.errors import ConfigError, GenerationError
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.lists import HOPELESS, ListWriter
from textgen.text.stretches import Stretches
from textgen.tokenizers.tokenizer import CharTokenizer, JamoTokenizer, SentencePieceTokenizer
from tiny import TEXT, drawn

LETTERS = "ab\n"


def a_model(tokenizer=None, seed=1, scale=0.3):
    tokenizer = tokenizer or CharTokenizer.train(LETTERS)
    config = ModelConfig(hidden_size=8, embedding_size=8)
    return Model(drawn(config, tokenizer.vocab_size, seed, scale), tokenizer, name="mine")


def longest_copy(text, source):
    """By hand: the most characters in a row of `text` that stand in `source`."""
    return max(
        n
        for begin in range(len(text))
        for n in range(len(text) - begin + 1)
        if text[begin : begin + n] in source
    )


def test_stretches_are_those_of_the_text():
    stretches = Stretches("나는 한국사람이야", 3)
    held = stretches.holds(["나는 ", "는 한", "한국어", "람이야"])
    assert held.tolist() == [True, True, False, True]
    assert not Stretches("ab", 3).holds(["abc"]).any() and len(stretches.holds([])) == 0


def test_no_item_is_written_twice_or_known():
    writer = ListWriter(a_model(), unique=True, known=["a", " b "])
    items = [item.text for item in writer.write(30, seed=1)]
    assert len(set(items)) == 30 and not {"a", "b", ""} & set(items)
    assert all("\n" not in item for item in items)
    assert {"blank", "written before", "in the training text"} <= set(writer.refused)
    again = ListWriter(a_model(), unique=True, known=["a", "b"])
    assert [item.text for item in again.write(30, seed=1)] == items
    assert a_model().write_list(5, seed=1) == a_model().write_list(5, seed=1)


def test_items_begin_with_the_prompt():
    assert all(item.startswith("ab") for item in a_model().write_list(5, "ab", seed=1))


def test_a_model_with_nothing_else_to_write_ends():
    writer = ListWriter(a_model(), unique=True, known=["a", "b"])
    with pytest.raises(GenerationError, match=rf"of 99 .* {HOPELESS:,} drawn were refused"):
        list(writer.write(99, temperature=0.0, seed=1, max_new_tokens=5))
    assert writer.seed == 1


def test_where_items_do_not_end_the_advice_is_more_tokens():
    writer = ListWriter(a_model(scale=1.0))
    with pytest.raises(GenerationError, match=r"^0 of 3 .*: give more --max-new-tokens$"):
        list(writer.write(3, "a", temperature=0.0, max_new_tokens=1))


@pytest.mark.parametrize(
    "number, prompt, options, message",
    [
        (0, "", {}, "list is 0"),
        (10**20, "", {}, "list is 100000000000000000000: give 1 to 1,000,000 items"),
        (1, "a\nb", {}, "newline"),
        (1, "", {"stop_strings": ("b",)}, "stop_strings is not for a list"),
        (1, "", {"temprature": 1}, "no option 'temprature'"),
    ],
)
def test_what_a_list_has_no_use_for_is_refused(number, prompt, options, message):
    with pytest.raises(ConfigError, match=message):
        ListWriter(a_model()).write(number, prompt, **options)


@pytest.mark.parametrize("kind", [CharTokenizer, JamoTokenizer, SentencePieceTokenizer])
def test_no_more_is_copied_than_allowed(kind):
    tokenizer = kind.train(TEXT, vocab_size=300)
    model = a_model(tokenizer, scale=1.0)
    # what the model would write is what it may not copy
    source = model.generate("", max_new_tokens=60, temperature=0.0, seed=1).text
    guard = model.guard(4, source)
    one = model.generate("", guard=guard, max_new_tokens=60, temperature=0.0, seed=1)
    assert longest_copy(one.text, source) <= 4 < longest_copy(source, source)
    assert guard.refused(0, 60) > 0 and len(one.token_ids) == 60
    several = model.generate_batch([""] * 40, guard=guard, max_new_tokens=20, seed=3)
    assert all(longest_copy(text.text, source) <= 4 for text in several)
    alone = model.generate("", guard=guard, max_new_tokens=20, seed=3)
    assert alone.text == several[0].text


def test_what_is_drawn_is_not_altered_where_nothing_is_copied():
    model, guard = a_model(), CopyGuard("zzzzzz", 3, CharTokenizer.train(LETTERS))
    plain = model.generate("", max_new_tokens=30, seed=5)
    assert model.generate("", guard=guard, max_new_tokens=30, seed=5).text == plain.text
    guarded = model.generate("", guard=guard, max_new_tokens=30, seed=5)
    np.testing.assert_allclose(guarded.logprobs, plain.logprobs, rtol=1e-5)


def test_what_a_guard_cannot_do_is_said():
    model = a_model()
    every = "aabbab" + "ba\na\n\nb\nb"
    with pytest.raises(GenerationError, match="max_copied is 1: nothing can be written"):
        model.generate("", guard=model.guard(1, every), max_new_tokens=50, seed=1)
    with pytest.raises(ConfigError, match="max_copied is 0"):
        model.guard(0, every)
    with pytest.raises(ConfigError, match="num_beams is 2 with max_copied"):
        model.generate("", guard=model.guard(2, every), num_beams=2)
    with pytest.raises(ConfigError, match=r"not at hand, and .* give it as training_text$"):
        model.guard(5)
    with pytest.raises(ConfigError, match=r"name it with --train TEXT$"):
        training_text(model, None)


def test_escapes():
    assert unescaped(r"a\nb\tc\\nd\e") == "a\nb\tc\\nd\\e"


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_a_list(runs, text_file, capsys):
    flags = ["--list=3", "--unique", "--new", "--max-copied=12", "--seed=1", "--temperature=1.5"]
    main(["generate", str(runs()), f"--train={text_file}", "--max-new-tokens=90", *flags])
    said = capsys.readouterr()
    items = said.out.splitlines()
    assert len(set(items)) == 3 and not set(items) & set(TEXT.splitlines())
    assert "seed 1, refused: " in said.err and "tokens that copied over 12 characters" in said.err
    main(["generate", str(runs()), "--list=2", "--seed=1", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"text", "logprob", "seed"}] * 2


def test_the_command_reads_a_prompt_and_stops_at_any_of_several(runs, monkeypatch, capsys):
    stops = [r"--stop-strings=\n", "--stop-strings=."]
    main(["generate", str(runs()), r"--prompt=나는\n오늘", *stops, "--seed=1"])
    assert capsys.readouterr().out.startswith("나는\n오늘")
    monkeypatch.setattr("sys.stdin", piped("나는 \r\n"))
    main(["generate", str(runs()), "--prompt=-", *stops, "--seed=1", "--max-copied=9"])
    said = capsys.readouterr()
    assert said.out.startswith("나는 ") and said.out.count("\n") == 1
    assert "tokens refused" in said.err


def piped(text, to="utf-8", encoding="utf-8"):
    return io.TextIOWrapper(io.BytesIO(text.encode(to)), encoding=encoding)


def test_a_prompt_that_is_piped_in_is_a_text(monkeypatch):
    for text, to, encoding in [
        ("나는\n오늘\n", "utf-8-sig", "cp949"),
        ("나는\r\n오늘", "cp949", "cp949"),
    ]:
        monkeypatch.setattr("sys.stdin", piped(text, to, encoding))
        assert piped_in() == "나는\n오늘"
    monkeypatch.setattr("sys.stdin", piped("12나는", "cp949"))
    with pytest.raises(ConfigError, match="no text at byte 3: pipe in a text in UTF-8"):
        piped_in()
    monkeypatch.setattr("sys.stdin", io.StringIO("나는\n"))
    assert piped_in() == "나는"
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="standard input is closed"):
        piped_in()


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--unique"], "unique is for a list: add --list N"),
        (["--new"], "new is for a list"),
        (["--list=3", "--num-samples=2"], "num_samples is not for a list"),
        (["--train=x.txt"], "train would have no effect"),
        (["--max-copied=0"], "max_copied is 0"),
    ],
)
def test_bad_input_is_one_line(runs, capsys, flags, message):
    with pytest.raises(SystemExit) as end:
        main(["generate", str(runs()), *flags])
    said = capsys.readouterr().err
    assert end.value.code == 2 and message in said and len(said.splitlines()) == 1


def test_a_list_from_python(loaded, text_file):
    model = loaded()
    assert isinstance(model, textgen.Model)
    items = model.write_list(2, new=True, training_text=TEXT, seed=1, temperature=1.5)
    assert len(items) == 2 and not set(items) & set(TEXT.split("\n"))
