"""How far the two engines agree, for every shipped model: NumPy and compiled TensorFlow.

    python -m benchmarks.engines [MODEL ...] [--json FILE] [--markdown FILE]

Greedy: 10,000 tokens from an empty prompt. Drawn: 64 texts of 300 tokens at temperature 1, the same
seeds. Logits: both read 2,000 tokens that the model drew, beside the same equations in float64,
which tells what an engine could be wrong by at all. The JSON keeps what was measured of others.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

import textgen
from benchmarks.start import processor
from textgen import shipped
from textgen.backend import tf
from textgen.generation.compiled_decoder import CompiledDecoder, on_tensorflow
from textgen.generation.decoder import Decoder
from textgen.generation.generator import Generator
from textgen.generation.options import generation_config
from textgen.network import Network

GREEDY, TEXTS, DRAWN, READ = 10_000, 64, 300, 2_000


def written(decoder: Decoder, start: int, texts: int, tokens: int, **options: Any) -> np.ndarray:
    """The ids that a decoder writes: [tokens, texts]."""
    transforms = generation_config(**options).transforms
    steps = decoder.decode([[start]] * texts, transforms, [(1, row) for row in range(texts)])
    return np.array([step.ids for step in itertools.islice(steps, tokens)])


def first_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The number of tokens that are alike at the beginning of each text: [texts]."""
    same = np.cumprod(a == b, axis=0)
    return same.sum(axis=0)


def in_float64(network: Network) -> Network:
    weights = {name: np.asarray(w, np.float64) for name, w in network.weights.items()}
    return Network(network.config, network.vocab_size, weights)


def logits_after_each(network: Network, ids: np.ndarray) -> np.ndarray:
    """[T, V], a step at a time as a text is written."""
    step: Any = network.step
    if isinstance(network.embeddings, tf.Tensor):
        step = tf.function(network.step, jit_compile=True, autograph=False)
    state, logits = network.initial_state(1), []
    for token in ids:
        said, state = step(token[None], state)
        logits.append(np.asarray(said)[0])
    return np.array(logits)


def measure(name: str) -> dict[str, Any]:
    model: Generator = textgen.load(name)
    network, tokenizer = model.network, model.tokenizer
    engines = [
        make(network, tokenizer.banned_ids, tokenizer.token_bytes)
        for make in (Decoder, CompiledDecoder)
    ]
    start = tokenizer.start_id
    greedy = [written(engine, start, 1, GREEDY, temperature=0) for engine in engines]
    drawn = [written(engine, start, TEXTS, DRAWN) for engine in engines]
    alike = first_difference(*drawn)
    ids = written(engines[0], start, 1, READ)[:, 0]
    exact = logits_after_each(in_float64(network), ids)
    ours, theirs = (logits_after_each(n, ids) for n in (network, on_tensorflow(network)))
    return {
        "model": name,
        "greedy": int(first_difference(*greedy)[0]),
        "parted": int((alike < DRAWN).sum()),
        "first_parted": int(alike.min()),
        "between": float(np.abs(ours - theirs).max()),
        "numpy": float(np.abs(ours - exact).max()),
        "tensorflow": float(np.abs(theirs - exact).max()),
        "largest": float(np.abs(exact).max()),
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"{os.cpu_count()} cores, {processor()}.",
        "",
        f"| model | greedy: alike of {GREEDY:,} tokens | drawn: parted of {TEXTS} texts of "
        f"{DRAWN} tokens | the first after | logits: NumPy - TensorFlow | NumPy - float64 | "
        "TensorFlow - float64 | largest logit |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        first = f"{row['first_parted']}" if row["parted"] else "-"
        lines.append(
            f"| {row['model']} | {row['greedy']:,} | {row['parted']} | {first} | "
            f"{row['between']:.1e} | {row['numpy']:.1e} | {row['tensorflow']:.1e} | "
            f"{row['largest']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="*", help="default: every shipped model")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    known = json.loads(given.json.read_text()) if given.json and given.json.exists() else []
    by_name = {row["model"]: row for row in known}
    names = sorted(folder.name for folder in shipped.MODELS.iterdir())
    for name in given.model or names:
        by_name[name] = measure(name)
        print(by_name[name], flush=True)
    rows = [by_name[name] for name in names if name in by_name]
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    if given.markdown:
        given.markdown.write_text(markdown(rows))
    print(markdown(rows))


if __name__ == "__main__":
    main()
