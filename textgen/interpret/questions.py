"""What the lesson asks, measured: each question offers two guesses, and its function gives the
figures of loaded models that say which of them is right.

A question is put to models by their cells ("RNN", "LSTM"), the task that they were trained on, and
a document of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from textgen.cells import make_cell
from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task
from textgen.data.token_positions import fact_end, ids_before_blank, written_at
from textgen.evaluation import wave
from textgen.evaluation.recall_probe import Scorer
from textgen.generation.generator import Generator
from textgen.interpret.effects import transplant
from textgen.interpret.gradient_flow import powers, slope
from textgen.interpret.lesson import lesson_document, units_by_need
from textgen.interpret.replay import Override
from textgen.interpret.trace import trace
from textgen.interpret.verdicts import Verdict, answered

LAYER = (32, 128)  # embedding_size, hidden_size: of the shipped GRU, and of docs/lesson
RACE_DISTANCE, RACE_DOCUMENTS, RACE_READINGS = 1000, 24, 5
FEW_LETTERS = 10  # of the wave

Models: TypeAlias = Mapping[str, Generator]


class Found(NamedTuple):
    """Whether the first of the two guesses is right, and the figures that say so, by their names. A
    `Verdict` among them tells whether a model remembers."""

    first_is_right: bool
    figures: Mapping[str, object]


Measure: TypeAlias = Callable[[Models, Task, Document], Found]


# --- what several questions measure ---------------------------------------------------------------


class Recall(NamedTuple):
    """The probability of the right answer with the fact and without it, and the verdict on that."""

    right: float
    without: float
    verdict: Verdict

    def named(self, cell: str) -> dict[str, object]:
        """As the figures of a cell."""
        return {cell: self.right, f"{cell}_without": self.without, f"{cell}_says": self.verdict}


def recall(model: Generator, task: Task, document: Document) -> Recall:
    """Whether a model remembers the fact of a document."""
    scorer, right = Scorer(model, task), document.answer
    shares, without = scorer.answers(document), scorer.answers(document, "removed")
    return Recall(shares[right], without[right], answered(shares, without, right).verdict)


def beside_lstm(cell: str) -> dict[str, float]:
    """The parameters of a layer of a cell, those of an LSTM, and how many more and what share of
    them the cell has."""
    own, lstm = (make_cell(name).parameters(*LAYER) for name in (cell, "lstm"))
    return {"parameters": own, "lstm": lstm, "more": own - lstm, "share": own / lstm}


def seconds_to_read(model: Generator, ids: Sequence[int]) -> float:
    """The shortest of a few readings: the others were held up by something else."""

    def once() -> float:
        began = time.perf_counter()
        trace(model.network, ids)
        return time.perf_counter() - began

    return min(once() for _ in range(RACE_READINGS))


# --- the questions --------------------------------------------------------------------------------


def unrolled(models: Models, task: Task, document: Document) -> Found:
    """Does each token have weights of its own, or are they the same always? The weights of the
    recurrent layer, and at how many tokens they are used."""
    model = models["RNN"]
    ids = ids_before_blank(model.tokenizer, document)
    sizes = (weight.size for layer in model.network.layers for weight in layer.values())
    return Found(False, {"parameters": sum(sizes), "tokens": len(ids)})


def slopes(models: Models, task: Task, document: Document) -> Found:
    """Which passes more of a gradient back, tanh or the sigmoid? The greatest slope of each."""
    tanh, sigmoid = (float(slope(name, np.zeros(1))[0]) for name in ("tanh", "sigmoid"))
    return Found(tanh > sigmoid, {"tanh": tanh, "sigmoid": sigmoid})


def products(models: Models, task: Task, document: Document) -> Found:
    """Is 0.1 left of 1 that is multiplied by 0.9 a hundred times, or not even 0.0001?"""
    less, more = (float(powers(factor, 100)[-1]) for factor in (0.9, 1.1))
    return Found(less > 0.01, {"less": less, "more": more})


def remembered(models: Models, task: Task, document: Document) -> Found:
    """Which still knows the fact, the RNN or the LSTM?"""
    rnn, lstm = (recall(models[cell], task, document) for cell in ("RNN", "LSTM"))
    return Found(rnn.right > lstm.right, rnn.named("rnn") | lstm.named("lstm"))


def parts(models: Models, task: Task, document: Document) -> Found:
    """Is the input gate shut or open where the fact is written into a unit? The gates of the unit
    that the answer needs most, at the token at which its C changes most."""
    model = models["LSTM"]
    unit = int(units_by_need(model, task, document, 0)[0])
    ids = ids_before_blank(model.tokenizer, document)
    values = trace(model.network, ids).layers[0]
    at = written_at(model.tokenizer, document, values["C"][:, unit])
    gates = {name: float(values[name][at, unit]) for name in ("f", "i", "o")}
    return Found(gates["i"] < 0.5, {**gates, "unit": unit, "token": model.tokenizer.token(ids[at])})


def forgotten(models: Models, task: Task, document: Document) -> Found:
    """Does an LSTM answer better with every forget gate shut, or forget the fact?"""
    model = models["LSTM"]
    scorer, right = Scorer(model, task), document.answer
    ids = ids_before_blank(model.tokenizer, document)
    shut = trace(model.network, ids, [Override(0, "f", None, None, 0.0)]).state
    before, after = scorer.answers(document)[right], scorer.answers_after(shut, document)[right]
    return Found(after > before, {"before": before, "after": after})


def conveyor(models: Models, task: Task, document: Document) -> Found:
    """Is a gradient that goes back along C multiplied by the slope of tanh, or by the forget gate?
    What the forget gates leave of it from the blank to the fact, in the best unit, and in how many
    units more than half is left."""
    model = models["LSTM"]
    end = fact_end(model.tokenizer, document)
    traced = trace(model.network, ids_before_blank(model.tokenizer, document))
    gates = traced.layers[-1]["f"][end + 1 :]
    left = np.prod(np.asarray(gates, np.float64), 0)
    return Found(
        False,
        {"tokens": len(gates), "most": float(left.max()), "units": int((left > 0.5).sum())},
    )


def calmer(models: Models, task: Task, document: Document) -> Found:
    """Which is calmer, C or h? By how much each of a unit moves from token to token, once the fact
    has been told."""
    model = models["LSTM"]
    unit = int(units_by_need(model, task, document, 0)[0])
    values = trace(model.network, ids_before_blank(model.tokenizer, document)).layers[0]
    end = fact_end(model.tokenizer, document)
    c, h = (float(abs(np.diff(values[part][end:, unit])).mean()) for part in ("C", "h"))
    return Found(c < h, {"C": c, "h": h, "unit": unit})


def handed_over(models: Models, task: Task, document: Document) -> Found:
    """Whose answer comes out where C alone is taken from a text with another fact: that of the text
    itself, or of the one that gave C? The probability of the latter's, for C alone and h alone."""
    model = models["LSTM"]
    donor = lesson_document(
        task, next(fact for fact in task.facts if task.answer_to(fact) != document.answer)
    )
    ids, given = (ids_before_blank(model.tokenizer, text) for text in (document, donor))
    middle = (fact_end(model.tokenizer, document) + len(ids)) // 2
    scorer = Scorer(model, task)
    c, h = (
        scorer.answers_after(transplant(model.network, ids, given, middle, (part,)), document)
        for part in ("C", "h")
    )
    figures = {"answer": donor.answer, "C": c[donor.answer], "h": h[donor.answer]}
    return Found(c[donor.answer] < 0.5, figures)


def peephole(models: Models, task: Task, document: Document) -> Found:
    """How many parameters do peepholes add to an LSTM, a few or as many again?"""
    counts, figures = beside_lstm("peephole"), recall(models["PEEPHOLE"], task, document)
    return Found(counts["share"] < 1.5, {**counts, **figures.named("peephole")})


def coupled(models: Models, task: Task, document: Document) -> Found:
    """Can a cell without an input gate, i = 1 - f, not remember, or does it still?"""
    found = recall(models["COUPLED"], task, document)
    return Found(found.right < 0.5, {**beside_lstm("coupled"), **found.named("coupled")})


def counted(models: Models, task: Task, document: Document) -> Found:
    """Has a GRU three quarters of the parameters of an LSTM, or half?"""
    counts = beside_lstm("gru")
    nearer = abs(counts["share"] - 3 / 4) < abs(counts["share"] - 1 / 2)
    return Found(nearer, {"gru": counts["parameters"], **counts})


def raced(models: Models, task: Task, document: Document) -> Found:
    """Is the GRU weaker for being faster? How often each is right far from the fact, and how long
    it takes to read a document."""
    writer = Writer(task, ("filler",))
    facts = [task.facts[k % len(task.facts)] for k in range(RACE_DOCUMENTS)]
    far = [writer.write(random.Random(k), fact, RACE_DISTANCE) for k, fact in enumerate(facts)]
    right, milliseconds = {}, {}
    for cell, model in models.items():
        scorer = Scorer(model, task)
        found = scorer.shares(far).argmax(1) == scorer.wanted(far)
        right[cell.lower()] = float(found.mean())
        ids = ids_before_blank(model.tokenizer, far[0])
        milliseconds[f"{cell.lower()}_ms"] = 1000 * seconds_to_read(model, ids)
    figures = {"n": len(far), "distance": RACE_DISTANCE, **right, **milliseconds}
    return Found(right["gru"] < right["lstm"], figures)


def without_h(models: Models, task: Task, document: Document) -> Found:
    """Can a minGRU, which never reads h again, remember?"""
    found = recall(models["MINGRU"], task, document)
    return Found(found.right > 0.5, found.named("mingru"))


def waved(models: Models, task: Task, document: Document) -> Found:
    """Can the command that learns a text go on with texts only, or with a wave, too? How far the
    models of the wave are off, with all its letters given and with a few."""
    off = {
        f"{cell.lower()}_{given}": wave.off_by(wave.continued(model, given))
        for cell, model in models.items()
        for given in (wave.GIVEN, FEW_LETTERS)
    }
    return Found(off[f"rnn_{wave.GIVEN}"] > wave.NOTHING_LEARNED, off)


class Question(NamedTuple):
    """cells: of the models that it is put to."""

    cells: tuple[str, ...]
    measure: Measure


QUESTIONS = {
    "unrolled": Question(("RNN",), unrolled),
    "slopes": Question((), slopes),
    "products": Question((), products),
    "remembered": Question(("RNN", "LSTM"), remembered),
    "parts": Question(("LSTM",), parts),
    "forgotten": Question(("LSTM",), forgotten),
    "conveyor": Question(("LSTM",), conveyor),
    "calmer": Question(("LSTM",), calmer),
    "handed_over": Question(("LSTM",), handed_over),
    "peephole": Question(("PEEPHOLE",), peephole),
    "coupled": Question(("COUPLED",), coupled),
    "counted": Question((), counted),
    "raced": Question(("GRU", "LSTM"), raced),
    "without_h": Question(("MINGRU",), without_h),
    "wave": Question((), waved),  # put to the models of the wave, which are always there
}
