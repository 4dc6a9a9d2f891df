"""The state that a document begins in, learned for each of its labels with the weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textgen.arrays import Array, State
from textgen.backend import keras, ops
from textgen.data.labelled_text import CARRIED, NONE
from textgen.network import Network

VOICES = "voices"  # the name of the variable
# A voice is read, and so learned, only where one of its documents begins: its steps are so many
# times as large as those of a weight.
FASTER = 8.0


class Voices(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """A table of states [labels, layers, parts of a state, U], zeros at first.

    It is no part of the model: whoever begins with no voice begins as ever, with zeros. The
    variable holds them divided by `FASTER`, since Adam's steps are alike in size for all variables.
    """

    def __init__(self, labels: Sequence[str], network: Network) -> None:
        super().__init__(name=VOICES, dtype="float32")
        self.labels = tuple(labels)
        shape = (len(self.labels), *network.state_shape)
        self.scaled = self.add_weight(shape=shape, initializer="zeros", name=VOICES)

    def begin(self, state: State, begins: Array) -> State:
        """`state`, of [B, U] each, with the voice that begins in each row in its place.

        begins [B]: `CARRIED` leaves a row as it is, `NONE` begins it with zeros.
        """
        voices = FASTER * ops.take(self.scaled, ops.maximum(begins - 1, 0), axis=0)
        goes_on, has_none = (begins == CARRIED)[:, None], (begins == NONE)[:, None]
        return tuple(
            tuple(
                ops.where(goes_on, part, ops.where(has_none, 0.0, voices[:, k, p]))
                for p, part in enumerate(layer)
            )
            for k, layer in enumerate(state)
        )

    def by_label(self) -> dict[str, np.ndarray]:
        """Each label's state as it is now: [layers, parts, U]."""
        return dict(zip(self.labels, np.float32(FASTER) * np.asarray(self.scaled), strict=True))
