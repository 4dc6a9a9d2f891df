"""No broken bytes are written: where tokens are bytes, only those are drawn that can go on."""

import codecs
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_tokenizers import MADE
from textgen.backend import tf
from textgen.config import ModelConfig
from textgen.generation.generator import Generator
from textgen.generation.utf8 import Utf8
from textgen.ui import samples
from tiny import drawn

TOKENIZER = MADE["unigram"]  # two of three of its tokens are bytes
BYTES = [bytes([byte]) for byte in range(256)]
# each side of every border between bytes that are taken and bytes that are not
BORDERS = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1]
BORDERS += [0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]


def is_utf8(written):
    try:
        written.decode()
    except UnicodeDecodeError:
        return False
    return True


def begins_well(written):
    """Whether bytes are UTF-8, or some end makes them so."""
    ends = [end * k for end in (b"\x80", b"\x90", b"\xbf") for k in range(4)]
    return any(is_utf8(bytes(written) + end) for end in ends)


def history(ids, length=8):
    return np.array([[*[-1] * (length - len(ids)), *ids]], np.int32)


def test_a_byte_can_follow_where_python_can_decode_it():
    utf8, longer = Utf8(BYTES), [()]
    for _ in range(4):
        beginnings = longer
        longer = [(*b, byte) for b in beginnings for byte in BORDERS if begins_well((*b, byte))]
        for before in beginnings:
            expected = [begins_well((*before, byte)) for byte in BORDERS]
            assert utf8.allowed(history(before))[0, BORDERS].tolist() == expected, before


def test_what_was_written_before_changes_nothing():
    utf8 = Utf8(BYTES)
    characters = ["a", "é", "한", "😀", "\U0010ffff"]
    for text in map("".join, itertools.product(characters, repeat=3)):
        written = text.encode()
        for end in range(len(written) + 1):
            found = utf8.allowed(history(list(written[:end]), 16))[0]
            expected = [begins_well((*written[:end], byte)) for byte in BORDERS]
            assert found[BORDERS].tolist() == expected, (text, end)


def test_a_piece_follows_whole_characters_alone():
    utf8 = Utf8([*BYTES, " 한국".encode(), b"a b"])
    assert utf8.allowed(history([0x41]))[0, 256:].all()
    assert utf8.allowed(history([0xED, 0x95, 0x9C, 256]))[0, 256:].all()
    assert not utf8.allowed(history([256, 0xED, 0x95]))[0, 256:].any()


def test_both_kinds_of_arrays_agree():
    utf8, random = Utf8(BYTES), np.random.default_rng(0)
    ids = random.choice([-1, *BORDERS], (200, 5)).astype(np.int32)
    np.testing.assert_array_equal(utf8.allowed(ids), utf8.allowed(tf.constant(ids)))


def model(seed=3):
    """A drawn model, which writes bytes as readily as anything."""
    config = ModelConfig(cell="gru", hidden_size=12, embedding_size=8)
    return Generator(drawn(config, TOKENIZER.vocab_size, seed, scale=1.0), TOKENIZER)


def assert_unbroken(written):
    """The tokens make UTF-8, but for the last character, which the end may cut off, and the text
    is what is whole of them."""
    whole = b"".join(TOKENIZER.token_bytes[i] for i in written.token_ids)
    decoder = codecs.getincrementaldecoder("utf-8")()
    assert decoder.decode(whole) == written.text and "\ufffd" not in written.text


def test_a_thousand_seeds_at_temperature_two():
    writer, long = model(), 0
    for seed in range(10):  # each text of a batch has a seed of its own
        for written in writer.generate_batch(
            [""] * 100, max_new_tokens=24, temperature=2, seed=seed
        ):
            assert_unbroken(written)
            long += sum(len(character.encode()) > 2 for character in written.text)
    assert long > 1000  # characters of three or four bytes are written, byte by byte


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("numpy", {"temperature": 0.0}),
        ("numpy", {"top_k": 3, "no_repeat_ngram_size": 1, "repetition_penalty": 5.0}),
        pytest.param(
            "tensorflow",
            {"temperature": 2.0, "no_repeat_ngram_size": 1},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_either_engine_under_any_transform(engine, options):
    options = {"max_new_tokens": 60, "seed": 5, "engine": engine, "top_logprobs": 50} | options
    for written in model().generate_batch(["", "나는 ", "▁"] * 20, **options):
        assert_unbroken(written)
        for token, logprob, best in zip(
            written.token_ids, written.logprobs, written.top_logprobs, strict=True
        ):
            assert all(alternative.logprob > -1000 for alternative in best)
            assert token in [a.token_id for a in best] or logprob <= best[-1].logprob + 1e-5


@pytest.mark.parametrize("engine", ["numpy", "tensorflow"])
def test_beams(engine):
    written = model().generate("나", max_new_tokens=40, num_beams=4, engine=engine)
    assert_unbroken(written)


def test_a_stream_is_the_text():
    chunks = list(model().stream("", max_new_tokens=101, temperature=2.0, seed=4))
    text = "".join(chunk.text for chunk in chunks)
    assert text == model().generate("", max_new_tokens=101, temperature=2.0, seed=4).text
    assert "\ufffd" not in text


def test_what_stops_within_a_character_ends_before_it_and_goes_on():
    """The page Write shows and keeps whole characters, wherever it is stopped."""
    model = Generator(
        drawn(ModelConfig(hidden_size=8, embedding_size=8), TOKENIZER.vocab_size), TOKENIZER
    )
    within = 0
    for seed in range(40):
        options = {"max_new_tokens": 9, "seed": seed, "temperature": 2.0}
        (sample,), job = samples.begin("가", 1, options)
        for _ in samples.write(model, [sample], job):
            pass
        text = sample.text(TOKENIZER)
        assert text == "가" + sample.streamed and "�" not in text
        shown = samples.strip_data(sample, TOKENIZER)
        assert shown["prompt"] + "".join(group["text"] for group in shown["groups"]) == text
        ids = [token.token_id for token in sample.tokens]
        within += TOKENIZER.decode(ids) != TOKENIZER.decode_whole(ids)
        for _ in samples.write(model, [sample], samples.Job([0], options | {"seed": seed + 99})):
            pass
        assert sample.text(TOKENIZER).startswith(text) and "�" not in sample.text(TOKENIZER)
    assert within > 5


@pytest.mark.parametrize("name", MADE)
@given(data=st.data())
def test_whole_characters_are_all_but_half_a_one(name, data):
    tokenizer = MADE[name]
    text = data.draw(st.text("가나 bé\n한😀", max_size=8))
    text = "".join(c for c in text if not tokenizer.unknown_characters(c))
    ids = tokenizer.encode(text)
    assert tokenizer.decode_whole(ids) == tokenizer.decode(ids)
    for end in range(len(ids)):
        whole, all_of_it = (f(ids[:end]) for f in (tokenizer.decode_whole, tokenizer.decode))
        assert "�" not in whole
        assert whole == all_of_it if "�" not in all_of_it else whole == all_of_it.removesuffix("�")
