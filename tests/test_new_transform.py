"""A sampling transform is one frozen dataclass: one that is registered here works everywhere."""

import dataclasses

import pytest
from streamlit.testing.v1 import AppTest

import textgen
from textgen import backend, shipped
from textgen.arrays import Array
from textgen.cli.arguments import parser
from textgen.cli.main import main
from textgen.generation.options import generation_options
from textgen.generation.sampling import NEVER, TRANSFORMS, Transform, register
from textgen.options import option
from textgen.ui import messages


@dataclasses.dataclass(frozen=True)
class PassOver(Transform):
    """Forbid the likeliest token, now and then of use against a text that goes round in circles."""

    pass_over: Array = option(0, "1: never take the likeliest token", low=0, high=1)

    def __call__(self, logits, history):
        ops = backend.ops
        likeliest = ops.max(logits, axis=-1, keepdims=True)
        return ops.where((logits == likeliest) & (self.pass_over > 0), NEVER, logits)


@pytest.fixture
def registered():
    register(PassOver)
    yield
    TRANSFORMS.remove(PassOver)


@pytest.fixture
def unlikely(registered, runs):
    """What a model writes with the transform: never the likeliest token."""
    return textgen.load(runs()).generate("나는 ", max_new_tokens=12, seed=3, pass_over=1)


def test_it_changes_what_is_drawn(unlikely, runs):
    model = textgen.load(runs())
    assert unlikely.text != model.generate("나는 ", max_new_tokens=12, seed=3).text
    found = model.generate("나는 ", max_new_tokens=12, seed=3, pass_over=1, top_logprobs=1)
    assert found.text == unlikely.text
    ids, best = found.token_ids, found.top_logprobs
    assert all(i != likeliest.token_id for i, (likeliest,) in zip(ids, best, strict=True))


def test_it_is_an_option_of_generation(registered):
    rule, default, kind = generation_options()["pass_over"]
    assert (rule.high, default, kind) == (1, 0, int)


def test_it_is_a_flag_of_the_command_line(unlikely, runs, capsys):
    assert parser().parse_args(["generate", "run", "--pass-over", "1"]).pass_over == 1
    arguments = ["--prompt", "나는 ", "--max-new-tokens", "12", "--seed", "3", "--pass-over", "1"]
    main(["generate", str(runs()), *arguments])
    assert capsys.readouterr().out == f"나는 {unlikely.text}\n"


def test_it_is_a_slider_of_the_page_write(unlikely, runs, tmp_path, monkeypatch):
    (tmp_path / "tiny").symlink_to(runs())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "MODELS", tmp_path)
    page = messages.__file__.replace("messages/__init__.py", "pages/1_write.py")
    app = AppTest.from_file(page, default_timeout=60)
    settings = {"prompt": "나는 ", "max_new_tokens": 20, "temperature": 1.0, "seed": 3}
    for name, value in settings.items():
        app.query_params[name] = str(value)
    app.run()
    slider = app.slider(key="pass_over")
    assert slider.value == 0 and slider.help == "1: never take the likeliest token"
    before = app.session_state["texts"][0].streamed
    slider.set_value(1).run()
    app.button(key="write").click().run()
    assert not app.exception
    after = app.session_state["texts"][0].streamed
    assert after != before and after.startswith(unlikely.text)


def test_it_is_gone_when_it_is_taken_out():
    assert "pass_over" not in generation_options()
