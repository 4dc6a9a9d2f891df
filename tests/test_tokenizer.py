import inspect
import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_tokenizers import MADE, TEXT, stream
from textgen.config import TokenizerConfig
from textgen.errors import TokenizerError
from textgen.tokenizers.tokenizer import (
    TOKENIZERS,
    CharTokenizer,
    JamoTokenizer,
    nfc,
)


@pytest.fixture(params=MADE)
def tokenizer(request):
    return MADE[request.param]


def test_every_tokenizer_is_here():
    assert set(TOKENIZERS) == {t.name for t in MADE.values()}
    assert all(TOKENIZERS[t.name] is type(t) for t in MADE.values())
    # the names that run folders everywhere have
    files = {t.name: t.filename for t in MADE.values()}
    assert files.pop("sentencepiece") == "tokenizer.model"
    assert set(files.values()) == {"tokenizer.json"}


@pytest.mark.parametrize("kind", TOKENIZERS.values())
def test_what_is_not_given_is_as_in_the_settings(kind):
    given = inspect.signature(kind.train).parameters
    for name in ("vocab_size", "model_type"):
        assert given[name].default == getattr(TokenizerConfig, name)


# ---- what all share


def test_known_text_comes_back(tokenizer):
    ids = tokenizer.encode(TEXT)
    assert all(type(i) is int and 0 <= i < tokenizer.vocab_size for i in ids)
    assert tokenizer.decode(ids) == TEXT
    assert "".join(stream(tokenizer, ids)) == TEXT
    assert tokenizer.unknown_characters(TEXT) == []
    assert not set(tokenizer.banned_ids) & set(ids)


def test_decomposed_text_comes_back_composed(tokenizer):
    assert tokenizer.encode(unicodedata.normalize("NFD", TEXT)) == tokenizer.encode(TEXT)


def test_newline_is_one_id(tokenizer):
    assert tokenizer.encode("\n\n") == [tokenizer.start_id] * 2
    assert tokenizer.token(tokenizer.start_id) == "\n"
    assert tokenizer.encode("나는\n나는").count(tokenizer.start_id) == 1


def test_unknown_is_banned_and_shown(tokenizer):
    assert tokenizer.unk_id in tokenizer.banned_ids
    assert tokenizer.decode([tokenizer.unk_id]) == tokenizer.token(tokenizer.unk_id) == "\ufffd"


@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from("나는 한국a\u1112\u1161\u0301\n\U0001f600\ufffd")))
def test_the_ids_are_those_of_a_table_of_tokens(text):
    for kind in ("char", "jamo"):
        table = {MADE[kind].token(i): i for i in range(1, MADE[kind].vocab_size)}
        split = unicodedata.normalize(MADE[kind].form, nfc(text))
        assert MADE[kind].encode(text) == [table.get(c, 0) for c in split]
        unknown = dict.fromkeys(c for c in split if c not in table)
        assert MADE[kind].unknown_characters(text) == list(unknown)
    for tokenizer in MADE.values():
        found = tokenizer.encode_array(text)
        assert found.dtype == "int32" and found.tolist() == tokenizer.encode(text)


def test_bytes_come_back(tokenizer):
    data = tokenizer.to_bytes()
    again = type(tokenizer).from_bytes(data)
    assert again.to_bytes() == data
    assert again.vocab_size == tokenizer.vocab_size and again.start_id == tokenizer.start_id
    assert again.encode(TEXT) == tokenizer.encode(TEXT)


def test_lone_surrogates_become_replacement_characters(tokenizer):
    assert tokenizer.decode(tokenizer.encode("a\ud800a\udfff")) == "a\ufffda\ufffd"
    assert type(tokenizer).train(TEXT + "\ud83d", vocab_size=360).vocab_size > 0


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(data):
    for kind in TOKENIZERS.values():
        with pytest.raises(TokenizerError):
            kind.from_bytes(data)


def test_truncated_files_are_refused(tokenizer):
    data = tokenizer.to_bytes().rstrip()
    cuts = {*range(0, len(data), 7), *range(len(data) - 60, len(data))}
    for end in cuts:
        with pytest.raises(TokenizerError):
            type(tokenizer).from_bytes(data[:end])


@settings(deadline=None)
@given(st.data())
def test_streaming_equals_decoding_for_any_ids(data):
    for tokenizer in MADE.values():
        ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size - 1), max_size=30))
        assert "".join(stream(tokenizer, ids)) == tokenizer.decode(ids)


def test_a_stream_begins_anew_after_flush(tokenizer):
    ids = tokenizer.encode("가나 각é")
    decoder = tokenizer.stream_decoder()
    for _ in range(2):
        assert "".join(map(decoder.push, ids)) + decoder.flush() == tokenizer.decode(ids)


# ---- characters and jamo


def test_char_by_hand():
    tokenizer = CharTokenizer.train("나가 나")
    assert tokenizer.to_bytes().decode() == (
        '{"format": "textgen-char", "version": 1, "characters": ["\\n", " ", "가", "나"]}\n'
    )
    assert (tokenizer.vocab_size, tokenizer.unk_id, tokenizer.start_id) == (5, 0, 1)
    assert tokenizer.encode("가나\n다") == [3, 4, 1, 0]
    assert tokenizer.decode([3, 4, 1, 0]) == "가나\n\ufffd"
    assert tokenizer.unknown_characters("다가라다") == ["다", "라"]
    assert stream(tokenizer, [3, 4, 1]) == ["가", "나", "\n", ""]


def test_jamo_by_hand():
    tokenizer = JamoTokenizer.train("한 가")
    assert [tokenizer.token(i) for i in range(tokenizer.vocab_size)] == [
        "\ufffd",
        "\n",
        " ",
        "\u1100",
        "\u1112",
        "\u1161",
        "\u11ab",
    ]
    assert tokenizer.encode("간") == [3, 5, 6]  # never seen, but its letters were
    assert tokenizer.decode([3, 5, 6]) == "간"
    assert tokenizer.unknown_characters("곰") == ["\u1169", "\u11b7"]


def test_training_on_replacement_characters_keeps_one_unknown():
    for kind in (CharTokenizer, JamoTokenizer):
        tokenizer = kind.train("a\ufffd")
        assert tokenizer.vocab_size == 3 and tokenizer.encode("\ufffd") == [0]
        assert kind.train("").encode("\n") == [1]


def test_jamo_stream_yields_whole_syllables_as_soon_as_they_are_certain():
    tokenizer = JamoTokenizer.train("한가각ㅋé\u0323a1\u302e")
    #   가 could take a final, 한 is full; a compatibility ㅋ, a digit and a newline join nothing
    ids = tokenizer.encode("가한ㅋ1\n")
    assert stream(tokenizer, ids) == ["", "", "가", "", "한", "ㅋ", "1", "\n", ""]
    # the dot below goes before the accent, so the é that was there a moment ago is gone
    ids = [i for c in "e\u0301\u0323a" for i in tokenizer.encode(c)]
    assert stream(tokenizer, ids) == ["", "", "", "ẹ\u0301", "a"]
    assert stream(tokenizer, tokenizer.encode("a")) == ["", "a"]


MARKS = "aeo ᄀ하ᅥᆨᆫ\u0301\u0323\u0302\u0327\u302eॢे\u09c7\u09be\u0dd9\u0dcf\u1025\u102eか\u3099\n"


@settings(max_examples=300, deadline=None)
@given(st.text(MARKS, max_size=12))
def test_jamo_stream_of_any_marks(text):
    tokenizer = JamoTokenizer.train(MARKS)
    ids = [i for c in text for i in tokenizer.encode(c)]
    parts = stream(tokenizer, ids)
    assert "".join(parts) == nfc(text)
    for i in range(len(parts)):  # what was yielded stays true whatever comes
        assert nfc(text).startswith("".join(parts[:i]))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=50))
def test_code_points_known_come_back(text):
    for kind in (CharTokenizer, JamoTokenizer):
        tokenizer = kind.train(text)
        assert tokenizer.decode(tokenizer.encode(text)) == nfc(text)
        assert "".join(stream(tokenizer, tokenizer.encode(text))) == nfc(text)
        assert kind.from_bytes(tokenizer.to_bytes()).encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "textgen-other"},
        {"version": 2},
        {"version": True},
        {"version": [1]},
        {"characters": None},
        {"characters": "\nab"},
        {"characters": []},
        {"characters": ["a"]},
        {"characters": ["\n", "a", "a"]},
        {"characters": ["\n", "ab"]},
        {"characters": ["\n", ""]},
        {"characters": ["\n", 1]},
        {"characters": ["\n", "\ufffd"]},
        {"characters": ["\n", "\ud800"]},
        {"characters": ["\n", "\u2126"]},
    ],
)
@pytest.mark.parametrize("kind", [CharTokenizer, JamoTokenizer])
def test_foreign_vocabularies_are_refused(kind, change):
    content = {**json.loads(kind.train("a").to_bytes()), **change}
    with pytest.raises(TokenizerError) as error:
        kind.from_bytes(json.dumps(content).encode())
    assert "\n" not in str(error.value) and "train again" in str(error.value)


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"[]", b"\xff\xfe", b" " * ((1 << 24) + 1)],
    ids=["deep", "list", "no utf-8", "large"],
)
def test_foreign_json_is_refused(data):
    with pytest.raises(TokenizerError):
        CharTokenizer.from_bytes(data)


def test_char_and_jamo_files_are_not_mixed_up():
    with pytest.raises(TokenizerError, match="textgen-jamo"):
        JamoTokenizer.from_bytes(MADE["char"].to_bytes())
