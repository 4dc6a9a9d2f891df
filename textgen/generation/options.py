"""What one may ask of generation, under the names of Hugging Face's `GenerationConfig`."""

from __future__ import annotations

import dataclasses

from textgen.errors import ConfigError
from textgen.generation.engine import ENGINES
from textgen.generation.sampling import TRANSFORMS, Transform
from textgen.options import Option, build, option, options_of, refuse_unknown


@dataclasses.dataclass(frozen=True)
class LoopConfig:
    """Generation: how much, and when to stop."""

    max_new_tokens: int = option(200, "tokens to write", low=1, high=100_000)
    stop_strings: tuple[str, ...] = option((), "end before this text (may be repeated)")
    seed: int | None = option(
        None, "same seed, same text (none: one is drawn)", low=0, high=2**63 - 1
    )
    num_beams: int = option(
        1,
        "above 1: search for a likely text with so many beams, instead of drawing one",
        low=1,
        high=64,
    )
    top_logprobs: int = option(0, "alternatives reported for each token", low=0, high=50)
    ngrams: bool = option(
        True,
        "of a model with n-grams of its text: the network and they predict together (off: the "
        "network alone)",
    )
    engine: str = option(
        "auto",
        "what computes: numpy begins at once, tensorflow is faster in the long run, auto chooses "
        "by how much is to be written",
        choices=ENGINES,
    )


@dataclasses.dataclass(frozen=True)
class GenerationConfig:
    """The options of one call: the loop's, and those transforms that are not at their default."""

    loop: LoopConfig
    transforms: tuple[Transform, ...]


def option_classes() -> list[type]:
    """The dataclasses whose fields are the options of generation."""
    return [LoopConfig, *TRANSFORMS]


def generation_options() -> dict[str, tuple[Option, object, type]]:
    """name -> (option, default, type) of all that `generation_config` takes."""
    return {name: entry for cls in option_classes() for name, entry in options_of(cls).items()}


def generation_config(**options: object) -> GenerationConfig:
    """Check `options` by name. Raises `ConfigError` for an unknown name or a bad value."""
    refuse_unknown(options, generation_options())
    if isinstance(options.get("stop_strings"), str):
        options["stop_strings"] = (options["stop_strings"],)
    loop: LoopConfig = build(LoopConfig, options)
    if "" in loop.stop_strings:
        raise ConfigError("stop_strings holds an empty text: give at least one character")
    transforms: list[Transform] = [build(cls, options) for cls in TRANSFORMS]
    changed = tuple(t for t in transforms if t != type(t)())
    for transform in changed if loop.num_beams > 1 else ():
        if not transform.for_beams:
            (name, value), *_ = vars(transform).items()
            raise ConfigError(
                f"{name} is {value} with num_beams {loop.num_beams}: beam search draws nothing; "
                "leave one of them out"
            )
    return GenerationConfig(loop, changed)
