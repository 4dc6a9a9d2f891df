"""What is seen inside a model and replaced there, against sums by hand and the trained layers."""

import math

import numpy as np
import pytest

from looked_inside import GOAL, IDS, drawn
from textgen.backend import tf
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.errors import ConfigError, GenerationError
from textgen.interpret import (
    Goal,
    Override,
    ablation,
    gradients,
    trace,
    transplant,
    value,
)
from textgen.network import Network
from tiny import in_keras, only


def sigma(z):
    return 1 / (1 + math.exp(-z))


# --- by hand --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_units():
    """An LSTM whose gates are round numbers. Token 1 is x = 1, token 0 is x = 0."""
    ln3, ln9 = math.log(3), math.log(9)
    weights = {
        "embedding.embeddings": [[0.0], [1.0]],
        #                        i         f         c              o
        "recurrent.0.kernel": [[ln3, 0, 0, 0, ln3 / 2, -ln3 / 2, 0, 0]],
        # the candidate of unit 1 sees twice the h of unit 0
        "recurrent.0.recurrent_kernel": [[0, 0, 0, 0, 0, 2, 0, 0], [0] * 8],
        "recurrent.0.bias": [0, 0, ln9, 0, 0, 0, 0, ln3],
        "head.kernel": np.eye(2),
        "head.bias": [0, 0],
    }
    config = ModelConfig(cell="lstm", hidden_size=2, embedding_size=1)
    return Network(config, 2, {name: np.array(w, np.float32) for name, w in weights.items()})


# after token 1, then token 0:
#   f  = σ(ln 9), σ(0)            = 0.9, 0.5     both times
#   i  = σ(ln 3), σ(0)            = 0.75, 0.5    then 0.5, 0.5
#   c  = tanh(± ln 3 / 2)         = 0.5, -0.5    then 0, tanh(2 h_0)
#   C  = 0.75 * 0.5, 0.5 * -0.5   = 0.375, -0.25 then 0.9 * 0.375 = 0.3375, -0.125 + 0.5 c
#   o  = σ(0), σ(ln 3)            = 0.5, 0.75    both times
H_FIRST = 0.5 * math.tanh(0.375), 0.75 * math.tanh(-0.25)
C_SECOND = 0.3375, -0.125 + 0.5 * math.tanh(2 * H_FIRST[0])
H_SECOND = 0.5 * math.tanh(C_SECOND[0]), 0.75 * math.tanh(C_SECOND[1])


def test_a_lstm_of_two_units_by_hand(two_units):
    found = trace(two_units, [1, 0])
    (values,) = found.layers
    expected = {
        "f": [(0.9, 0.5), (0.9, 0.5)],
        "i": [(0.75, 0.5), (0.5, 0.5)],
        "c": [(0.5, -0.5), (0.0, math.tanh(2 * H_FIRST[0]))],
        "C": [(0.375, -0.25), C_SECOND],
        "o": [(0.5, 0.75), (0.5, 0.75)],
        "h": [H_FIRST, H_SECOND],
    }
    assert list(values) == list(expected)  # in the order of the equations
    for name, numbers in expected.items():
        np.testing.assert_allclose(values[name], numbers, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(np.exp(found.logprobs).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(
        found.logprobs[:, 0] - found.logprobs[:, 1],
        [h[0] - h[1] for h in (H_FIRST, H_SECOND)],
        atol=1e-6,
    )


def test_a_goal_and_its_gradients_by_hand(two_units):
    goal = Goal([0], [1])  # the logits are h: log p(0) - log p(1) = h_0 - h_1
    assert value(two_units, [1, 0], goal) == pytest.approx(H_SECOND[0] - H_SECOND[1], abs=1e-6)
    found = gradients(two_units, [1, 0], goal)
    dC_second = [
        sign * o * (1 - math.tanh(C) ** 2)
        for sign, o, C in zip((1, -1), (0.5, 0.75), C_SECOND, strict=True)
    ]
    # h_0 of the first token goes on through the candidate of unit 1 alone
    dh_first = [dC_second[1] * 0.5 * (1 - math.tanh(2 * H_FIRST[0]) ** 2) * 2, 0.0]
    dC_first = [
        0.9 * dC_second[0] + dh_first[0] * 0.5 * (1 - math.tanh(0.375) ** 2),
        0.5 * dC_second[1],
    ]
    np.testing.assert_allclose(found.layers[0]["h"], [dh_first, [1, -1]], atol=1e-6)
    np.testing.assert_allclose(found.layers[0]["C"], [dC_first, dC_second], atol=1e-6)


# --- against the trained layers -------------------------------------------------------------------


@pytest.mark.parametrize("num_layers", only([2], [1, 2]))
@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_the_replay_is_what_the_trained_layers_compute(cell, num_layers):
    model = drawn(cell, num_layers)
    found = trace(model, IDS)
    assert found.error < 1e-5
    x = in_keras(model).embedding(np.array(IDS))[:, None]
    for layer, values in zip(in_keras(model).recurrent, found.layers, strict=True):
        x, _ = layer(x, layer.initial_state(1))
        np.testing.assert_allclose(x[:, 0], values["h"], atol=1e-5)
    logits, end = in_keras(model)(np.array([IDS]))
    np.testing.assert_allclose(found.logprobs, tf.nn.log_softmax(logits)[0], atol=1e-5)
    tf.nest.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found.state, end
    )


def test_the_error_shows_a_layer_that_computes_something_else(monkeypatch):
    model = drawn("lstm")
    read = model.read_layer
    monkeypatch.setattr(model, "read_layer", lambda w, x, state: (read(w, x, state)[0] + 0.25, ()))
    assert trace(model, IDS).error == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_lie_between_0_and_1_and_nothing_else_is_one(cell):
    values = trace(drawn(cell), IDS).layers[-1]
    between = {name for name, v in values.items() if v.min() > 0 and v.max() < 1}
    assert between == set(CELLS[cell].gates)


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.flow])
def test_what_is_retained_is_what_stays_when_nothing_is_written(cell):
    model, token = drawn(cell), 5
    top = len(model.layers) - 1
    values = trace(model, IDS, [Override(top, "c", token, None, 0.0)]).layers[top]
    state = values[model.cell.carried]
    retained = model.cell.retained(values)
    np.testing.assert_allclose(state[token], retained[token] * state[token - 1], atol=1e-6)
    assert retained.shape == state.shape


def test_only_the_plain_recurrence_retains_nothing():
    assert [name for name, cell in CELLS.items() if cell.flow is None] == ["rnn"]


# --- overrides ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_what_is_replaced_by_itself_changes_nothing(cell):
    model = drawn(cell)
    plain = trace(model, IDS)
    same = [
        Override(layer, name, 3, None, tuple(values[name][3].tolist()))
        for layer, values in enumerate(plain.layers)
        for name in values
    ]
    found = trace(model, IDS, same)
    for before, after in zip(plain.layers, found.layers, strict=True):
        for name, values in before.items():
            np.testing.assert_array_equal(after[name], values)
    assert math.isnan(found.error)
    assert value(model, IDS, GOAL, same) == value(model, IDS, GOAL)


@pytest.mark.parametrize("cell", CELLS)
def test_a_replaced_value_changes_what_follows_and_only_that(cell):
    model, token, unit = drawn(cell), 3, 2
    plain = trace(model, IDS).layers
    layers, names = range(len(plain)), list(plain[0])
    for layer in layers:
        for name in names:
            changed = trace(model, IDS, [Override(layer, name, token, unit, 2.5)]).layers
            assert changed[layer][name][token, unit] == 2.5
            np.testing.assert_array_equal(
                np.delete(changed[layer][name][token], unit),
                np.delete(plain[layer][name][token], unit),
            )
            earlier = [(k, n) for k in layers for n in names][
                : layer * len(names) + names.index(name)
            ]
            for k, n in earlier:  # computed before it, at the same token
                np.testing.assert_array_equal(changed[k][n][: token + 1], plain[k][n][: token + 1])
            for k in layers:
                for n in names:
                    np.testing.assert_array_equal(changed[k][n][:token], plain[k][n][:token])
            assert (changed[-1]["h"][token] != plain[-1]["h"][token]).any()
            assert (changed[-1]["h"][-1] != plain[-1]["h"][-1]).any()


def test_an_override_for_every_token_holds_for_the_answer_too():
    model = drawn("gru")
    shut = [Override(layer, "z", None, None, 0.0) for layer in (0, 1)]
    alone = Override(1, "h", None, None, 0.0)
    for overrides in (shut, [alone]):
        everywhere = value(model, IDS, Goal([7, 2, 8]), overrides)
        first = trace(model, IDS, overrides).logprobs[-1, 7]
        rest = trace(model, [*IDS, 7, 2], overrides).logprobs[[-2, -1], [2, 8]]
        assert everywhere == pytest.approx(first + rest.sum(), abs=1e-5)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "look, error, what",
    [
        (lambda m: trace(m, []), GenerationError, "nothing to read"),
        (lambda m: trace(m, [0, 9]), GenerationError, "token 9 is none of the model's 9"),
        (lambda m: trace(m, [-1]), GenerationError, "token -1"),
        (lambda m: value(m, [0], Goal([])), GenerationError, "nothing to read"),
        (lambda m: value(m, [0], Goal([1], [9])), GenerationError, "token 9"),
        (lambda m: trace(m, [0], 3), ConfigError, "overrides is 3: give a list of Override"),
        (lambda m: trace(m, [0], ["h"]), ConfigError, "give a list of Override"),
        (lambda m: trace(m, [0], [Override(2, "h", 0, 0, 0.0)]), ConfigError, "layers 0 to 1"),
        (lambda m: trace(m, [0], [Override(0, "C", 0, 0, 0.0)]), ConfigError, "choose one of z, r"),
        (lambda m: trace(m, [0], [Override(0, "h", 1, 0, 0.0)]), ConfigError, "token is 1"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, 4, 0.0)]), ConfigError, "unit is 4"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, 0, (0.0,))]), ConfigError, "shape"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, None, (1.0,))]), ConfigError, "all 4 units"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, 0, "x")]), ConfigError, "value is 'x'"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, 0, math.nan)]), ConfigError, "finite"),
        (lambda m: trace(m, [0], [Override(0, "h", 0, 0, 1e308)]), ConfigError, "finite"),
        # tokens of the answer have no number
        (
            lambda m: value(m, [0], Goal([1, 2]), [Override(0, "h", 1, 0, 0.0)]),
            ConfigError,
            "token is 1",
        ),
        (lambda m: ablation(m, [0], Goal([1]), -1), ConfigError, "layer is -1"),
        (lambda m: transplant(m, [0, 1], [0, 2], 1, ("C",)), ConfigError, "a gru has h"),
        (lambda m: transplant(m, [0, 1], [0, 2], 3, ("h",)), ConfigError, "at is 3"),
        (lambda m: transplant(m, [0, 1, 2], [2], 1, ("h",)), ConfigError, "at is 1"),
    ],
)
def test_what_cannot_be_looked_at_is_told_in_one_line(look, error, what):
    with pytest.raises(error, match=what) as told:
        look(drawn("gru"))
    assert "\n" not in str(told.value)
