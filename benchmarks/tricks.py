"""What a trick of training is worth: one changed at a time, on the same text for as many passes.

    python -m benchmarks.tricks TEXT [TEXT ...] [--json FILE] [--markdown FILE]

Each run is a process of its own on one core, judged by the held-out last tenth with the state
carried, in nats per character. Tricks that the package does not have are put in from here: they
were tried, did not pay, and stayed out. The JSON is written after each run; what it has is not run
again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import patches
from benchmarks.patches import keep
from textgen.config import ModelConfig, TrainConfig
from textgen.runs.run_folder import read_history

NOTES = Path(__file__).with_name("tricks_notes.md")
MODEL = ModelConfig(cell="gru", hidden_size=256)
TRAINING = TrainConfig(epochs=3, learning_rate=8e-3, sample_length=0, patience=99)
NARROW = {"num_layers": 2, "hidden_size": 192}

# name -> (settings of the model, of the training, what is patched)
TRICKS: dict[str, tuple[dict[str, Any], dict[str, Any], Callable[[], None]]] = {
    "as it is": ({}, {}, keep),
    "products in float32": ({}, {"dtype": "float32"}, keep),
    "LSTM": ({"cell": "lstm"}, {}, keep),
    "embeddings begin within 0.05": ({"embedding_scale": 0.05}, {}, keep),
    "state not carried in training": ({}, {}, patches.uncarried),
    "64 lanes, windows of 128": ({}, {"batch_size": 64, "sequence_length": 128}, keep),
    "windows cut elsewhere in every pass": ({}, {}, patches.shifted),
    "half the learning rate": ({}, {"learning_rate": 4e-3}, keep),
    "learning rate rises over 2 %": ({}, {"warmup": 0.02}, keep),
    "learning rate rises over 20 %": ({}, {"warmup": 0.2}, keep),
    "learning rate not lowered": ({}, {}, patches.flat_rate),
    "learning rate lowered in a straight line": ({}, {}, patches.straight_rate),
    "batches that grow, instead": ({}, {}, patches.growing_batch),
    "weights decay by 0.01": ({}, {"weight_decay": 0.01}, keep),
    "weights decay by 0.3": ({}, {"weight_decay": 0.3}, keep),
    "gradient clipped at 0.25": ({}, {"clip_norm": 0.25}, keep),
    "Muon for the kernels": ({}, {"optimizer": "muon"}, keep),
    f"average of the weights {patches.AVERAGE}": ({}, {}, patches.averaging),
    "dropout 0.2": ({"dropout": 0.2}, {}, keep),
    "dropout 0.2, one mask for a window": ({"dropout": 0.2}, {}, patches.locked_dropout),
    f"dropout 0.2, judged by {patches.MASKS} masks": ({"dropout": 0.2}, {}, patches.several_masks),
    f"embedding dropout {patches.EMBEDDING_DROP}": ({}, {}, patches.embedding_dropout),
    f"weight drop {patches.WEIGHT_DROP}": ({}, {}, patches.weight_drop),
    "activations and their changes cost": ({}, {}, patches.activation_penalty),
    "layer norm before the read-out": ({}, {}, patches.layer_norm),
    "tied weights": ({"tie_weights": True, "embedding_size": 256}, {}, keep),
    "embeddings of 256": ({"embedding_size": 256}, {}, keep),
    "two layers of 192": (NARROW, {}, keep),
    "two layers of 192, residual": (NARROW, {}, patches.residual),
}


def one(name: str, text: Path, warmup: float) -> dict[str, Any]:
    """Train once, in this process."""
    from textgen.training.train import start

    of_model, of_training, patch = TRICKS[name]
    patch()
    model = dataclasses.replace(MODEL, **of_model)
    training = dataclasses.replace(TRAINING, **{"warmup": warmup, **of_training})
    with tempfile.TemporaryDirectory() as folder:
        run = start(text, Path(folder) / "run", model, None, training)
        rows = read_history(run)
    held_out = [float(row["val_loss"]) for row in rows if row["val_loss"]]
    return {
        "trick": name,
        "text": text.stem,
        "nats": min(held_out),
        "passes": len(held_out),
        "warmup": training.warmup,
        "seconds": float(rows[-1]["seconds"]),
    }


def apart(name: str, text: Path, warmup: float) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.tricks",
        str(text),
        f"--one={name}",
        f"--warmup={warmup}",
    ]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if ran.returncode:
        raise RuntimeError(f"{name} on {text} ended with {ran.returncode}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def markdown(rows: list[dict[str, Any]]) -> str:
    texts = list(dict.fromkeys(row["text"] for row in rows))
    found = {(row["trick"], row["text"]): row for row in rows}
    base = {text: found["as it is", text] for text in texts}
    passes = ", ".join(f"{row['passes']} on {text}" for text, row in base.items())
    rises = ", ".join(f"{row['warmup']:.0%} of the steps on {text}" for text, row in base.items())
    lines = [
        "# What each trick of training is worth",
        "",
        f"Written by `python -m benchmarks.tricks`. One layer of {MODEL.hidden_size} GRU units, "
        f"no dropout, AdamW at {TRAINING.learning_rate} with a cosine and a decay of "
        f"{TRAINING.weight_decay}, state carried over windows of {TRAINING.sequence_length} in "
        f"{TRAINING.batch_size} lanes; passes: {passes}; the rate rises over {rises}. Nats per "
        "character of the held-out last tenth, and how far that is from the first row: less is "
        "better. One seed: differences below 0.005 say nothing.",
        "",
        "| changed | " + " | ".join(f"{t} | " for t in texts) + " |",
        "|---|" + "---:|---:|" * len(texts),
    ]
    for name in TRICKS:
        if any((name, text) not in found for text in texts):
            continue  # not measured yet
        cells = []
        for text in texts:
            row = found[name, text]
            lost = row["nats"] - base[text]["nats"]
            cells += [f"{row['nats']:.4f}", f"{lost:+.4f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n" + NOTES.read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="what each trick of training is worth")
    parser.add_argument("texts", type=Path, nargs="+", metavar="TEXT")
    parser.add_argument("--one", metavar="TRICK", help="train once, here, and print the figures")
    parser.add_argument("--warmup", type=float, default=TRAINING.warmup)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    if parsed.one:
        print(json.dumps(one(parsed.one, parsed.texts[0], parsed.warmup)))
        return
    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    done = {(row["trick"], row["text"]) for row in rows}
    for name in TRICKS:
        for text in parsed.texts:
            if (name, text.stem) not in done:
                rows.append(apart(name, text, parsed.warmup))
                print(rows[-1], flush=True)
                if parsed.json:
                    parsed.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(markdown(rows))
    if parsed.markdown:
        parsed.markdown.write_text(markdown(rows))


if __name__ == "__main__":
    main()
