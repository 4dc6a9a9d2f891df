"""Tokens per second of generation, beside a PyTorch nn.LSTM loop of the same size, in one run.

    python benchmarks/generate.py [--json FILE] [--markdown FILE]

Both sample from the full distribution at temperature 0.8, float32, weights at random; the loop in
PyTorch is the usual one: embedding, nn.LSTM with its state, linear, softmax, multinomial.
Each figure is the best of several rounds that alternate, so that a busy machine slows all. What it
takes to import TensorFlow and to compile is told apart: `benchmarks/start.py` has the rest.
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

from benchmarks.start import processor
from textgen.config import ModelConfig
from textgen.generation.compiled_decoder import CompiledDecoder
from textgen.generation.decoder import Decoder
from textgen.generation.engine import best_engine
from textgen.generation.sampling import Temperature
from textgen.network import Network, weight_shapes

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


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"LSTM {LAYERS}x{HIDDEN}, vocabulary {VOCAB}, {TOKENS} tokens, float32, tokens a second;",
        f"{os.cpu_count()} cores, {processor()}, PyTorch {torch.__version__}, load "
        f"{os.getloadavg()[0]:.1f} when it ended.",
        "",
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
    return "\n".join(lines) + "\n"


ENGINES = """
## Two engines

A text is written by NumPy, which begins at once, or by TensorFlow, which has to be imported and to
compile the loop first, and is faster then. `--engine auto`, the default, asks which is through
sooner: TensorFlow where `max_new_tokens` x (0.1 ms + 5 us x texts x layers) is more than 10 s
(`textgen/generation/engine.py`). The rule knows nothing of the machine and of what the process has
done before, so that a call gives the same text whenever it is made; `--engine numpy` and `--engine
tensorflow` overrule it.

Within an engine a text depends on its seed alone. Both sum the same products in another order, so
their logits differ in the last digits: by 1e-5 of the largest, over 2,000 tokens, for the models
that write. Where two tokens are as good as equal, or a number that is drawn falls on the border
between two, they part; for most models no such place comes within thousands of tokens. A model far
from what it was trained on can be chaotic: then the smallest difference grows, in whatever
arithmetic, and the texts part after a few hundred tokens.

Scores, probes, traces, gradients and all that reads is computed by NumPy, the texts of a batch
shared out among the cores; only training needs TensorFlow.

"""

BEAMS = """## Beam search

`--num-beams 4` (Python: `num_beams=4`) does not draw: it keeps the four likeliest beginnings and
gives back the likeliest text it found, the same one every time. It is there because it is asked
for. For translation or speech, where one answer is right, it is the thing to take. For writing on,
it is dull: people do not write the likeliest next word all the time, and the likeliest text of a
model is the one it has read most often, then the same again (Holtzman et al. 2020, "The Curious
Case of Neural Text Degeneration"). The wider the beam, the likelier the text, the more of it is
copied and repeated. An LSTM 1x384, trained on tinyshakespeare to 1.437 nats on its held-out end,
writes 500 characters after "KING RICHARD III:" (copied: in spans of 20 and more):

| | bits per character | copied | repeated | distinct pairs of words |
|---|---:|---:|---:|---:|
| drawn | 1.80 | 0 % | 0 % | 99 % |
| drawn, temperature 0.5 | 1.28 | 10 % | 0 % | 95 % |
| greedy | 0.94 | 47 % | 71 % | 28 % |
| 2 beams | 0.85 | 32 % | 52 % | 48 % |
| 4 beams | 0.74 | 56 % | 88 % | 12 % |
| 16 beams | 0.66 | 72 % | 64 % | 41 % |
| 64 beams | 0.58 | 88 % | 86 % | 16 % |

So draw to write: `--temperature 0.8`, `--top-p 0.95`. [quality.md](quality.md) shows what each way
writes.

Penalties of repetition go with it (`--no-repeat-ngram-size`); temperature and the like are refused,
since nothing is drawn. A stop string cuts what was found. With beams enough, it finds the likeliest
text of all, which the tests compare with trying every text.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="generation speed beside PyTorch")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    torch.manual_seed(1)
    rows = measure()
    table = markdown(rows)
    print(table)
    if parsed.json:
        parsed.json.write_text(json.dumps(rows, indent=2) + "\n")
    if parsed.markdown:
        parsed.markdown.write_text("# Generation\n\n## Speed\n\n" + table + ENGINES + BEAMS)


if __name__ == "__main__":
    main()
