"""A recipe: the settings of a training as a small TOML, which `textgen train --config` takes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.errors import ConfigError, shown
from textgen.guesses import guesses
from textgen.options import build, options_of
from textgen.runs.run_config import is_source

CONFIGS: tuple[type, ...] = (ModelConfig, TokenizerConfig, TrainConfig)
SECTIONS = dict(zip(("model", "tokenizer", "training"), CONFIGS, strict=True))


def configs_of(
    settings: Mapping[str, object],
) -> tuple[ModelConfig, TokenizerConfig, TrainConfig]:
    """What flat settings say of each, checked. Raises `ConfigError`."""
    return (
        build(ModelConfig, settings),
        build(TokenizerConfig, settings),
        build(TrainConfig, settings),
    )


def read_toml(path: Path, what: str) -> dict[str, object]:
    """The TOML at `path`. what: is read, for the error. Raises `ConfigError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {what} {path}: {error.strerror}; give a TOML file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{what} {path} is not valid TOML: {error}") from error


def read_recipe(path: Path) -> dict[str, object]:
    """A recipe as flat options plus `corpus` and `out`. Raises `ConfigError`."""
    recipe = read_toml(path, "the recipe")
    flat: dict[str, object] = {
        name: recipe.pop(name) for name in ("corpus", "out") if name in recipe
    }
    for section, values in recipe.items():
        homes = [home for home, cls in SECTIONS.items() if section in options_of(cls)]
        if homes and not isinstance(values, dict):
            raise ConfigError(f"{path} sets {section} outside a section: put it under [{homes[0]}]")
        if section == "budget":
            raise ConfigError(f"{path} sets budget, which no recipe holds: give --budget beside it")
        known = options_of(SECTIONS[section]) if section in SECTIONS else {}
        if not isinstance(values, dict) or not known:
            raise ConfigError(
                f"{path} has [{section}]: use corpus, out, [model], [tokenizer] or [training]"
            )
        for name, value in values.items():
            if name not in known:
                near = ", ".join(guesses(name, known) or known)
                raise ConfigError(f"{path} sets {section}.{name}, which is no option: give {near}")
            flat[name] = value
    if not is_source(flat.get("corpus", "")):
        raise ConfigError(
            f"{path} has corpus = {shown(flat['corpus'])}: give a file, a folder or hf:NAME, or a "
            "list of them"
        )
    if not isinstance(flat.get("out", ""), str):
        raise ConfigError(f"{path} has out = {shown(flat['out'])}: give a path")
    return flat


def as_toml(corpus: Sequence[str], values: Mapping[str, object]) -> str:
    """What `read_recipe` reads as `values` and `corpus`."""
    lines = [f"corpus = {_written(list(corpus))}"]
    for section, cls in SECTIONS.items():
        inside = [
            f"{name} = {_written(values[name])}" for name in options_of(cls) if name in values
        ]
        lines += ["", f"[{section}]", *inside] if inside else []
    return "\n".join(lines) + "\n"


def _written(value: object) -> str:
    """A text, number, truth or list of texts: TOML writes them as JSON does, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
