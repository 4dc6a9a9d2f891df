"""All that a training needs, put together: the model, what judges it, what it is saved with. From
here on there is TensorFlow, and nothing is refused any more that a person gave.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from textgen import backend
from textgen.backend import keras
from textgen.data.batches import Batches
from textgen.data.training_data import TrainingData
from textgen.errors import RunError
from textgen.generation.generator import Generator
from textgen.model import LanguageModel, build_model, settle_threads, trainable
from textgen.network import Network
from textgen.runs import run_folder
from textgen.runs.run_config import RunConfig
from textgen.tokenizers.tokenizer import Tokenizer
from textgen.training import beginning
from textgen.training.distributed import Workers
from textgen.training.interpolation import go_back
from textgen.training.loop import AtEnd, Training
from textgen.training.ngrams import add_ngrams
from textgen.training.samples import RecallSampler, Sampler, TextSampler
from textgen.training.saves import Save, read_save
from textgen.training.stop_request import StopRequest
from textgen.training.time_limit import TimeLimit
from textgen.training.trainer import LaneTrainer, policy
from textgen.training.validation import Twin, Validation
from textgen.training.voices import Voices


@dataclasses.dataclass(frozen=True)
class Setting:
    """All that is at hand before the model is built. network: the weights that it begins with, None
    where they are drawn or saved."""

    folder: Path
    config: RunConfig
    data: TrainingData
    tokenizer: Tokenizer
    batches: Batches
    workers: Workers
    stop: StopRequest
    network: Network | None = None


def train(
    setting: Setting,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    resumed: bool = False,
    further: bool = False,
) -> None:
    """Build the model, and train it from its last save or from the beginning."""
    folder, config = setting.folder, setting.config
    settings = config.training
    if settings.deterministic:
        backend.tf.config.experimental.enable_op_determinism()
    training, save = _prepared(setting, callbacks, resumed, further)
    if save is None:
        run_folder.write_tokenizer(folder, setting.tokenizer)
    try:
        training.run(save, further=further)
    except Exception as error:
        if isinstance(error, backend.tf.errors.OpError):
            error = _explained(error, setting)
        training.fail(str(error))
        raise error
    if config.origin is not None and not setting.workers.index:
        beginning.report(folder, config.origin, setting.data)


def _prepared(
    setting: Setting, callbacks: Sequence[keras.callbacks.Callback], resumed: bool, further: bool
) -> tuple[Training, Save | None]:
    """The training, and the save that it goes on from."""
    folder, config, data = setting.folder, setting.config, setting.data
    settings, batches, workers = config.training, setting.batches, setting.workers
    held_out = data.held_out(setting.tokenizer)
    settle_threads(batches.batch_size)
    workers.connect()
    setting.stop.listen()
    keras.utils.set_random_seed(settings.seed)
    model = _model(setting)
    labels = data.config.labels
    voices = Voices(labels, model.network()) if labels else None
    trainer = LaneTrainer(
        model,
        batches.batch_size,
        settings.seed,
        carry=data.carry,
        workers=workers if workers.number > 1 else None,
        voices=voices,
        rates=_rates(setting),
    )
    save = _last_save(folder, workers) if resumed else None
    limit = None
    if settings.max_seconds:
        limit = TimeLimit(settings.max_seconds, save.state.seconds if save and not further else 0.0)
    # what is judged and sampled is the model as it will be loaded: in float32
    exact = model
    if model.dtype_policy.name != "float32":
        exact = build_model(config.model, setting.tokenizer.vocab_size)
    validation = None
    if held_out is not None:
        validation = Validation(exact, held_out, carry=data.carry, voices=voices)
    training = Training(
        folder,
        config,
        trainer,
        batches,
        data.tokens_per_char(setting.tokenizer),
        stop=setting.stop,
        twin=Twin(model, exact),
        validation=validation,
        samplers=_samplers(setting, exact),
        limit=limit,
        at_end=_at_end(setting, exact, validation),
        callbacks=callbacks,
    )
    return training, save


def _at_end(setting: Setting, exact: LanguageModel, validation: Validation | None) -> list[AtEnd]:
    """What is done with the weights that did best, before the run counts as finished."""
    folder, data, stop = setting.folder, setting.data, setting.stop
    steps: list[AtEnd] = []
    if setting.workers.index:
        return steps
    if setting.config.training.interpolate and data.replayed is not None and validation:
        steps.append(functools.partial(go_back, folder, data, stop, exact, validation))
    if setting.config.training.ngrams and data.task is None and not data.config.labels:
        steps.append(functools.partial(add_ngrams, folder, data, stop))
    return steps


def _model(setting: Setting) -> LanguageModel:
    """The model to train, with the weights that it begins with; those of a save come later."""
    config = setting.config
    dtype = policy(config.training.dtype)
    if setting.network is not None:
        return trainable(setting.network, dtype)
    return build_model(config.model, setting.tokenizer.vocab_size, dtype)


def _rates(setting: Setting) -> dict[str, np.ndarray]:
    """The learning rates of what the model that it began from had no token for."""
    origin, vocab_size = setting.config.origin, setting.tokenizer.vocab_size
    if origin is None or origin.vocab_size in (None, vocab_size):
        return {}
    return beginning.rates(setting.config.model, vocab_size, origin.vocab_size)


def _last_save(folder: Path, workers: Workers) -> Save:
    """The newest save that every worker has: one of them may have been killed before its last."""
    save = read_save(folder)
    step = workers.earliest(save.state.step)
    return save if step == save.state.step else read_save(folder, step)


def _samplers(setting: Setting, exact: LanguageModel) -> list[Sampler]:
    """What is tried after each epoch with the weights of `exact` as they are then."""
    config, folder, settings = setting.config, setting.folder, setting.config.training

    def now() -> Generator:
        return Generator(exact.network(), setting.tokenizer, config.to_dict())

    samplers: list[Sampler] = []
    if settings.sample_length:
        samplers.append(
            TextSampler(now, folder, settings.prompt, settings.sample_length, settings.seed)
        )
    if setting.data.task is not None:
        samplers.append(RecallSampler(now, setting.data.task, folder))
    return samplers


def _explained(error: Exception, setting: Setting) -> Exception:
    """What a step of TensorFlow broke off for, in words, where it is known."""
    try:
        setting.data.check(setting.tokenizer)
    except RunError as trouble:
        return trouble
    if setting.workers.number > 1:
        return RunError("another worker is gone: start all of them again with --resume")
    return error
