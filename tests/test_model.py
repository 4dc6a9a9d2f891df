import numpy as np
import pytest

from textgen import model as model_module
from textgen.backend import keras, ops, tf
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.model import build_model
from textgen.training.trainer import LaneTrainer
from tiny import only

V, T, B = 11, 9, 3
POLICIES = [("float32", 1e-5), ("mixed_bfloat16", 0.05)]  # and how near numbers are
IDS = np.random.default_rng(0).integers(0, V, (B, T)).astype(np.int32)


def make(cell, **settings):
    return build_model(
        ModelConfig(**({"cell": cell, "hidden_size": 8, "embedding_size": 5} | settings)), V
    )


@pytest.mark.parametrize("cell", only(["lstm", "gru"], CELLS))
@pytest.mark.parametrize("num_layers", only([2], [1, 2]))
def test_step_by_step_equals_the_whole_sequence(cell, num_layers):
    model = make(cell, num_layers=num_layers)
    whole, end = model(IDS)
    network = model.network()
    state = network.initial_state(B)
    for t in range(T):
        logits, state = network.step(IDS[:, t], state)
        np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)
    for ours, theirs in zip(state, end, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("cell", only(["lstm"], CELLS))
def test_carried_state_equals_one_long_read(cell):
    model = make(cell)
    whole, _ = model(IDS)
    first, state = model(IDS[:, :4])
    second, _ = model(IDS[:, 4:], state)
    np.testing.assert_allclose(ops.concatenate([first, second], 1), whole, atol=1e-5)


@pytest.mark.parametrize(
    "dropout, training, vectors", [(0.0, True, V), (0.5, False, V), (0.5, True, B * T)]
)
def test_each_vector_is_multiplied_once_unless_parts_of_it_are_dropped(
    dropout, training, vectors, monkeypatch
):
    model = make("mingru", dropout=dropout)
    multiplied = []

    def counted(x, kernel):
        multiplied.append(int(np.prod(x.shape[:-1])))
        return tf.matmul(x, kernel)

    monkeypatch.setattr("textgen.cells.layer.product", counted)
    model(IDS, training=training)
    model(IDS[:1, :5], training=training)  # fewer tokens than there are vectors
    assert multiplied == [vectors, 5]


@pytest.mark.parametrize("ids", [IDS, IDS[:1, :2]], ids=["looked up", "multiplied"])
def test_what_is_added_is_float32_whatever_is_multiplied(ids, monkeypatch):
    model, types = build_model(ModelConfig(cell="lstm"), V, "mixed_bfloat16"), []
    biases = model.cell.biases
    monkeypatch.setattr(
        type(model.cell),
        "biases",
        lambda self, weights: types.append(weights["bias"].dtype) or biases(weights),
    )
    model(ids)
    assert types == [tf.float32]


@pytest.mark.parametrize("cell", only(["rnn"], CELLS))
def test_rows_shared_out_among_cores_are_one_batch(cell, monkeypatch):
    model = make(cell, num_layers=2)
    random = np.random.default_rng(4)
    ids = random.integers(0, V, (3 * model_module.FEWEST, T)).astype(np.int32)
    start = tf.nest.map_structure(
        lambda part: tf.constant(random.normal(size=(len(ids), 8)).astype(np.float32)),
        model.initial_state(1),
    )

    def read(cores):
        monkeypatch.setattr(model_module, "cores", lambda: cores)

        @tf.function
        def run():
            assert model_module.side_by_side(len(ids)) == cores
            with tf.GradientTape() as tape:
                logits, end = model(ids, start)
                loss = ops.sum(logits**2) + sum(ops.sum(p**3) for p in tf.nest.flatten(end))
            weights = [w.value for w in model.trainable_variables]
            return [logits, *tf.nest.flatten(end), *tape.gradient(loss, weights)]

        return [tf.convert_to_tensor(found) for found in run()]

    for one, shared in zip(read(1), read(3), strict=True):
        np.testing.assert_allclose(one, shared, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows, cores, parts", [(24, 2, 1), (32, 2, 2), (8, 4, 1), (64, 3, 2)])
def test_a_core_takes_no_fewer_than_eight_rows_and_all_take_as_many(
    rows, cores, parts, monkeypatch
):
    monkeypatch.setattr(model_module, "cores", lambda: cores)
    assert model_module.side_by_side(rows) == 1  # nothing runs side by side when nothing is traced
    with tf.Graph().as_default():
        assert model_module.side_by_side(rows) == parts


@pytest.mark.parametrize("policy, near", only(POLICIES[:1], POLICIES))
def test_tied_weights_read_out_with_the_embedding(policy, near):
    config = ModelConfig(cell="gru", hidden_size=8, embedding_size=8, tie_weights=True)
    model = build_model(config, V, policy)
    assert model.named_weights().keys().isdisjoint({"head.kernel"})
    (cell,) = model.recurrent
    hidden, _ = cell(model.embedding(IDS.T), cell.initial_state(B))
    expected = np.asarray(hidden) @ np.asarray(model.embedding.embeddings).T
    logits = model(IDS)[0]
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, expected.swapaxes(0, 1), atol=near)


@pytest.mark.parametrize(
    "settings, what",
    [
        ({"tie_weights": True}, "tie_weights needs them equal"),
        ({"activation": "relu"}, "that cell takes tanh"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"cell": "transformer"}, "choose one of rnn, lstm, gru"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_settings_that_make_no_model(settings, what):
    with pytest.raises(ConfigError, match=what):
        make(**({"cell": "lstm"} | settings))


@pytest.mark.parametrize("policy, near", only(POLICIES[:1], POLICIES))
@pytest.mark.parametrize("tied", [False, True])
def test_the_nats_of_targets_are_those_of_the_logits(policy, near, tied):
    config = ModelConfig(hidden_size=8, embedding_size=8, tie_weights=tied)
    model = build_model(config, V, policy)
    targets = np.random.default_rng(5).integers(0, V, IDS.shape)
    nats, state = model.nats(IDS, targets)
    logits, end = model(IDS)
    expected = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    np.testing.assert_allclose(nats, expected, atol=near)
    for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(end), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_trainer_carries_its_state_from_batch_to_batch():
    model = make("lstm")
    targets = np.roll(IDS, -1, 1)
    whole, _ = model.nats(IDS, targets)
    trainer = LaneTrainer(model, B)
    first, second = (trainer(IDS[:, part], targets[:, part]) for part in (slice(4), slice(4, None)))
    np.testing.assert_allclose(ops.concatenate([first, second], 1), whole, atol=1e-5)
    trainer.reset_lanes()
    np.testing.assert_allclose(trainer(IDS[:, :4], targets[:, :4]), first, atol=1e-6)


def test_a_step_counts_weighted_tokens_only():
    steps = []
    for last in (1, 2):  # the target that counts nothing
        keras.utils.set_random_seed(1)
        model = make("rnn")
        trainer = LaneTrainer(model, B)
        trainer.compile(optimizer=keras.optimizers.SGD(0.1), jit_compile=False)
        targets, weights = np.full_like(IDS, 3), np.ones(IDS.shape, np.float32)
        targets[:, -1], weights[:, -1], weights[0, 0] = last, 0.0, 2.0
        before = model.head.bias.numpy()
        told = trainer.train_step((IDS, targets, weights))
        steps.append((float(told["loss"]), before - model.head.bias.numpy()))
    assert steps[0][0] == steps[1][0]
    np.testing.assert_array_equal(steps[0][1], steps[1][1])


def test_the_loss_of_a_step_counts_every_token_alike():
    trainer = LaneTrainer(make("rnn"), B)
    targets = np.roll(IDS, -1, 1)
    nats = np.asarray(trainer(IDS, targets))
    trainer.reset_lanes()
    weights = np.where(np.arange(IDS.shape[1]) < 3, 10.0, 0.0) * np.ones(IDS.shape)
    told = trainer.test_step((IDS, targets, weights.astype(np.float32)))
    np.testing.assert_allclose(told["loss"], nats[:, :3].mean(), rtol=1e-5)
