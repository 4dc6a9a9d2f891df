import numpy as np
import pytest

from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.interpret import trace
from textgen.interpret.gradient_flow import along, norms, powers, run_free, slope
from textgen.interpret.sums import sums
from tiny import drawn


def test_powers():
    np.testing.assert_allclose(powers(0.5, 3), [1, 0.5, 0.25, 0.125])
    assert powers(0.9, 100)[-1] < 1e-4 and powers(1.1, 100)[-1] > 1e4 and powers(1, 100)[-1] == 1


@pytest.mark.parametrize("activation, greatest", [("tanh", 1.0), ("sigmoid", 0.25), ("relu", 1.0)])
def test_slopes_are_derivatives(activation, greatest):
    a = np.linspace(-5, 5, 1000)  # 0 is not among them
    y = {"tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda a: np.maximum(a, 0)}[activation](a)
    clear = np.abs(a[1:-1]) > 0.02  # of the corner of relu
    found, wanted = slope(activation, a)[1:-1], np.gradient(y, a)[1:-1]
    np.testing.assert_allclose(found[clear], wanted[clear], atol=1e-3)
    assert slope(activation, np.array([1e-9]))[0] == pytest.approx(greatest)
    assert slope(activation, a).max() <= greatest


def test_relu_runs_away_where_tanh_does_not():
    relu, tanh = run_free("relu", 1.2, 40), run_free("tanh", 1.2, 40)
    np.testing.assert_allclose(relu, powers(1.2, 40), rtol=1e-4)
    assert tanh.max() < 64**0.5  # each of 64 parts lies below 1
    np.testing.assert_allclose(run_free("relu", 1.0, 40), 1, rtol=1e-5)


def test_along_is_the_product_of_what_is_kept():
    keep = np.array([[0.1, 0.2], [0.5, 1.0], [0.9, 0.0]])
    found = along(keep, np.array([2.0, 3.0]))
    np.testing.assert_allclose(found, [[2 * 0.45, 0], [2 * 0.9, 0], [2, 3]])
    assert norms(found)[-1] == pytest.approx(13**0.5)
    tiny = np.array([[3e-200, 4e-200], [0.0, 0.0]])  # whose squares float64 does not hold
    assert norms(tiny).tolist() == pytest.approx([5e-200, 0.0])


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("voiced", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_sums_are_what_the_gates_are_made_of(cell, voiced):
    model = drawn(ModelConfig(cell=cell, hidden_size=6, embedding_size=4, num_layers=2), 9, scale=1)
    ids = [1, 5, 8, 2]
    if voiced:
        rng = np.random.default_rng(1)
        model.first = rng.normal(0, 0.5, model.state_shape).astype(np.float32)
    found = trace(model, ids)
    for layer, token in ((0, 0), (1, 0), (0, 3), (1, 2)):
        values = {name: v[token] for name, v in found.layers[layer].items()}
        parts = sums(model, ids, found, layer, token)
        for gate in model.cell.gates:
            whole = sum(parts[gate].values())
            share = (
                np.exp(whole - values["n"]) if (cell, gate) == ("slstm", "i") else sigmoid(whole)
            )
            np.testing.assert_allclose(share, values[gate], atol=1e-5)
        c = parts.get("c") or parts["h"]
        if cell == "gru":
            whole = c["x"] + c["b"] + values["r"] * (c["h"] + c["b'"])
        else:
            whole = sum(c.values())
        if cell not in ("mingru", "minlstm"):
            whole = np.tanh(whole)
        np.testing.assert_allclose(whole, values["h" if cell == "rnn" else "c"], atol=1e-5)
