"""One file of HTML that holds a model and all that it takes to let it write."""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template

import numpy as np

from textgen import __version__
from textgen.export.cell_script import cell_script, cell_words
from textgen.export.vocabulary import vocabulary
from textgen.generation.generator import Generator
from textgen.network import weight_shapes

HERE = Path(__file__).parent
APP = HERE.parent / "ui"  # whose figures and words the page has, too
LANGUAGES = ("ko", "en")
# of the app's words, whole sections and single keys
SECTIONS = ("strip", "figure", "tokenizer", "stage", "stage_what")
KEYS = {
    "write": (
        *("title", "prompt", "write", "continue", "regenerate", "stop", "random"),
        *("parameters", "bits", "unknown", "seed", "keep_seed"),
    ),
    "colour": ("label", "probability", "none", "likely", "surprising"),
    "option": ("max_new_tokens", "temperature", "top_p", "top_k", "min_p", "seed"),
    "gates": ("title", "value", "sort", "map", "one", "share", "signed", "clipped"),
    "gates_sort": ("peak", "time"),
    "step": ("title", "token", "unit", "layer", "how"),
    "parts": ("tokens",),
}
# the files of the page's script, each of which may use what stands in those before it
SCRIPTS = (
    *("pcg64", "products", "network", "utf8", "tokenizers", "sampling", "writer"),
    *("latex", "equations", "controls", "write", "gates", "step", "main"),
)
# the app's components: their files of JavaScript, and of CSS
COMPONENTS = {
    "strip": (["token_strip.js"], "token_strip.css"),
    "figure": (
        [f"token_figure/{part}.js" for part in ("scales", "paper", "matrix", "strip", "figure")],
        "token_figure/figure.css",
    ),
    "cell": (["cell_drawing.js", "cell_picture.js"], "cell_picture.css"),
}


def page(model: Generator, prompt: str = "", *, half: bool = False) -> bytes:
    """The page of a model. prompt: what it begins with. half: weights as float16, which they fit.

    Raises `ConfigError` for a cell or a tokenizer that a page cannot have.
    """
    script = _script(cell_script(model.network.cell))
    parts = {
        "script": script,
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "style": _read("web/page.css"),
        "about": _as_json(_about(model, prompt, half)),
        "weights": base64.b64encode(_numbers(model, half)).decode(),
        "name": _escaped(model.name),
        "version": __version__,
    }
    whole = Template(_read("web/page.html")).substitute(parts)
    return whole.encode("utf-8", "backslashreplace")  # the shell may give a name that is no text


def _about(model: Generator, prompt: str, half: bool) -> dict[str, object]:
    """All that the script asks of the model but its numbers. Nothing here is of a corpus but the
    tokenizer."""
    config, metrics = model.config, model.card.get("metrics")
    bits = metrics.get("val_bits_per_char") if isinstance(metrics, Mapping) else None
    return {
        "name": model.name,
        "hash": model.hash,
        "parameters": model.num_parameters,
        "bits": bits if isinstance(bits, float) else None,
        "half": half,
        "prompt": prompt,
        "network": {
            "cell": cell_words(model.network.cell),
            "vocabulary": model.network.vocab_size,
            "embedding": config.embedding_size,
            "hidden": config.hidden_size,
            "layers": config.num_layers,
            "weights": list(weight_shapes(config, model.network.vocab_size).items()),
        },
        "tokenizer": vocabulary(model.tokenizer),
        "words": {language: words(language) for language in LANGUAGES},
    }


def _numbers(model: Generator, half: bool) -> bytes:
    """The weights, one after the other in the order of `weight_shapes`, little-endian."""
    names = weight_shapes(model.config, model.network.vocab_size)
    kind = "<f2" if half else "<f4"
    arrays = (np.asarray(model.network.weights[name]).astype(kind) for name in names)
    return b"".join(array.tobytes() for array in arrays)


def words(language: str) -> dict[str, str]:
    """ "section.key" -> text: those of the app's words that the page uses, and its own."""
    app = tomllib.loads(_read(APP / f"messages/{language}.toml"))
    chosen = {name: app[name] for name in SECTIONS}
    chosen |= {name: {key: app[name][key] for key in keys} for name, keys in KEYS.items()}
    chosen["page"] = tomllib.loads(_read("words.toml"))[language]
    return {f"{s}.{key}": text for s, texts in chosen.items() for key, text in texts.items()}


def _script(cell: str) -> str:
    """The whole script, in a scope of its own."""
    components = ",\n".join(
        f"{name}: {{\n{_component(*files)} }}" for name, files in COMPONENTS.items()
    )
    files = "\n".join(_read(f"web/{name}.js") for name in SCRIPTS)
    whole = ['"use strict";', cell, f"const COMPONENTS = {{\n{components}\n}};", files]
    return _dense("(() => {\n" + "\n\n".join(whole) + "})();\n")


def _dense(script: str) -> str:
    """A script without its indentation and its lines of comment."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _component(scripts: list[str], style: str) -> str:
    """A component of the app, which is a module that exports one function."""
    source = "\n".join(_read(APP / "components" / file) for file in scripts)
    function = source.replace("export default function", "return function")
    css = json.dumps(_read(APP / "components" / style))
    return f"css: {css},\ndraw: (() => {{\n{function}\n}})(),\n"


def _read(file: str | Path) -> str:
    return (HERE / file).read_text(encoding="utf-8")


def _as_json(value: object) -> str:
    """JSON that ends no element of HTML."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return compact.replace("<", "\\u003c")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
