"""Which way each cell takes on a GPU, and its tokens per second of training beside PyTorch.

    python -m benchmarks.gpu

Float32 and mixed precision: bfloat16 for both. The way is read from the graph that TensorFlow
traced, not from our own intention: "cuDNN" where a CudnnRNN operation is in it, else "scan".
Needs a TensorFlow and a PyTorch that see the GPU; without one it says so and ends with code 2.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.train_steps import CELLS, PEERS, SHAPES, VOCAB, Shape, textgen_step
from textgen.backend import tf
from textgen.cells import make_cell
from textgen.cells.layer import RecurrentLayer

ROUNDS, STEPS = 3, 20


def way(cell: str, shape: Shape) -> str:
    """ "cuDNN" or "scan", by the operations of the traced layer."""
    layer = RecurrentLayer(make_cell(cell), shape.hidden)
    layer.build((None, None, shape.hidden))
    traced = tf.function(
        lambda x: layer(x, layer.initial_state(shape.batch))
    ).get_concrete_function(tf.TensorSpec((shape.length, shape.batch, shape.hidden)))
    library = traced.graph.as_graph_def().library.function
    names = [node.op for function in library for node in function.node_def]
    names += [operation.type for operation in traced.graph.get_operations()]
    return "cuDNN" if any(name.startswith("CudnnRNN") for name in names) else "scan"


def torch_step(cell: str, dtype: str, shape: Shape) -> Callable[[], float]:
    import torch  # here and below: without it there is a line to say, no traceback

    embedding = torch.nn.Embedding(VOCAB, shape.hidden)
    layer = getattr(torch.nn, cell.upper())
    recurrent = layer(shape.hidden, shape.hidden, shape.layers, batch_first=True)
    model = torch.nn.ModuleList([embedding, recurrent, torch.nn.Linear(shape.hidden, VOCAB)]).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    ids = torch.randint(0, VOCAB, (shape.batch, shape.length), device="cuda")

    def step() -> float:
        with torch.autocast("cuda", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = model[2](model[1](model[0](ids))[0])
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return float(loss.detach())

    return step


def speed(step: Callable[[], float], shape: Shape) -> float:
    """Tokens per second, of the best of several rounds."""
    best = float("inf")
    for _ in range(1 + ROUNDS):  # the first compiles
        begin = time.perf_counter()
        for _ in range(STEPS):
            step()
        best = min(best, time.perf_counter() - begin)
    return shape.batch * shape.length * STEPS / best


def main() -> None:
    try:
        import torch
    except ModuleNotFoundError:
        sys.exit(no_gpu())
    if not (tf.config.list_physical_devices("GPU") and torch.cuda.is_available()):
        sys.exit(no_gpu())
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, TF {tf.__version__}\n")
    print("| shape | cell | way | type | textgen tokens/s | PyTorch tokens/s | ratio |")
    print("|---|---|---|---|---:|---:|---:|")
    for shape in SHAPES:
        for cell in CELLS:
            for dtype in ("float32", "bfloat16"):
                ours = speed(textgen_step(cell, dtype, shape), shape)
                row: list[Any] = [shape, cell, way(cell, shape), dtype, f"{ours:,.0f}", "", ""]
                if cell in PEERS:
                    theirs = speed(torch_step(cell, dtype, shape), shape)
                    row[5:] = [f"{theirs:,.0f}", f"{ours / theirs:.2f}x"]
                print("| " + " | ".join(map(str, row)) + " |", flush=True)


def no_gpu() -> int:
    print(
        "no GPU that both TensorFlow and PyTorch see: install tensorflow[and-cuda] and a CUDA "
        "build of torch on a machine that has one",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    main()
