"""Which tokens can come next, so that what is written is UTF-8, where a token may be a lone byte.

A tokenizer with byte fallback writes a rare letter byte by byte, and a model may draw any byte
after any other. What the bytes so far ask for is one of eight states (after the table of
well-formed sequences in section 3.9 of the Unicode Standard), and it hangs on the last three tokens
alone: so it is read off the history, and the loop that writes has nothing more to carry.

B batch, V vocabulary, L length of the history.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.array_ops import ops_for
from textgen.arrays import Array

# of each state the bytes that it takes: (first, last, the state after them)
_TAKES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    (  # 0: a character may begin
        (0x00, 0x7F, 0),
        (0xC2, 0xDF, 1),
        (0xE0, 0xE0, 4),
        (0xE1, 0xEC, 2),
        (0xED, 0xED, 5),
        (0xEE, 0xEF, 2),
        (0xF0, 0xF0, 6),
        (0xF1, 0xF3, 3),
        (0xF4, 0xF4, 7),
    ),
    ((0x80, 0xBF, 0),),  # 1, 2, 3: so many bytes are lacking
    ((0x80, 0xBF, 1),),
    ((0x80, 0xBF, 2),),
    ((0xA0, 0xBF, 1),),  # 4: two, and less would be a shorter character, written too long
    ((0x80, 0x9F, 1),),  # 5: two, and more would be half a pair of UTF-16
    ((0x90, 0xBF, 2),),  # 6: three, as 4
    ((0x80, 0x8F, 2),),  # 7: three, and more would be beyond Unicode
)
_BROKEN = len(_TAKES)  # the state after a byte that its state does not take
_LACKING = 3  # bytes that a character can lack at most, and so tokens that the state hangs on


class Utf8:
    """What of a vocabulary can follow. token_bytes: of each token, whole characters or one byte."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        after = _states_after(token_bytes)
        self.possible = after != _BROKEN  # [8, V]
        # the first of the last three tokens may stand within a character: then the state is not 0,
        # as is assumed, but that character ends before the one that the state hangs on begins
        self._after = np.where(self.possible, after, 0).ravel()

    def allowed(self, history: Array) -> Array:
        """The tokens that can follow each text: bool [B, V].

        history: the ids so far, newest last, -1 where there is none [B, L]. They were allowed.
        """
        ops = ops_for(history)
        state = ops.zeros_like(history[:, 0])
        for back in range(_LACKING, 0, -1):
            ids = history[:, -back]
            known = ops.take(self._after, state * self.possible.shape[1] + ops.maximum(ids, 0))
            state = ops.where(ids < 0, 0, known)
        return ops.take(self.possible, state, axis=0)


def _states_after(token_bytes: Sequence[bytes]) -> np.ndarray:
    """The state after each token in each state, or `_BROKEN`: int32 [8, V]."""
    of_bytes = np.full((_BROKEN + 1, 257), _BROKEN, np.int32)
    for state, ranges in enumerate(_TAKES):
        for first, last, after in ranges:
            of_bytes[state, first : last + 1] = after
    of_bytes[:, 256] = np.arange(_BROKEN + 1)  # no byte: the end of a token that is shorter
    columns = np.full((max(map(len, token_bytes)), len(token_bytes)), 256)
    for token_id, written in enumerate(token_bytes):
        columns[: len(written), token_id] = list(written)
    states = np.arange(_BROKEN, dtype=np.int32)[:, None]
    for column in columns:
        states = of_bytes[states, column]
    return states
