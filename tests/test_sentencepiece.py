"""What is particular to SentencePiece, and how tokens of any kind are grouped."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_tokenizers import AWKWARD, MADE, PIECES, TEXT, stream
from textgen.errors import TokenizerError
from textgen.tokenizers.detokenizer import group_tokens
from textgen.tokenizers.sentencepiece_model import train_model
from textgen.tokenizers.tokenizer import (
    CharTokenizer,
    JamoTokenizer,
    SentencePieceTokenizer,
    nfc,
)


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_comes_back(name, text):
    tokenizer = MADE[name]
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == nfc(text)
    assert "".join(stream(tokenizer, ids)) == nfc(text)
    assert tokenizer.unk_id not in ids and tokenizer.unknown_characters(text) == []


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    for name in PIECES:
        assert MADE[name].decode(MADE[name].encode(text)) == nfc(text)


@pytest.mark.parametrize("name", PIECES)
def test_a_long_line_comes_back(name):
    line = ("나는 ㅋㅋㅋ▁ cat" * 10_000)[:100_000]
    assert MADE[name].decode(MADE[name].encode(line)) == line


@pytest.mark.parametrize("name", PIECES)
def test_training_on_awkward_text(name):
    text = TEXT + "\n".join(AWKWARD) + "\n" + "끊지않은줄 " * 3000
    tokenizer = SentencePieceTokenizer.train(text, vocab_size=400, model_type=name)
    assert tokenizer.vocab_size == 400
    assert tokenizer.decode(tokenizer.encode(text)) == nfc(text)
    assert " 끊지않은" in "|".join(map(tokenizer.token, range(400)))


@pytest.mark.parametrize("name", PIECES)
def test_training_is_deterministic(name):
    assert train_model(TEXT, 360, name) == MADE[name].to_bytes()
    assert MADE[name].vocab_size == 360


@pytest.mark.parametrize("name", PIECES)
def test_tokens_are_shown_as_text(name):
    tokenizer = MADE[name]
    shown = [tokenizer.token(i) for i in range(360)]
    assert shown[:3] == ["\ufffd", "\n", "<0x00>"] and "<0xE3>" in shown
    assert any(t.startswith(" ") and len(t) > 1 for t in shown)
    assert not any("▁" in t for t in shown)
    assert [tokenizer.token(i) for i in tokenizer.encode("▁")] == ["<0xE2>", "<0x96>", "<0x81>"]


def test_bytes_wait_until_their_character_is_whole():
    tokenizer = MADE["bpe"]
    byte = {tokenizer.token(i): i for i in range(360)}
    a, e2, x96, x81 = (byte[t] for t in ("a", "<0xE2>", "<0x96>", "<0x81>"))
    assert stream(tokenizer, [e2, x96, x81]) == ["", "", "▁", ""]
    assert stream(tokenizer, [e2, x96, a]) == ["", "", "\ufffda", ""]
    assert stream(tokenizer, [e2, x96]) == ["", "", "\ufffd"]
    assert stream(tokenizer, [x81, a]) == ["\ufffd", "a", ""]
    assert tokenizer.decode([e2, x96, a]) == "\ufffda"


@pytest.mark.parametrize("name", PIECES)
def test_a_vocabulary_too_large_names_the_largest(name):
    text = "hello world this is text\nhello there"
    with pytest.raises(TokenizerError, match="vocab_size is 2000") as error:
        train_model(text, 2000, name)
    assert "\n" not in str(error.value)
    largest = int(str(error.value).split("at most ")[1].split(",")[0])
    for size in range(260, largest + 1):
        assert SentencePieceTokenizer(train_model(text, size, name)).vocab_size == size
    with pytest.raises(TokenizerError, match=f"at most {largest}"):
        train_model(text, largest + 1, name)


@pytest.mark.parametrize(
    ("text", "size", "kind", "message"),
    [
        (TEXT, 259, "bpe", "vocab_size is 259: use 260"),
        (TEXT, -1, "unigram", "vocab_size is -1: use 260"),
        (TEXT, 300, "word", "model_type is 'word': use unigram or bpe"),
        ("", 300, "unigram", "give a longer text"),
        ("\n\0\t▁", 300, "bpe", "give a longer text"),
        ("a", 300, "unigram", "give a longer text"),
    ],
)
def test_what_cannot_be_trained(text, size, kind, message):
    with pytest.raises(TokenizerError, match=message):
        SentencePieceTokenizer.train(text, vocab_size=size, model_type=kind)


def test_a_small_vocabulary_keeps_frequent_characters():
    alphabet = "".join(map(chr, range(0xAC00, 0xAC00 + 600)))
    text = alphabet + "\n" + "나는 한국 사람 " * 50
    tokenizer = SentencePieceTokenizer.train(text, vocab_size=280, model_type="bpe")
    assert tokenizer.vocab_size == 280 and tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode("나")) == 1 and len(tokenizer.encode("\uac07")) == 3


@pytest.mark.parametrize(
    "settings_of",
    [
        {"normalization_rule_name": "nmt_nfkc"},
        {"byte_fallback": False},
        {"add_dummy_prefix": True},
        {"bos_id": 1},
        {"user_defined_symbols": []},
        {"model_type": "char"},
    ],
)
def test_models_of_another_kind_are_refused(settings_of):
    import io

    import sentencepiece

    usual = {
        "normalization_rule_name": "identity",
        "byte_fallback": True,
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "user_defined_symbols": ["\n"],
        "bos_id": -1,
        "eos_id": -1,
        "pad_id": -1,
        "unk_id": 0,
        "model_type": "bpe",
    }
    for options, accepted in ((usual, True), ({**usual, **settings_of}, False)):
        writer = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXT.split("\n")),
            model_writer=writer,
            vocab_size=360,
            minloglevel=3,
            hard_vocab_limit=False,
            **options,
        )
        if accepted:
            SentencePieceTokenizer.from_bytes(writer.getvalue())
        else:
            with pytest.raises(TokenizerError, match="no SentencePiece model"):
                SentencePieceTokenizer.from_bytes(writer.getvalue())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_models_never_crash(data):
    model = bytearray(MADE["unigram"].to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        model[data.draw(st.integers(0, len(model) - 1))] = data.draw(st.integers(0, 255))
    try:
        tokenizer = SentencePieceTokenizer(bytes(model))  # not tried apart: that takes its time
    except TokenizerError:
        return
    assert len(tokenizer.decode(tokenizer.encode("나는 café\n"))) > 0


@pytest.mark.parametrize("name", MADE)
@given(text=st.text(alphabet="나는한국어닭 값abc\nㅋ🙂", max_size=20))
def test_groups_cover_all_tokens_and_read_as_the_text(name, text):
    tokenizer = MADE[name]
    ids = tokenizer.encode(text)
    groups = group_tokens(ids, tokenizer.decode)
    assert "".join(piece for _, _, piece in groups) == tokenizer.decode(ids)
    covered = [index for first, count, _ in groups for index in range(first, first + count)]
    assert covered == list(range(len(ids)))


@pytest.mark.parametrize("kind", [CharTokenizer, JamoTokenizer])
def test_a_table_of_many_megabytes_is_not_parsed(kind):
    with pytest.raises(TokenizerError, match="has 16777217 bytes, more than 16777216"):
        kind.from_bytes(b" " * ((1 << 24) + 1))
