"""What a user may see when something is wrong: one line, with what, which value and the remedy.

TextgenError
├── CorpusError       a text that cannot be read or is too little
├── TokenizerError    a tokenizer that cannot be trained or read
├── ConfigError       a setting outside its range
├── RunError          a run folder that is missing, damaged, foreign or cannot be written
├── MissingPart       a library that this installation was made without
└── GenerationError   a prompt or a text the model cannot take
"""

BAD_INPUT, INTERRUPTED = 2, 130  # the exit codes of the command


class TextgenError(Exception):
    """Base of every error meant for a user; the message is one line that ends with the remedy."""


class CorpusError(TextgenError):
    """A text that cannot be read, or is too little to train on."""


class TokenizerError(TextgenError):
    """A tokenizer that cannot be trained on this text, or a tokenizer file that cannot be read."""


class ConfigError(TextgenError):
    """A setting outside its range."""


class RunError(TextgenError):
    """A run folder that is missing, damaged, foreign or cannot be written."""


class MissingPart(TextgenError):
    """A library that this installation was made without."""


class GenerationError(TextgenError):
    """A prompt or a text that the model cannot take."""


def counted(number: int, noun: str) -> str:
    """1 token, 2,000 tokens."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def in_bytes(number: int) -> str:
    """12.3 kB, 4.5 MB."""
    return f"{number / 1e3:.1f} kB" if number < 1e6 else f"{number / 1e6:.1f} MB"


def shown(value: object) -> str:
    """`value` as an error shows it: in one line, cut short, since it may come from anyone."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 100 else f"{text[:97]}..."
