"""Two engines compute one model: NumPy at once, TensorFlow compiled."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import textgen
from textgen import shipped
from textgen.array_ops import log_softmax, logsumexp, ops_for, pick, scatter, softmax, top_k
from textgen.backend import ops, tf
from textgen.cells import CELLS
from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.generation import decoder as decoder_module
from textgen.generation.beam_search import beam_search
from textgen.generation.compiled_decoder import CompiledDecoder, on_tensorflow
from textgen.generation.decoder import Decoder
from textgen.generation.engine import best_engine
from textgen.generation.sampling import TRANSFORMS, RepetitionPenalty, Temperature
from tiny import by_keras, drawn, only

V = 12
CHANGED = {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "top_k": 5}


def network(cell="lstm", **settings):
    config = ModelConfig(**({"cell": cell, "hidden_size": 8, "embedding_size": 5} | settings))
    return drawn(config, V, scale=0.8)


def taken(steps, number=70):
    return list(itertools.islice(steps, number))


# --- the equations of a whole model ---------------------------------------------------------------


@pytest.mark.parametrize("tie_weights", [False, True])
@pytest.mark.parametrize("cell", only(["gru"], CELLS))
def test_reading_is_what_the_trained_layers_compute(cell, tie_weights):
    model = network(cell, embedding_size=8, num_layers=2, tie_weights=tie_weights)
    ids = np.random.default_rng(0).integers(0, V, (3, 9)).astype(np.int32)
    hidden, end = model.read(ids.T, model.initial_state(3))
    expected = by_keras(model, ids)
    np.testing.assert_allclose(model.read_out(hidden).swapaxes(0, 1), expected, atol=1e-5)
    state = model.initial_state(3)
    for t in range(ids.shape[1]):
        logits, state = model.step(ids[:, t], state)
        np.testing.assert_allclose(logits, expected[:, t], atol=1e-5)
    for ours, theirs in zip(state, end, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_equations_run_on_tensorflow(cell):
    model = network(cell, num_layers=2)
    theirs = on_tensorflow(model)
    ids, states = np.array([3, 1]), (model.initial_state(2), theirs.initial_state(2))
    for _ in range(4):
        found, expected = (n.step(ids, s) for n, s in zip((model, theirs), states, strict=True))
        np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
        states = found[1], expected[1]


# --- the functions that both are written in -------------------------------------------------------


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_numpys_functions_are_keras_functions(function):
    x = np.random.default_rng(0).normal(0, 30, (3, 5)).astype(np.float32)
    expected = getattr(ops, function.__name__)(tf.constant(x), axis=-1)
    np.testing.assert_allclose(function(x), expected, rtol=1e-6, atol=1e-6)


def test_the_largest_come_first_and_of_equal_ones_the_first():
    values, places = top_k(np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 0.0, 1.0, 5.0]]), 3)
    assert values.tolist() == [[3, 3, 1], [5, 2, 1]] and places.tolist() == [[1, 2, 0], [3, 0, 2]]


def test_values_are_picked_and_added_at_their_places():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    assert pick(x, np.array([1, 0])).tolist() == [2, 3]
    assert np.asarray(pick(tf.constant(x), tf.constant([1, 0]))).tolist() == [2, 3]
    places = np.array([[0, 1], [0, 1], [1, 0]])
    assert scatter(places, np.array([1, 2, 5]), (2, 2)).tolist() == [[0, 3], [5, 0]]
    assert ops_for(tf.constant(1.0)) is ops and ops_for(x).softmax is softmax


def test_with_a_model_numpy_multiplies_on_the_thread_that_asks():
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from threadpoolctl import threadpool_info\n"
        "import textgen\n"
        "threads = lambda: {i['num_threads'] for i in threadpool_info() if 'blas' in i.values()}\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    model = pool.submit(textgen.load, 'en-lstm-char').result()\n"
        "    print(threads(), pool.submit(threads).result())\n"
        "print(threads())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{1} {1}\n{1}\n"


# --- the loop that writes -------------------------------------------------------------------------


@pytest.mark.parametrize("transform", only([RepetitionPenalty], TRANSFORMS))
def test_both_engines_write_the_same(transform):
    (name, default), *_ = vars(transform()).items()
    changed = transform(CHANGED.get(name, 0.7 if isinstance(default, float) else 3))
    model, prompts, seeds = network(), [[1, 2, 3], [4]], [(5, 0), (5, 1)]
    written = [
        taken(decoder.decode(prompts, (changed, Temperature(0.9)), seeds, 4))
        for decoder in (Decoder(model, (0,)), CompiledDecoder(model, (0,)))
    ]
    for ours, theirs in zip(*written, strict=True):
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        np.testing.assert_array_equal(ours.top_ids, theirs.top_ids)
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, atol=1e-4)
        np.testing.assert_allclose(ours.top_logprobs, theirs.top_logprobs, atol=1e-4)
        assert {part.dtype for part in ours} == {part.dtype for part in theirs}


def test_both_engines_find_the_same_beams():
    model = network("gru", num_layers=2)
    found = [
        list(beam_search(decoder, [1, 2], (RepetitionPenalty(1.3),), 3, 12, 2))
        for decoder in (Decoder(model, (0,)), CompiledDecoder(model, (0,)))
    ]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, atol=1e-4)


@pytest.mark.parametrize("number", [2, 3])
def test_texts_shared_out_among_cores_are_those_written_alone(monkeypatch, number):
    monkeypatch.setattr(decoder_module, "FEWEST", 1)
    monkeypatch.setattr(decoder_module, "cores", lambda: number)
    decoder, prompts = Decoder(network(), ()), [[1], [2, 3], [1], [5, 6, 7]]
    together = taken(decoder.decode(prompts, (), [(1, k) for k in range(4)], 2), 40)
    for k, prompt in enumerate(prompts):
        alone = taken(decoder.decode([prompt], (), [(1, k)], 2), 40)
        for a, b in zip(together, alone, strict=True):
            assert a.ids[k] == b.ids[0] and a.top_ids[k].tolist() == b.top_ids[0].tolist()


# --- which one ------------------------------------------------------------------------------------


def test_a_little_is_written_by_numpy_and_a_lot_by_tensorflow():
    model = network()
    assert best_engine(model, 200, 1) == best_engine(model, 200, 64) == "numpy"
    assert best_engine(model, 100_000, 64) == "tensorflow"


def test_the_engine_can_be_named(runs):
    model = textgen.load(runs())
    ours, theirs = (
        model.generate("나는 ", max_new_tokens=40, seed=3, engine=engine)
        for engine in ("numpy", "tensorflow")
    )
    assert ours.text == theirs.text
    with pytest.raises(ConfigError, match="choose one of auto, numpy, tensorflow"):
        model.generate("나는 ", engine="torch")


WITHOUT = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # importing either fails
import textgen
from textgen.interpret import Goal, ablation, occlusion, transplant, untrained, without_units
model = textgen.load(sys.argv[1])
model.generate("나는 ", max_new_tokens=5)
model.generate("나는 ", max_new_tokens=5, num_beams=2)
model.generate_batch(["나는 "] * 40, max_new_tokens=3)
model.score("나는 한국사람이야.")
model.evaluate("나는 한국사람이야." * 9, sample_length=20)
model.trace("나는 한국사람이야.")
probed = textgen.load("speaker-gru-ko").probe(distances=[20], n=24)
ids = [0, 3, 4, 5]
occlusion(model.network, ids, Goal([2]))
model.saliency("나는 ", "한국", "사람")
untrained(model).generate("나는 ", max_new_tokens=5)
ablation(model.network, ids, Goal([2], [3]), 0)
without_units(model, [1]).generate("나는 ", max_new_tokens=5)
transplant(model.network, ids, ids[::-1], 2, ("C",))
print("done")
"""


def test_what_reads_and_writes_needs_no_tensorflow(runs):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(runs())], capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


@pytest.mark.parametrize(
    "command",
    only(
        [["generate", "en-lstm-char", "--max-new-tokens", "5"]],
        [
            ["--help"],
            ["score", "en-lstm-char", "It rained."],
            ["probe", "speaker-gru-en", "-n", "12", "--distances", "20"],
            ["train", "--help"],
        ],
    ),
)
def test_a_command_that_reads_or_writes_needs_no_tensorflow(command):
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from textgen.cli.main import main; main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout, done.stderr


@pytest.mark.parametrize(
    "missing, command, part",
    [
        ("keras", ["train", "TEXT", "--out", "OUT"], "train"),
        ("keras", ["generate", "RUN", "--engine", "tensorflow"], "train"),
        ("streamlit", ["app"], "app"),
    ],
)
def test_what_is_not_installed_is_named(missing, command, part, text_file, runs, tmp_path):
    places = {"TEXT": str(text_file), "OUT": str(tmp_path / "run"), "RUN": str(runs())}
    command = [places.get(word, word) for word in command]
    code = (
        f"import sys, importlib.util; sys.modules[{missing!r}] = None\n"
        "importlib.util.find_spec = lambda name: None\n"
        "from textgen.cli.main import main; main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert f"pip install 'textgen-recurrent[{part}]'" in done.stderr
    assert not (tmp_path / "run").exists()


WRITERS = sorted(f.name for f in shipped.MODELS.iterdir() if not f.name.startswith("speaker"))


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_a_shipped_writer_says_the_same_with_both_engines(name):
    model = textgen.load(name)
    texts = [
        model.generate("", max_new_tokens=1000, top_k=1, engine=engine).token_ids
        for engine in ("numpy", "tensorflow")
    ]
    assert texts[0] == texts[1]
