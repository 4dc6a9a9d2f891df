"""A character LSTM (or GRU) in PyTorch, as one would write it: the peer of benchmarks/quality.py.

Embedding, `nn.LSTM`, linear read-out; dropout between them; AdamW, clipped; a rate that rises and
then falls as a cosine over the time there is; the state carried from batch to batch. Products in
float32 or bfloat16, whichever is faster in a short trial, whose time does not count.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

EVALUATIONS = 12  # within the budget; their time counts, as ours does
LANES = 8  # of the held-out text on the way


class Network(nn.Module):
    def __init__(
        self, cell: str, vocab: int, size: int, layers: int, embedding: int, dropout: float
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, embedding)
        between = dropout if layers > 1 else 0.0
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = kind(embedding, size, layers, batch_first=True, dropout=between)
        self.head = nn.Linear(size, vocab)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        hidden, state = self.recurrent(self.dropout(self.embedding(ids)), state)
        return self.head(self.dropout(hidden)).float(), state


def train(
    train_text: str,
    held_out: str,
    cell: str,
    settings: dict[str, Any],
    budget: float,
    window: int,
    judged: int,
    seed: int = 1,
) -> dict[str, Any]:
    """The course and the end of a training of `budget` seconds, in nats per character.

    cell: "lstm" or "gru". settings: those of our run, by the names of `ModelConfig` and
    `TrainConfig`. judged: how many of the last characters of the held-out text the end is judged
    by; all of it chooses the best weights.
    """
    torch.manual_seed(seed)
    characters = {c: i for i, c in enumerate(sorted(set(train_text)), 1)}
    ids, new = (
        torch.tensor([characters.get(c, 0) for c in text]) for text in (train_text, "\n" + held_out)
    )
    model = Network(
        cell,
        len(characters) + 1,
        settings["hidden_size"],
        settings["num_layers"],
        settings["embedding_size"],
        settings["dropout"],
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.99), weight_decay=settings["weight_decay"]
    )
    lanes, length = settings["batch_size"], settings["sequence_length"]
    per_lane = (len(ids) - 1) // lanes
    inputs, targets = (ids[k : k + per_lane * lanes].view(lanes, per_lane) for k in (0, 1))
    steps = per_lane // length

    def learn(k: int, state: Any, dtype: torch.dtype) -> Any:
        """One step on batch `k`; the state after it."""
        part = slice(k * length, (k + 1) * length)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits, state = model(inputs[:, part], state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets[:, part].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        optimizer.step()
        return tuple(s.detach() for s in state) if cell == "lstm" else state.detach()

    fresh = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    dtype = min(
        (torch.float32, torch.bfloat16), key=lambda kind: trial(lambda: learn(0, None, kind))
    )
    model.load_state_dict(fresh[0])
    optimizer.load_state_dict(fresh[1])
    curve: list[tuple[float, float]] = []
    best, kept = math.inf, None
    begin = time.perf_counter()
    step, state = 0, None
    while (gone := (time.perf_counter() - begin) / budget) < 1:
        if gone * EVALUATIONS >= len(curve) + 1:
            nats = float(in_lanes(model, new).mean())
            curve.append((time.perf_counter() - begin, nats))
            if nats < best:
                best, kept = nats, copy.deepcopy(model.state_dict())
        rate = settings["learning_rate"] * share_of_rate(gone, settings["warmup"])
        for group in optimizer.param_groups:
            group["lr"] = rate
        state = learn(step % steps, state if step % steps else None, dtype)
        step += 1
    nats = float(in_lanes(model, new).mean())
    seconds = time.perf_counter() - begin
    curve.append((seconds, nats))
    if kept is not None and best < nats:
        model.load_state_dict(kept)
    last = new[-judged - 1 :]
    return {
        "carried": float(in_lanes(model, last, 1).mean()),
        "windowed": float(in_windows(model, last, window).mean()),
        "dtype": str(dtype).removeprefix("torch."),
        "seconds": seconds,
        "epochs": step / steps,
        "curve": curve,
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def trial(step: Callable[[], Any]) -> float:
    """Seconds of the fastest of a few steps; infinitely many where the type is lacking."""
    seconds = []
    for _ in range(6):
        begin = time.perf_counter()
        try:
            step()
        except RuntimeError:  # oneDNN has no LSTM of bfloat16 for it
            return math.inf
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def share_of_rate(gone: float, warmup: float) -> float:
    """It rises over the share `warmup` of the time and falls to 5 % as a cosine."""
    if gone < warmup:
        return gone / warmup
    return 0.05 + 0.95 * (1 + math.cos(math.pi * (gone - warmup) / (1 - warmup))) / 2


@torch.no_grad()
def in_lanes(model: Network, ids: Tensor, lanes: int = LANES) -> np.ndarray:
    """Nats of each character, the state carried along every lane; one lane is the whole text."""
    model.eval()
    per_lane = (len(ids) - 1) // lanes
    inputs, targets = (ids[k : k + per_lane * lanes].view(lanes, per_lane) for k in (0, 1))
    found, state = [], None
    for at in range(0, per_lane, 512):
        logits, state = model(inputs[:, at : at + 512], state)
        found.append(_nats(logits, targets[:, at : at + 512]).flatten())
    model.train()
    return torch.cat(found).numpy()


@torch.no_grad()
def in_windows(model: Network, ids: Tensor, window: int) -> np.ndarray:
    """Nats of each character, every window read from nothing."""
    model.eval()
    found = []
    for at in range(0, len(ids) - 1, window):
        part = ids[at : at + window + 1][None]
        found.append(_nats(model(part[:, :-1], None)[0], part[:, 1:])[0])
    model.train()
    return torch.cat(found).numpy()


def _nats(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
