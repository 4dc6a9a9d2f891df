"""What goes with a `.keras` and an `.onnx` file: how ids and text meet; which cells Keras has."""

from __future__ import annotations

import json

from textgen.cells import CELLS
from textgen.errors import ConfigError
from textgen.generation.generator import Generator

# what each kind of file takes and gives
CALLS = {
    "keras": "The model maps ids [batch, time] to logits [batch, time, token]. The state is not "
    "carried between calls: hand over the whole text.",
    "onnx": "The model is one step: it takes `ids` [batch], a token of each text, and of each "
    "layer K the state before it, `state.K.h` (and `state.K.C`) [batch, unit], zeros at first; "
    "it gives `logits` [batch, token], and the state after it, `next.K.h` (and `next.K.C`).",
}
NOTE = (
    "The softmax of logits gives the probabilities of the next token. tokens[id] is the text of an "
    "id. A text is brought into the Unicode form `form`, cut into tokens, and begins with the id "
    "`begin`; ids in `never` stand for what the model does not know, and are not to be drawn. Of "
    "sentencepiece, <0x41> is a byte, and tokenizer.model of the run folder cuts a text into its "
    "pieces."
)


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


def note(model: Generator, kind: str) -> bytes:
    """How ids and text meet, as JSON. kind: of file, one of `CALLS`."""
    tokenizer = model.tokenizer
    said = {
        "note": f"{CALLS[kind]} {NOTE}",
        "tokenizer": tokenizer.name,
        "form": "NFD" if tokenizer.name == "jamo" else "NFC",
        "begin": tokenizer.start_id,
        "never": list(tokenizer.banned_ids),
        "tokens": [tokenizer.token(number) for number in range(tokenizer.vocab_size)],
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()
