"""How well a model predicts what is held out: in float32, as it will be when it is loaded."""

from __future__ import annotations

from textgen.data.batches import Batches
from textgen.model import LanguageModel
from textgen.training.trainer import LaneTrainer
from textgen.training.voices import Voices


class Twin:
    """`exact` is `model` in float32: itself, or a copy whose weights follow when asked to."""

    def __init__(self, model: LanguageModel, exact: LanguageModel) -> None:
        self.exact = exact
        copies = exact.named_weights()
        self.pairs = [(weight, copies[name]) for name, weight in model.named_weights().items()]

    def follow(self) -> None:
        """Give the copy the weights that the model has now."""
        for weight, copy in self.pairs:
            if weight is not copy:
                copy.assign(weight)


class Validation:
    """Judges `model` on held-out `batches`: of a text, in lanes with the state carried, or of
    documents, those with labels each in its voice."""

    def __init__(
        self, model: LanguageModel, batches: Batches, *, carry: bool, voices: Voices | None = None
    ) -> None:
        self.batches = batches
        self.evaluator = LaneTrainer(model, batches.batch_size, carry=carry, voices=voices)
        self.evaluator.compile(jit_compile=False)

    def loss(self) -> float:
        """The cross-entropy of what is held out, in nats per token."""
        self.evaluator.reset_lanes()
        self.evaluator.nats.reset_state()
        held_out = self.batches.dataset().take(self.batches.steps)
        measured = self.evaluator.evaluate(held_out, verbose=0, return_dict=True)
        return float(measured["loss"])
