"""Training, top to bottom: read the text, make a tokenizer, lay out batches, fit, keep the best.

What is trained on is a text, read in lanes, in memory or from a file, or a task, whose documents
are written on the way.

A run can be stopped or killed at any step and resumed: what is saved (keeper.py) holds weights,
optimizer, carried state, random generators and the place in the text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from textgen import backend
from textgen.backend import keras
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.data.batches import Batches
from textgen.data.streamed_text import StreamedMaterial
from textgen.data.training_data import Material, TaskMaterial, TextMaterial, read_material
from textgen.errors import ConfigError, CorpusError, RunError, shown
from textgen.generation.generator import Generator
from textgen.log import logger
from textgen.model import build_model, settle_threads
from textgen.options import build, check
from textgen.runs import run_folder
from textgen.text.corpus import MAX_CHARACTERS
from textgen.text.oddities import oddities_of_beginning
from textgen.text.source import summary
from textgen.tokenizers.tokenizer import TOKENIZERS, Tokenizer
from textgen.training.budget import within
from textgen.training.callbacks import (
    Carry,
    Interrupted,
    Limit,
    Mirror,
    Progress,
    Recorder,
    Sampler,
    Stopper,
    Validate,
)
from textgen.training.distributed import Workers
from textgen.training.divergence import Diverged, Watch
from textgen.training.recall_callback import Recall
from textgen.training.resume import Keeper, read_saved
from textgen.training.trainer import LaneTrainer, optimizer, policy


def start(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    model_config: ModelConfig | None = None,
    tokenizer_config: TokenizerConfig | None = None,
    train_config: TrainConfig | None = None,
    budget: float = 0.0,
    fixed: Collection[str] = (),
) -> Path:
    """Train on `source` into the new run folder `out`; return it.

    budget: seconds, from now on, that settings left at their defaults are to follow from (0: none);
    those named in `fixed` stay, too.
    Raises `TextgenError` for bad input, and `Interrupted` after Ctrl-C, when the run is saved.
    """
    workers = Workers()
    folder = workers.folder(Path(out))
    model_config = model_config or ModelConfig()
    tokens = tokenizer_config or TokenizerConfig()
    config = train_config or TrainConfig()
    for settings in (model_config, tokens, config):
        check(settings)
    _refuse_a_second_run(folder)
    with run_folder.held(folder):
        _refuse_a_second_run(folder)  # another process may have been quicker
        begun = time.perf_counter()
        material = read_material(source, config, folder)
        _tell_what_was_read(material)
        tokenizer = TOKENIZERS[tokens.tokenizer].train(
            material.text, vocab_size=tokens.vocab_size, model_type=tokens.model_type
        )
        with contextlib.ExitStack() as undone:
            if isinstance(material, StreamedMaterial):
                undone.callback(material.forget, tokenizer)
                material = material.read(tokenizer)
            if budget:
                left = budget - (time.perf_counter() - begun)
                model_config, config = within(
                    left, material, tokenizer, model_config, config, fixed
                )
                material = dataclasses.replace(material, config=config)
            card = _card(model_config, tokenizer, config, source, material) | {"metrics": {}}
            if workers.number > 1:
                card["workers"] = workers.number
            # too short a text is refused here
            batches = workers.share(material.batches(tokenizer))
            undone.pop_all()
        with Stopper() as stopper:
            return _train(
                folder, card, material, tokenizer, batches, workers, stopper, resume=False
            )


def resume(
    out: str | Path,
    source: str | Path | Sequence[str | Path] | None = None,
    epochs: int | None = None,
) -> Path:
    """Go on with the run in `out`: same text, settings and tokenizer, perhaps more epochs.

    Raises as `start` does, and `RunError` when the text is not the one the run began with.
    """
    workers = Workers()
    folder = workers.folder(Path(out))
    card = run_folder.read_config(folder)
    config = run_folder.settings(folder, card, "training", TrainConfig)
    if epochs is not None:
        config = dataclasses.replace(config, epochs=epochs)
        check(config)
    if (began := card.get("workers", 1)) != workers.number:
        raise RunError(
            f"{folder} began with {shown(began)} workers, not {workers.number}: "
            "go on with as many, or train anew"
        )
    recorded = card.get("corpus")
    named = recorded.get("source") if isinstance(recorded, dict) else None
    if not isinstance(recorded, dict) or not _is_source(named):
        raise RunError(f"{folder / run_folder.CONFIG} names no corpus: train anew")
    with run_folder.held(folder):
        try:
            material = read_material(source or named, config, folder)
        except CorpusError as error:
            if source is not None:
                raise
            raise CorpusError(
                f"{error}; if the text lies elsewhere: textgen train TEXT --resume {folder}"
            ) from None
        tokenizer = run_folder.read_tokenizer(folder, card)
        if isinstance(material, StreamedMaterial):
            material = material.again(recorded, tokenizer, anew=source is not None)
        if material.facts["sha256"] != recorded.get("sha256"):
            raise RunError(
                f"the text at {source or named} is not the one {folder} began with: "
                "give that text, or train anew with another --out"
            )
        settings = run_folder.settings(folder, card, "model", ModelConfig)
        card |= _card(settings, tokenizer, config, named, material)
        batches = workers.share(material.batches(tokenizer))
        with Stopper() as stopper:
            if epochs is not None:
                run_folder.write_config(folder, card)  # this run, too, may be killed and resumed
            return _train(
                folder,
                card,
                material,
                tokenizer,
                batches,
                workers,
                stopper,
                resume=True,
                further=epochs is not None,
            )


def _card(
    model: ModelConfig,
    tokenizer: Tokenizer,
    config: TrainConfig,
    source: str | Path | Sequence[str | Path],
    material: Material,
) -> dict[str, Any]:
    """What config.json says of the run."""
    return {
        "model": dataclasses.asdict(model),
        "tokenizer": {"name": tokenizer.name, "vocab_size": tokenizer.vocab_size},
        "training": dataclasses.asdict(config),
        "corpus": {"source": _written(source)} | material.facts,
    }


def _tell_what_was_read(material: Material) -> None:
    if isinstance(material, TextMaterial):
        corpus = material.corpus
        logger.info(summary(corpus.sources, len(corpus.documents), len(corpus.text)))
        for finding in oddities_of_beginning(corpus.text):
            logger.warning(f"note: {finding.text}")
        for source in corpus.sources:
            if source.truncated:
                logger.warning(
                    f"note: {source.name} is read up to {MAX_CHARACTERS:,} characters: "
                    "--stream reads it all"
                )


def _refuse_a_second_run(folder: Path) -> None:
    """Raises `RunError` when `folder` holds a run."""
    if (folder / run_folder.CONFIG).exists():
        raise RunError(
            f"{folder} holds a run already: add --resume to go on with it, or choose another --out"
        )


def _train(
    folder: Path,
    card: dict[str, Any],
    material: Material,
    tokenizer: Tokenizer,
    batches: Batches,
    workers: Workers,
    stopper: Stopper,
    *,
    resume: bool,
    further: bool = False,
) -> Path:
    """`further`: more epochs were asked for, so what stopped the run early no longer does."""
    config = build(TrainConfig, card["training"])
    if config.deterministic:
        backend.tf.config.experimental.enable_op_determinism()
    if config.max_seconds and workers.number > 1:
        raise ConfigError("max_seconds is for one process: give several workers --epochs")
    held_out = material.held_out(tokenizer)

    settle_threads(batches.batch_size)
    workers.connect()
    stopper.listen()
    keras.utils.set_random_seed(config.seed)
    settings = build(ModelConfig, card["model"])
    model = build_model(settings, tokenizer.vocab_size, policy(config.dtype))
    trainer = LaneTrainer(
        model,
        batches.batch_size,
        config.seed,
        carry=material.carry,
        workers=workers if workers.number > 1 else None,
    )
    saved = read_saved(folder) if resume else None
    if saved and (step := workers.earliest(saved.place.step)) != saved.place.step:
        saved = read_saved(folder, step)  # another worker was killed before its last save
    rate = saved.place.learning_rate if saved else config.learning_rate
    limit = None
    if config.max_seconds:
        before = saved.place.seconds if saved and not further else 0.0
        limit = Limit(config.max_seconds, before)
    _compile(trainer, config, rate, batches.steps, limit)

    recorder = Recorder(folder, batches, config.epochs, material.tokens_per_char(tokenizer))
    watch = Watch(recorder)
    keeper = Keeper(folder, card, recorder, watch, config.patience, rate)
    keeper.set_model(trainer)
    if saved:
        keeper.restore(saved)
        recorder.seconds_before, recorder.rolled_back = saved.place.seconds, saved.place.rolled_back
        keeper.waited = 0 if further else keeper.waited
    else:
        run_folder.write_tokenizer(folder, tokenizer)
        keeper.save_training()
        run_folder.write_config(folder, card)

    # what is measured and sampled is the model as it will be loaded: in float32
    exact = model
    callbacks: list[Any] = [Carry(recorder, batches.steps_of_text)]
    if model.dtype_policy.name != "float32":
        exact = build_model(settings, tokenizer.vocab_size)
        callbacks.append(Mirror(model, exact))
    if held_out is not None:
        evaluator = LaneTrainer(exact, held_out.batch_size, carry=material.carry)
        evaluator.compile(jit_compile=False)
        callbacks.append(Validate(evaluator, held_out))
    callbacks += [recorder, watch, Progress(recorder)]
    if config.sample_length:
        generator = Generator(exact, tokenizer, card)
        callbacks.append(
            Sampler(generator, folder, recorder, config.prompt, config.sample_length, config.seed)
        )
    if isinstance(material, TaskMaterial):
        callbacks.append(Recall(Generator(exact, tokenizer, card), material.task, folder, recorder))
    callbacks.append(keeper)  # after all that is written of an epoch: saved, it is not read again
    if limit:
        callbacks.append(limit)
    callbacks.append(stopper)
    try:
        _fit_and_roll_back(trainer, batches, callbacks, keeper, config, limit)
    except Interrupted:
        with contextlib.suppress(Diverged):
            keeper.save_training()
        recorder.write_status("stopped")
        raise
    except Exception as error:
        if isinstance(error, backend.tf.errors.OpError):
            error = _explained(error, material, tokenizer, workers)
        with contextlib.suppress(RunError):  # a full disk has been told of already
            recorder.write_status("failed", str(error))
        raise error
    recorder.write_status("finished", "stopped early" if keeper.stopped_early else "")
    return folder


def _explained(
    error: Exception, material: Material, tokenizer: Tokenizer, workers: Workers
) -> Exception:
    """What a step of TensorFlow broke off for, in words, where it is known."""
    if isinstance(material, StreamedMaterial):
        try:
            material.check(tokenizer)
        except RunError as trouble:
            return trouble
    if workers.number > 1:
        return RunError("another worker is gone: start all of them again with --resume")
    return error


def _fit_and_roll_back(
    trainer: LaneTrainer,
    batches: Batches,
    callbacks: list[Any],
    keeper: Keeper,
    config: TrainConfig,
    limit: Limit | None,
) -> None:
    """Where the loss runs away, go back to the last save and on at a lower rate, once."""
    while not keeper.stopped_early:
        try:
            return _fit(trainer, batches, callbacks, keeper.recorder.step, config.epochs)
        except Diverged as trouble:
            saved = keeper.roll_back(trouble)
            _compile(trainer, config, saved.place.learning_rate, batches.steps, limit)
            keeper.restore(saved)
            keeper.save_training()


def _fit(
    trainer: LaneTrainer, batches: Batches, callbacks: list[Any], step: int, epochs: int
) -> None:
    """Train from batch `step` of the run to its end."""
    epoch, done = divmod(step, batches.steps)  # done: batches of that epoch already read
    if done:  # the rest of an epoch that was stopped within
        rest = batches.dataset(step).take(batches.steps - done)
        trainer.fit(
            rest,
            initial_epoch=epoch,
            epochs=epoch + 1,
            callbacks=callbacks,
            verbose=0,
            shuffle=False,
        )
        epoch += 1
        if trainer.stop_training:
            return
    if epoch < epochs:
        trainer.fit(
            batches.dataset(epoch * batches.steps),
            steps_per_epoch=batches.steps,
            initial_epoch=epoch,
            epochs=epochs,
            callbacks=callbacks,
            verbose=0,
            shuffle=False,
        )


def _compile(
    trainer: LaneTrainer, config: TrainConfig, rate: float, steps: int, limit: Limit | None
) -> None:
    """Give `trainer` a fresh optimizer whose rate peaks at `rate`. steps: of an epoch."""
    config = dataclasses.replace(config, learning_rate=rate)
    made = optimizer(config, steps * config.epochs, limit.gone if limit else None)
    trainer.compile(optimizer=made, jit_compile=False)
    trainer.optimizer.build(trainer.trainable_variables)


def _is_source(value: object) -> TypeGuard[str | list[str]]:
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    )


def _written(source: str | Path | Sequence[str | Path]) -> str | list[str]:
    """The source as it was given, for config.json."""
    return str(source) if isinstance(source, str | Path) else [str(s) for s in source]
