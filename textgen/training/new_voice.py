"""A voice for a model that is finished: the state to begin in, found by gradient descent from a
little text of someone new, while every weight stays as it is.

Its documents begin in the voice, as in training. Some are held out to say when to stop.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np

from textgen.arrays import Array
from textgen.data.batches import padded_texts
from textgen.errors import CorpusError
from textgen.generation.generator import Generator

LONGEST = 256  # tokens of a document: what a voice tells has faded behind them
HELD_OUT_EVERY = 5  # documents, of which one is held out
BATCH_SIZE = 32  # documents
LEARNING_RATE = 0.03  # of Adam
JUDGED_EVERY = 10  # steps
PATIENCE = 4  # judgements without a better one before it stops
MOST_STEPS = 400


@dataclasses.dataclass(frozen=True)
class NewVoice:
    """A voice that was learned, and what it brings.

    state: [layers, parts of a state, U]. none, own: bits per character of what was held out, begun
    in no voice and in this one, which was chosen by that: on other text it gains less.
    """

    state: np.ndarray
    none: float
    own: float


def learn_voice(model: Generator, documents: Iterable[str], seed: int = 1) -> NewVoice:
    """The state that `documents` are best begun in. Raises `CorpusError` where they are too few to
    hold out some."""
    tokenizer = model.tokenizer
    rows = [[tokenizer.start_id, *tokenizer.encode(text)][: LONGEST + 1] for text in documents]
    if len(rows) < HELD_OUT_EVERY:
        raise CorpusError(
            f"documents of the text that could begin in the voice: {len(rows)}; give at least "
            f"{HELD_OUT_EVERY}, parted by blank lines, or add --sample-by line"
        )
    from textgen.backend import keras, ops, tf  # only here: few documents are refused at once
    from textgen.model import trainable

    network, language_model = model.network, trainable(model.network)
    shape = network.state_shape
    voice = keras.Variable(np.zeros(shape, "float32"), name="voice")
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([voice])

    def nats(inputs: Array, targets: Array, counted: Array) -> Array:
        """The sum over all targets that count."""
        wide = (inputs.shape[0], shape[-1])
        state = tuple(
            tuple(ops.broadcast_to(voice[k, p], wide) for p in range(shape[1]))
            for k in range(shape[0])
        )
        return ops.sum(language_model.nats(inputs, targets, state)[0] * counted)

    def learn(inputs: Array, targets: Array, counted: Array) -> None:
        with tf.GradientTape() as tape:
            loss = nats(inputs, targets, counted) / ops.sum(counted)
        optimizer.apply([tf.convert_to_tensor(tape.gradient(loss, voice.value))], [voice])

    held_out = _batch(rows[::HELD_OUT_EVERY], tokenizer.unk_id)
    trained_on = _batch([row for k, row in enumerate(rows) if k % HELD_OUT_EVERY], tokenizer.unk_id)
    characters = sum(
        len(tokenizer.decode(i for i in ids[1:] if i != tokenizer.unk_id))
        for ids in rows[::HELD_OUT_EVERY]
    )
    judge, step = (tf.function(program, autograph=False) for program in (nats, learn))

    def bits() -> float:
        return float(judge(*held_out)) / math.log(2) / max(characters, 1)

    best = NewVoice(np.zeros(shape, np.float32), (none := bits()), none)
    rng, waited = np.random.default_rng(seed), 0
    size = min(BATCH_SIZE, len(trained_on[0]))
    for number in range(1, MOST_STEPS + 1):
        chosen = rng.permutation(len(trained_on[0]))[:size]
        step(*(part[chosen] for part in trained_on))
        if number % JUDGED_EVERY:
            continue
        waited += 1
        if (own := bits()) < best.own:
            best, waited = NewVoice(np.asarray(voice).copy(), none, own), 0
        if waited == PATIENCE:
            break
    return best


def _batch(rows: Sequence[Sequence[int]], unk_id: int | None) -> tuple[np.ndarray, ...]:
    """Inputs, targets and what counts, each [B, T]: no character that the model lacks, which a
    voice would only learn to expect."""
    inputs, targets, counted = padded_texts(rows)
    return inputs, targets, counted * (targets != unk_id)
