"""The two passes over the scores against NumPy in float64."""

import os
import subprocess
import sys

import numpy as np
import pytest

from textgen.backend import tf
from textgen.cross_entropy import cross_entropy

N, V = 6, 9
RANDOM = np.random.default_rng(3)
BIAS = RANDOM.normal(size=V).astype(np.float32)
TARGETS = RANDOM.integers(0, V, N).astype(np.int32)
WEIGHTS = RANDOM.normal(size=N).astype(np.float32)


def found(scores, traced):
    """(nats, d scores, d bias) of sum(nats * WEIGHTS)."""

    def run(scores, bias):
        with tf.GradientTape() as tape:
            tape.watch([scores, bias])
            nats = cross_entropy(scores, bias, TARGETS)
            loss = tf.reduce_sum(nats * WEIGHTS)
        return nats, *tape.gradient(loss, [scores, bias])

    return (tf.function(run) if traced else run)(scores, tf.constant(BIAS))


def reference(scores):
    logits = scores.astype(np.float64) + BIAS
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    d = (p - np.eye(V)[TARGETS]) * WEIGHTS[:, None]
    return -np.log(p[np.arange(N), TARGETS]), d, d.sum(0)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("scale", [1.0, 60.0])  # beyond what exp holds in float32
def test_loss_and_gradient_are_those_of_the_softmax(traced, scale):
    scores = (scale * RANDOM.normal(size=(N, V))).astype(np.float32)
    for ours, theirs in zip(found(tf.constant(scores), traced), reference(scores), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_scores_in_bfloat16_lose_nothing_on_the_way():
    scores = tf.cast(RANDOM.normal(size=(N, V)), tf.bfloat16)
    nats, d_scores, d_bias = found(scores, traced=True)
    expected = reference(tf.cast(scores, tf.float32).numpy())
    assert nats.dtype == d_bias.dtype == tf.float32 and d_scores.dtype == tf.bfloat16
    np.testing.assert_allclose(nats, expected[0], rtol=1e-5)
    np.testing.assert_allclose(tf.cast(d_scores, tf.float32), expected[1], rtol=1e-2)
    np.testing.assert_allclose(d_bias, expected[2], rtol=1e-4, atol=1e-6)


PROGRAM = """
import numpy as np
from textgen.backend import tf
from textgen.cross_entropy import _forward

_forward(np.ones((2048, 96), "f"), np.ones(96, "f"), np.zeros(2048, "i"))
"""


@pytest.mark.slow
def test_two_threads_may_begin_the_program_at_once(tmp_path):
    # with a reduction left to YNNPACK, they write to one list without a lock: a crash, by chance
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    environment = os.environ | {"XLA_FLAGS": flags}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    programs = [file.read_text() for file in tmp_path.glob("*cpu_after_optimizations.txt")]
    assert any("reduce" in program for program in programs)
    assert not any("__ynn_fusion" in program for program in programs)
