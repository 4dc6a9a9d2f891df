"""Muon against NumPy: the matrices it steps along, a step by hand, which weights it takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.backend import keras
from textgen.cells import CELLS
from textgen.config import ModelConfig, TrainConfig
from textgen.model import build_model
from textgen.training.optimizers import (
    AS_ADAMW,
    FASTER,
    MOMENTUM,
    POLYNOMIAL,
    TIMES,
    is_kernel,
    optimizer,
    orthogonal,
)

CONFIG = TrainConfig(
    optimizer="muon",
    learning_rate=0.01,
    warmup=0.0,
    weight_decay=0.5,
    clip_norm=1.0,
    dtype="float32",
)


def lifted(x):
    """What `orthogonal` approximates, by way of the singular values."""
    u, s, v = np.linalg.svd(np.asarray(x, np.float64), full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(TIMES):
        s = sum(c * s**power for c, power in zip(POLYNOMIAL, (1, 3, 5), strict=True))
    return (u * s) @ v


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
def test_the_singular_values_are_lifted_and_their_vectors_stay(rows, columns, seed):
    x = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    np.testing.assert_allclose(orthogonal(x), lifted(x), atol=2e-4)


@pytest.mark.parametrize("shape", [(200, 600), (600, 200), (150, 150), (129, 700)])
@pytest.mark.parametrize("dtype, near", [("float32", 1e-3), ("bfloat16", 0.03)])
def test_products_shared_among_cores_are_the_same(shape, dtype, near):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    wanted = lifted(x)
    found = orthogonal(x, dtype)
    assert np.linalg.norm(found - wanted) < near * np.linalg.norm(wanted)


def test_a_matrix_of_zeros_stays_one():
    np.testing.assert_array_equal(orthogonal(np.zeros((3, 5), np.float32)), 0.0)


def test_kernels_step_along_orthogonal_matrices_and_the_rest_as_with_adamw():
    random = np.random.default_rng(2)
    first = {"recurrent_kernel": (4, 12), "kernel": (7, 3), "bias": (2, 12), "embeddings": (5, 4)}
    first = {name: random.normal(size=shape).astype("float32") for name, shape in first.items()}
    variables = [keras.Variable(value, name=name) for name, value in first.items()]
    twins = [keras.Variable(value, name=name) for name, value in first.items()]
    muon = optimizer(CONFIG, 10**9)  # so long that the rate stays what it is
    adamw = keras.optimizers.AdamW(0.01, weight_decay=0.5, beta_2=0.99, global_clipnorm=1.0)
    adamw.exclude_from_weight_decay(var_names=["bias"])
    muon.build(variables)
    averages = {name: 0.0 for name in first}
    wanted = dict(first)
    for _ in range(3):
        gradients = {name: random.normal(size=value.shape) for name, value in first.items()}
        whole = np.sqrt(sum((g**2).sum() for g in gradients.values()))
        muon.apply(
            [keras.ops.convert_to_tensor(g, "float32") for g in gradients.values()], variables
        )
        adamw.apply([keras.ops.convert_to_tensor(g, "float32") for g in gradients.values()], twins)
        for name in ("recurrent_kernel", "kernel"):
            g, w = gradients[name] / whole, wanted[name]
            averages[name] = MOMENTUM * averages[name] + (1 - MOMENTUM) * g
            along = lifted((1 - MOMENTUM) * g + MOMENTUM * averages[name])
            along *= AS_ADAMW * np.sqrt(max(w.shape))
            wanted[name] = w - FASTER * 0.01 * (along + 0.5 * w)
    for variable, twin in zip(variables, twins, strict=True):
        right = wanted[variable.name] if is_kernel(variable) else twin.numpy()
        np.testing.assert_allclose(variable.numpy(), right, atol=2e-5, err_msg=variable.name)
    assert len(muon.variables) == 1 + 4 + 2  # no square is kept of what it does not need


@pytest.mark.parametrize("cell", CELLS)
def test_it_takes_the_kernels_of_every_cell(cell):
    model = build_model(ModelConfig(cell=cell, hidden_size=8, num_layers=2), 20)
    found = {name for name, weight in model.named_weights().items() if is_kernel(weight)}
    wanted = {"recurrent.0.kernel", "recurrent.1.kernel", "head.kernel"}
    if CELLS[cell].recurrent:
        wanted |= {"recurrent.0.recurrent_kernel", "recurrent.1.recurrent_kernel"}
    assert found == wanted
