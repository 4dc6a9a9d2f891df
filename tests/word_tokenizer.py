"""A tokenizer as a user would add one: a token is a word or a character between words."""

import json
import re

from textgen.errors import TokenizerError
from textgen.text.nfc import nfc
from textgen.tokenizers.detokenizer import CharacterStream
from textgen.tokenizers.tokenizer import UNKNOWN, Tokenizer


class WordTokenizer(Tokenizer):
    """Id 0 is the unknown, then come the words that the text holds at least twice."""

    name = "words"
    filename = "words.json"
    unk_id = 0
    banned_ids = (0,)

    def __init__(self, words):
        self.words = [UNKNOWN, *words]
        self.vocab_size = len(self.words)
        self._ids = {word: number for number, word in enumerate(self.words)}
        self.start_id = self._ids["\n"]

    @classmethod
    def train(cls, text, *, vocab_size=2000, model_type="unigram"):
        words = split(text)
        return cls(sorted({word for word in words if words.count(word) > 1} | {"\n"}))

    @classmethod
    def from_bytes(cls, data):
        try:
            return cls(json.loads(data))
        except (ValueError, TypeError, KeyError):
            raise TokenizerError(f"{cls.filename} holds no list of words: train again") from None

    def to_bytes(self):
        return json.dumps(self.words[1:], ensure_ascii=False).encode()

    def encode(self, text):
        return [self._ids.get(word, 0) for word in split(text)]

    def decode(self, ids):
        return "".join(self.words[number] for number in ids)

    def token(self, token_id):
        return self.words[token_id]

    def unknown_characters(self, text):
        known = set("".join(self.words[1:]))
        return [character for character in dict.fromkeys(nfc(text)) if character not in known]

    def stream_decoder(self):
        return CharacterStream(self.words)  # every id is some text, certain at once


def split(text):
    return re.findall(r"\w+|\W", nfc(text))
