"""Each cell against its equations, its gradient, its formula, and PyTorch."""

import numpy as np
import pytest
from safetensors.numpy import load_file

import torch_reference
from textgen.backend import keras, ops, tf
from textgen.cells import CELLS, make_cell, products, scan
from textgen.cells.layer import RecurrentLayer
from tiny import only

T, B, D, U = 6, 3, 5, 4

VARIANTS = [*((cell, "tanh") for cell in CELLS), ("rnn", "relu"), ("rnn", "sigmoid")]


def fresh(cell, hidden_size=U, activation="tanh", **settings):
    layer = RecurrentLayer(make_cell(cell, activation), hidden_size, **settings)
    layer.build((None, None, D))
    return layer


def filled(cell, dtype="float64", **settings):
    """A layer whose every weight, biases too, is drawn at random."""
    layer = fresh(cell, dtype=dtype, **settings)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    return layer


def draw(layer, length=T, dtype="float64", seed=2):
    """(x [T, B, D], a state that is not zero)."""
    random = np.random.default_rng(seed)
    x = ops.convert_to_tensor(random.normal(size=(length, B, D)), dtype)
    state = tuple(
        ops.convert_to_tensor(random.normal(0, 0.5, (B, layer.hidden_size)), dtype)
        for _ in layer.cell.state_names
    )
    return x, state


# --- a token looked up instead of multiplied ------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "mingru"], CELLS))
def test_a_look_up_is_the_product_with_each_vector(cell):
    layer = filled(cell)
    _, state = draw(layer)
    random = np.random.default_rng(3)
    vectors = tf.constant(random.normal(size=(7, D)))
    ids = tf.constant(random.integers(0, 6, (T, B)), tf.int32)  # the last is never met

    def read(way):
        with tf.GradientTape() as tape:
            tape.watch([vectors, *state])
            hidden, end = way()
            loss = tf.reduce_sum(hidden**2) + sum(tf.reduce_sum(part**3) for part in end)
        weights = [weight.value for weight in layer.weights]
        return [hidden, *end, *tape.gradient(loss, [vectors, *state, *weights])]

    looked_up = read(lambda: layer.look_up(vectors, ids, state))
    multiplied = read(lambda: layer(tf.gather(vectors, ids), state))
    for one, other in zip(looked_up, multiplied, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(one), tf.convert_to_tensor(other), rtol=1e-9, atol=1e-12
        )


def test_what_a_frequent_token_learns_is_summed_in_full():
    """Bfloat16 cannot count beyond 256."""
    table = tf.cast(tf.zeros((2, 1)), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(table)
        found = products.rows(table, tf.ones((40, 25), tf.int32))
    learned = tape.gradient(found, table)
    assert learned.dtype == tf.bfloat16
    np.testing.assert_allclose(np.asarray(learned, np.float32), [[0], [1000]])


@pytest.mark.parametrize("width", [products.PAGE // 4, 2 * products.PAGE // 4, 96])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_of_a_kernel_is_that_of_the_plain_product(width, dtype):
    random = np.random.default_rng(4)
    x, d = random.normal(size=(5, 2, 3)), random.normal(size=(5, 2, width))
    with tf.GradientTape() as tape:
        parts = tf.constant(x, dtype), tf.constant(random.normal(size=(3, width)), dtype)
        tape.watch(parts)
        found = products.product(*parts)
    dx, dk = tape.gradient(found, parts, tf.constant(d, dtype))
    near = {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(found, x @ np.asarray(parts[1]), **near)
    np.testing.assert_allclose(dx, d @ np.asarray(parts[1]).T, **near)
    np.testing.assert_allclose(dk, x.reshape(10, 3).T @ d.reshape(10, width), **near)


# --- the equations, one step each, read from the docstrings of the cells --------------------------


def sigma(z):
    return 1 / (1 + np.exp(-z))


ACTIVATIONS = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": sigma}


def rnn(w, x, h):
    return (w["f"](x @ w["W"]["h"] + h @ w["U"]["h"] + w["b"]["h"]),)


def lstm(w, x, h, C):
    W, R, b = w["W"], w["U"], w["b"]
    f = sigma(x @ W["f"] + h @ R["f"] + b["f"])
    i = sigma(x @ W["i"] + h @ R["i"] + b["i"])
    C = f * C + i * np.tanh(x @ W["c"] + h @ R["c"] + b["c"])
    o = sigma(x @ W["o"] + h @ R["o"] + b["o"])
    return o * np.tanh(C), C


def peephole(w, x, h, C):
    W, R, b = w["W"], w["U"], w["b"]
    v_i, v_f, v_o = w["peephole"]
    f = sigma(x @ W["f"] + h @ R["f"] + v_f * C + b["f"])
    i = sigma(x @ W["i"] + h @ R["i"] + v_i * C + b["i"])
    C = f * C + i * np.tanh(x @ W["c"] + h @ R["c"] + b["c"])
    o = sigma(x @ W["o"] + h @ R["o"] + v_o * C + b["o"])
    return o * np.tanh(C), C


def coupled(w, x, h, C):
    W, R, b = w["W"], w["U"], w["b"]
    f = sigma(x @ W["f"] + h @ R["f"] + b["f"])
    C = f * C + (1 - f) * np.tanh(x @ W["c"] + h @ R["c"] + b["c"])
    o = sigma(x @ W["o"] + h @ R["o"] + b["o"])
    return o * np.tanh(C), C


def gru(w, x, h):
    W, R, b, d = w["W"], w["U"], w["b"], w["b'"]
    z = sigma(x @ W["z"] + b["z"] + h @ R["z"] + d["z"])
    r = sigma(x @ W["r"] + b["r"] + h @ R["r"] + d["r"])
    new = np.tanh(x @ W["c"] + b["c"] + r * (h @ R["c"] + d["c"]))
    return (z * h + (1 - z) * new,)


def mingru(w, x, h):
    z = sigma(x @ w["W"]["z"] + w["b"]["z"])
    return ((1 - z) * h + z * (x @ w["W"]["c"] + w["b"]["c"]),)


def minlstm(w, x, h):
    f = sigma(x @ w["W"]["f"] + w["b"]["f"])
    i = sigma(x @ w["W"]["i"] + w["b"]["i"])
    return (f / (f + i) * h + i / (f + i) * (x @ w["W"]["c"] + w["b"]["c"]),)


def slstm(w, x, h, n, C):
    """The sums of the paper, with their weight, in place of their quotient."""
    W, R, b = w["W"], w["U"], w["b"]
    f = sigma(x @ W["f"] + h @ R["f"] + b["f"])
    i = np.exp(x @ W["i"] + h @ R["i"] + b["i"])
    weight = f * np.exp(n) + i
    written = f * np.exp(n) * C + i * np.tanh(x @ W["c"] + h @ R["c"] + b["c"])
    o = sigma(x @ W["o"] + h @ R["o"] + b["o"])
    return o * written / weight, np.log(weight), written / weight


EQUATIONS = {e.__name__: e for e in (rnn, lstm, gru, peephole, coupled, mingru, minlstm, slstm)}


def naive(layer, cell, activation, x, state):
    """h_1 ... h_T and the last state, a token at a time."""

    def blocks(weight):
        names = layer.cell.blocks
        return dict(zip(names, np.split(weight, len(names), axis=-1), strict=True))

    weights = {name: np.asarray(weight) for name, weight in layer.named_weights().items()}
    w = {"W": blocks(weights["kernel"]), "f": ACTIVATIONS[activation]}
    if "recurrent_kernel" in weights:
        w["U"] = blocks(weights["recurrent_kernel"])
    if cell == "gru":
        w["b"], w["b'"] = map(blocks, weights["bias"])
    else:
        w["b"] = blocks(weights["bias"])
    w["peephole"] = weights.get("peephole")
    hidden, state = [], tuple(np.asarray(part) for part in state)
    for x_t in np.asarray(x):
        state = EQUATIONS[cell](w, x_t, *state)
        hidden.append(state[0])
    return np.stack(hidden), state


def close(ours, theirs, atol=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=atol, rtol=0)


# a graph with known shapes has its whole loop compiled, eager calls have their steps compiled
WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param(tf.function, id="graph"),
        pytest.param(lambda f: f, id="eager", marks=pytest.mark.slow),
    ],
)


@WAYS
@pytest.mark.parametrize("cell, activation", VARIANTS)
def test_a_cell_is_its_equations(cell, activation, way):
    layer = filled(cell, activation=activation)
    x, state = draw(layer)
    expected, expected_end = naive(layer, cell, activation, x, state)
    hidden, end = way(lambda: layer(x, state))()
    close([hidden, *end], [expected, *expected_end])


@pytest.mark.parametrize("cell, activation", only([("lstm", "tanh"), ("gru", "tanh")], VARIANTS))
def test_a_step_is_a_sequence_of_one(cell, activation):
    layer = filled(cell, activation=activation)
    x, state = draw(layer)
    hidden, end = layer(x, state)
    weights = {name: np.asarray(w).copy() for name, w in layer.named_weights().items()}
    x, state = np.array(x), tuple(map(np.array, state))
    for t in range(T):
        state = layer.cell.step(weights, x[t], state)
        close([state[0]], [hidden[t]])
    close(state, end)


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_a_state_carried_over_a_long_text_is_one_read(cell):
    layer = filled(cell)
    x, start = draw(layer, length=200)
    whole, whole_end = layer(x, start)
    parts, state = [], start
    for begin, end in ((0, 1), (1, 64), (64, 65), (65, 200)):
        hidden, state = layer(x[begin:end], state)
        parts.append(hidden)
    close([ops.concatenate(parts), *state], [whole, *whole_end])


@WAYS
@pytest.mark.parametrize("cell, activation", only([("lstm", "tanh"), ("gru", "tanh")], VARIANTS))
def test_the_gradient_is_that_of_finite_differences(cell, activation, way):
    layer = filled(cell, activation=activation)
    x, state = draw(layer)
    random = np.random.default_rng(3)
    over_hidden = random.normal(size=(T, B, U))
    over_end = [random.normal(size=(B, U)) for _ in state]

    @way
    def loss():
        # through every h_t, and through the last state, as when another layer reads it
        hidden, end = layer(tf.identity(inputs[0]), tuple(tf.identity(part) for part in inputs[1:]))
        return ops.sum(hidden * over_hidden) + sum(
            ops.sum(part * g) for part, g in zip(end, over_end, strict=True)
        )

    inputs = [tf.Variable(part) for part in (x, *state)]
    variables = [*inputs, *(weight.value for weight in layer.weights)]
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        for _ in range(3):
            direction, small = random.normal(size=variable.shape), 1e-5
            found = []
            for sign in (1, -1):
                variable.assign_add(sign * small * direction)
                found.append(float(loss()))
                variable.assign_sub(sign * small * direction)
            slope = (found[0] - found[1]) / (2 * small)
            assert slope == pytest.approx(float(np.sum(gradient * direction)), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("cell", torch_reference.PEERS)
def test_pytorch_computes_the_same(cell):
    there = {
        name.removeprefix(cell + "."): array
        for name, array in load_file(torch_reference.FILE).items()
        if name.startswith(cell + ".")
    }
    layer = RecurrentLayer(make_cell(cell), torch_reference.U)
    layer.build((None, None, torch_reference.D))
    for weight in layer.weights:
        weight.assign(there[weight.name])
    x = tf.constant(there["x"], tf.float32)
    state = tuple(
        tf.constant(there[f"start.{i}"], tf.float32) for i in range(len(layer.cell.state_names))
    )
    with tf.GradientTape() as tape:
        tape.watch(x)
        hidden, end = layer(x, state)
        loss = ops.sum(hidden * there["g"].astype(np.float32))
    gradients = tape.gradient(loss, [x, *(weight.value for weight in layer.weights)])
    close([hidden], [there["hidden"]], 1e-5)
    close(end, [there[f"end.{i}"] for i in range(len(end))], 1e-5)
    names = ["x", *(weight.name for weight in layer.weights)]
    close(gradients, [there[f"d.{name}"] for name in names], 1e-5)


def test_the_record_is_what_pytorch_computes():
    pytest.importorskip("torch", reason="only where benchmarks/requirements.txt is installed")
    recorded, now = load_file(torch_reference.FILE), torch_reference.reference()
    assert recorded.keys() == now.keys()
    close([recorded[name] for name in now], now.values())


# --- weights --------------------------------------------------------------------------------------

FORMULAS = {
    "rnn": lambda u, d: u**2 + u * d + u,
    "lstm": lambda u, d: 4 * (u**2 + u * d + u),
    "gru": lambda u, d: 3 * (u**2 + u * d + 2 * u),
    "peephole": lambda u, d: 4 * (u**2 + u * d + u) + 3 * u,
    "coupled": lambda u, d: 3 * (u**2 + u * d + u),
    "mingru": lambda u, d: 2 * (u * d + u),
    "minlstm": lambda u, d: 3 * (u * d + u),
    "slstm": lambda u, d: 4 * (u**2 + u * d + u),
}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("u", [1, 4, 32])
def test_parameters_follow_their_formula(cell, u):
    layer = filled(cell, hidden_size=u)
    assert layer.count_params() == FORMULAS[cell](u, D) == layer.cell.parameters(D, u)


def test_an_lstm_has_four_times_the_parameters_of_an_rnn():
    assert filled("lstm").count_params() == 4 * filled("rnn").count_params()


def biases(cell, layers, **settings):
    """block -> the first biases of 64 units in each of so many layers."""
    found = []
    for _ in range(layers):
        layer = fresh(cell, 64, **settings)
        bias, *second = layer.cell.biases({"bias": np.asarray(layer.named_weights()["bias"])})
        assert not np.any(second)
        found.append(bias.reshape(len(layer.cell.blocks), 64))
    return dict(zip(layer.cell.blocks, np.concatenate(found, axis=1), strict=True))


def test_a_relu_recurrence_begins_as_the_identity():
    kernels = {}
    for activation in ("tanh", "relu"):
        weights = fresh("rnn", 6, activation).named_weights()
        kernels[activation] = np.asarray(weights["recurrent_kernel"])
    np.testing.assert_array_equal(kernels["relu"], np.eye(6))
    np.testing.assert_allclose(kernels["tanh"] @ kernels["tanh"].T, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_forget_gates_begin_open(cell):
    for block, bias in biases(cell, 1, forget_bias=2.5).items():
        np.testing.assert_array_equal(bias, 2.5 if block == "f" else 0.0)


@pytest.mark.parametrize(
    "cell, signs",
    [
        ("rnn", {}),
        ("lstm", {"f": 1, "i": -1}),
        ("peephole", {"f": 1, "i": -1}),
        ("coupled", {"f": 1}),
        ("gru", {"z": 1}),
        ("mingru", {"z": -1}),
        ("minlstm", {"f": 1, "i": -1}),
        ("slstm", {"f": 1}),
    ],
)
def test_chrono_draws_how_long_each_unit_remembers(cell, signs):
    keras.utils.set_random_seed(1)
    found = biases(cell, 16, chrono=500, forget_bias=7.0)  # chrono goes before forget_bias
    ages = [np.exp(sign * found.pop(block)) for block, sign in signs.items()]
    for age in ages:
        np.testing.assert_allclose(age, ages[0], rtol=1e-5)  # b_i = -b_f
        assert 1 <= age.min() < 10 and 490 < age.max() <= 499
        assert age.mean() == pytest.approx(250, abs=20)  # uniform
    assert all(not bias.any() for bias in found.values())


# --- types ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_bfloat16_is_for_products_only(cell):
    layer, exact = filled(cell, "mixed_bfloat16"), filled(cell, "float32")
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    x, state = draw(layer, dtype="float32")
    hidden, end = layer(ops.cast(x, "bfloat16"), state)
    assert hidden.dtype == "bfloat16" and {part.dtype.name for part in end} == {"float32"}
    close(end, exact(x, state)[1], atol=0.05)  # eight bits of mantissa


@pytest.mark.parametrize("amx", [False, True])
@pytest.mark.parametrize("looked_up", [False, True])
@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
def test_products_in_bfloat16_come_near_those_in_float32(cell, looked_up, amx, monkeypatch):
    """With AMX the steps are compiled, without it the whole loop."""
    monkeypatch.setattr(scan, "has_amx", lambda: amx)
    random = np.random.default_rng(6)
    vectors, ids = random.normal(size=(7, D)), random.integers(0, 7, (T, B)).astype(np.int32)
    weight = random.normal(size=(T, B, U))

    def found(policy, dtype):
        layer = filled(cell, policy)
        _, state = draw(layer, dtype="float32")

        @tf.function
        def learn():
            table = tf.constant(vectors, dtype)
            learned = [w.value for w in layer.weights]
            with tf.GradientTape() as tape:
                tape.watch([table, *state])
                if looked_up:
                    hidden, end = layer.look_up(table, ids, state)
                else:
                    hidden, end = layer(products.rows(table, ids), state)
                loss = tf.reduce_sum(tf.cast(hidden, tf.float32) * weight)
                loss += sum(tf.reduce_sum(part) for part in end)
            assert hidden.dtype == dtype
            return [hidden, *end, *tape.gradient(loss, [table, *state, *learned])]

        return [np.asarray(part, np.float32) for part in learn()]

    for rounded, exact in zip(
        found("mixed_bfloat16", tf.bfloat16), found("float32", tf.float32), strict=True
    ):
        assert np.abs(rounded - exact).max() < 0.03 * np.abs(exact).max()  # eight bits of mantissa


@pytest.mark.parametrize("cell", only(["lstm", "minlstm", "slstm"], CELLS))
def test_a_gate_that_closes_altogether_stays_a_number(cell):
    layer = filled(cell, "float32")
    bias = layer.named_weights()["bias"]
    bias.assign(ops.zeros_like(bias) - 1e4)
    x, state = draw(layer, dtype="float32")
    with tf.GradientTape() as tape:
        hidden, _ = layer(x, state)
        loss = ops.sum(hidden)
    gradients = tape.gradient(loss, [weight.value for weight in layer.weights])
    assert all(np.isfinite(np.asarray(part)).all() for part in (hidden, *gradients))
