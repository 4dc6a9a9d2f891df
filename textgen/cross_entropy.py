"""The loss of a vocabulary of thousands, in two passes over the scores.

Written op by op, a softmax goes over [N, V] about ten times (bias, float32, maximum, exponentials,
sum, quotient, ... and all the way back), and with a vocabulary of a thousand takes longer than the
products around it. Here XLA compiles one pass forward, which keeps a number a row, and one back.
"""

from __future__ import annotations

from textgen.arrays import Array, Arrays
from textgen.backend import tf


def cross_entropy(scores: Array, bias: Array, targets: Array) -> Array:
    """-ln softmax(scores + bias)[target] of each row: float32 [N].

    scores [N, V], in the type they were multiplied in; bias [V]; targets [N]: ids. All that is done
    with the scores is done in float32, their gradient is of their own type.
    """

    @tf.custom_gradient
    def run(scores: Array, bias: Array) -> Array:
        nats, normalizers = _forward(scores, bias, targets)

        def gradient(d_nats: Array) -> Arrays:
            return _backward(scores, bias, targets, normalizers, d_nats)

        return nats, gradient

    return run(scores, tf.cast(bias, tf.float32))


@tf.function(jit_compile=True, autograph=False)
def _forward(scores: Array, bias: Array, targets: Array) -> Arrays:
    """(-ln p of each target, ln sum exp of each row), both [N]."""
    logits = tf.cast(scores, tf.float32) + bias
    normalizers = tf.reduce_logsumexp(logits, -1)
    return normalizers - tf.gather(logits, targets, batch_dims=1), normalizers


@tf.function(jit_compile=True, autograph=False)
def _backward(
    scores: Array, bias: Array, targets: Array, normalizers: Array, d_nats: Array
) -> Arrays:
    """(d scores, d bias) = (p - one_hot(target)) d_nats, and the sum of that over rows."""
    logits = tf.cast(scores, tf.float32) + bias
    p = tf.exp(logits - normalizers[:, None])
    d = (p - tf.one_hot(targets, logits.shape[1])) * d_nats[:, None]
    return tf.cast(d, scores.dtype), tf.reduce_sum(d, 0)
