"""How much of an answer each token, state and unit accounts for, against slow recomputation."""

import numpy as np
import pytest

import tiny
from looked_inside import GOAL, IDS, D, U, V, drawn
from textgen.array_ops import log_softmax
from textgen.backend import ops, tf
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.data.recall_documents import Document
from textgen.interpret import (
    Goal,
    Override,
    ablation,
    at_blank,
    effects,
    forgetting,
    gradients,
    occlusion,
    saliency,
    trace,
    transplant,
    value,
)
from textgen.interpret.replay import replay
from textgen.network import Network
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import in_keras, only

# --- a goal ---------------------------------------------------------------------------------------


def slow_value(model, x, goal):
    """The goal after embeddings x [T, D], through the layers' own `call`."""

    def logprob(answer):
        hidden = ops.concatenate([x, model.embed(np.array(answer))[:-1]])[:, None]
        for layer in in_keras(model).recurrent:
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


def test_a_document_is_read_up_to_its_blank():
    document = Document("ab c ", "ca", "b.", "a", "g", 2, 2, 3)
    tokenizer = CharTokenizer.train("abc .")
    decode = tokenizer.decode
    ids, goal = at_blank(tokenizer, document, foil="b")
    assert ids[0] == tokenizer.start_id and decode(ids[1:]) == "ab c "
    assert decode(goal.answer) == "cab." and decode(goal.foil) == "bb."
    assert not at_blank(tokenizer, document)[1].foil


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


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_the_inputs_are_those_of_tensorflow(cell, num_layers):
    network = drawn(cell, num_layers)
    model, kernel, bias = in_keras(network), network.kernel, network.bias
    x = tf.constant(network.embed(np.array(IDS))[:, None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = 0.0
        for answer, sign in ((GOAL.answer, 1), (GOAL.foil, -1)):
            hidden = tf.concat([x, network.embed(np.array(answer[:-1]))[:, None]], 0)
            for layer in model.recurrent:
                hidden, _ = layer(hidden, layer.initial_state(1))
            logprobs = tf.nn.log_softmax(hidden[len(IDS) - 1 :, 0] @ kernel + bias)
            score += sign * tf.reduce_sum(tf.gather(logprobs, answer, batch_dims=1))
    np.testing.assert_allclose(
        gradients(network, IDS, GOAL).inputs, tape.gradient(score, x)[:, 0], atol=1e-6
    )


def test_a_gradient_too_small_for_float32_is_told():
    network = tiny.drawn(ModelConfig(cell="rnn", hidden_size=U, embedding_size=D), V)
    network.weights["recurrent.0.recurrent_kernel"][:] = 1e-4 * np.eye(U)
    lengths = np.linalg.norm(gradients(network, [1] * 20, Goal([7])).layers[0]["h"], axis=1)
    assert 1e-90 < lengths[0] < 1e-70  # 19 factors of 1e-4 and less


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_nothing_comes_back_through_silent_units(cell):
    shown = drawn(cell, 1)
    network = Network(shown.config, V, shown.weights)
    network.silent = {0: frozenset({2})}
    carried, token, unit = network.cell.carried, 3, 1
    at = float(trace(network, IDS).layers[0][carried][token, unit])

    def moved(by):
        return value(network, IDS, GOAL, [Override(0, carried, token, unit, at + by)])

    found = gradients(network, IDS, GOAL).layers[0][carried][token, unit]
    assert slope(moved) == pytest.approx(found, abs=3e-4)
    assert found != pytest.approx(
        gradients(shown, IDS, GOAL).layers[0][carried][token, unit], abs=1e-3
    )


def test_a_gradient_begins_in_the_voice_that_the_network_begins_in():
    network = Network(drawn("lstm").config, V, drawn("lstm").weights)
    network.first = np.random.default_rng(4).normal(size=(1, 2, U)).astype(np.float32)
    at = float(trace(network, IDS[:3]).layers[0]["C"][1, 2])

    def moved(by):
        return value(network, IDS[:3], GOAL, [Override(0, "C", 1, 2, at + by)])

    found = gradients(network, IDS[:3], GOAL).layers[0]["C"][1, 2]
    assert slope(moved) == pytest.approx(found, abs=3e-4)
    without = gradients(drawn("lstm"), IDS[:3], GOAL).layers[0]["C"][1, 2]
    assert found != pytest.approx(without, abs=1e-3)


# --- experiments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_occlusion_is_reading_again_with_nothing_in_a_tokens_place(cell, monkeypatch):
    monkeypatch.setattr(effects, "WITHOUT_AT_ONCE", 3)  # in three parts
    model, goal = drawn(cell), Goal([7, 2, 8])
    x = model.embed(np.array(IDS))
    whole, expected = slow_value(model, x, goal), []
    for token in range(len(IDS)):
        without = x.copy()
        without[token] = model.embeddings.mean(0)
        expected.append(whole - slow_value(model, without, goal))
    np.testing.assert_allclose(occlusion(model, IDS, goal), expected, atol=1e-5)


def test_some_tokens_are_taken_away_together():
    model, goal = drawn("lstm"), Goal([7, 2, 8])
    x = model.embed(np.array(IDS))
    found, whole = occlusion(model, IDS, goal, block=2), slow_value(model, x, goal)
    for first in range(0, len(IDS), 2):
        without = x.copy()
        without[first : first + 2] = model.embeddings.mean(0)
        expected = whole - slow_value(model, without, goal)
        np.testing.assert_allclose(found[first : first + 2], expected, atol=1e-5)
    assert effects.block_of(effects.LONG) == 1 and effects.block_of(2000) == 17


def test_a_unit_is_silent_over_the_last_tokens_alone():
    model, goal, unit = drawn("lstm"), Goal([7]), 2  # of one token, which is not read
    late = range(len(IDS) - 2, len(IDS))
    silent = [Override(0, name, t, unit, 0.0) for name in ("h", "C") for t in late]
    expected = value(model, IDS, goal) - value(model, IDS, goal, silent)
    assert ablation(model, IDS, goal, 0, last=2)[unit] == pytest.approx(expected, abs=1e-5)
    whole = ablation(model, IDS, goal, 0)
    np.testing.assert_allclose(ablation(model, IDS, goal, 0, last=99), whole, atol=1e-6)


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


@pytest.mark.parametrize("cell", only(["lstm", "gru", "rnn"], CELLS))
def test_forgetting_is_reading_again_with_the_gate_shut(cell):
    model = drawn(cell)
    found = forgetting(model, IDS, GOAL, 0)
    if model.cell.forgets_by is None:
        np.testing.assert_array_equal(found, ablation(model, IDS, GOAL, 0))
        return
    gate, shut = model.cell.forgets_by
    for unit in (0, U - 1):
        overrides = [Override(0, gate, None, unit, shut)]
        values = trace(model, IDS, overrides).layers[0]
        assert (np.asarray(model.cell.retained(values))[:, unit] == 0).all()
        changed = value(model, IDS, GOAL, overrides)
        assert found[unit] == pytest.approx(value(model, IDS, GOAL) - changed, abs=1e-4)


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_a_transplant_is_reading_on_from_anothers_state(cell):
    model = drawn(cell)
    other = [0, 8, 8, 2, 1, 5, 2, 6, 3]
    parts_of = model.cell.state_names
    for parts in {parts_of[:1], parts_of[1:]}:  # of a cell without C: all of it, and nothing
        for at, there in ((3, 4), (len(IDS), len(other))):
            _, own = in_keras(model)(np.array([IDS[:at]]))
            _, given = in_keras(model)(np.array([other[:there]]))
            mixed = tuple(
                tuple(
                    g if name in parts else o for name, o, g in zip(parts_of, *layers, strict=True)
                )
                for layers in zip(own, given, strict=True)
            )
            end = in_keras(model)(np.array([IDS[at:]]), mixed)[1] if at < len(IDS) else mixed
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
