"""A language model as Keras's `fit` and `evaluate` want it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from textgen import backend
from textgen.arrays import Array, Arrays
from textgen.backend import keras, ops, tf
from textgen.model import LanguageModel
from textgen.training.distributed import Workers
from textgen.training.voices import Voices

# Share of lanes that forget their state before a batch. Without it a model meets the empty state
# once an epoch, and a sample from a short prompt begins with noise.
FORGET = 0.02


class LaneTrainer(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """Ids in, logits out, the state kept between batches.

    The state of every lane lives in non-trainable weights, so that one batch begins where the
    batch before it ended. Gradients stop at the border. Without `carry` every row of a batch is a
    document of its own, read from the empty state.
    """

    def __init__(
        self,
        model: LanguageModel,
        lanes: int,
        seed: int = 0,
        *,
        carry: bool = True,
        workers: Workers | None = None,
        voices: Voices | None = None,
        rates: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """lanes: those of this worker, where several share a batch. voices: of a text with labels,
        whose batches say where one begins. rates: how many times as fast as the rest the numbers of
        a weight are learned, by its name in `LanguageModel.named_weights`; broadcast to it."""
        super().__init__(name="lane_trainer")
        self.model = model
        self.workers = workers
        self.carry = carry
        self.voices = voices
        named = model.named_weights()
        self.rates = [(named[name], rate) for name, rate in (rates or {}).items()]
        self.carried = [
            [
                self.add_weight(
                    shape=(lanes, model.config.hidden_size),
                    initializer="zeros",
                    trainable=False,
                    name=f"carried_{layer}_{part}",
                )
                for part in range(len(parts))
            ]
            for layer, parts in enumerate(model.initial_state(1))
        ]
        self.lanes = lanes
        self.random = keras.random.SeedGenerator(seed)
        self.nats = keras.metrics.Mean(name="nats")  # per token, every token counted alike

    def build(self, *shapes: object) -> None:
        """Nothing is left to make: the model has its weights."""
        self.built = True

    def call(
        self, ids: Array, targets: Array, training: bool = False, begins: Array = None
    ) -> Array:
        """ids, targets [lanes, T] -> -ln p of each target [lanes, T]. begins [lanes]: of a text
        with labels."""
        if not self.carry:
            return self.model.nats(ids, targets, training=training)[0]
        state = tuple(tuple(part.value for part in layer) for layer in self.carried)
        if training:
            known = self._draw() >= FORGET
            state = tuple(tuple(ops.where(known, p, 0.0) for p in layer) for layer in state)
        if self.voices is not None:
            state = self.voices.begin(state, begins)
        nats, end = self.model.nats(ids, targets, state, training=training)
        for layer, parts in zip(self.carried, end, strict=True):
            for part, value in zip(layer, parts, strict=True):
                part.assign(ops.stop_gradient(value))
        return nats

    def _draw(self) -> Array:
        """A random number from 0 to 1 for each lane, the same however many workers share them:
        [lanes, 1]."""
        if self.workers is None:
            return keras.random.uniform((self.lanes, 1), seed=self.random)
        every = (self.lanes * self.workers.number, 1)
        return self.workers.rows(keras.random.uniform(every, seed=self.random))

    def train_step(self, data: Arrays) -> dict[str, Array]:
        """One step on (ids, targets, weights), and with voices what begins in each row, by the
        weighted mean of the cross-entropy over the whole batch, whose rows several workers may
        share."""
        ids, targets, weights, *begins = data
        with tf.GradientTape() as tape:
            nats = self(ids, targets, training=True, **_named(begins))
            loss = ops.sum(nats * weights)
        # sums, which several workers can add up; the mean comes after
        of_loss = tape.gradient(loss, self.trainable_variables)
        sums = [*map(tf.convert_to_tensor, of_loss), ops.sum(weights), *_counted(nats, weights)]
        if self.workers is not None:
            sums = self.workers.total(sums)
        *gradients, weight, nats_sum, tokens = sums
        self._update(gradients, ops.maximum(weight, 1.0))
        return self._add_to_epoch(nats_sum, tokens)

    def _update(self, gradients: list[Array], weight: Array) -> None:
        """One step of the optimizer. gradients: of a loss that is `weight` times as large.

        A step has the same length whatever the gradient's: a weight with a rate of its own is taken
        as many times as far along it."""
        before = [ops.copy(weight) for weight, _ in self.rates]
        self.optimizer.apply([g / weight for g in gradients], self.trainable_variables)
        for (slow, rate), was in zip(self.rates, before, strict=True):
            slow.assign(was + rate * (slow - was))

    def test_step(self, data: Arrays) -> dict[str, Array]:
        """As `train_step`, without the gradient: for `evaluate`."""
        ids, targets, weights, *begins = data
        return self._add_to_epoch(*_counted(self(ids, targets, **_named(begins)), weights))

    def _add_to_epoch(self, nats: Array, tokens: Array) -> dict[str, Array]:
        """Add a batch, of so many nats in all, to the mean of the epoch."""
        self.nats.update_state(nats / ops.maximum(tokens, 1.0), tokens)
        return {"loss": self.nats.result()}

    @property
    def sums(self) -> tuple[float, float]:
        """(nats, tokens) of the epoch so far."""
        return float(self.nats.total), float(self.nats.count)

    def reset_sums(self, nats: float = 0.0, tokens: float = 0.0) -> None:
        """Go on with these sums of the epoch."""
        self.nats.total.assign(nats)
        self.nats.count.assign(tokens)

    def prepare(
        self, optimizer: keras.optimizers.Optimizer
    ) -> Callable[[Iterator[Arrays]], dict[str, Array]]:
        """Take a fresh optimizer; what is returned takes a step on the next of some batches."""
        self.compile(optimizer=optimizer, jit_compile=False)
        self.optimizer.build(self.trainable_variables)
        self.make_train_function(force=True)
        step: Callable[[Iterator[Arrays]], dict[str, Array]] = self.train_function
        return step

    def reset_lanes(self) -> None:
        """Set the state of every lane to zero: the next batch begins a text."""
        for layer in self.carried:
            for part in layer:
                part.assign(ops.zeros(part.shape))


def _named(begins: list[Array]) -> dict[str, Array]:
    """What `call` takes beside ids and targets: `begins`, where the batch has it."""
    return dict(zip(("begins",), begins, strict=False))


def _counted(nats: Array, weights: Array) -> tuple[Array, Array]:
    """(sum of the nats, number) of the tokens of any weight, all counted alike."""
    counted = ops.cast(weights > 0, "float32")
    return ops.sum(nats * counted), ops.sum(counted)


def policy(dtype: str) -> str:
    """The Keras policy: weights, states and the loss stay float32 in each."""
    if dtype == "auto":
        dtype = "bfloat16" if backend.has_bfloat16() else "float32"
    return "mixed_bfloat16" if dtype == "bfloat16" else "float32"
