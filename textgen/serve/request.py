"""What a client asks for, under the names of OpenAI's completions API, checked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from typing import Any

from textgen.errors import ConfigError
from textgen.generation.fair_queue import TOKEN_LIMIT
from textgen.generation.options import generation_config
from textgen.generation.sampling import TRANSFORMS
from textgen.options import build, is_of, option, options_of, refuse_unknown

MOST_TEXTS = 32  # of one request: prompts times n
LONGEST_PROMPTS = 10_000  # characters of all prompts together: to read them is one turn
MOST_STOPS = 16
MOST_LOGGED = 500_000  # log-probabilities of one answer: a dozen MB of JSON
# what textgen does not have, and the value at which it is not asked for
NEUTRAL = {
    "best_of": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "suffix": "",
}
IGNORED = ("user",)  # whom the client asks for


@dataclasses.dataclass(frozen=True)
class Settings:
    """How much is written, and what is told of it."""

    max_tokens: int = option(16, "tokens to write", low=0, high=TOKEN_LIMIT)
    n: int = option(1, "texts of each prompt", low=1, high=MOST_TEXTS)
    seed: int | None = option(
        None, "same seed, same text (none: one is drawn)", low=0, high=2**63 - 1
    )
    logprobs: int | None = option(None, "alternatives reported of each token", low=0, high=50)
    echo: bool = option(False, "begin each text with its prompt")
    stream: bool = option(False, "send each part of a text when it is written")


# the transforms of sampling, which have the names that clients know: temperature, top_p, top_k
SAMPLING = {
    name: kind for transform in TRANSFORMS for name, (_, _, kind) in options_of(transform).items()
}
OPTIONS = {name: kind for name, (_, _, kind) in options_of(Settings).items()} | SAMPLING
KNOWN = ("model", "prompt", "stop", "stream_options", *OPTIONS)
IN_JSON = {bool: "true or false", int: "a whole number", float: "a number"}  # what a kind is there


@dataclasses.dataclass(frozen=True)
class Request:
    """model: its name. sampling: options of `Generator.stream_batch`. usage: whether a stream ends
    with the number of tokens."""

    model: str
    prompts: list[str]
    settings: Settings
    stop: tuple[str, ...]
    sampling: dict[str, Any]
    usage: bool


def read_request(body: object, models: Collection[str]) -> Request:
    """The request in the JSON that a client sent. models: the names that it may give.

    Raises `ConfigError` for what is not known, not had or outside its range.
    """
    if not isinstance(body, dict):
        raise ConfigError(f"the request is {sent(body)}: send a JSON object")
    given = {name: value for name, value in body.items() if value is not None}
    for name, neutral in NEUTRAL.items():
        if given.pop(name, neutral) != neutral:
            raise ConfigError(f"{name} is {sent(body[name])}, which is not had: leave it out")
    refuse_unknown([name for name in given if name not in IGNORED], KNOWN)
    for name, kind in OPTIONS.items():
        if name in given and not is_of(given[name], kind):
            raise ConfigError(f"{name} is {sent(given[name])}: give {IN_JSON[kind]}")
    settings = build(Settings, given)
    prompts = _texts("prompt", given.get("prompt", ""))
    _refuse_too_much(prompts, settings)
    stop = _texts("stop", given.get("stop", []))
    if len(stop) > MOST_STOPS:
        raise ConfigError(f"stop holds {len(stop)} texts: give at most {MOST_STOPS}")
    if "" in stop:
        raise ConfigError("stop holds an empty text: leave it out, or give what a text ends at")
    sampling = {name: given[name] for name in SAMPLING if name in given}
    generation_config(stop_strings=tuple(stop), **sampling)
    return Request(
        _model(given, models), prompts, settings, tuple(stop), sampling, _usage(given, settings)
    )


def _model(given: dict[str, object], models: Collection[str]) -> str:
    """The model that is asked for; it may be left out where there is but one."""
    if "model" not in given and len(models) == 1:
        return next(iter(models))
    name = given.get("model")
    if name is None:
        raise ConfigError(f"model is not given: give one of {', '.join(models)}")
    if not isinstance(name, str):
        raise ConfigError(f"model is {sent(name)}: give one of {', '.join(models)}")
    return name


def _texts(name: str, value: object) -> list[str]:
    """One text or several as a list."""
    texts = []
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            raise ConfigError(f"{name} holds {sent(text)}: give a text or a list of texts")
        texts.append(text)
    return texts


def _refuse_too_much(prompts: list[str], settings: Settings) -> None:
    """Raise `ConfigError` where one request would keep the others waiting for long."""
    if not prompts:
        raise ConfigError("prompt is an empty list: give a text or a list of texts")
    number, characters = len(prompts) * settings.n, sum(map(len, prompts))
    tokens = number * settings.max_tokens + settings.echo * settings.n * characters
    logged = 0 if settings.logprobs is None else tokens * (1 + settings.logprobs)
    if number > MOST_TEXTS:
        raise ConfigError(f"the request is for {number} texts: ask for at most {MOST_TEXTS}")
    if characters > LONGEST_PROMPTS:
        raise ConfigError(
            f"prompt has {characters} characters in all: give at most {LONGEST_PROMPTS}"
        )
    if logged > MOST_LOGGED:
        raise ConfigError(
            f"logprobs is {settings.logprobs} for about {tokens} tokens: ask for fewer, or for "
            f"fewer tokens; together at most {MOST_LOGGED} log-probabilities"
        )


def _usage(given: dict[str, object], settings: Settings) -> bool:
    """Whether stream_options asks for the number of tokens."""
    options = given.get("stream_options", {})
    if not isinstance(options, dict) or not isinstance(options.get("include_usage", False), bool):
        raise ConfigError(
            f'stream_options is {sent(options)}: give {{"include_usage": true}}, or leave it out'
        )
    refuse_unknown(options, ["include_usage"])
    if options and not settings.stream:
        raise ConfigError("stream_options is given without stream: leave it out")
    return bool(options.get("include_usage"))


def sent(value: object) -> str:
    """A value as the client wrote it, in one line, cut short."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 100 else f"{text[:97]}..."
