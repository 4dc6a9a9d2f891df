"""What takes the steps of a training, and how long they are: AdamW, Muon, the learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from textgen.arrays import Array, DType
from textgen.backend import by_xla, cores, keras, on_gpu, ops, tf
from textgen.config import TrainConfig
from textgen.training.trainer import policy
from textgen.training.voices import VOICES

FINAL_RATE = 0.05  # of the peak learning rate, at the end of the cosine
# Of Muon: the share of the average that is kept of it in each step.
MOMENTUM = 0.9
# The root mean square of the numbers of a step at a learning rate of 1, which is about AdamW's
# (Liu et al. 2025, arXiv 2502.16982); and how many times the learning rate its own is.
AS_ADAMW, FASTER = 0.2, 2.0
# The polynomial 3.4445 s - 4.7750 s³ + 2.0315 s⁵ of Jordan et al., which lifts small singular
# values s; how often it is applied. Three times make 0.7 to 1.2 of all between 0.018 and 1.
POLYNOMIAL, TIMES = (3.4445, -4.7750, 2.0315), 3
FEWEST_ROWS = 64  # of a product that are worth a core of their own


class AdamW(keras.optimizers.AdamW):  # type: ignore[misc]  # Keras ships no types
    """AdamW (Loshchilov & Hutter 2019). Compiled, a step goes over the weights once, and not once
    for each of its dozen operations."""

    def apply(self, gradients: Sequence[Array], variables: Sequence[Array]) -> None:
        """Take one step."""
        take = super().apply
        by_xla(lambda gradients: take(gradients, variables))(list(gradients))


class Muon(AdamW):
    """Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) for every kernel, a matrix that
    vectors are multiplied by; AdamW for embeddings, biases and the like.

    AdamW looks at the numbers of a kernel one by one. Muon takes the averaged gradient as the
    matrix U S V^T that it is, and steps along U V^T: as far in the many directions that few tokens
    ask for as in the few that all of them share. From one pass over a text a model learns more
    (docs/quality.md); a step of a training costs an eighth to a fifth more.
    """

    def __init__(self, *arguments: Any, clip_norm: float, dtype: DType, **settings: Any) -> None:
        """clip_norm: the largest norm of all gradients together. dtype: of its products. The rest
        is AdamW's."""
        super().__init__(*arguments, **settings)
        self.clip_norm, self.dtype = clip_norm, dtype

    def build(self, variables: Sequence[Array]) -> None:
        """Make what is kept of each variable: the average of its gradient, and of all but kernels
        that of its square."""
        if self.built:
            return
        keras.optimizers.Optimizer.build(self, variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        others = [v for v in variables if not is_kernel(v)]
        squares = iter(self.add_optimizer_variables(others, "velocity"))
        self._velocities = [None if is_kernel(v) else next(squares) for v in variables]

    def apply(self, gradients: Sequence[Array], variables: Sequence[Array]) -> None:
        """Take one step."""
        average = by_xla(lambda gradients: self._averaged(gradients, variables))
        pairs = zip(average(list(gradients)), variables, strict=True)
        along = [orthogonal(g, self.dtype) if is_kernel(v) else g for g, v in pairs]
        super().apply(along, variables)

    def _averaged(self, gradients: list[Array], variables: Sequence[Array]) -> list[Array]:
        """The gradients, clipped; of kernels, their average over the steps so far, a step ahead
        (Nesterov's)."""
        gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm)
        for place, variable in enumerate(variables):
            if is_kernel(variable):
                gradient = gradients[place]
                average = self._momentums[self._get_variable_index(variable)]
                average.assign(gradient + MOMENTUM * (average - gradient))
                gradients[place] = gradient + MOMENTUM * (average - gradient)
        return list(gradients)

    def update_step(self, gradient: Array, variable: Array, learning_rate: Array) -> None:
        """Move `variable`; a kernel along `gradient`, an orthogonal matrix, and it decays."""
        if self._velocities[self._get_variable_index(variable)] is not None:
            super().update_step(gradient, variable, learning_rate)
            return
        # n singular values of 1 in an [n, m] make its mean square 1 / max(n, m)
        along = AS_ADAMW * max(variable.shape) ** 0.5 * gradient
        rate = FASTER * ops.cast(learning_rate, variable.dtype)
        variable.assign_sub(rate * (along + self.weight_decay * variable))


def is_kernel(variable: Array) -> bool:
    """Whether vectors are multiplied by this weight."""
    return str(variable.name).endswith("kernel")


def orthogonal(x: Array, dtype: DType = "float32") -> Array:
    """x [N, M], a matrix U S V^T -> about U V^T: the polynomial applied to its singular values.

    A polynomial of x is one of x x^T times x, so all but the first and the last product are of
    matrices as small as the smaller side of x. Each product is shared out among the cores.
    dtype: of the products, in which small errors do no harm.
    """
    if x.shape[0] > x.shape[1]:
        return tf.transpose(orthogonal(tf.transpose(x), dtype))
    x = x / (tf.norm(x) + 1e-7)  # so that no singular value is above 1
    squared, whole = _product(x, tf.transpose(x), dtype), None
    one, (a, b, c) = tf.eye(x.shape[0]), POLYNOMIAL
    for time in range(TIMES):
        factor = a * one + b * squared + c * _product(squared, squared, dtype)
        whole = factor if whole is None else _product(whole, factor, dtype)
        if time < TIMES - 1:
            squared = _product(_product(factor, squared, dtype), factor, dtype)
    return _product(whole, x, dtype)


def _product(x: Array, y: Array, dtype: DType) -> Array:
    x, y = tf.cast(x, dtype), tf.cast(y, dtype)
    parts = 1 if on_gpu() else max(1, min(cores(), x.shape[0] // FEWEST_ROWS))
    size = math.ceil(x.shape[0] / parts)
    products = [tf.matmul(x[k * size : (k + 1) * size], y) for k in range(parts)]
    return tf.cast(tf.concat(products, 0), "float32")


class TimedSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule over `steps` that goes by the time where more of that is gone than of the steps.

    gone: a variable with the share of the time.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int, gone: Array
    ) -> None:
        self.schedule, self.steps, self.gone = schedule, steps, gone

    def __call__(self, step: Array) -> Array:
        return self.schedule(ops.maximum(ops.cast(step, "float32"), self.gone * self.steps))


def optimizer(config: TrainConfig, steps: int, gone: Array = None) -> AdamW:
    """What `config` names, clipped; the rate rises, then falls as a cosine.

    gone: a variable with the share of `max_seconds` that is gone, where the training has to end in
    time: so that the rate is at its lowest then, however fast the steps were.
    """
    warmup = round(config.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=max(steps - warmup, 1),
        alpha=FINAL_RATE,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    if gone is not None:
        schedule = TimedSchedule(schedule, steps, gone)
    settings = {"weight_decay": config.weight_decay, "beta_2": 0.99}
    # a voice has a gradient only where its label is read: decay at every step would take it away
    undecayed = ["bias", VOICES]
    if config.optimizer == "muon":
        undecayed.append("kernel")  # which decay with Muon's own steps
        dtype = keras.DTypePolicy(policy(config.dtype)).compute_dtype
        found = Muon(schedule, clip_norm=config.clip_norm, dtype=dtype, **settings)
    else:
        found = AdamW(schedule, global_clipnorm=config.clip_norm, **settings)
    found.exclude_from_weight_decay(var_names=undecayed)
    return found
