"""What Python and the shell give of the inside of a model, on a text of one's own."""

import numpy as np
import pytest
from test_cli import fails, run

import textgen
from textgen.errors import ConfigError, GenerationError
from textgen.interpret import Goal, Override, ablation, occlusion, saliency, value

TEXT = "나는 한국사람이야."


@pytest.fixture(scope="module")
def model(runs):
    return textgen.load(runs())


@pytest.fixture(scope="module")
def ids(model):
    return [model.tokenizer.start_id, *model.tokenizer.encode(TEXT)]


def test_a_trace_has_a_token_for_each_row_and_a_name_for_each_array(model, ids):
    found = model.trace(TEXT)
    assert found.tokens == tuple(model.tokenizer.token(i) for i in ids)
    arrays = found.arrays()
    assert list(arrays) == [
        *(f"layer0/{name}" for name in ("f", "i", "c", "C", "o", "h")),
        "logprobs",
        "tokens",
    ]
    assert {len(array) for array in arrays.values()} == {len(ids)} and found.error < 1e-5
    np.testing.assert_array_equal(arrays["layer0/C"], found.layers[0]["C"])


def test_an_answer_is_asked_for_by_its_text(model, ids):
    goal = Goal(model.tokenizer.encode("한국"), model.tokenizer.encode("비가"))
    asked = (TEXT, "한국", "비가")
    assert model.preference(*asked) == value(model.network, ids, goal)
    assert model.preference(TEXT, "한국") == value(model.network, ids, Goal(goal.answer))
    shut = [Override(0, "f", None, None, 0.0)]
    assert model.preference(*asked, shut) == value(model.network, ids, goal, shut)
    by_removal, by_gradient = model.occlude(*asked), model.saliency(*asked)
    assert by_removal.tokens == by_gradient.tokens == model.trace(TEXT).tokens
    np.testing.assert_array_equal(by_removal.effects, occlusion(model.network, ids, goal))
    expected = saliency(model.network, ids, goal).product
    np.testing.assert_allclose(by_gradient.effects, expected, atol=1e-6)
    np.testing.assert_array_equal(model.ablate(*asked), ablation(model.network, ids, goal, 0))


def test_all_of_anothers_state_says_what_the_other_says(model):
    text, donor = "나는 한국", "나는 우산"
    found = model.transplant(text, donor, "나는 한국", ["h", "C"])
    (expected,) = np.exp(model.trace(donor).logprobs[-1:])
    for token, share in found.items():
        place = [model.tokenizer.token(k) for k in range(len(expected))].index(token)
        assert share == pytest.approx(expected[place], abs=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert sum(found.values()) == pytest.approx(1)
    own = model.transplant(text, donor, "나는 한", [])
    likeliest = model.generate(text, max_new_tokens=1, top_k=1).token_ids[0]
    assert next(iter(own)) == model.tokenizer.token(likeliest)


@pytest.mark.parametrize(
    "look, error, what",
    [
        (lambda m: m.trace(3), GenerationError, "text to trace is 3"),
        (lambda m: m.occlude(TEXT, ""), GenerationError, "answer is empty"),
        (lambda m: m.saliency(TEXT, None), GenerationError, "answer is None"),
        (lambda m: m.preference(TEXT, "漢", "學"), GenerationError, "cannot spell 漢 學"),
        (lambda m: m.saliency(TEXT, "한", "한"), GenerationError, "are both '한'"),
        (lambda m: m.ablate(TEXT, "한", layer=3), ConfigError, "layer is 3"),
        (lambda m: m.transplant(TEXT, TEXT, "그는", ["h"]), GenerationError, "does not begin"),
        (lambda m: m.transplant(TEXT, TEXT, "나는", ["x"]), ConfigError, "parts are"),
        (lambda m: m.transplant(TEXT, "", TEXT[:3], ["h"]), ConfigError, "give a place"),
    ],
)
def test_what_cannot_be_looked_at(model, look, error, what):
    with pytest.raises(error, match=what):
        look(model)


def test_the_shell_writes_the_same_arrays_to_a_file(model, runs, tmp_path, capsys):
    expected = model.trace(TEXT).arrays()
    code, shown, _ = run(capsys, "trace", runs(), TEXT, "--out", tmp_path / "states.npz")
    assert code == 0 and f"layer0/C [{len(expected['tokens'])}, 32]" in shown
    with np.load(tmp_path / "states.npz") as found:
        assert set(found) == set(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
    h5py = pytest.importorskip("h5py")
    (tmp_path / "text.txt").write_text(TEXT)
    run(capsys, "trace", runs(), tmp_path / "text.txt", "--out", tmp_path / "states.h5")
    with h5py.File(tmp_path / "states.h5") as found:
        np.testing.assert_array_equal(found["layer0/C"][:], expected["layer0/C"])
        assert [token.decode() for token in found["tokens"][:]] == list(expected["tokens"])


def test_what_the_shell_refuses(runs, tmp_path, capsys):
    assert "ends with .npz or .h5" in fails(
        capsys, "trace", runs(), TEXT, "--out", tmp_path / "states.csv"
    )
    assert not (tmp_path / "states.csv").exists()
