"""The models of textgen in `llm`, which finds this file by the entry point in pyproject.toml.

`textgen/NAME` is a shipped model, `textgen/runs/NAME` a run in the folder `runs` of the working
directory, where the app keeps them, too. Which there are is read off folders; all else is imported
when a model is asked to write.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm

from textgen import shipped
from textgen.errors import TextgenError

if TYPE_CHECKING:
    from textgen.generation.generator import Generator

RUNS = Path("runs")
LEFT_OUT = ("top_logprobs",)  # a text alone is shown


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Tell `llm` of each model."""
    for folder, before in ((shipped.MODELS, ""), (RUNS, f"{RUNS}/")):
        for config in sorted(folder.glob("*/config.json")):
            register(Textgen(f"textgen/{before}{config.parent.name}", config.parent))


class Textgen(llm.Model):
    """A model that goes on with a prompt. It knows no system prompt and no chat: a conversation is
    one text, which it goes on with."""

    can_stream = True

    def __init__(self, model_id: str, folder: Path) -> None:
        self.model_id, self._folder = model_id, folder

    @property
    def Options(self) -> Any:
        """The options of `textgen generate`, as `llm` wants them."""
        return _options()

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.Response,
        conversation: llm.Conversation | None,
    ) -> Iterator[str]:
        """The text after the prompt, part by part. Raises `llm.ModelError`."""
        if any(message.role == "system" for message in prompt.messages):
            raise llm.ModelError("the model takes no system prompt: write it into the prompt")
        parts = [part for message in prompt.messages for part in message.parts]
        text = "".join(getattr(part, "text", "") for part in parts)
        given = {name: value for name, value in prompt.options if value is not None}
        label = given.pop("label", None)
        try:
            model = self._model if label is None else self._model.in_voice(label)
            written = 0
            for chunk in model.stream(text, **given):
                written += len(chunk.token_ids)
                yield chunk.text
        except TextgenError as error:
            raise llm.ModelError(str(error)) from None
        response.response_json = {"seed": chunk.seed, "finish_reason": chunk.finish_reason}
        response.set_usage(input=len(model.tokenizer.encode(text)), output=written)

    @functools.cached_property
    def _model(self) -> Generator:
        from textgen.generation.generator import load

        return load(self._folder)


@functools.cache
def _options() -> type[llm.Options]:
    """A class of pydantic with a field for each option of generation, and for a label; textgen
    checks ranges."""
    import pydantic

    from textgen.generation.options import generation_options

    fields: dict[str, Any] = {
        name: (kind | None, pydantic.Field(None, description=rule.help))
        for name, (rule, _, kind) in generation_options().items()
        if name not in LEFT_OUT
    }
    fields["label"] = (str | None, pydantic.Field(None, description="write in its voice"))
    return pydantic.create_model("Options", __base__=llm.Options, **fields)
