"""Where in a document the fact, the question and the blank stand, counted in tokens.

Token 0 is the `start_id` that every text begins with.
"""

from __future__ import annotations

import numpy as np

from textgen.arrays import Array
from textgen.data.recall_documents import Document
from textgen.tokenizers.tokenizer import Tokenizer


def ids_before_blank(tokenizer: Tokenizer, document: Document) -> list[int]:
    """The ids of a document up to its blank, the `start_id` before them."""
    return [tokenizer.start_id, *tokenizer.encode(document.before)]


def fact_end(tokenizer: Tokenizer, document: Document) -> int:
    """The token that ends the sentence with the fact; the last of a document without one."""
    return len(tokenizer.encode(document.before[: document.fact_end or len(document.before)]))


def question_start(tokenizer: Tokenizer, document: Document) -> int:
    """The first token of the question."""
    return len(tokenizer.encode(document.before[: document.question_begin])) + 1


def fact_word(tokenizer: Tokenizer, document: Document) -> tuple[int, int]:
    """(first, last) token of the word that is the fact, such as "Korean", in its sentence."""
    before, word = document.before, document.word or document.fact
    begin = max(before[: document.fact_end].rfind(word), 0)
    end = begin + len(word)
    return len(tokenizer.encode(before[:begin])) + 1, len(tokenizer.encode(before[:end]))


def written_at(tokenizer: Tokenizer, document: Document, course: Array) -> int:
    """The token at which a value [T] changes most, from the word of the fact to the end of its
    sentence."""
    word = fact_word(tokenizer, document)[0]
    end = min(fact_end(tokenizer, document), len(course) - 1)
    return word + int(np.argmax(abs(np.diff(course[word - 1 : end + 1]))))
