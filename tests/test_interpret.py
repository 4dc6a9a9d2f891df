"""What is seen inside a model, against sums by hand, the trained layers, and slow recomputation."""

import functools
import math

import numpy as np
import pytest

import tiny
from textgen.array_ops import log_softmax
from textgen.backend import ops, tf
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.data.recall_documents import Document
from textgen.errors import ConfigError, GenerationError
from textgen.interpret import (
    Goal,
    Override,
    ablation,
    apart,
    at_blank,
    effects,
    gradients,
    occlusion,
    saliency,
    trace,
    transplant,
    value,
)
from textgen.interpret.apart import gradients_apart
from textgen.interpret.replay import replay
from textgen.model import trainable
from textgen.network import Network
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import only

V, D, U = 9, 3, 4
IDS = [0, 3, 1, 4, 1, 5, 2, 6]  # 0, 3, 4, 5, 2 and 6 stand in it once
GOAL = Goal([7, 2, 8], [3, 1])


@functools.cache
def drawn(cell, num_layers=0):
    """A model whose every weight is drawn at random, large enough for everything to matter.

    Of two layers for the gru, of one for the others, where `num_layers` does not say.
    """
    num_layers = num_layers or (2 if cell == "gru" else 1)
    config = ModelConfig(cell=cell, hidden_size=U, embedding_size=D, num_layers=num_layers)
    return tiny.drawn(config, V, scale=0.7)


@functools.cache
def trained(model):
    """Keras's model of the same weights."""
    return trainable(model)


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
@pytest.mark.parametrize("cell", CELLS)
def test_the_replay_is_what_the_trained_layers_compute(cell, num_layers):
    model = drawn(cell, num_layers)
    found = trace(model, IDS)
    assert found.error < 1e-5
    x = trained(model).embedding(np.array(IDS))[:, None]
    for layer, values in zip(trained(model).recurrent, found.layers, strict=True):
        x, _ = layer(x, layer.initial_state(1))
        np.testing.assert_allclose(x[:, 0], values["h"], atol=1e-5)
    logits, end = trained(model)(np.array([IDS]))
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


def slow_value(model, x, goal):
    """The goal after embeddings x [T, D], through the layers' own `call`."""

    def logprob(answer):
        hidden = ops.concatenate([x, model.embed(np.array(answer))[:-1]])[:, None]
        for layer in trained(model).recurrent:
            hidden, _ = layer(hidden, layer.initial_state(1))
        logprobs = log_softmax(model.read_out(np.asarray(hidden)[:, 0]))
        return sum(logprobs[len(x) - 1 + k, i] for k, i in enumerate(answer))

    return logprob(goal.answer) - (logprob(goal.foil) if goal.foil else 0.0)


@pytest.mark.parametrize(
    "goal", [Goal([7]), Goal([7, 2, 8]), Goal([7], [3]), GOAL, Goal([3, 1], [7, 2, 8])]
)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_goal_counts_every_token_of_answer_and_foil(cell, goal):
    model = drawn(cell)
    expected = slow_value(model, model.embed(np.array(IDS)), goal)
    assert value(model, IDS, goal) == pytest.approx(expected, abs=1e-5)


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


# --- gradients ------------------------------------------------------------------------------------


def slope(f, small=0.01):
    """The central difference of a float32 function, of fourth order so that `small` need not be."""
    one, two = (f(k * small) - f(-k * small) for k in (1, 2))
    return (8 * one - two) / (12 * small)


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_gradients_are_those_of_finite_differences(cell):
    model = drawn(cell)
    plain = trace(model, IDS).layers
    found = gradients(model, IDS, GOAL)
    assert [list(layer) for layer in found.layers] == [
        list(model.cell.state_names) for _ in model.layers
    ]
    for layer, states in enumerate(found.layers):
        for name, slopes in states.items():
            assert slopes.shape == (len(IDS), U)
            for token, unit in ((1, 0), (4, 3), (len(IDS) - 1, 2)):

                def moved(by, layer=layer, name=name, token=token, unit=unit):
                    to = float(plain[layer][name][token, unit]) + by
                    return value(model, IDS, GOAL, [Override(layer, name, token, unit, to)])

                assert slope(moved) == pytest.approx(float(slopes[token, unit]), abs=3e-4)


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_gradients_of_the_inputs_are_those_of_finite_differences(cell):
    model, token = drawn(cell), 3
    x = model.embed(np.array(IDS))
    found, short = gradients(model, IDS, GOAL).inputs, saliency(model, IDS, GOAL)
    direction = np.random.default_rng(2).normal(size=D)

    def moved(by):
        there = x.copy()
        there[token] += by * direction
        return slow_value(model, there, GOAL)

    assert slope(moved) == pytest.approx(float(found[token] @ direction), abs=3e-4)
    np.testing.assert_allclose(short.product, np.einsum("td,td->t", found, x), atol=1e-6)
    np.testing.assert_allclose(short.norm, np.linalg.norm(found, axis=1), rtol=1e-5)


# --- experiments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_occlusion_is_reading_again_with_nothing_in_a_tokens_place(cell, monkeypatch):
    monkeypatch.setattr(effects, "TEXTS_AT_ONCE", 3)  # in three parts
    model, goal = drawn(cell), Goal([7, 2, 8])
    x = model.embed(np.array(IDS))
    whole, expected = slow_value(model, x, goal), []
    for token in range(len(IDS)):
        without = x.copy()
        without[token] = model.embeddings.mean(0)
        expected.append(whole - slow_value(model, without, goal))
    np.testing.assert_allclose(occlusion(model, IDS, goal), expected, atol=1e-5)


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_ablation_is_reading_again_with_a_unit_at_zero(cell):
    model = drawn(cell)
    spared = np.concatenate([1 - np.eye(U), np.ones((1, U))])  # one unit less a row, the last whole

    def read(layer, answer):
        """log p(answer) of each row, a step at a time."""
        state, total = list(model.initial_state(U + 1)), 0.0
        for k, token in enumerate([*IDS, *answer]):
            if k >= len(IDS):
                total += log_softmax(model.logits(state))[:, token]
            x = model.embed(np.full(U + 1, token))
            for index, weights in enumerate(model.layers):
                state[index] = model.cell.step(weights, x, state[index])
                if index == layer:
                    state[index] = tuple(part * spared for part in state[index])
                x = state[index][0]
        return total

    for layer in range(len(model.layers)):
        goal = read(layer, GOAL.answer) - read(layer, GOAL.foil)
        found = ablation(model, IDS, GOAL, layer)
        np.testing.assert_allclose(found, goal[-1] - goal[:-1], atol=1e-5)


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_a_transplant_is_reading_on_from_anothers_state(cell):
    model = drawn(cell)
    other = [0, 8, 8, 2, 1, 5, 2, 6, 3]
    parts_of = model.cell.state_names
    for parts in {parts_of[:1], parts_of[1:]}:  # of a cell without C: all of it, and nothing
        for at, there in ((3, 4), (len(IDS), len(other))):
            _, own = trained(model)(np.array([IDS[:at]]))
            _, given = trained(model)(np.array([other[:there]]))
            mixed = tuple(
                tuple(
                    g if name in parts else o for name, o, g in zip(parts_of, *layers, strict=True)
                )
                for layers in zip(own, given, strict=True)
            )
            end = trained(model)(np.array([IDS[at:]]), mixed)[1] if at < len(IDS) else mixed
            found = transplant(model, IDS, other, at, parts)
            tf.nest.map_structure(
                lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, end
            )


def test_texts_of_all_lengths_share_one_program():
    model = drawn("lstm")
    own = replay(model)
    for ids in (IDS[:1], IDS * 3):
        assert trace(model, ids).layers[0]["C"].shape == (len(ids), U)
        assert occlusion(model, ids, GOAL).shape == (len(ids),)
        assert gradients(model, ids, Goal([1])).inputs.shape == (len(ids), D)
    assert replay(model) is own


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


# --- documents ------------------------------------------------------------------------------------


def test_a_document_is_read_up_to_its_blank():
    document = Document("ab c ", "ca", "b.", "a", "g", 2, 2, 3)
    tokenizer = CharTokenizer.train("abc .")
    decode = tokenizer.decode
    ids, goal = at_blank(tokenizer, document, foil="b")
    assert ids[0] == tokenizer.start_id and decode(ids[1:]) == "ab c "
    assert decode(goal.answer) == "cab." and decode(goal.foil) == "bb."
    assert not at_blank(tokenizer, document)[1].foil


# --- in a process of its own ----------------------------------------------------------------------


def test_gradients_from_another_process_are_the_same():
    model = drawn("gru")
    here, there = gradients(model, IDS, GOAL), gradients_apart(model, IDS, GOAL)
    np.testing.assert_array_equal(there.inputs, here.inputs)
    with pytest.raises(GenerationError, match="token 9"):
        gradients_apart(model, [9], GOAL)
    process = apart._process
    assert gradients_apart(model, IDS[:3], GOAL).inputs.shape == (3, D)
    assert apart._process is process  # one for all
    process.kill()
    process.wait()
    np.testing.assert_array_equal(gradients_apart(model, IDS, GOAL).inputs, here.inputs)
    apart._process.kill()
