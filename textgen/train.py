"""Training, top to bottom: read the text, make a tokenizer, lay out lanes, fit, keep the best.

A run can be stopped at any step (Ctrl-C) and resumed: `training.safetensors` holds weights,
optimizer, carried state, random generators and the place in the text.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textgen import backend, checkpoint
from textgen.backend import keras
from textgen.callbacks import (
    Carry,
    Interrupted,
    Keeper,
    Mirror,
    Progress,
    Recorder,
    Sampler,
    Stopper,
    Validate,
)
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.corpus import Corpus, load_corpus
from textgen.dataset import Lanes, make_lanes
from textgen.errors import RunError
from textgen.generate import Generator
from textgen.model import LanguageModel, build_model
from textgen.options import build, check
from textgen.tokenizer import TOKENIZERS, Tokenizer
from textgen.trainer import LaneTrainer

# The held-out text is read in few, long lanes, so that few of its tokens are predicted from an
# empty state.
VALIDATION_LANES, VALIDATION_LANE_LENGTH = 8, 1000
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
    corpus = load_corpus(source, sample_by=config.sample_by)
    tokenizer = TOKENIZERS[tokens.tokenizer].train(
        corpus.split(config.validation_fraction)[0],
        vocab_size=tokens.vocab_size,
        model_type=tokens.model_type,
    )
    card = {
        "model": dataclasses.asdict(model_config),
        "tokenizer": {"name": tokenizer.name, "vocab_size": tokenizer.vocab_size},
        "training": dataclasses.asdict(config),
        "corpus": {
            "source": _written(source),
            "encodings": sorted({s.encoding for s in corpus.sources}),
            "documents": len(corpus.documents),
            "characters": len(corpus.text),
            "sha256": _digest(corpus),
        },
        "metrics": {},
    }
    return _train(folder, card, corpus, tokenizer, resume=False)


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
    corpus = load_corpus(source or recorded["source"], sample_by=config.sample_by)
    if _digest(corpus) != recorded.get("sha256"):
        raise RunError(
            f"the text at {source or recorded['source']} is not the one {folder} began with: "
            "give that text, or train anew with another --out"
        )
    return _train(folder, card, corpus, checkpoint.read_tokenizer(folder, card), resume=True)


def _train(
    folder: Path, card: dict[str, Any], corpus: Corpus, tokenizer: Tokenizer, *, resume: bool
) -> Path:
    config = build(TrainConfig, card["training"])
    train_text, held_out_text = corpus.split(config.validation_fraction)
    ids = np.asarray(tokenizer.encode(train_text), np.int32)
    held_out = np.asarray(tokenizer.encode(held_out_text), np.int32)
    lanes = make_lanes(ids, config.batch_size, config.sequence_length)
    tokens_per_char = (len(ids) / len(train_text), len(held_out) / max(len(held_out_text), 1))

    keras.utils.set_random_seed(config.seed)
    settings = build(ModelConfig, card["model"])
    model = build_model(settings, tokenizer.vocab_size, policy(config.dtype))
    trainer = LaneTrainer(model, lanes.batch_size, config.seed)
    trainer.compile(optimizer=optimizer(config, lanes.steps * config.epochs), jit_compile=False)
    trainer.build((lanes.batch_size, config.sequence_length))
    trainer.optimizer.build(trainer.trainable_variables)

    recorder = Recorder(folder, lanes, config.epochs, tokens_per_char)
    keeper = Keeper(folder, card, recorder, config.patience)
    keeper.set_model(trainer)
    if resume:
        keeper.restore()
    else:
        checkpoint.write_config(folder, card)
        checkpoint.write_tokenizer(folder, tokenizer)
    epoch, done = divmod(recorder.step, lanes.steps)  # done: batches of that epoch already read

    # what is measured and sampled is the model as it will be loaded: in float32
    exact = model
    callbacks: list[Any] = [Carry(resumed_within=epoch if done else None)]
    if model.dtype_policy.name != "float32":
        exact = build_model(settings, tokenizer.vocab_size)
        callbacks.append(Mirror(model, exact))
    if len(held_out) > 1:
        callbacks.append(_validation(exact, held_out, config.sequence_length))
    callbacks += [recorder, keeper, Progress(recorder)]
    if config.sample_length:
        generator = Generator(exact, tokenizer, card)
        callbacks.append(
            Sampler(generator, folder, recorder, config.prompt, config.sample_length, config.seed)
        )
    with Stopper() as stopper:
        callbacks.append(stopper)
        try:
            _fit(trainer, lanes, callbacks, epoch, done, config.epochs)
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
    trainer: LaneTrainer, lanes: Lanes, callbacks: list[Any], epoch: int, done: int, epochs: int
) -> None:
    if done:  # the rest of an epoch that was stopped within
        trainer.fit(
            lanes.dataset(done), initial_epoch=epoch, epochs=epoch + 1, callbacks=callbacks,
            verbose=0, shuffle=False,
        )  # fmt: skip
        epoch += 1
        if trainer.stop_training:
            return
    if epoch < epochs:
        trainer.fit(
            lanes.dataset(), initial_epoch=epoch, epochs=epochs, callbacks=callbacks,
            verbose=0, shuffle=False,
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


def _validation(model: LanguageModel, ids: np.ndarray, sequence_length: int) -> Validate:
    number = min(VALIDATION_LANES, max(1, len(ids) // VALIDATION_LANE_LENGTH))
    lanes = make_lanes(ids, number, min(sequence_length, len(ids) - 1))
    evaluator = LaneTrainer(model, lanes.batch_size)
    evaluator.compile(jit_compile=False)
    return Validate(evaluator, lanes)


def _written(source: str | Path | Sequence[str | Path]) -> str | list[str]:
    """The source as it was given, for config.json."""
    return str(source) if isinstance(source, str | Path) else [str(s) for s in source]


def _digest(corpus: Corpus) -> str:
    return hashlib.sha256(corpus.text.encode("utf-8", "surrogatepass")).hexdigest()
