"""Training, top to bottom: read the text, make a tokenizer, lay out batches, fit, keep the best.

What is trained on is a text, read in lanes, or a task, whose documents are written on the way.

A run can be stopped at any step (Ctrl-C) and resumed: `training.safetensors` holds weights,
optimizer, carried state, random generators and the place in the text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textgen import backend, checkpoint
from textgen.backend import keras
from textgen.callbacks import (
    Carry,
    Interrupted,
    Keeper,
    Limit,
    Mirror,
    Progress,
    Recorder,
    Sampler,
    Stopper,
    Validate,
)
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.dataset import Documents, Lanes
from textgen.errors import RunError
from textgen.generate import Generator
from textgen.material import Material, TaskMaterial, read_material
from textgen.model import build_model, settle_threads
from textgen.options import build, check
from textgen.recall import Recall
from textgen.tokenizer import TOKENIZERS, Tokenizer
from textgen.trainer import LaneTrainer

FINAL_RATE = 0.05  # of the peak learning rate, at the end of the cosine


def start(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    model_config: ModelConfig | None = None,
    tokenizer_config: TokenizerConfig | None = None,
    train_config: TrainConfig | None = None,
) -> Path:
    """Train on `source` into the new run folder `out`; return it.

    Raises `TextgenError` for bad input, and `Interrupted` after Ctrl-C, when the run is saved.
    """
    folder = Path(out)
    model_config = model_config or ModelConfig()
    tokens = tokenizer_config or TokenizerConfig()
    config = train_config or TrainConfig()
    for settings in (model_config, tokens, config):
        check(settings)
    if (folder / checkpoint.CONFIG).exists():
        raise RunError(
            f"{folder} holds a run already: add --resume to go on with it, or choose another --out"
        )
    material = read_material(source, config)
    tokenizer = TOKENIZERS[tokens.tokenizer].train(
        material.text, vocab_size=tokens.vocab_size, model_type=tokens.model_type
    )
    card = {
        "model": dataclasses.asdict(model_config),
        "tokenizer": {"name": tokenizer.name, "vocab_size": tokenizer.vocab_size},
        "training": dataclasses.asdict(config),
        "corpus": {"source": _written(source)} | material.facts,
        "metrics": {},
    }
    return _train(folder, card, material, tokenizer, resume=False)


def resume(
    out: str | Path,
    source: str | Path | Sequence[str | Path] | None = None,
    epochs: int | None = None,
) -> Path:
    """Go on with the run in `out`: same text, settings and tokenizer, perhaps more epochs.

    Raises as `start` does, and `RunError` when the text is not the one the run began with.
    """
    folder = Path(out)
    card = checkpoint.read_config(folder)
    config = build(TrainConfig, card["training"])
    if epochs is not None:
        config = dataclasses.replace(config, epochs=epochs)
        check(config)
        card["training"] = dataclasses.asdict(config)
    recorded = card.get("corpus")
    if not isinstance(recorded, dict) or "source" not in recorded:
        raise RunError(f"{folder / checkpoint.CONFIG} names no corpus: train anew")
    material = read_material(source or recorded["source"], config)
    if material.facts["sha256"] != recorded.get("sha256"):
        raise RunError(
            f"the text at {source or recorded['source']} is not the one {folder} began with: "
            "give that text, or train anew with another --out"
        )
    return _train(folder, card, material, checkpoint.read_tokenizer(folder, card), resume=True)


def _train(
    folder: Path, card: dict[str, Any], material: Material, tokenizer: Tokenizer, *, resume: bool
) -> Path:
    config = build(TrainConfig, card["training"])
    batches, held_out = material.batches(tokenizer), material.held_out(tokenizer)

    settle_threads(batches.batch_size)
    keras.utils.set_random_seed(config.seed)
    settings = build(ModelConfig, card["model"])
    model = build_model(settings, tokenizer.vocab_size, policy(config.dtype))
    trainer = LaneTrainer(model, batches.batch_size, config.seed, carry=material.carry)
    trainer.compile(optimizer=optimizer(config, batches.steps * config.epochs), jit_compile=False)
    trainer.build((batches.batch_size, 1))
    trainer.optimizer.build(trainer.trainable_variables)

    recorder = Recorder(folder, batches, config.epochs, material.tokens_per_char(tokenizer))
    keeper = Keeper(folder, card, recorder, config.patience)
    keeper.set_model(trainer)
    if resume:
        keeper.restore()
    else:
        checkpoint.write_config(folder, card)
        checkpoint.write_tokenizer(folder, tokenizer)
    epoch, done = divmod(recorder.step, batches.steps)  # done: batches of that epoch already read

    # what is measured and sampled is the model as it will be loaded: in float32
    exact = model
    callbacks: list[Any] = [Carry(resumed_within=epoch if done else None)]
    if model.dtype_policy.name != "float32":
        exact = build_model(settings, tokenizer.vocab_size)
        callbacks.append(Mirror(model, exact))
    if held_out is not None:
        evaluator = LaneTrainer(exact, held_out.batch_size, carry=material.carry)
        evaluator.compile(jit_compile=False)
        callbacks.append(Validate(evaluator, held_out))
    callbacks += [recorder, keeper, Progress(recorder)]
    if config.max_seconds:
        callbacks.append(Limit(config.max_seconds))
    if config.sample_length:
        generator = Generator(exact, tokenizer, card)
        callbacks.append(
            Sampler(generator, folder, recorder, config.prompt, config.sample_length, config.seed)
        )
    if isinstance(material, TaskMaterial):
        callbacks.append(Recall(Generator(exact, tokenizer, card), material.task, folder, recorder))
    with Stopper() as stopper:
        callbacks.append(stopper)
        try:
            _fit(trainer, batches, callbacks, epoch, done, config.epochs)
        except Interrupted:
            keeper.save_training()
            recorder.write_status("stopped")
            raise
        except Exception as error:
            recorder.write_status("failed", str(error))
            raise
    recorder.write_status("finished", "stopped early" if keeper.stopped_early else "")
    return folder


def _fit(
    trainer: LaneTrainer, batches: Lanes | Documents, callbacks: list[Any],
    epoch: int, done: int, epochs: int,
) -> None:  # fmt: skip
    if done:  # the rest of an epoch that was stopped within
        rest = batches.dataset(epoch * batches.steps + done).take(batches.steps - done)
        trainer.fit(
            rest, initial_epoch=epoch, epochs=epoch + 1, callbacks=callbacks,
            verbose=0, shuffle=False,
        )  # fmt: skip
        epoch += 1
        if trainer.stop_training:
            return
    if epoch < epochs:
        trainer.fit(
            batches.dataset(epoch * batches.steps), steps_per_epoch=batches.steps,
            initial_epoch=epoch, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False,
        )  # fmt: skip


def optimizer(config: TrainConfig, steps: int) -> Any:
    """AdamW (Loshchilov & Hutter 2019), clipped; the rate rises, then falls as a cosine."""
    warmup = round(config.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=max(steps - warmup, 1),
        alpha=FINAL_RATE,
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, beta_2=0.99, global_clipnorm=config.clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def policy(dtype: str) -> str:
    """The Keras policy: weights, states and the loss stay float32 in each."""
    if dtype == "auto":
        dtype = "bfloat16" if backend.has_bfloat16() else "float32"
    return "mixed_bfloat16" if dtype == "bfloat16" else "float32"


def _written(source: str | Path | Sequence[str | Path]) -> str | list[str]:
    """The source as it was given, for config.json."""
    return str(source) if isinstance(source, str | Path) else [str(s) for s in source]
