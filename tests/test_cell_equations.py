"""The equations of each cell in NumPy: by hand, against TensorFlow, and over a sequence."""

import ast
import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from textgen import cells
from textgen.backend import tf
from textgen.cells import CELLS, make_cell, register
from textgen.cells.array_functions import ACTIVATIONS, concat, sigmoid, split
from textgen.cells.latex import Equation
from textgen.cells.layer import RecurrentLayer
from tiny import only

T, B, D, U = 12, 3, 5, 4
VARIANTS = [(name, activation) for name, cell in CELLS.items() for activation in cell.activations]

# --- by hand --------------------------------------------------------------------------------------

# pre-activations at which the functions are round numbers
LN2, LN3, LN4 = (math.log(n) for n in (2, 3, 4))  # tanh(LN2) = 0.6, σ(LN3) = 0.75, σ(LN4) = 0.8

# name -> (z, state, extra weights, what the equations give, in their order), each for one unit
BY_HAND = {
    "rnn": ([LN2], [0.5], [], {"h": 0.6}),
    # f = 0.75, i = 0.5: C = 0.75 * 1.2 + 0.5 * 0.6
    "lstm": (
        [0, LN3, LN2, LN4],
        [9.0, 1.2],
        [],
        {"f": 0.75, "i": 0.5, "c": 0.6, "C": 1.2, "o": 0.8, "h": 0.8 * math.tanh(1.2)},
    ),
    # f = σ(LN3 / 2 * 2), i = σ(-LN3 / 2 * 2): C = 0.75 * 2 + 0.25 * 0.6; o = σ(LN4 / 1.65 * 1.65)
    "peephole": (
        [0, 0, LN2, 0],
        [9.0, 2.0],
        [[[-LN3 / 2], [LN3 / 2], [LN4 / 1.65]]],
        {"f": 0.75, "i": 0.25, "c": 0.6, "C": 1.65, "o": 0.8, "h": 0.8 * math.tanh(1.65)},
    ),
    # C = 0.75 * 2 + (1 - 0.75) * 0.6
    "coupled": (
        [LN3, LN2, 0],
        [9.0, 2.0],
        [],
        {"f": 0.75, "c": 0.6, "C": 1.65, "o": 0.5, "h": 0.5 * math.tanh(1.65)},
    ),
    # c = tanh(LN2 / 2 + 0.25 * 2 LN2); h = 0.75 * 0.2 + (1 - 0.75) * 0.6
    "gru": (
        [LN3, -LN3, LN2 / 2, 2 * LN2],
        [0.2],
        [],
        {"z": 0.75, "r": 0.25, "c": 0.6, "h": 0.3},
    ),
    # h = (1 - 0.75) * 0.4 + 0.75 * 2
    "mingru": ([LN3, 2.0], [0.4], [], {"z": 0.75, "c": 2.0, "h": 1.6}),
    # f / (f + i) = 0.6: h = 0.6 * 0.4 + 0.4 * 2
    "minlstm": ([LN3, 0, 2.0], [0.4], [], {"f": 0.75, "i": 0.5, "c": 2.0, "h": 1.04}),
    # what was written weighs 0.75 * 4 = 3, the new e^0: C = 0.75 * 2 + 0.25 * 0.6
    "slstm": (
        [0, LN3, LN2, LN4],
        [9.0, LN4, 2.0],
        [],
        {"f": 0.75, "n": LN4, "i": 0.25, "c": 0.6, "C": 1.65, "o": 0.8, "h": 0.8 * 1.65},
    ),
}


def observed(cell, z, state, extra):
    """(the values that an update names, the state after it)."""
    values = {}

    def note(name, value):
        values[name] = value
        return value

    return values, cell.update(z, state, extra, note)


@pytest.mark.parametrize("name", CELLS)
def test_a_step_by_hand(name):
    z, state, extra, expected = BY_HAND[name]
    cell = make_cell(name)
    state = tuple(np.array([[part]]) for part in state)
    values, end = observed(cell, np.array([z]), state, tuple(map(np.array, extra)))
    assert list(values) == list(expected) == list(cell.value_names())
    for value, number in expected.items():
        assert values[value].item() == pytest.approx(number, abs=1e-12), value
    assert [part.item() for part in end] == [values[part].item() for part in cell.state_names]


def test_the_other_activations_of_the_plain_recurrence():
    z = np.array([[-1.0, 2.0, LN3]])
    by_hand = {"relu": [0, 2, LN3], "sigmoid": [1 / (1 + math.e), 1 / (1 + math.e**-2), 0.75]}
    for activation, expected in by_hand.items():
        (h,) = make_cell("rnn", activation).update(z, (z,))
        np.testing.assert_allclose(h[0], expected, atol=1e-12)


def test_what_the_hook_returns_takes_the_values_place():
    z, state = np.zeros((1, 4)), (np.ones((1, 1)), np.full((1, 1), 8.0))
    shut = make_cell("lstm").update(z, state, observe=lambda n, v: 0 * v if n == "f" else v)
    assert shut[1].item() == 0.0  # i * c alone, and c = tanh(0)


# --- NumPy and TensorFlow -------------------------------------------------------------------------


def drawn(cell, seed=1):
    """Weights [float32] drawn at random, large enough for everything to matter."""
    random = np.random.default_rng(seed)
    shapes = cell.weight_shapes(D, U).items()
    return {name: random.normal(0, 0.7, shape).astype("f") for name, shape in shapes}


@pytest.mark.parametrize("name, activation", VARIANTS)
def test_an_update_is_the_same_in_numpy_and_tensorflow(name, activation):
    cell, random = make_cell(name, activation), np.random.default_rng(2)
    z = random.normal(0, 3, (B, (cell.joined or len(cell.blocks)) * U)).astype("f")
    state = tuple(random.normal(size=(B, U)).astype("f") for _ in cell.state_names)
    extra = cell.extra(drawn(cell))
    ours, end = observed(cell, z, state, extra)
    tensors = tf.nest.map_structure(tf.constant, (z, state, extra))
    theirs, their_end = observed(cell, *tensors)
    assert list(ours) == list(theirs)
    for a, b in zip([*ours.values(), *end], [*theirs.values(), *their_end], strict=True):
        assert isinstance(a, np.ndarray) and a.dtype == np.float32 and tf.is_tensor(b)
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name, activation", only([("gru", "tanh"), ("rnn", "relu")], VARIANTS))
def test_a_sequence_in_numpy_is_what_the_layer_computes(name, activation):
    cell = make_cell(name, activation)
    weights, random = drawn(cell), np.random.default_rng(3)
    layer = RecurrentLayer(cell, U)
    layer.build((None, None, D))
    for weight_name, weight in layer.named_weights().items():
        weight.assign(weights[weight_name])
    x = random.normal(size=(T, B, D)).astype("f")
    state = tuple(random.normal(0, 0.5, (B, U)).astype("f") for _ in cell.state_names)
    hidden, end = layer(x, tuple(map(tf.constant, state)))
    # what a ReLU gives grows to dozens, of which a float32 knows no five decimals
    relative = 1e-6 if activation == "relu" else 0
    for t in range(T):
        state = cell.step(weights, x[t], state)
        np.testing.assert_allclose(state[0], hidden[t], atol=1e-5, rtol=relative)
    for ours, theirs in zip(state, end, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=relative)


@pytest.mark.parametrize("name", CELLS)
def test_unjoin_is_the_gradient_of_join(name):
    cell, random = make_cell(name), np.random.default_rng(4)
    a, p, da, dp = (random.normal(size=(B, len(cell.blocks) * U)) for _ in range(4))
    dz = random.normal(size=cell.join(a, p).shape)
    changed = np.sum(dz * (cell.join(a + da, p + dp) - cell.join(a, p)))  # join is linear
    back_a, back_p = cell.unjoin(dz)
    assert changed == pytest.approx(np.sum(back_a * da) + np.sum(back_p * dp))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_are_finite_at_both_ends_without_a_warning(name, kind):
    x = np.array([-1e4, -100, -80, -1, 0, 1, 80, 100, 1e4], kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = ACTIVATIONS[name](x)
    assert ours.dtype == kind and np.isfinite(ours).all()
    np.testing.assert_allclose(ours, ACTIVATIONS[name](tf.constant(x)), rtol=1e-5, atol=1e-37)


def test_a_closed_gate_is_small_but_not_nothing():
    # minlstm divides by it
    assert sigmoid(np.float32(-80)) == pytest.approx(math.exp(-80), rel=1e-5)


@pytest.mark.parametrize("kind", [np.asarray, tf.constant])
def test_concat_puts_together_what_split_took_apart(kind):
    x = np.arange(24.0).reshape(2, 12)
    parts = split(kind(x), 3)
    assert [part.shape[-1] for part in parts] == [4, 4, 4]
    np.testing.assert_array_equal(concat(parts), x)


# --- the files ------------------------------------------------------------------------------------

PURE = [
    file
    for file in sorted(Path(cells.__file__).parent.glob("*.py"))
    if file.stem not in ("__init__", *cells.NEED_TENSORFLOW)
]


@pytest.mark.parametrize("file", PURE, ids=lambda file: file.stem)
def test_a_cell_imports_neither_tensorflow_nor_keras(file):
    imported = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {name for name in imported if name.startswith("textgen")}
    assert {name.split(".")[1] for name in ours} <= {"arrays", "cells"}
    others = {name.split(".")[0] for name in imported - ours}
    assert others <= {*sys.stdlib_module_names, "numpy"}


def test_cells_compute_where_tensorflow_is_not_imported():
    code = (
        "import sys, numpy as np; from textgen.cells import CELLS, make_cell\n"
        "for name in CELLS:\n"
        "    cell = make_cell(name)\n"
        "    weights = {n: np.ones(s) for n, s in cell.weight_shapes(2, 3).items()}\n"
        "    zeros = (np.zeros((1, 3)),) * len(cell.state_names)\n"
        "    assert cell.step(weights, np.ones((1, 2)), zeros)[0].shape == (1, 3)\n"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("set()\n", "")


def test_the_cells_of_the_lesson_come_first_and_each_has_a_colour_of_its_own():
    later = ["peephole", "coupled", "mingru", "minlstm", "slstm"]
    assert list(CELLS) == ["rnn", "lstm", "gru", *later]
    assert len({cell.colour for cell in CELLS.values()}) == len(CELLS)


def test_a_name_is_given_once():
    class Another(CELLS["lstm"]):
        pass

    with pytest.raises(ValueError, match="a cell 'lstm' already"):
        register(Another)
    assert register(CELLS["lstm"]) is CELLS["lstm"]


# --- what joins -----------------------------------------------------------------------------------

HEAD = "from textgen.cells.lstm import LSTM\n\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A second folder of cells, collected with the package's own."""
    monkeypatch.setattr(cells, "__path__", [*cells.__path__, str(tmp_path)])
    before = dict(CELLS)
    yield tmp_path
    CELLS.clear()
    CELLS.update(before)
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"textgen.cells.{file.stem}", None)
        vars(cells).pop(file.stem, None)


def test_a_cell_that_forgets_its_name_does_not_take_that_of_another(folder):
    (folder / "aaa_variant.py").write_text(HEAD + "class Variant(LSTM):\n    year = 1900\n")
    before = list(CELLS.items())
    CELLS.clear()
    cells.collect()
    assert list(CELLS.items()) == before


def test_a_file_with_a_name_that_is_taken_is_refused(folder):
    (folder / "mine.py").write_text(HEAD + "class Mine(LSTM):\n    name = 'lstm'\n")
    with pytest.raises(ValueError, match=r"cells\.mine\.Mine: there is a cell 'lstm' already"):
        cells.collect()


def test_an_incomplete_file_is_named_with_what_it_lacks(folder):
    (folder / "mine.py").write_text(
        "from textgen.cells.cell import Cell\n\nclass Mine(Cell):\n"
        "    name = 'mine'\n    source = 'a paper'\n    colour = '#000000'\n"
    )
    with pytest.raises(ValueError) as caught:
        cells.collect()
    assert str(caught.value) == (
        "the cell textgen.cells.mine.Mine lacks year, blocks, equations, update"
    )


def another(equation):
    """An lstm of another name, with this equation."""
    fields = {"name": "another", "equations": {"output": (equation,)}}
    return type("Another", (CELLS["lstm"],), fields)


@pytest.mark.parametrize(
    "value, numbers, problem",
    [
        (
            "h",
            r"\mathrm{relu}({o})",
            r"cannot be filled in \('relu'\).* braces of LaTeX are doubled",
        ),
        ("h", r"\frac{}{2}", r"cannot be filled in"),
        ("h", "{o} {", r"cannot be filled in"),
        ("h", "{f_y}", r"cannot be filled in \('f_y'\).* f_x, f_h, f_b"),
        ("q", "{o}", r"is of a value that `update` does not observe"),
    ],
)
def test_an_equation_that_cannot_be_filled_in_does_not_join(value, numbers, problem):
    with pytest.raises(ValueError, match=rf"^the equation of '{value}' under 'output' .*{problem}"):
        register(another(Equation(value, "o_t", numbers)))
    assert "another" not in CELLS


def test_an_equation_whose_braces_are_doubled_joins():
    cell = another(Equation("h", r"\mathrm{id}(o_t)", r"\mathrm{{id}}({o:()})"))
    register(cell)
    assert CELLS.pop("another") is cell
