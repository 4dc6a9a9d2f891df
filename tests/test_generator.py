import dataclasses
import itertools
import json
import math
import unicodedata

import numpy as np
import pytest

import textgen
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.errors import ConfigError, GenerationError
from textgen.generation import scoring
from textgen.generation.generator import Generator
from textgen.generation.sampling import TRANSFORMS
from textgen.tokenizers.tokenizer import TOKENIZERS, CharTokenizer
from tiny import TEXT, by_keras, drawn, only


@pytest.fixture(scope="module")
def model(runs):
    return textgen.load(runs())


PAIRS = list(itertools.product(CELLS, TOKENIZERS))


@pytest.mark.parametrize("cell, tokenizer", only([("gru", "sentencepiece")], PAIRS))
def test_every_cell_writes_with_every_tokenizer(runs, tokenizer, cell):
    model = textgen.load(runs(tokenizer, cell))
    first = model.generate("나는 ", max_new_tokens=40, seed=7)
    assert len(first.token_ids) == 40 and first.finish_reason == "length" and first.seed == 7
    assert first.text == model.tokenizer.decode(first.token_ids)
    assert not set(first.token_ids) & set(model.tokenizer.banned_ids)
    assert first == model.generate("나는 ", max_new_tokens=40, seed=7)
    assert first.text != model.generate("나는 ", max_new_tokens=40, seed=8).text
    assert "".join(map(str, model.stream("나는 ", max_new_tokens=40, seed=7))) == first.text


def test_generation_follows_a_loop_written_by_hand(model):
    """Same uniforms, plain NumPy: prefill token by token, sample by the cumulative distribution."""
    ids = [model.tokenizer.start_id, *model.tokenizer.encode("오늘은")]
    state = model.network.initial_state(1)
    for token in ids:
        logits, state = model.network.step(np.array([token]), state)
    noise = np.random.Generator(np.random.PCG64((5, 0)))
    written, logprobs = [], []
    for _ in range(70):  # more than two chunks
        row = np.asarray(logits)[0].astype(np.float64)
        row[list(model.tokenizer.banned_ids)] = -np.inf
        p = np.exp(row - row.max())
        p /= p.sum()
        token = int(np.searchsorted(np.cumsum(p), noise.random(dtype=np.float32), side="right"))
        written.append(token)
        logprobs.append(math.log(p[token]))
        logits, state = model.network.step(np.array([token]), state)
    found = model.generate("오늘은", max_new_tokens=70, seed=5)
    assert found.token_ids == written
    np.testing.assert_allclose(found.logprobs, logprobs, atol=1e-4)


def test_a_row_of_a_batch_depends_on_its_own_prompt_and_seed(model):
    prompts = ["나는 ", "The rain", "나는 "]
    batch = model.generate_batch(prompts, max_new_tokens=50, seed=3)
    assert batch[0].token_ids == model.generate("나는 ", max_new_tokens=50, seed=3).token_ids
    assert batch[0].text != batch[2].text
    alone = model.generate_batch(prompts[:2], max_new_tokens=50, seed=3)
    assert [g.text for g in alone] == [g.text for g in batch[:2]]


def test_top_k_one_is_greedy_and_top_logprobs_are_in_order(model):
    found = model.generate("The ", max_new_tokens=30, top_k=1, top_logprobs=5)
    for token, logprob, best in zip(
        found.token_ids, found.logprobs, found.top_logprobs, strict=True
    ):
        assert len(best) == 5 and best[0].token_id == token
        assert best[0].logprob == pytest.approx(logprob, abs=1e-6)
        assert [a.logprob for a in best] == sorted((a.logprob for a in best), reverse=True)
        assert best[0].token == model.tokenizer.token(token)


def test_temperature_zero_is_greedy_whatever_the_seed(model):
    greedy = model.generate("The ", max_new_tokens=30, top_k=1).token_ids
    for options in ({"seed": 1}, {"seed": 2}, {"top_p": 0.5, "typical_p": 0.9, "min_p": 0.2}):
        found = model.generate("The ", max_new_tokens=30, temperature=0, **options)
        assert found.token_ids == greedy


def test_no_seed_draws_one_and_reports_it(model):
    first, second = (model.generate("나", max_new_tokens=20) for _ in range(2))
    assert first.seed != second.seed
    assert model.generate("나", max_new_tokens=20, seed=first.seed).text == first.text


@pytest.mark.parametrize("size", [1, 3, 4, 5, 33])
def test_max_new_tokens_is_exact(model, size):
    assert len(model.generate("나", max_new_tokens=size).token_ids) == size


# --- beam search ----------------------------------------------------------------------------------


def little():
    """A model of six tokens with weights large enough to have opinions."""
    tokenizer = CharTokenizer.train("abcd")
    config = ModelConfig(hidden_size=4, embedding_size=4)
    return Generator(drawn(config, tokenizer.vocab_size, seed=7, scale=1.5), tokenizer)


def logprob_of(model, ids):
    """ln p(ids) after the prompt "a", where what is never sampled has no share."""
    read = [model.tokenizer.start_id, *model.tokenizer.encode("a"), *ids]
    hidden, _ = model.network.read(np.array([read]).T, model.network.initial_state(1))
    logits = model.network.read_out(hidden)[:, 0].astype(np.float64)
    logits[:, list(model.tokenizer.banned_ids)] = -np.inf
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return sum(logp[len(read) - len(ids) - 1 + k, i] for k, i in enumerate(ids))


@pytest.mark.slow
def test_with_beams_enough_it_finds_the_likeliest_text_of_all():
    model = little()
    allowed = [i for i in range(model.tokenizer.vocab_size) if i not in model.tokenizer.banned_ids]
    everything = {ids: logprob_of(model, ids) for ids in itertools.product(allowed, repeat=3)}
    best = max(everything, key=everything.get)
    found = model.generate("a", max_new_tokens=3, num_beams=len(allowed) ** 2)
    assert found.token_ids == list(best)
    assert sum(found.logprobs) == pytest.approx(everything[best], abs=1e-4)
    greedy = model.generate("a", max_new_tokens=3, top_k=1).token_ids
    assert everything[tuple(greedy)] < everything[best]  # else the test would show nothing


@pytest.mark.parametrize(
    "options",
    [
        {"no_repeat_ngram_size": 1},
        {"no_repeat_ngram_size": 1, "repetition_penalty": 0.1},
        {"no_repeat_ngram_size": 1, "num_beams": 64},
        {"no_repeat_ngram_size": 1, "temperature": 0, "top_p": 0.5},
        {"temperature": 1e-39},
        {"temperature": 5e-324, "typical_p": 0.5},
        {"top_p": 5e-324},
        {"typical_p": 5e-324},
        {"min_p": 1.0, "temperature": 10.0},
    ],
    ids=str,
)
def test_what_is_banned_is_never_written(options):
    model = little()
    found = model.generate("aß", max_new_tokens=40, seed=4, top_logprobs=50, **options)
    assert len(found.token_ids) == 40 and np.isfinite(found.logprobs).all()
    allowed = set(range(model.tokenizer.vocab_size)) - set(model.tokenizer.banned_ids)
    assert set(found.token_ids) <= allowed
    # an alternative could have been written too
    assert all({a.token_id for a in best} == allowed for best in found.top_logprobs)


def test_no_token_twice_goes_on_when_every_token_is_used():
    model = little()
    allowed = model.tokenizer.vocab_size - len(model.tokenizer.banned_ids)
    ids = model.generate("", max_new_tokens=3 * allowed, no_repeat_ngram_size=1, seed=1).token_ids
    # the newline before the text is one of them
    assert len({model.tokenizer.start_id, *ids[: allowed - 1]}) == allowed


@pytest.mark.parametrize("beams", only([2], [2, 3]))
def test_beam_search_is_the_loop_written_by_hand(beams):
    model = little()
    allowed = [i for i in range(model.tokenizer.vocab_size) if i not in model.tokenizer.banned_ids]
    kept = [()]
    for _ in range(6):
        longer = [(*ids, i) for ids in kept for i in allowed]
        kept = sorted(longer, key=lambda ids: -logprob_of(model, ids))[:beams]
    assert model.generate("a", max_new_tokens=6, num_beams=beams).token_ids == list(kept[0])


def test_beams_have_alternatives_penalties_and_stop_strings(model):
    found = model.generate("나는 ", max_new_tokens=40, num_beams=4, top_logprobs=3, seed=7)
    assert len(found.token_ids) == 40 and found.seed == 7
    assert found.text == "".join(map(str, model.stream("나는 ", max_new_tokens=40, num_beams=4)))
    for best, logprob in zip(found.top_logprobs, found.logprobs, strict=True):
        assert len(best) == 3 and best[0].logprob >= logprob
    once = model.generate("나는 ", max_new_tokens=40, num_beams=4, no_repeat_ngram_size=2)
    pairs = list(itertools.pairwise(once.token_ids))
    assert len(pairs) == len(set(pairs))
    stopped = model.generate("나는 ", max_new_tokens=40, num_beams=4, stop_strings=found.text[5:8])
    assert stopped.finish_reason == "stop" and found.text.startswith(stopped.text)


def test_beams_draw_nothing_and_write_one_text(model):
    with pytest.raises(ConfigError, match=r"temperature is 0\.5 with num_beams 2"):
        model.generate("나", num_beams=2, temperature=0.5)
    with pytest.raises(ConfigError, match="with 2 texts"):
        model.generate_batch(["나", "오"], num_beams=2)


def test_a_stop_string_is_left_out_and_held_back(model):
    whole = model.generate("나는 ", max_new_tokens=80, seed=1).text
    stop = whole[20:23]
    pieces = [
        c for c in model.stream("나는 ", max_new_tokens=80, seed=1, stop_strings=(stop, "@@"))
    ]
    expected = whole[: whole.index(stop)]
    assert "".join(c.text for c in pieces) == expected
    assert [c.finish_reason for c in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].finish_reason == "stop"
    shown = ""
    for piece in pieces:
        shown += piece.text
        assert expected.startswith(shown)


def test_what_only_began_a_stop_string_is_shown_at_the_end(model):
    whole = model.generate("나는 ", max_new_tokens=12, seed=1).text
    found = model.generate("나는 ", max_new_tokens=12, seed=1, stop_strings=whole[-2:] + "@")
    assert found.text == whole and found.finish_reason == "length"


def test_no_repeat_ngram_and_penalty_reach_the_loop(model):
    ids = model.generate("나는 ", max_new_tokens=60, seed=2, no_repeat_ngram_size=2).token_ids
    pairs = list(itertools.pairwise(ids))
    assert len(pairs) == len(set(pairs))
    often = model.generate("나는 ", max_new_tokens=60, seed=2).token_ids
    rarely = model.generate("나는 ", max_new_tokens=60, seed=2, repetition_penalty=5.0).token_ids
    assert len(set(rarely)) > len(set(often))


def test_a_new_value_needs_no_new_compilation(model):
    model.generate("나", max_new_tokens=2, temperature=0.5, top_p=0.5, engine="tensorflow")
    programs = dict(model._decoders["tensorflow", False]._programs)
    for transform in (0.6, 0.7, 0.9):
        model.generate(
            "나", max_new_tokens=2, temperature=transform, top_p=transform, engine="tensorflow"
        )
    assert model._decoders["tensorflow", False]._programs == programs


def test_an_unknown_character_is_reported_not_fatal(model):
    found = model.generate("나는 龍", max_new_tokens=5)
    assert found.unknown == ["龍"] and len(found.token_ids) == 5


def test_a_prompt_of_only_unknown_characters(model):
    with pytest.raises(GenerationError, match="only characters this model has never seen"):
        model.generate("龍鳳")


def test_a_batch_of_no_prompts_is_no_texts(model):
    assert model.generate_batch([]) == [] == list(model.stream_batch(()))
    assert model.generate_batch([], num_beams=2) == []
    with pytest.raises(ConfigError, match="top_k is -1"):
        model.generate_batch([], top_k=-1)


def test_a_batch_of_any_iterable(model):
    batch = model.generate_batch((text for text in ("나는 ", "The")), max_new_tokens=3, seed=1)
    assert [one.prompt for one in batch] == ["나는 ", "The"]


@pytest.mark.parametrize("value", [None, 3, b"Mar", ["Mar"], math.nan])
def test_what_is_no_text_is_refused(model, value):
    for use in (model.generate, model.stream):
        with pytest.raises(GenerationError, match=r"the prompt is .*: give a text \(str\)"):
            use(value)
    with pytest.raises(GenerationError, match=r"the text to score is .*: give a text \(str\)"):
        model.score(value)


@pytest.mark.parametrize("value", ["Mar", None, 3, [None], ["나", b"Mar"]])
def test_what_is_no_list_of_texts_is_refused(model, value):
    for use in (model.generate_batch, model.stream_batch):
        with pytest.raises(GenerationError, match="give a "):
            use(value)


def test_numbers_of_numpy_are_numbers(model):
    plain = {"seed": 3, "top_k": 5, "temperature": 0.5, "max_new_tokens": 8, "top_logprobs": 1}
    kinds = (np.int64, np.int8, np.float32, np.uint16, np.int32)
    numpy = {name: kind(plain[name]) for name, kind in zip(plain, kinds, strict=True)}
    found = model.generate("나", **numpy)
    assert found == model.generate("나", **plain)
    assert json.loads(json.dumps(dataclasses.asdict(found)))["seed"] == 3


def test_an_empty_prompt_begins_a_text(model):
    assert len(model.generate("", max_new_tokens=5).token_ids) == 5


@pytest.mark.parametrize(
    "options, what",
    [
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": math.nan}, "temperature is not a number: give a value of at least 0"),
        ({"top_p": 0.0}, "top_p is 0.0: give a value above 0 and at most 1"),
        ({"top_p": 1.01}, "top_p is 1.01"),
        ({"top_k": -1}, "top_k is -1"),
        ({"top_k": 1.5}, "top_k is 1.5: give a value of type int"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"stop_strings": ("",)}, "stop_strings holds an empty text"),
        ({"stop_strings": None}, "stop_strings is None: give a value of type str"),
        ({"stop_strings": ["a", 3]}, "stop_strings is 3: give a value of type str"),
        ({"seed": np.int64(-1)}, "seed is -1"),
        ({"beams": 3}, "there is no option 'beams': give num_beams"),
    ],
)
def test_options_outside_their_range(model, options, what):
    with pytest.raises(ConfigError, match=what):
        model.generate("나", **options)


def test_score_is_what_the_model_says_step_by_step(model):
    text = "나는 비를 walked"
    ids = model.tokenizer.encode(text)
    logits = by_keras(model.network, [[model.tokenizer.start_id, *ids[:-1]]])[0].astype(np.float64)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    score = model.score(text)
    assert [t.token_id for t in score.tokens] == ids
    np.testing.assert_allclose(
        [t.logprob for t in score.tokens], logp[range(len(ids)), ids], atol=1e-4
    )
    assert [t.rank for t in score.tokens] == [
        1 + int((row > row[i]).sum()) for row, i in zip(logits, ids, strict=True)
    ]
    bits = -logp[range(len(ids)), ids].sum() / math.log(2) / len(text)
    assert score.bits_per_char == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize("tokenizer", only(["jamo"], TOKENIZERS))
def test_bits_per_char_counts_characters_whatever_the_tokenizer(runs, tokenizer):
    model = textgen.load(runs(tokenizer))
    text = unicodedata.normalize("NFD", TEXT[:200])
    score = model.score(text)
    bits = -sum(t.logprob for t in score.tokens) / math.log(2)
    assert score.bits_per_char == pytest.approx(bits / 200)
    assert model.score(TEXT[:200]) == score


def test_a_long_text_is_scored_in_windows_as_in_one(model, monkeypatch):
    text = TEXT[:1000]
    ids = [1, *model.tokenizer.encode(text)]
    windows = list(scoring.scored(model.network, ids))
    monkeypatch.setattr(scoring, "WINDOW", 10_000)
    parts = list(scoring.scored(model.network, ids))
    assert len(parts) == 1
    assert len(windows) > 2
    np.testing.assert_allclose(np.concatenate([w[0] for w in windows]), parts[0][0], atol=1e-4)


def test_an_empty_text_has_no_score(model):
    with pytest.raises(GenerationError, match="empty"):
        model.score("")


def test_unlikely_tokens_are_drawn_as_often_as_they_should_be(model):
    """The frequencies of 4,000 first tokens follow the model's own probabilities."""
    ids = model._prompt_ids("나", [])
    logits = by_keras(model.network, [ids])[0, -1].astype(np.float64)
    logits[list(model.tokenizer.banned_ids)] = -np.inf
    p = np.exp(logits - logits.max())
    p /= p.sum()
    drawn = np.concatenate(
        [
            [g.token_ids[0] for g in model.generate_batch(["나"] * 400, max_new_tokens=1, seed=s)]
            for s in range(10)
        ]
    )
    counts = np.bincount(drawn, minlength=len(p))
    error = np.abs(counts / len(drawn) - p)
    assert (error < 5 * np.sqrt(p * (1 - p) / len(drawn)) + 1e-3).all()


def test_every_transform_can_be_asked_for_by_name(model):
    for transform in TRANSFORMS:
        for name, default in vars(transform()).items():
            value = default + 1 if isinstance(default, int) else 0.9
            assert model.generate("나", max_new_tokens=3, **{name: value}).finish_reason


def test_a_generator_may_be_made_without_a_folder():
    tokenizer = CharTokenizer.train("abc", vocab_size=10, model_type="unigram")
    network = drawn(ModelConfig(hidden_size=4, embedding_size=4), tokenizer.vocab_size)
    assert Generator(network, tokenizer).generate("a", max_new_tokens=3).text
