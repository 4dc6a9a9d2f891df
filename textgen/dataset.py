"""Ids to training batches in contiguous lanes.

The text is cut into `batch_size` lanes that are read side by side. Batch k holds tokens
[k T, (k + 1) T) of every lane, so the state after batch k is the right state to begin batch k + 1
with: truncated backpropagation through time (Williams & Peng 1990) with the state carried.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from textgen.errors import CorpusError


@dataclasses.dataclass(frozen=True)
class Lanes:
    """Text laid out in lanes.

    inputs, targets: int32 [batch_size, steps * sequence_length]; targets are inputs one token on.
    weights: float32, 1 where a target is text, 0 where a lane is padded at its end.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    sequence_length: int

    @property
    def batch_size(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def steps(self) -> int:
        return int(self.inputs.shape[1]) // self.sequence_length

    def dataset(self, start: int = 0) -> Any:
        """A `tf.data.Dataset` of (inputs, targets, weights) [batch_size, sequence_length].

        It begins at batch `start` and runs to the end of the lanes.
        """
        from textgen.backend import tf

        arrays = [tf.constant(a) for a in (self.inputs, self.targets, self.weights)]
        length = self.sequence_length

        def batch(k: Any) -> tuple[Any, ...]:
            begin = tf.cast(k, tf.int32) * length
            shape = (self.batch_size, length)
            return tuple(
                tf.ensure_shape(array[:, begin : begin + length], shape) for array in arrays
            )

        return tf.data.Dataset.range(start, self.steps).map(batch).prefetch(4)


def make_lanes(ids: np.ndarray, batch_size: int, sequence_length: int) -> Lanes:
    """Lay `ids` [N] out in lanes; every id but the first is a target exactly once.

    A short text gets fewer lanes than asked for, each at least one window long. Raises
    `CorpusError` when not even one window fits.
    """
    targets = len(ids) - 1
    if targets < sequence_length:
        raise CorpusError(
            f"the text has {len(ids)} tokens, but one window takes {sequence_length + 1}: "
            "give a longer text or a smaller --sequence-length"
        )
    lanes = max(1, min(batch_size, targets // sequence_length))
    per_lane = -(-targets // lanes)
    padded = -(-per_lane // sequence_length) * sequence_length
    inputs, shifted = (np.zeros((lanes, padded), np.int32) for _ in range(2))
    weights = np.zeros((lanes, padded), np.float32)
    for lane in range(lanes):
        begin = lane * per_lane
        end = max(begin, min(begin + per_lane, targets))
        inputs[lane, : end - begin] = ids[begin:end]
        shifted[lane, : end - begin] = ids[begin + 1 : end + 1]
        weights[lane, : end - begin] = 1.0
    return Lanes(inputs, shifted, weights, sequence_length)
