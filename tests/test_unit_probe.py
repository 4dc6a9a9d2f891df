"""What units do: known answers, and nothing where there is nothing."""

import numpy as np
import pytest

from textgen.api import Model
from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.generation.engine import best_engine
from textgen.interpret import features
from textgen.interpret.unit_probe import probe_text, probe_units
from textgen.network import Network, weight_shapes
from textgen.tokenizers.tokenizer import CharTokenizer, JamoTokenizer
from tiny import TEXT

SAID = (
    "“비가 온다.” 그가 말했다.\n그녀는 (조용히) 웃었다.\n“우산을 들고 가자.” 둘은 길을 걷는다.\n"
    "아무도 없는 길이다.\n"
)
QUOTED = SAID * 40
FLAG = 3  # the unit that is made to be the flag of quotes


def flags(text, name):
    return "".join(str(int(v)) for v in features.FLAGS[name](text))


def test_features_of_a_text():
    assert flags('a "b(c)" d', "in_quotes") == "0011111000"
    assert flags("a (b [c] d) e", "in_brackets") == "0011111111000"
    assert flags("“a\n\nb”", "in_quotes") == "111000"  # never closed: to the paragraph's end
    assert flags("Go. 갈까?", "sentence_end") == "0010001"
    assert list(features.line_position("ab\ncd")) == [1, 2, 0, 1, 2]
    assert list(features.word_position("ab cd")) == [1, 2, 0, 1, 2]
    finals = features.final_consonant("한가a")
    assert finals[:2].tolist() == [1, 0] and np.isnan(finals[2])


def test_a_syllable_is_known_when_it_is_whole():
    tokenizer = JamoTokenizer.train("한글 가")
    tokens, ends, text = features.places(tokenizer, tokenizer.encode("한글 가"))
    assert text == "한글 가" and ends.tolist() == [1, 2, 3, 4]
    assert tokens.tolist() == [2, 5, 6, 8]


def noise(size=16):
    ids = CharTokenizer.train(QUOTED).encode(QUOTED)
    return ids, np.random.default_rng(1).normal(size=(len(ids), size)).astype(np.float32)


def test_the_unit_that_flags_quotes_is_found():
    ids, values = noise()
    values[:, FLAG] = 0.9 * features.in_quotes(QUOTED) - 0.4 + 0.05 * values[:, FLAG]
    values[:, 5] = -features.line_position(QUOTED) / 20
    found = {p.feature: p for p in probe_text(CharTokenizer.train(QUOTED), ids, values)}
    quotes, line = found["in_quotes"], found["line_position"]
    assert quotes.holds and quotes.best[0].unit == FLAG and quotes.best[0].right > 0.99
    assert quotes.best[1].skill < 0.1 < quotes.best[0].skill and quotes.base < 0.9
    assert line.holds and line.best[0].unit == 5 and line.best[0].skill > 0.99
    assert found["digit"].holds is None and not found["digit"].best  # there is none to tell
    # what is found, best first; then what is not; then what cannot be said
    order = [p.holds for p in probe_text(CharTokenizer.train(QUOTED), ids, values)]
    assert order == sorted(order, key=[True, False, None].index)


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_labels_and_noise_find_nothing(seed):
    _, values = noise()
    values[:, FLAG] = features.in_quotes(QUOTED)
    random = np.random.default_rng(seed)
    shuffled = {k: random.permutation(of(QUOTED)) for k, of in features.FEATURES.items()}
    assert not any(p.holds for p in probe_units(values, shuffled))
    values[:, FLAG] = random.normal(size=len(values))
    true = {k: of(QUOTED) for k, of in features.FEATURES.items()}
    assert not any(p.holds for p in probe_units(values, true))


def test_labels_and_values_must_match():
    with pytest.raises(ConfigError, match="5 places and labels"):
        probe_units(np.zeros((5, 2)), {"space": np.zeros(4)})


def flag_model(size=6):
    """An LSTM made by hand: “ sets C of unit FLAG to 1, ” sets it to -1, nothing else changes it;
    the other units are drawn at random."""
    tokenizer = CharTokenizer.train(QUOTED)
    config = ModelConfig(cell="lstm", hidden_size=size, embedding_size=tokenizer.vocab_size)
    random = np.random.default_rng(4)
    weights = {
        name: random.normal(scale=0.3, size=shape).astype(np.float32)
        for name, shape in weight_shapes(config, tokenizer.vocab_size).items()
    }
    weights["embedding.embeddings"] = np.eye(tokenizer.vocab_size, dtype=np.float32)
    i, f, c, o = (block * size + FLAG for block in range(4))
    kernel, bias = weights["recurrent.0.kernel"], weights["recurrent.0.bias"]
    weights["recurrent.0.recurrent_kernel"][:, [i, f, c, o]] = 0
    kernel[:, [i, f, c, o]] = 0
    bias[[i, f, c, o]] = -20, 20, 0, 20  # write nothing, keep all, show all
    for mark, sign in (("“", 1), ("”", -1)):
        (token,) = tokenizer.encode(mark)
        kernel[token, [i, f, c]] = 40, -40, 20 * sign
    return Model(Network(config, tokenizer.vocab_size, weights), tokenizer)


def test_the_flag_of_a_model_made_by_hand_is_found_in_its_state():
    model = flag_model()
    for part in ("C", "h"):
        quotes = next(p for p in model.find_units(QUOTED, part=part) if p.feature == "in_quotes")
        assert quotes.holds and quotes.best[0].unit == FLAG and quotes.best[0].right > 0.99
    with pytest.raises(ConfigError, match="no value of a lstm"):
        model.find_units(QUOTED, part="x")
    with pytest.raises(ConfigError, match="layer is 1"):
        model.find_units(QUOTED, layer=1)


# --- without some units ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["오늘", "나는 한국사람"])
def test_a_text_too_short_to_find_units_is_refused(loaded, text):
    with pytest.raises(ConfigError, match="give at least 20"):
        loaded().find_units(text)


def test_with_no_unit_silent_it_writes_what_it_wrote(loaded):
    model = loaded()
    options = {"max_new_tokens": 40, "seed": 3}
    text = model.generate("오늘은", **options).text
    assert model.without([]).generate("오늘은", **options).text == text
    everything = range(model.config.hidden_size)
    assert model.without(everything).generate("오늘은", **options).text != text


def test_everything_looks_into_the_model_that_is_without_units(loaded):
    model, text = loaded(), "오늘은 비가"
    quiet = model.without([0]).without([2, 3])
    assert model.network.silent == {} and quiet.network.silent == {0: {0, 2, 3}}
    traced = quiet.trace(text)
    assert traced.error < 1e-6
    assert not traced.layers[0]["h"][:, [0, 2, 3]].any() and traced.layers[0]["h"][:, 1].any()
    effects = quiet.ablate(text, " 온")
    assert abs(effects[[0, 2, 3]]).max() < 1e-5 < abs(effects[1])
    assert quiet.preference(text, " ") != model.preference(text, " ")
    assert quiet.preference(text, " ") == pytest.approx(
        quiet.score(text + " ").tokens[-1].logprob, abs=1e-5
    )


def test_a_model_without_units_never_writes_with_the_engine_that_does_not_know_of_it(loaded):
    quiet = loaded().without([0])
    assert best_engine(quiet.network, 10**6, 1) == "numpy"
    with pytest.raises(ConfigError, match="writes with 'numpy' only"):
        quiet.generate("오늘은", max_new_tokens=5, engine="tensorflow")


@pytest.mark.parametrize(
    "layer, units, what",
    [
        (2, [0], "layer is 2"),
        ("a", [0], "layer is 'a'"),
        (0, [99], "unit is 99"),
        (0, [(0, 1)], "unit is .0, 1."),
        (0, "abc", "units is 'abc'"),
        (0, 3, "units is 3"),
    ],
)
def test_only_what_is_there_can_be_silenced(loaded, layer, units, what):
    with pytest.raises(ConfigError, match=what):
        loaded().without(units, layer)


def test_the_values_of_a_text_are_those_of_its_trace(loaded):
    from textgen.interpret import outputs, trace

    model = loaded()
    ids = model.tokenizer.encode(TEXT[:40])
    # a row begins with its first token, read over and over
    far = outputs(model.network, ids * 3, 0, "C")[len(ids) * 2 :]
    near = trace(model.network, ids * 3).layers[0]["C"][len(ids) * 2 :]
    np.testing.assert_allclose(far, near, atol=0.02)
