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

from textgen.backend import keras, tf
from textgen.callbacks import Mirror
from textgen.cells import recurrence
from textgen.checkpoint import read_history
from textgen.config import ModelConfig, TrainConfig
from textgen.trainer import LaneTrainer

MODEL = ModelConfig(cell="gru", hidden_size=256, dropout=0.2)
TRAINING = TrainConfig(epochs=5, sample_length=0, patience=99)
WEIGHT_DROP, AVERAGE = 0.2, 0.995


def keep() -> None:
    """As it is."""


def locked_dropout() -> None:
    """One mask for all steps of a window (Gal & Ghahramani 2016)."""
    anew = keras.layers.Dropout
    keras.layers.Dropout = lambda rate, **more: anew(rate, noise_shape=(1, None, None), **more)


def weight_drop() -> None:
    """Weights of the recurrent kernel dropped for a window (Merity et al. 2018)."""
    scan, call, now = recurrence.scan, LaneTrainer.call, {"training": False}

    def noted(self: Any, ids: Any, training: bool = False) -> Any:
        now["training"] = training
        return call(self, ids, training)

    def dropped(cell: Any, a: Any, kernel: Any, *more: Any) -> Any:
        kernel = tf.nn.dropout(kernel, WEIGHT_DROP) if now["training"] else kernel
        return scan(cell, a, kernel, *more)

    LaneTrainer.call = noted  # type: ignore[method-assign]
    recurrence.scan = dropped  # type: ignore[assignment]


def averaging() -> None:
    """A moving average of the weights is judged (Polyak & Juditsky 1992)."""
    from textgen import train

    made = train.optimizer

    def optimizer(config: TrainConfig, steps: int, gone: Any = None) -> Any:
        adam = keras.optimizers.AdamW(
            made(config, steps, gone)._learning_rate, weight_decay=config.weight_decay, beta_2=0.99,
            global_clipnorm=config.clip_norm, use_ema=True, ema_momentum=AVERAGE,
            ema_overwrite_frequency=None,
        )  # fmt: skip
        adam.exclude_from_weight_decay(var_names=["bias"])
        return adam

    def on_epoch_end(self: Mirror, epoch: int, logs: Any = None) -> None:
        adam = self.model.optimizer
        pairs = zip(adam._trainable_variables, adam._model_variables_moving_average, strict=True)
        averages = {id(variable): average for variable, average in pairs}
        for weight, twin in self.pairs:
            twin.assign(averages[id(weight)])

    train.optimizer = optimizer
    Mirror.on_epoch_end = on_epoch_end  # type: ignore[method-assign]


def uncarried() -> None:
    """Every window is trained from the empty state; it is judged with the state carried."""
    call = LaneTrainer.call

    def forgetting(self: Any, ids: Any, training: bool = False) -> Any:
        return self.model(ids, training=True)[0] if training else call(self, ids, training)

    LaneTrainer.call = forgetting  # type: ignore[method-assign]


def flat_rate() -> None:
    """The learning rate stays where the warm-up left it."""
    from textgen import trainer

    trainer.FINAL_RATE = 1.0


# name -> (settings of the model, of the training, what is patched)
TRICKS: dict[str, tuple[dict[str, Any], dict[str, Any], Callable[[], None]]] = {
    "as it is": ({}, {}, keep),
    "no dropout": ({"dropout": 0.0}, {}, keep),
    "one dropout mask for a window": ({}, {}, locked_dropout),
    f"weight drop {WEIGHT_DROP}": ({}, {}, weight_drop),
    f"average of the weights {AVERAGE}": ({}, {}, averaging),
    "state not carried in training": ({}, {}, uncarried),
    "learning rate not lowered": ({}, {}, flat_rate),
    "twice the learning rate": ({}, {"learning_rate": 8e-3}, keep),
    "gradient clipped at 0.25": ({}, {"clip_norm": 0.25}, keep),
    "two layers of 192": ({"num_layers": 2, "hidden_size": 192}, {}, keep),
    "tied weights": ({"tie_weights": True, "embedding_size": 256}, {}, keep),
    "LSTM": ({"cell": "lstm"}, {}, keep),
    "64 lanes, windows of 128": ({}, {"batch_size": 64, "sequence_length": 128}, keep),
}


def one(name: str, text: Path) -> dict[str, Any]:
    """Train once, in this process."""
    from textgen.train import start

    of_model, of_training, patch = TRICKS[name]
    patch()
    model = dataclasses.replace(MODEL, **of_model)
    training = dataclasses.replace(TRAINING, **of_training)
    with tempfile.TemporaryDirectory() as folder:
        run = start(text, Path(folder) / "run", model, None, training)
        rows = read_history(run)
    held_out = [float(row["val_loss"]) for row in rows if row["val_loss"]]
    return {
        "trick": name, "text": text.stem, "nats": min(held_out), "passes": len(held_out),
        "seconds": float(rows[-1]["seconds"]),
    }  # fmt: skip


def apart(name: str, text: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.tricks", str(text), "--one", name]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if ran.returncode:
        raise RuntimeError(f"{name} on {text} ended with {ran.returncode}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def markdown(rows: list[dict[str, Any]]) -> str:
    texts = list(dict.fromkeys(row["text"] for row in rows))
    found = {(row["trick"], row["text"]): row for row in rows}
    passes = ", ".join(f"{found['as it is', t]['passes']} on {t}" for t in texts)
    lines = [
        "# What each trick of training is worth", "",
        f"Written by `python -m benchmarks.tricks`. One layer of {MODEL.hidden_size} GRU units, "
        f"dropout {MODEL.dropout}, AdamW at {TRAINING.learning_rate} with a cosine, state carried "
        f"over windows of {TRAINING.sequence_length} in {TRAINING.batch_size} lanes; "
        f"passes: {passes}. Nats per character of the "
        "held-out last tenth, and how far that is from the first row: less is better. One seed: "
        "differences below 0.005 say nothing.", "",
        "| changed | " + " | ".join(f"{t} | | seconds" for t in texts) + " |",
        "|---|" + "---:|---:|---:|" * len(texts),
    ]  # fmt: skip
    for name in TRICKS:
        cells = []
        for text in texts:
            row, base = found[name, text], found["as it is", text]
            lost = row["nats"] - base["nats"]
            cells += [f"{row['nats']:.4f}", f"{lost:+.4f}", f"{row['seconds']:.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="what each trick of training is worth")
    parser.add_argument("texts", type=Path, nargs="+", metavar="TEXT")
    parser.add_argument("--one", metavar="TRICK", help="train once, here, and print the figures")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parsed = parser.parse_args()
    if parsed.one:
        print(json.dumps(one(parsed.one, parsed.texts[0])))
        return
    rows = json.loads(parsed.json.read_text()) if parsed.json and parsed.json.exists() else []
    done = {(row["trick"], row["text"]) for row in rows}
    for name in TRICKS:
        for text in parsed.texts:
            if (name, text.stem) not in done:
                rows.append(apart(name, text))
                print(rows[-1], flush=True)
                if parsed.json:
                    parsed.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(markdown(rows))
    if parsed.markdown:
        parsed.markdown.write_text(markdown(rows))


if __name__ == "__main__":
    main()
