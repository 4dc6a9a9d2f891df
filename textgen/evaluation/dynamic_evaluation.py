"""A model that goes on learning while it reads: dynamic evaluation.

Each token is predicted before it is learned from, so the figure is a fair one for the text; but it
uses more than the weights that were trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from textgen.arrays import Array, State
from textgen.backend import ops, tf
from textgen.errors import ConfigError, counted
from textgen.generation.generator import Generator
from textgen.model import LanguageModel, trainable

SEGMENT = 32  # tokens between two updates
RATE = 1e-3
DECAY = 5e-4  # of what was learned, back to the trained weights
WARMED = 256  # segments of the training text whose gradients set the scale
FLOOR = 1.0  # of the mean scale, below which none lies: rare weights do not jump


def dynamic_nats(
    generator: Generator,
    ids: Sequence[int],
    training_ids: Sequence[int],
    rate: float = RATE,
    decay: float = DECAY,
) -> np.ndarray:
    """-ln p of each of N ids [N], the weights following the text by gradient descent.

    After each segment w += -rate g / rms + decay (w_trained - w) rms / mean(rms), where rms is the
    root mean square of the weight's gradients at the end of the training text (Krause et al. 2018,
    "Dynamic evaluation of neural sequence models", RMS with global prior). A copy
    of the model learns; the model stays as it is. Raises `ConfigError` when the training text is
    shorter than a few segments.
    """
    warm = list(training_ids)[-(WARMED * SEGMENT + 1) :]
    if len(warm) < 4 * SEGMENT:
        raise ConfigError(
            f"the training text has {counted(len(warm), 'token')}: dynamic evaluation takes its "
            f"scale from at least {4 * SEGMENT}"
        )
    model = trainable(generator.network)
    weights = model.trainable_variables
    trained = [tf.constant(w.value) for w in weights]
    gradients = tf.function(lambda *batch: _gradients(model, *batch), autograph=False)

    def learn(*batch: Array) -> tuple[Array, State]:
        nats, slopes, state = _gradients(model, *batch)
        for weight, start, g, pull, scale in zip(
            weights, trained, slopes, pulls, scales, strict=True
        ):
            weight.assign_add(pull * (start - weight) - rate * scale * g)
        return nats, state

    squares = [tf.zeros_like(w) for w in trained]
    state = model.initial_state(1)
    batches = list(_segments(warm[:-1], warm[1:]))
    for batch in batches:
        _, slopes, state = gradients(*batch, state)
        squares = [s + g**2 for s, g in zip(squares, slopes, strict=True)]
    roots = [tf.sqrt(s / len(batches)) for s in squares]
    mean = float(np.mean(np.concatenate([r.numpy().ravel() for r in roots])))
    scales = [1.0 / (r + FLOOR * mean) for r in roots]
    pulls = [tf.minimum(decay * r / mean, 1.0) for r in roots]

    program = tf.function(learn, autograph=False)
    state = generator.network.initial_state(1)
    parts: list[np.ndarray] = []
    for batch in _segments([generator.tokenizer.start_id, *ids[:-1]], ids):
        nats, state = program(*batch, state)
        parts.append(nats.numpy())
    return np.concatenate(parts)[: len(ids)]


def _gradients(
    model: LanguageModel, inputs: Array, targets: Array, counted: Array, state: State
) -> tuple[Array, list[Array], State]:
    """-ln p of each target [T], the gradients of their mean, and the state after them."""
    with tf.GradientTape() as tape:
        nats, end = model.nats(inputs, targets, state)
        loss = ops.sum(nats * counted) / ops.sum(counted)
    slopes = tape.gradient(loss, model.trainable_variables)
    return nats[0], [tf.convert_to_tensor(g) for g in slopes], end


def _segments(inputs: Sequence[int], targets: Sequence[int]) -> Iterator[tuple[np.ndarray, ...]]:
    """(inputs, targets, 1 where they are text) [1, SEGMENT] in order; the last one is padded."""
    for at in range(0, len(inputs), SEGMENT):
        segment = np.zeros((3, 1, SEGMENT), np.int32)
        size = len(inputs[at : at + SEGMENT])
        segment[0, 0, :size] = inputs[at : at + SEGMENT]
        segment[1, 0, :size] = targets[at : at + SEGMENT]
        segment[2, 0, :size] = 1
        yield segment[0], segment[1], segment[2].astype(np.float32)
