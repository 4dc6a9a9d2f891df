"""What goes with a `.keras` and an `.onnx` file: how ids and text meet; which cells Keras has."""

from __future__ import annotations

import json
from pathlib import Path

from textgen.cells import CELLS
from textgen.errors import ConfigError
from textgen.generation.generator import Generator
from textgen.tokenizers.tokenizer import SentencePieceTokenizer

# what each kind of file takes and gives
CALLS = {
    "keras": "The model maps ids [batch, time] to logits [batch, time, token]. The state is not "
    "carried between calls: hand over the whole text.",
    "onnx": "The model is one step: it takes `ids` [batch], a token of each text, and of each "
    "layer K the state before it, `state.K.h` (and others of its name) [batch, unit], zeros at "
    "first; it gives `logits` [batch, token], and the state after it, `next.K.h` (and so on).",
}
NOTE = (
    "The softmax of logits gives the probabilities of the next token. tokens[id] is the text of an "
    "id. A text is brought into the Unicode form `form`, cut into tokens, and begins with the id "
    "`begin`; ids in `never` stand for what the model does not know, and are not to be drawn. The "
    "lines of Python in `python` make ids of a text, and a text of ids."
)
# lines of Python for whoever has the file, but not textgen; before them stands NAME, of the files
BEGINNING = """
import json, re, unicodedata

note = json.load(open(f"{NAME}.json", encoding="utf-8"))
tokens, begin = note["tokens"], note["begin"]
"""
CHARACTERS = """
ids = {token: number for number, token in enumerate(tokens)}

def to_ids(text):  # 0: what the model does not know
    return [begin, *(ids.get(token, 0) for token in unicodedata.normalize(note["form"], text))]
"""
JOINED = """
def to_text(numbers):
    return "".join(tokens[number] for number in numbers)
"""
COMPOSED = """
def to_text(numbers):  # the letters of a syllable are put together
    return unicodedata.normalize("NFC", "".join(tokens[number] for number in numbers))
"""
PIECES = """
import sentencepiece  # pip install sentencepiece

cutter = sentencepiece.SentencePieceProcessor(model_file=f"{NAME}.model")
SPACE = chr(0x2581)  # how the cutter writes a space; one of the text itself becomes its bytes
apart = {"\\n": [begin], SPACE: [tokens.index(f"<0x{byte:02X}>") for byte in SPACE.encode()]}

def to_ids(text):
    cut = re.split(f"([\\n{SPACE}])", unicodedata.normalize("NFC", text))
    return [begin, *(number for part in cut for number in apart.get(part) or cutter.encode(part))]

def bytes_of(token):  # <0x41> is the byte 41, any other token is text
    is_byte = re.fullmatch("<0x[0-9A-F]{2}>", token)
    return bytes([int(token[3:5], 16)]) if is_byte else token.encode()

def to_text(numbers):  # all bytes together: those of a letter may be several tokens
    return b"".join(bytes_of(tokens[number]) for number in numbers).decode("utf-8", "replace")
"""
LINES = {"char": CHARACTERS + JOINED, "jamo": CHARACTERS + COMPOSED, "sentencepiece": PIECES}


def layer_name(cell: str) -> str:
    """Keras's layer of the equations of a cell; "" where it has none."""
    return "SimpleRNN" if cell == "rnn" else CELLS[cell].keras_layer


def check_stock(cell: str) -> None:
    """Raise `ConfigError` for a cell that Keras has no layer of."""
    if not layer_name(cell):
        known = [name for name in CELLS if layer_name(name)]
        raise ConfigError(
            f"the cell {cell!r} has no layer in Keras, which has {', '.join(known)}: "
            "export with --to onnx, or --to html"
        )


def beside(model: Generator, out: Path, kind: str) -> dict[Path, bytes]:
    """The files that belong to `out`, and what is in them: the note, and what cuts a text into
    pieces. kind: of file, one of `CALLS`."""
    files = {out.with_suffix(".json"): note(model, kind, out.stem)}
    if isinstance(model.tokenizer, SentencePieceTokenizer):
        files[out.with_suffix(".model")] = model.tokenizer.to_bytes()
    return files


def note(model: Generator, kind: str, stem: str = "model") -> bytes:
    """How ids and text meet, as JSON. stem: the name of the files without what it ends with."""
    tokenizer = model.tokenizer
    lines = f"NAME = {stem!r}" + BEGINNING + LINES.get(tokenizer.name, "")
    said = {
        "note": f"{CALLS[kind]} {NOTE}",
        "tokenizer": tokenizer.name,
        "form": "NFD" if tokenizer.name == "jamo" else "NFC",
        "begin": tokenizer.start_id,
        "never": list(tokenizer.banned_ids),
        "python": lines.splitlines(),
        "tokens": [tokenizer.token(number) for number in range(tokenizer.vocab_size)],
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()
