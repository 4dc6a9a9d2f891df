"""A decoder that counts what it replaces, and where in a file a byte lies."""

from __future__ import annotations

import codecs
import io
import threading

from textgen.text.files import File

_counted = threading.local()


def _replace_and_count(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _counted.replaced = getattr(_counted, "replaced", 0) + 1
    return "\ufffd", error.end


codecs.register_error("textgen.replace", _replace_and_count)


class CountingDecoder:
    """An incremental decoder that counts what it replaces."""

    def __init__(self, encoding: str, errors: str) -> None:
        handler = "textgen.replace" if errors == "replace" else "strict"
        plain = encoding.removesuffix("-sig")  # whose codec would count bytes without the mark
        self._decoder = codecs.getincrementaldecoder(plain)(handler)
        self.replaced = 0

    @property
    def state(self) -> bytes:
        """Bytes that wait for the rest of their character."""
        return self._decoder.getstate()[0]

    def decode(self, data: bytes, final: bool = False) -> str:
        _counted.replaced = 0
        text = self._decoder.decode(data, final)
        self.replaced += _counted.replaced
        return text


def place(file: File, encoding: str, byte: int) -> str:
    """Where byte `byte` of a file lies, both counted from one, for a message."""
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    read, line = 0, 1
    for data in file.blocks():
        line += lines.decode(decoder.decode(data[: max(0, byte - read)])).count("\n")
        read += len(data)
        if read > byte:
            break
    return f"line {line:,}, byte {byte + 1:,} of the file"
