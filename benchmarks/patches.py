"""Tricks of training that the package does not have: put in from here, to see what they are worth.

Each function patches the package in this process. `benchmarks/tricks.py` runs them; what did not
pay stays here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from textgen.backend import keras, ops, tf
from textgen.cells import layer as recurrent_layer
from textgen.config import TrainConfig
from textgen.data.batches import ready
from textgen.data.lanes import Lanes
from textgen.model import LanguageModel
from textgen.training.loop import Training
from textgen.training.trainer import LaneTrainer
from textgen.training.validation import Validation

WEIGHT_DROP, EMBEDDING_DROP, AVERAGE = 0.2, 0.1, 0.995
ACTIVATION, CHANGE = 2.0, 1.0  # AR and TAR, as their paper has them
GROWTH = ((0.5, 2), (0.75, 4))  # from this share of the steps on, so many batches to a step
MASKS = 8


def keep() -> None:
    """As it is."""


def locked_dropout() -> None:
    """One mask for all steps of a window (Gal & Ghahramani 2016)."""
    anew = keras.layers.Dropout
    keras.layers.Dropout = lambda rate, **more: anew(rate, noise_shape=(1, None, None), **more)


def weight_drop() -> None:
    """Weights of the recurrent kernel dropped for a window (Merity et al. 2018)."""
    scan, now = recurrent_layer.scan, _noted()

    def dropped(cell: Any, a: Any, weights: Any, state: Any, dtype: Any = None) -> Any:
        if now["training"]:
            kernel = tf.nn.dropout(weights["recurrent_kernel"], WEIGHT_DROP)
            weights = weights | {"recurrent_kernel": kernel}
        return scan(cell, a, weights, state, dtype)

    recurrent_layer.scan = dropped


def averaging() -> None:
    """A moving average of the weights is judged (Polyak & Juditsky 1992)."""
    from textgen.training import loop

    made = loop.optimizer

    def optimizer(config: TrainConfig, steps: int, gone: Any = None) -> Any:
        adam = keras.optimizers.AdamW(
            made(config, steps, gone)._learning_rate,
            weight_decay=config.weight_decay,
            beta_2=0.99,
            global_clipnorm=config.clip_norm,
            use_ema=True,
            ema_momentum=AVERAGE,
            ema_overwrite_frequency=None,
        )
        adam.exclude_from_weight_decay(var_names=["bias"])
        return adam

    end_epoch = Training.end_epoch

    def averaged(self: Training) -> None:
        def follow() -> None:
            adam = self.trainer.optimizer
            averages = adam._model_variables_moving_average
            pairs = zip(adam._trainable_variables, averages, strict=True)
            by_weight = {id(variable): average for variable, average in pairs}
            for weight, copy in self.twin.pairs:
                copy.assign(by_weight[id(weight)])

        self.twin.follow = follow  # type: ignore[method-assign]
        end_epoch(self)

    loop.optimizer = optimizer
    Training.end_epoch = averaged  # type: ignore[method-assign]


def uncarried() -> None:
    """Every window is trained from the empty state; it is judged with the state carried."""
    call = LaneTrainer.call

    def forgetting(self: Any, ids: Any, targets: Any, training: bool = False) -> Any:
        if training:
            return self.model.nats(ids, targets, training=True)[0]
        return call(self, ids, targets)

    LaneTrainer.call = forgetting  # type: ignore[method-assign, assignment]


def flat_rate() -> None:
    """The learning rate stays where the warm-up left it."""
    from textgen.training import optimizers

    optimizers.FINAL_RATE = 1.0


def straight_rate() -> None:
    """The learning rate falls to nothing in a straight line."""
    from textgen.training import loop

    made = loop.optimizer

    def optimizer(config: TrainConfig, steps: int, gone: Any = None) -> Any:
        warmup = max(config.warmup * steps, 1.0)

        class Straight(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step: Any) -> Any:
                step = ops.cast(step, "float32")
                share = ops.minimum(step / warmup, (steps - step) / (steps - warmup))
                return config.learning_rate * ops.maximum(share, 0.0)

        found = made(config, steps, gone)
        found.learning_rate = Straight()
        return found

    loop.optimizer = optimizer


def growing_batch() -> None:
    """More batches to a step instead of a lower rate (Smith et al. 2018)."""
    from textgen.training import loop

    made = loop.optimizer
    flat_rate()

    def optimizer(config: TrainConfig, steps: int, gone: Any = None) -> Any:
        found = made(config, steps, gone)
        apply = found.apply
        sums: list[Any] = []
        batches, since = tf.Variable(0, dtype=tf.int64), tf.Variable(0.0)

        def grown(gradients: Any, variables: Any) -> None:
            if not sums:
                sums.extend(tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables)
            for whole, gradient in zip(sums, gradients, strict=True):
                whole.assign_add(gradient)
            share = tf.cast(batches.assign_add(1), tf.float32) / steps
            wanted = tf.reduce_max([1.0, *(n * tf.cast(share >= s, tf.float32) for s, n in GROWTH)])

            def step() -> Any:
                apply([whole / since for whole in sums], variables)
                for whole in sums:
                    whole.assign(tf.zeros_like(whole))
                return since.assign(0.0)

            tf.cond(since.assign_add(1.0) >= wanted, step, lambda: since.read_value())

        found.apply = grown  # type: ignore[method-assign]
        return found

    loop.optimizer = optimizer


def several_masks() -> None:
    """Judged by the mean of what it predicts under several masks of dropout, as it was trained
    (Gal & Ghahramani 2016; Melis et al. 2020)."""
    from textgen.training import trainer

    def loss(self: Validation) -> float:
        forget, trainer.FORGET = trainer.FORGET, 0.0
        program = tf.function(lambda *pair: self.evaluator(*pair, training=True), autograph=False)
        batches = list(self.batches.dataset().take(self.batches.steps))
        read, counted = [], np.concatenate([w for *_, w in batches], 1)
        for _ in range(MASKS):
            self.evaluator.reset_lanes()
            read.append(np.concatenate([program(*pair) for *pair, _ in batches], 1))
        trainer.FORGET = forget
        nats = -np.log(np.exp(-np.stack(read)).mean(0))
        return float((nats * counted).sum() / counted.sum())

    Validation.loss = loss  # type: ignore[method-assign]


def embedding_dropout() -> None:
    """Whole tokens dropped for a window, wherever they stand (Gal & Ghahramani 2016)."""
    now = _noted()

    def call(self: Any, ids: Any) -> Any:
        table = ops.convert_to_tensor(self.embeddings)
        if now["training"]:
            table = tf.nn.dropout(table, EMBEDDING_DROP, noise_shape=(table.shape[0], 1))
        return ops.cast(ops.take(table, ids, axis=0), self.compute_dtype)

    keras.layers.Embedding.call = call


def activation_penalty() -> None:
    """AR and TAR: large outputs, and large changes of them, cost (Merity et al. 2017)."""
    call, scores = LaneTrainer.call, LanguageModel._scores
    seen: list[
        Any
    ] = []  # what is read out of the batch [T B, U], in as many parts as it is read in

    def remembered(self: Any, hidden: Any) -> Any:
        seen.append(hidden)
        return scores(self, hidden)

    def penalised(self: Any, ids: Any, targets: Any, training: bool = False) -> Any:
        seen.clear()
        nats = call(self, ids, targets, training)
        if not training:
            return nats
        for read in seen:
            h = ops.cast(ops.reshape(read, (ids.shape[1], -1, read.shape[-1])), "float32")
            nats += ACTIVATION / len(seen) * ops.mean(ops.square(h))
            nats += CHANGE / len(seen) * ops.mean(ops.square(h[1:] - h[:-1]))
        return nats

    LaneTrainer.call = penalised  # type: ignore[method-assign, assignment]
    LanguageModel._scores = remembered  # type: ignore[method-assign]


def shifted() -> None:
    """Every pass cuts the text into windows at other places."""

    def dataset(self: Lanes, start: int = 0) -> Any:
        length = self.sequence_length
        ends = ((0, 0), (0, length))
        arrays = [tf.constant(np.pad(a, ends)) for a in (self.inputs, self.targets, self.weights)]
        offsets = tf.constant(np.random.default_rng(1).integers(0, length, 1000), tf.int64)

        def batch(k: Any) -> tuple[Any, ...]:
            begin = tf.cast(k % self.steps * length + offsets[k // self.steps], tf.int32)
            shape = (self.batch_size, length)
            return tuple(tf.ensure_shape(a[:, begin : begin + length], shape) for a in arrays)

        return ready(tf.data.Dataset.range(start, np.iinfo(np.int64).max).map(batch))

    Lanes.dataset = dataset  # type: ignore[method-assign]


def layer_norm() -> None:
    """What is read out is normalised (Ba et al. 2016)."""
    make, scores = LanguageModel.__init__, LanguageModel._scores
    named = LanguageModel.named_weights

    def init(self: Any, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy)

    def with_norm(self: Any) -> dict[str, Any]:
        return named(self) | {f"norm.{w.name}": w for w in self.norm.weights}

    LanguageModel.__init__ = init  # type: ignore[method-assign]
    LanguageModel.named_weights = with_norm  # type: ignore[method-assign]
    LanguageModel._scores = lambda self, hidden: scores(self, self.norm(hidden))  # type: ignore[method-assign]


def residual() -> None:
    """A second layer adds to what the first one gives (He et al. 2016)."""

    def read(self: Any, ids: Any, state: Any, training: bool) -> Any:
        x = self.dropout(self.embedding(ops.transpose(ids)), training=training)
        ends: list[Any] = []
        for layer, begin in zip(self.recurrent, state, strict=True):
            given, (x, end) = x, layer(x, begin)
            x = self.dropout(x + given if ends else x, training=training)
            ends.append(end)
        return x, tuple(ends)

    LanguageModel._read = read  # type: ignore[method-assign]


def _noted() -> dict[str, bool]:
    """Whether what is being traced trains: kept up to date."""
    call, now = LaneTrainer.call, {"training": False}

    def noted(self: Any, ids: Any, targets: Any, training: bool = False) -> Any:
        now["training"] = training
        return call(self, ids, targets, training)

    LaneTrainer.call = noted  # type: ignore[method-assign, assignment]
    return now
