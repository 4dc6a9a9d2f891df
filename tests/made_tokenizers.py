"""Tokenizers of every kind, trained on one text, and texts that are awkward for them."""

import random

from textgen.tokenizers.tokenizer import CharTokenizer, JamoTokenizer, SentencePieceTokenizer

# enough different pieces for 360 of them, written here word by word
PHRASES = (
    "나는 한국 사람이야 그래서 한국어를 할 줄 알아 너는 어느 나라에서 왔니 밥을 먹었어 학교에 간다 "
    "ㅋㅋㅋ ㅠㅠ 값이 닭 읽다 the cat sat on a mat and then it ran to another street café 1 2 3 ."
)
WORDS = PHRASES.split()
_choose = random.Random(1)
TEXT = "\n".join(" ".join(_choose.choices(WORDS, k=12)) for _ in range(200)) + "\n"

MADE = {
    "char": CharTokenizer.train(TEXT),
    "jamo": JamoTokenizer.train(TEXT),
    "unigram": SentencePieceTokenizer.train(TEXT, vocab_size=360, model_type="unigram"),
    "bpe": SentencePieceTokenizer.train(TEXT, vocab_size=360, model_type="bpe"),
}
PIECES = ["unigram", "bpe"]
AWKWARD = [
    "",
    " ",
    "  나는  ",
    "\n",
    "\n\n\n",
    "a\tb\t\t",
    "줄\r\n줄\r",
    "\ufeff나",
    "ㅋㅋㅋ ㅠㅠ",
    "ｱﾞ Ａ ① ﬁ",
    "▁",
    "a▁b",
    "▁▁ ▁",
    " ▁ ",
    "<0x41> <unk> <s> ⁇ ▅",
    "\0",
    "a\0b",
    "\ue000\uf8ff\U0010fffd",
    "\u0301",
    "a\u0323\u0301",
    "\u1161\u11a8",
    "각\u11a8\u302e",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd",
    "\ufffd",
    "\u0344\u0958\u2126",
]


def stream(tokenizer, ids):
    """The text of ids, piece by piece."""
    decoder = tokenizer.stream_decoder()
    return [*(decoder.push(i) for i in ids), decoder.flush()]
