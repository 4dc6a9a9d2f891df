"""What a program imports: a model that is loaded or trained, and what it can be asked.

import textgen

model = textgen.load("runs/tales")
print(model.generate("One winter morning, ", max_new_tokens=100, temperature=0.8, seed=1).text)

`docs/api.md` shows all of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textgen.config import EvaluateConfig
from textgen.data.recall_task import Task, read_task
from textgen.evaluation.evaluate import Evaluation, evaluate
from textgen.evaluation.recall_probe import Probe, Scorer, probe, task_of
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.generator import Generator
from textgen.generation.lists import ListWriter, whole_text
from textgen.interpret import Override, texts, without_units
from textgen.interpret.texts import TextTrace, TokenEffects
from textgen.interpret.unit_probe import FeatureProbe
from textgen.options import build_strictly, options_of, refuse_unknown
from textgen.runs.recipe import CONFIGS, configs_of
from textgen.text.source import Source

if TYPE_CHECKING:
    import keras


class Model(Generator):
    """A trained model with its tokenizer, as `load` and `train` give it.

    It writes (`generate`, `generate_batch`, `stream`, `stream_batch`, `write_list`), predicts
    (`score`, `evaluate`), remembers (`probe`) and can be looked into (`trace`,
    `saliency`, `occlude`, `ablate`, `transplant`, `find_units`, `without`). Trained on a text with
    labels, it does so `in_voice` of one of its `labels`.

    name: of its run folder. hash: of its weights, 8 hex digits. config: its `ModelConfig`.
    card: what config.json says, unchecked. num_parameters: of all its weights.
    """

    def guard(self, max_copied: int, training_text: str | None = None) -> CopyGuard:
        """What lets a text copy at most so many characters in a row from the text that the model
        was trained on: `generate(prompt, guard=model.guard(20))`.

        training_text: where that is not where config.json says. Raises `ConfigError` where it is
        not at hand, and for less than 1 character.
        """
        return CopyGuard(whole_text(self, training_text), max_copied, self.tokenizer)

    def write_list(
        self,
        number: int,
        prompt: str = "",
        *,
        unique: bool = True,
        new: bool = False,
        training_text: str | None = None,
        guard: CopyGuard | None = None,
        **options: object,
    ) -> list[str]:
        """`number` items, each a line: for a model of lines (sample_by="line").

        unique: none twice. new: none that is a line of the training text. options: those of
        generation. Raises as `guard` does, and `GenerationError` where the model has nothing else
        to write.
        """
        known = whole_text(self, training_text).split("\n") if new else ()
        writer = ListWriter(self, unique=unique, known=known, guard=guard)
        return [item.text for item in writer.write(number, prompt, **options)]

    def evaluate(
        self, text: str, *, training_text: str | None = None, **options: object
    ) -> Evaluation:
        """How well the model predicts `text`, which it should not have been trained on, in bits
        per character, per byte and per kind of character; how much of what it writes is new.

        training_text: what it was trained on, for n-gram models beside it and for the share that
        it copies. options: those of `EvaluateConfig`.
        Raises `CorpusError` for an empty text and for what is no text, `ConfigError` for a bad
        option.
        """
        return evaluate(self, text, training_text, build_strictly(EvaluateConfig, options))

    def probe(self, task: str | Path | Task | None = None, **options: Any) -> Probe:
        """Does the model remember? The share of right answers against the distance from a fact to
        its answer, in characters.

        task: a task or its file (None: the shipped one that the model was trained on). options:
        distances, n, controls, variant, held_out and seed, as `recall_probe.probe` takes them.
        Raises `ConfigError` for what the task or the model does not have, and for a bad option.
        """
        _, *known = inspect.signature(probe).parameters  # the first is the model with its task
        refuse_unknown(options, ("task", *known))
        if task is None:
            task = task_of(self)
        elif not isinstance(task, Task):
            task = read_task(task)
        return probe(Scorer(self, task), **options)

    def trace(self, text: str, overrides: Sequence[Override] = ()) -> TextTrace:
        """Every gate and state of every unit while the model reads `text`, by the names of the
        cell's equations: `trace(text).layers[0]["f"]` [T, U], with T the `tokens` of the text after
        the newline that every text begins with, and U hidden_size.

        overrides: values to replace on the way.
        Raises `GenerationError` for what is no text, `ConfigError` for an override of what is not
        there.
        """
        return texts.trace_text(self, text, overrides)

    def saliency(self, text: str, answer: str, foil: str = "") -> TokenEffects:
        """What each token of `text` [T] adds to ln p(answer), or, given a foil, to ln p(answer) -
        ln p(foil), where the text goes on with them: gradient times embedding, so to first order
        (Li et al. 2016, arXiv 1506.01066).

        Raises `GenerationError` for an empty answer and for what is no text.
        """
        return texts.saliency_of(self, text, answer, foil)

    def occlude(self, text: str, answer: str, foil: str = "", *, block: int = 1) -> TokenEffects:
        """What the answer loses against the foil, in nats, without each token of `text` [T]: in its
        place stands the mean of all embeddings.

        block: how many tokens are taken away together; a long text takes less time then.
        Raises as `saliency` does, and `ConfigError` for a block of no token.
        """
        return texts.occlusion_of(self, text, answer, foil, block)

    def ablate(
        self,
        text: str,
        answer: str,
        foil: str = "",
        layer: int = 0,
        *,
        last: int | None = None,
    ) -> np.ndarray:
        """What the answer loses against the foil, in nats, without each unit of a layer [U]: its
        state held at zero, from the first token, or over the `last` ones, to the end of the answer.

        Raises as `saliency` does, and `ConfigError` for a layer that is not there.
        """
        return texts.ablation_of(self, text, answer, foil, layer, last)

    def preference(
        self, text: str, answer: str, foil: str = "", overrides: Sequence[Override] = ()
    ) -> float:
        """ln p(answer), or ln p(answer) - ln p(foil), where `text` goes on with them, with values
        replaced on the way. Raises as `trace` and `saliency` do."""
        return texts.preference(self, text, answer, foil, overrides)

    def transplant(
        self, text: str, donor: str, after: str, parts: Collection[str]
    ) -> dict[str, float]:
        """The probability of each token next, likeliest first, where `text` was read on from parts
        of another text's state: after its beginning `after`, the donor's `parts` ("h", "C") are
        handed over, from where the donor has as many tokens left.

        Raises `GenerationError` for a text that does not begin so, `ConfigError` for a part or a
        place that is not there.
        """
        return texts.transplant_of(self, text, donor, after, parts)

    def find_units(self, text: str, layer: int = 0, part: str = "h") -> list[FeatureProbe]:
        """Which units of a layer tell where in `text` the model is: within quotes or brackets, how
        far into the line, and so on (`interpret.features`). Each is judged on stretches of the
        text that the probe was not fitted on, against the base rate. Give some thousand
        characters.

        part: the value that is read, by its name in the cell's equations.
        Raises `GenerationError` for what is no text, `ConfigError` for one that is too short, and
        for a layer or a part that is not there.
        """
        return texts.find_units(self, text, layer, part)

    def without(self, units: Collection[int], layer: int = 0) -> Model:
        """The model with the state of these units of a layer held at zero while it reads and
        writes, with NumPy: `without([3]).generate("One winter morning, ", seed=1)`.

        Raises `ConfigError` for a layer or a unit that is not there.
        """
        return without_units(self, units, layer)


def load(path: str | Path, *, last: bool = False) -> Model:
    """The model in the run folder `path`, the shipped model of that name, or "hf://user/name" from
    the Hugging Face Hub.

    last: with the weights of the newest save of its training, instead of those that did best.
    Raises `RunError` when the folder is missing, damaged or foreign, `TokenizerError` for a
    tokenizer file that cannot be read, and `ConfigError` for what is no path.
    """
    return Model.from_run(path, last=last)


def train(
    source: Source,
    out: str | Path,
    *,
    begin_from: str | Path | None = None,
    budget: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings: object,
) -> Model:
    """Train a model on `source` into the new run folder `out`, and load the best of it.

    source: a text file or folder, several of them, "hf:NAME[/CONFIG][:SPLIT][:COLUMN]", or a task
    (TOML). begin_from: a model to go on from with this text, named as `load` takes it:
    its weights, tokenizer and model settings. budget: "90s", "3m", "1h" or a number of seconds,
    which settings that are not given follow from, as of `textgen train --budget`. callbacks:
    Keras's own.
    settings: those of `ModelConfig`, `TokenizerConfig` and `TrainConfig` by their names, such as
    cell="gru", hidden_size=128, tokenizer="jamo", epochs=3.
    Raises `TextgenError` for a text that cannot be read or is too short, an unknown setting, one
    outside its range or without effect, and where `out` holds a run; and `Interrupted`, a
    `KeyboardInterrupt`, after Ctrl-C, when the run is saved: `resume` goes on with it; of one that
    has not begun to learn, nothing is left.
    """
    from textgen.training.budget import seconds_of
    from textgen.training.train import start

    refuse_unknown(settings, [name for cls in CONFIGS for name in options_of(cls)])
    model, tokenizer, training = configs_of(settings)
    seconds = seconds_of(str(budget)) if budget is not None else 0.0
    start(
        source,
        out,
        model,
        tokenizer,
        training,
        seconds,
        given=settings,
        callbacks=callbacks,
        begin_from=begin_from,
    )
    return load(out)


def resume(
    out: str | Path,
    source: Source | None = None,
    *,
    epochs: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **unknown: object,
) -> Model:
    """Go on with the run in `out`, that was stopped or killed, and load the best of it.

    source: of the same text, where it was moved. epochs: more than it began with.
    Raises as `train` does, and `RunError` where the text is not the one that the run began with.
    """
    from textgen.training.train import resume as train_on

    refuse_unknown(unknown, ("source", "epochs", "callbacks"))  # all else stays as it began
    train_on(out, source, epochs, callbacks)
    return load(out)
