"""A model that goes on learning while it reads: dynamic evaluation and the neural cache.

Both predict each token before they learn from it, so what they reach is a fair figure for the text;
but they use more than the weights that were trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from textgen.backend import ops, tf
from textgen.errors import ConfigError
from textgen.evaluation.batch_reader import Reader
from textgen.generation.generator import Generator
from textgen.model import LanguageModel, State

# --- the neural cache -----------------------------------------------------------------------------

BLOCK = 256  # tokens weighed at once
SHARES = (0.02, 0.05, 0.1, 0.2, 0.35)  # of the cache in the prediction
SHARPNESS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the weights, per unit of the keys' own spread


def cache_nats(generator: Generator, ids: Sequence[int], size: int) -> np.ndarray:
    """-ln p of each of N ids [N], with a continuous cache of the last `size` tokens.

    p(x) = (1 - share) p_model(x) + share * sum of w_i over those cached tokens i that x followed,
    w = softmax(sharpness * h_t h_i) over the cache (Grave, Joulin & Usunier 2017). There, share and
    sharpness are found on a validation text. Here each block takes those that were best on the
    blocks before it, so that nothing is left to choose and nothing is known in advance.
    """
    if size < 1:
        raise ConfigError(f"cache is {size}: give at least 1 token to look back on")
    reader, targets = Reader(generator.model), np.asarray(ids)
    inputs = [generator.tokenizer.start_id, *ids[:-1]]
    grid = list(itertools.product(SHARPNESS, SHARES))
    losses = np.zeros(len(grid) + 1)  # the last: without a cache
    keys = np.zeros((0, generator.config.hidden_size), np.float32)
    followers, spread = targets[:0], 0.0
    found: list[np.ndarray] = []
    for at, hidden, own in _read(reader, inputs, targets):
        part = targets[at : at + len(own)]
        window = np.concatenate([keys, hidden])
        follows = np.concatenate([followers, part])
        cached, spread = _cache(hidden, window, follows, part, len(keys), size, spread)
        rows = np.array(
            [(1 - s) * own + s * cached[sharp] for sharp, s in grid] + [own], np.float64
        )
        nats = -np.log(np.maximum(rows, 1e-30))
        found.append(nats[int(losses.argmin())] if losses.any() else nats[-1])
        losses += nats.sum(1)
        keys, followers = window[-size:], follows[-size:]
    return np.concatenate(found)


def _read(
    reader: Reader, inputs: Sequence[int], targets: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(place, h of the last layer [T, U], p(target) [T]) of blocks of a text."""
    at = 0
    for states in reader.course(inputs):
        hidden = np.asarray(states[-1][0])
        logprobs = reader.next_logprobs(states)
        own = np.exp(logprobs[np.arange(len(hidden)), targets[at : at + len(hidden)]])
        for k in range(0, len(hidden), BLOCK):
            yield at + k, hidden[k : k + BLOCK], own[k : k + BLOCK]
        at += len(hidden)


def _cache(
    hidden: np.ndarray,
    window: np.ndarray,
    follows: np.ndarray,
    part: np.ndarray,
    before: int,
    size: int,
    spread: float,
) -> tuple[dict[float, np.ndarray], float]:
    """(p_cache(target) [T] for each sharpness, spread of the products); keys older than `size`
    tokens do not count.

    window [before + T, U] ends with the block itself, of which row t sees the rows above it. The
    products are measured in units of `spread`, that of the block before; the first takes its own.
    """
    scores = hidden @ window.T
    age = np.arange(before, before + len(hidden))[:, None] - np.arange(len(window))
    allowed = (age >= 1) & (age <= size)
    own_spread = max(float(scores[allowed].std()), 1e-6) if allowed.any() else 1.0
    same = follows == part[:, None]
    found = {}
    for sharp in SHARPNESS:
        raised = np.where(allowed, scores * (sharp / (spread or own_spread)), -np.inf)
        raised -= np.maximum(raised.max(1, keepdims=True), -1e30)
        weights = np.exp(raised)
        total = np.maximum(weights.sum(1), 1e-30)
        found[sharp] = (weights * same).sum(1) / total
    return found, own_spread


# --- dynamic evaluation ---------------------------------------------------------------------------

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
    "Dynamic evaluation of neural sequence models", RMS with global prior). The trained weights are
    put back at the end. Raises `ConfigError` when the training text is shorter than a few segments.
    """
    warm = list(training_ids)[-(WARMED * SEGMENT + 1) :]
    if len(warm) < 4 * SEGMENT:
        raise ConfigError(
            f"the training text has {len(warm)} tokens: dynamic evaluation takes its scale from at "
            f"least {4 * SEGMENT}"
        )
    model, weights = generator.model, generator.model.trainable_variables
    trained = [tf.constant(w.value) for w in weights]
    gradients = tf.function(lambda *batch: _gradients(model, *batch), autograph=False)

    def learn(*batch: Any) -> tuple[Any, State]:
        nats, found, state = _gradients(model, *batch)
        for weight, start, g, pull, scale in zip(
            weights, trained, found, pulls, scales, strict=True
        ):
            weight.assign_add(pull * (start - weight) - rate * scale * g)
        return nats, state

    squares = [tf.zeros_like(w) for w in trained]
    state = model.initial_state(1)
    batches = list(_segments(warm[:-1], warm[1:]))
    for batch in batches:
        _, found, state = gradients(*batch, state)
        squares = [s + g**2 for s, g in zip(squares, found, strict=True)]
    roots = [tf.sqrt(s / len(batches)) for s in squares]
    mean = float(np.mean(np.concatenate([r.numpy().ravel() for r in roots])))
    scales = [1.0 / (r + FLOOR * mean) for r in roots]
    pulls = [tf.minimum(decay * r / mean, 1.0) for r in roots]

    program = tf.function(learn, autograph=False)
    state = model.initial_state(1)
    read: list[np.ndarray] = []
    try:
        for batch in _segments([generator.tokenizer.start_id, *ids[:-1]], ids):
            nats, state = program(*batch, state)
            read.append(nats.numpy())
    finally:
        for weight, start in zip(weights, trained, strict=True):
            weight.assign(start)
    return np.concatenate(read)[: len(ids)]


def _gradients(
    model: LanguageModel, inputs: Any, targets: Any, counted: Any, state: State
) -> tuple[Any, list[Any], State]:
    """-ln p of each target [T], the gradients of their mean, and the state after them."""
    with tf.GradientTape() as tape:
        nats, end = model.nats(inputs, targets, state)
        loss = ops.sum(nats * counted) / ops.sum(counted)
    found = tape.gradient(loss, model.trainable_variables)
    return nats[0], [tf.convert_to_tensor(g) for g in found], end


def _segments(inputs: Sequence[int], targets: Sequence[int]) -> Iterator[tuple[np.ndarray, ...]]:
    """(inputs, targets, 1 where they are text) [1, SEGMENT] in order; the last one is padded."""
    for at in range(0, len(inputs), SEGMENT):
        rows = np.zeros((3, 1, SEGMENT), np.int32)
        size = len(inputs[at : at + SEGMENT])
        rows[0, 0, :size] = inputs[at : at + SEGMENT]
        rows[1, 0, :size] = targets[at : at + SEGMENT]
        rows[2, 0, :size] = 1
        yield rows[0], rows[1], rows[2].astype(np.float32)
