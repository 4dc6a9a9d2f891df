"""A run from its beginning: read the text, make a tokenizer, lay out batches, and train
(assembly.py, loop.py). Or from a model that was trained on another text (beginning.py). What cannot
be trained is refused here, before TensorFlow is loaded, which takes seconds.

What is trained on is a text, read in lanes, in memory or from a file, or a task, whose documents
are written on the way. A run can be stopped or killed at any step and resumed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textgen import backend
from textgen.config import (
    ModelConfig,
    TokenizerConfig,
    TrainConfig,
    at_default,
    without_effect,
)
from textgen.data.batches import Batches
from textgen.data.sources import names_a_task, read_training_data
from textgen.data.training_data import TrainingData
from textgen.errors import ConfigError, CorpusError, RunError, TokenizerError, counted, shown
from textgen.log import logger
from textgen.options import check, path_of
from textgen.runs import atomic_files, run_folder
from textgen.runs.run_config import RunConfig
from textgen.runs.voices import labels_of
from textgen.text.source import Source
from textgen.tokenizers.tokenizer import TOKENIZERS, Tokenizer
from textgen.training import beginning
from textgen.training import budget as budgets
from textgen.training.beginning import Beginning
from textgen.training.distributed import Workers, refuse_a_time
from textgen.training.samples import check_prompt
from textgen.training.stop_request import StopRequest

if TYPE_CHECKING:
    import keras


def start(
    source: Source,
    out: str | Path,
    model_config: ModelConfig | None = None,
    tokenizer_config: TokenizerConfig | None = None,
    train_config: TrainConfig | None = None,
    budget: float = 0.0,
    fixed: Collection[str] = (),
    given: Collection[str] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    begin_from: str | Path | None = None,
) -> Path:
    """Train on `source` into the new run folder `out`; return it.

    budget: seconds, from now on, that settings left at their defaults are to follow from (0: none);
    those named in `fixed` or `given` stay, too.
    given: the settings that a person named for this run: one that would have no effect is refused.
    callbacks: Keras's own, such as `keras.callbacks.TensorBoard`.
    begin_from: a run, or a shipped model, whose weights, tokenizer and settings it goes on with.
    Raises `TextgenError` for bad input, and `Interrupted` after Ctrl-C, when the run is saved, or
    nothing is there of it yet.
    """
    backend.need_training()
    workers = Workers()
    folder = workers.folder(path_of(out, "out"))
    _check_callbacks(callbacks)
    config = RunConfig(
        model_config or ModelConfig(),
        tokenizer_config or TokenizerConfig(),
        train_config or TrainConfig(),
        workers=workers.number,
    )
    _check(config, budget)
    fixed = {*fixed, *given}
    begin = None
    if begin_from is None and "interpolate" in given:
        raise ConfigError(
            "interpolate would have no effect: the run begins from no model; leave it out"
        )
    if begin_from is not None:
        begin = beginning.read(begin_from)
        config = begin.settle(config, fixed)
        fixed |= begin.settled
    config = _with_effect(config, names_a_task(source), given)
    _refuse_a_second_run(folder)
    with StopRequest() as stop, atomic_files.hold(folder):
        _refuse_a_second_run(folder)  # another process may have been quicker
        with stop.at_once():  # there is nothing to be saved
            config, data, tokenizer, batches = _read(
                source, folder, config, workers, budget, fixed, begin
            )
            network = begin.network(config.model, tokenizer.vocab_size) if begin else None
            from textgen.training import assembly  # only here: it imports TensorFlow
        assembly.train(
            assembly.Setting(folder, config, data, tokenizer, batches, workers, stop, network),
            callbacks,
        )
    return folder


def resume(
    out: str | Path,
    source: Source | None = None,
    epochs: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Path:
    """Go on with the run in `out`: same text, settings and tokenizer, perhaps more epochs.

    Raises as `start` does, and `RunError` when the text is not the one the run began with.
    """
    backend.need_training()
    workers = Workers()
    folder = workers.folder(path_of(out, "the run folder"))
    _check_callbacks(callbacks)
    config = run_folder.read_run_config(folder)
    if epochs is not None:
        training = dataclasses.replace(config.training, epochs=epochs)
        config = dataclasses.replace(config, training=training)
        check(training)
    if config.workers != workers.number:
        raise RunError(
            f"{folder} began with {counted(config.workers, 'worker')}, not {workers.number}: "
            "go on with as many, or train anew"
        )
    recorded = config.data
    if recorded is None:
        raise RunError(f"{folder} does not say what it was trained on: train anew")
    with atomic_files.hold(folder):
        try:
            data = read_training_data(source or recorded.source, config.training, folder)
        except CorpusError as error:
            if source is not None:
                raise
            raise CorpusError(
                f"{error}; if the text lies elsewhere: textgen train TEXT --resume {folder}"
            ) from None
        tokenizer = run_folder.read_tokenizer(folder, config.to_dict())
        data = data.prepare_again(recorded, tokenizer, moved=source is not None)
        if data.config.sha256 != recorded.sha256:
            raise RunError(
                f"the text at {source or recorded.source} is not the one {folder} began with: "
                "give that text, or train anew with another --out"
            )
        if data.config.replay_sha256 != recorded.replay_sha256:
            raise RunError(
                f"the text that is mixed in, {config.training.replay}, is not the one {folder} "
                "began with: put that one back, or train anew with another --out"
            )
        config = _as_found(config, data, tokenizer)
        known = dataclasses.replace(data.config, source=recorded.source)
        config = dataclasses.replace(config, data=known)
        batches = workers.share(data.batches(tokenizer))
        _note_later_voices(folder, known.labels or [])
        from textgen.training import assembly  # only here: it imports TensorFlow

        with StopRequest() as stop:
            if epochs is not None:
                run_folder.write_config(folder, config)  # this run, too, may be killed and resumed
            setting = assembly.Setting(folder, config, data, tokenizer, batches, workers, stop)
            assembly.train(setting, callbacks, resumed=True, further=epochs is not None)
    return folder


def _read(
    source: Source,
    folder: Path,
    config: RunConfig,
    workers: Workers,
    budget: float,
    fixed: Collection[str],
    begin: Beginning | None,
) -> tuple[RunConfig, TrainingData, Tokenizer, Batches]:
    """The text, a tokenizer trained on it or that of the model to `begin` from, this worker's
    batches, and `config` with what was found there and what follows from the budget, but for the
    settings `fixed`. Where it cannot be trained on, nothing of it is left in the run folder."""
    begun = time.perf_counter()
    data = read_training_data(source, config.training, folder)
    if summary := data.summary():
        logger.info(summary)
    for note in data.notes():
        logger.warning(f"note: {note}")
    if budget:
        budgets.check_left(budget - (time.perf_counter() - begun))  # before it is cut into tokens
    if begin is not None:
        tokenizer = begin.tokenizer(data.text)
    else:
        tokenizer = _learned(data.text, config.tokenizer, budget)
    if config.training.sample_length:
        check_prompt(config.training.prompt, tokenizer)
    with contextlib.ExitStack() as undone:
        undone.callback(data.discard, tokenizer)
        data = data.prepare(tokenizer)
        if begin is not None:
            config = dataclasses.replace(config, origin=begin.origin(data))
        if budget:
            left = budget - (time.perf_counter() - begun)
            model, training = budgets.within(
                left, data, tokenizer, config.model, config.training, fixed, begin is not None
            )
            config = dataclasses.replace(config, model=model, training=training)
            data = dataclasses.replace(data, settings=training)
        config = _as_found(config, data, tokenizer)
        batches = workers.share(data.batches(tokenizer))  # too short a text is refused here
        undone.pop_all()
    return config, data, tokenizer, batches


def _learned(text: str, settings: TokenizerConfig, budget: float) -> Tokenizer:
    """A tokenizer trained on the text; within a budget, on so much of it as there is time for."""
    kind = TOKENIZERS[settings.tokenizer]
    part = budgets.to_learn_from(text, kind, budget) if budget else text
    limit = ""
    if len(part) < len(text):
        limit = f"from {len(part):,} of {len(text):,} characters, as many as the budget allows"
        logger.info(f"the tokenizer learns {limit}")
    try:
        return kind.train(part, vocab_size=settings.vocab_size, model_type=settings.model_type)
    except TokenizerError as error:
        if limit:
            raise TokenizerError(
                f"{error}; it learned {limit}: or give a longer --budget"
            ) from None
        raise


def _check_callbacks(callbacks: object) -> None:
    """Raises `ConfigError` for what Keras could not call."""
    if isinstance(callbacks, tuple) and not callbacks:
        return
    from textgen.backend import keras  # only here, where somebody has imported it already

    kind = keras.callbacks.Callback
    if not isinstance(callbacks, Sequence) or not all(isinstance(one, kind) for one in callbacks):
        raise ConfigError(
            f"callbacks is {shown(callbacks)}: give a list of objects of keras.callbacks"
        )


def _check(config: RunConfig, budget: float) -> None:
    """Raises `ConfigError` for a setting outside its range, and for a time that several workers
    would have to agree on."""
    for settings in (config.model, config.tokenizer, config.training):
        check(settings)
    refuse_a_time(config.workers, budget, config.training.max_seconds)


def _with_effect(config: RunConfig, task: bool, given: Collection[str]) -> RunConfig:
    """`config` without the settings that change nothing beside the others: of a recipe, or of a
    sweep or race that sets them for several cells, they are noted; of those `given` for this run
    the first is refused with `ConfigError`."""
    useless = without_effect(
        config.model, config.tokenizer, config.training, task=task, given=given
    )
    for name, why in useless.items():
        if name in given:
            raise ConfigError(f"{name} would have no effect: {why}; leave it out")
        logger.warning(f"note: {name} has no effect: {why}")
    return dataclasses.replace(
        config,
        model=at_default(config.model, useless),
        tokenizer=at_default(config.tokenizer, useless),
        training=at_default(config.training, useless),
    )


def _refuse_a_second_run(folder: Path) -> None:
    """Raises `RunError` when `folder` holds a run."""
    if (folder / run_folder.CONFIG).exists():
        raise RunError(
            f"{folder} holds a run already: add --resume to go on with it, or choose another --out"
        )


def _note_later_voices(folder: Path, trained: Sequence[str]) -> None:
    """Say which voices are lost when the weights that they were learned for change."""
    later = [label for label in labels_of(folder) if label not in trained]
    if later:
        logger.warning(
            f"note: voices that were learned later ({', '.join(later)}) belong to the weights as "
            "they are, and are gone when better ones are found: learn them anew with textgen voice"
        )


def _as_found(config: RunConfig, data: TrainingData, tokenizer: Tokenizer) -> RunConfig:
    """`config` with what was found in the text."""
    with_size = dataclasses.replace(config.tokenizer, vocab_size=tokenizer.vocab_size)
    return dataclasses.replace(config, tokenizer=with_size, data=data.config)
