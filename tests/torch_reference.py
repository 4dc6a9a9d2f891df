"""What PyTorch computes with given weights, recorded, so that the suite needs no PyTorch.

python tests/torch_reference.py     writes tests/data/torch_cells.safetensors anew
(install benchmarks/requirements.txt first)
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "data" / "torch_cells.safetensors"
T, B, D, U = 7, 3, 5, 4
# name -> (PyTorch's layer, where its gates go in our order of blocks)
PEERS = {"rnn": ("RNN", [0]), "lstm": ("LSTM", [0, 1, 2, 3]), "gru": ("GRU", [1, 0, 2])}


def reference() -> dict[str, np.ndarray]:
    """`cell.what` -> array: weights in our layout, x, state, hidden, end state, and the gradients
    of sum(hidden * g) with respect to x and the weights."""
    import torch

    torch.manual_seed(1)
    found = {}
    for name, (layer, order) in PEERS.items():
        rnn = getattr(torch.nn, layer)(D, U).double()
        x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
        start = [torch.randn(1, B, U, dtype=torch.float64) for _ in range(1 + (name == "lstm"))]
        g = torch.randn(T, B, U, dtype=torch.float64)
        hidden, end = rnn(x, tuple(start) if name == "lstm" else start[0])
        (hidden * g).sum().backward()
        ends = end if name == "lstm" else (end,)
        arrays = {"x": x, "g": g, "hidden": hidden, "d.x": x.grad}
        arrays |= {f"start.{i}": s[0] for i, s in enumerate(start)}
        arrays |= {f"end.{i}": e[0] for i, e in enumerate(ends)}
        for prefix, of in (("", lambda w: w), ("d.", lambda w: w.grad)):
            w_x, w_h, b_x, b_h = (
                torch.cat([of(w).chunk(len(order))[i] for i in order]) for w in rnn.parameters()
            )
            # two biases that only add are one; the gradient of either is that of their sum
            one = b_x + b_h if prefix == "" else b_x
            arrays |= {
                f"{prefix}kernel": w_x.T,
                f"{prefix}recurrent_kernel": w_h.T,
                f"{prefix}bias": torch.stack([b_x, b_h]) if name == "gru" else one,
            }
        found |= {f"{name}.{k}": v.detach().contiguous().numpy() for k, v in arrays.items()}
    return found


if __name__ == "__main__":
    from safetensors.numpy import save_file

    FILE.parent.mkdir(exist_ok=True)
    save_file(reference(), FILE)
