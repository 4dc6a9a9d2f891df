"""Tokens per second of generation, beside a PyTorch nn.LSTM loop of the same size, in one run.

    python benchmarks/generate.py [--json FILE] [--markdown FILE]

Both sample from the full distribution at temperature 0.8, float32, weights at random; the loop in
PyTorch is the usual one: embedding, nn.LSTM with its state, linear, softmax, multinomial.
Each figure is the best of several rounds that alternate, so that a busy machine slows all. What it
takes to import TensorFlow and to compile is told apart: `benchmarks/start.py` has the rest. The
JSON keeps a run of each kind of processor, told apart by what multiplies bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.processors import kind
from benchmarks.start import processor
from textgen.backend import cores
from textgen.config import ModelConfig
from textgen.generation.compiled_decoder import CompiledDecoder
from textgen.generation.decoder import Decoder
from textgen.generation.engine import best_engine
from textgen.generation.sampling import Temperature
from textgen.network import Network, weight_shapes

NOTES = Path(__file__).with_name("generate_notes.md")
VOCAB, EMBEDDING, HIDDEN, LAYERS = 96, 64, 256, 2
STREAMS = (1, 16, 64)
TOKENS = 512
ROUNDS = 5


class TorchModel(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCAB, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING, HIDDEN, LAYERS, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, VOCAB)

    @torch.inference_mode()
    def generate(self, streams: int, tokens: int) -> None:
        ids = torch.zeros(streams, 1, dtype=torch.long)
        state = None
        for _ in range(tokens):
            hidden, state = self.lstm(self.embedding(ids), state)
            probabilities = torch.softmax(self.head(hidden[:, -1]) / 0.8, dim=-1)
            ids = torch.multinomial(probabilities, 1)


def textgen_loop(decoder: Decoder, streams: int) -> Callable[[], None]:
    def generate() -> None:
        prompts, seeds = [[1]] * streams, [(1, row) for row in range(streams)]
        steps = decoder.decode(prompts, (Temperature(0.8),), seeds)
        for _ in range(TOKENS):
            next(steps)

    return generate


def best(rounds: int, *loops: Callable[[], None]) -> list[float]:
    """The least seconds of each loop, the loops taking turns."""
    seconds = [float("inf")] * len(loops)
    for _ in range(rounds):
        for index, loop in enumerate(loops):
            begin = time.perf_counter()
            loop()
            seconds[index] = min(seconds[index], time.perf_counter() - begin)
    return seconds


def measure() -> list[dict[str, Any]]:
    config = ModelConfig(
        cell="lstm", hidden_size=HIDDEN, num_layers=LAYERS, embedding_size=EMBEDDING
    )
    random = np.random.default_rng(1)
    weights = {
        name: random.normal(scale=0.06, size=shape).astype(np.float32)
        for name, shape in weight_shapes(config, VOCAB).items()
    }
    network, peer = Network(config, VOCAB, weights), TorchModel().eval()
    numpy, compiled = Decoder(network, ()), CompiledDecoder(network, ())
    rows = []
    for streams in STREAMS:
        loops = [textgen_loop(decoder, streams) for decoder in (numpy, compiled)]
        begin = time.perf_counter()
        loops[1]()  # compiled outside of the timing, as it is once a process
        compiling = time.perf_counter() - begin
        peer.generate(streams, 8)
        loops.append(lambda n=streams: peer.generate(n, TOKENS))  # type: ignore[misc]
        speeds = [streams * TOKENS / seconds for seconds in best(ROUNDS, *loops)]
        rows.append(
            {
                "streams": streams,
                **dict(zip(("numpy", "tensorflow", "torch"), map(round, speeds), strict=True)),
                "compiling": round(compiling, 1),
                "from": next(
                    (
                        n
                        for n in range(100, 10**6, 100)
                        if best_engine(network, n, streams) != "numpy"
                    ),
                    None,
                ),
            }
        )
    return rows


def machine() -> str:
    return (
        f"{cores()} cores, {processor()}, PyTorch {torch.__version__}, load "
        f"{os.getloadavg()[0]:.1f} when it ended"
    )


def markdown(runs: dict[str, dict[str, Any]]) -> str:
    """A table for each kind of processor that it was measured on."""
    lines = ["# Generation", "", "## Speed", ""]
    lines += [
        f"LSTM {LAYERS}x{HIDDEN}, vocabulary {VOCAB}, {TOKENS} tokens, float32, tokens a second."
    ]
    for run in runs.values():
        lines += ["", f"{run['machine']}:", "", *table(run["rows"])]
    return "\n".join(lines) + "\n\n" + NOTES.read_text(encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| streams | NumPy | TensorFlow | PyTorch | NumPy / PyTorch | TensorFlow / PyTorch | "
        "seconds to compile | TensorFlow serves from |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in rows:
        lines.append(
            f"| {r['streams']} | {r['numpy']:,} | {r['tensorflow']:,} | {r['torch']:,} | "
            f"{r['numpy'] / r['torch']:.1f}x | {r['tensorflow'] / r['torch']:.1f}x | "
            f"{r['compiling']:.1f} | {r['from']:,} tokens a text |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="generation speed beside PyTorch")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    torch.manual_seed(1)
    runs = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else {}
    rows = measure()
    runs[kind()] = {"machine": machine(), "rows": rows}
    page = markdown(runs)
    print(page)
    if parsed.json:
        parsed.json.write_text(json.dumps(runs, indent=2) + "\n")
    if parsed.markdown:
        parsed.markdown.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
