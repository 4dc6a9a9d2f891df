"""What the figures of the lesson show, measured on the shipped models. NumPy alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import numpy as np

from textgen import shipped
from textgen.api import Model, load
from textgen.cells import CELLS
from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task, read_task
from textgen.data.token_positions import (
    fact_end,
    fact_word,
    ids_before_blank,
    question_start,
    written_at,
)
from textgen.data.typed_documents import typed
from textgen.evaluation.recall_probe import Scorer, probe
from textgen.interpret import Override, at_blank, forgetting, trace
from textgen.interpret.gradient_flow import along, norms, powers, run_free, slope
from textgen.runs.run_config import DataConfig

TASK = "speaker-few-ko.toml"  # of few words, so that every model is asked in words that it knows
SENTENCE = "나는 {}사람이야.\nblah~\nblah~\n그래서 나는 ___를 할 줄 알아."
BETWEEN = (
    "오늘은 하루 종일 비가 왔다. 고양이는 창가에서 졸고, 우리는 따뜻한 국을 먹었다. 밤에는 별이 "
    "많이 보였고, 아침에는 다시 바람이 불었다. 우리는 천천히 집으로 걸어왔다."
)
LONGER = f"나는 {{}}사람이야. {BETWEEN} 그래서 나는 ___를 할 줄 알아."
FACTS = ("한국", "일본", "미국")
COMPARED = ("rnn", "lstm", "gru")
CELLS_SHIPPED = ("rnn", "lstm", "gru", "peephole", "coupled", "mingru")
DISTANCES, DOCUMENTS = (20, 50, 100, 200, 300, 500, 700, 1000), 204
STEPS = 100
SHAPE = [1, 128, 64, 128]  # of what benchmarks/train.json times: layers, units, lanes, tokens


def shipped_model(cell: str) -> Model:
    return load(shipped.MODELS / f"speaker-{cell}-ko")


def everything() -> dict[str, Any]:
    """All that is measured here, as JSON takes it."""
    task = read_task(TASK)
    models = {cell: shipped_model(cell) for cell in CELLS_SHIPPED}
    scorers = {cell: Scorer(model, task) for cell, model in models.items()}
    document = typed(task, SENTENCE.format("한국"), "___")
    near, far = distant(task, "일본", 100), distant(task, "일본", 1000)
    return {
        "models": {model.name: model.hash for model in models.values()},
        "trained_on": {
            cell: DataConfig.from_dict(model.card.get("corpus")).task
            for cell, model in models.items()
        },
        "task": TASK,
        "documents": DOCUMENTS,
        "unrolled": unrolled(models["rnn"], "나는 일본사람"),
        "slopes": slopes(models["rnn"], near),
        "powers": {str(factor): powers(factor, STEPS).tolist() for factor in (0.9, 1.0, 1.1)}
        | {"relu": run_free("relu", 1.1, STEPS).tolist()},
        "between": typed(task, LONGER.format("한국"), "___").distance,
        "sentence": {cell: answers(scorers[cell], task) for cell in COMPARED},
        "recall": {cell: recall(scorers[cell]) for cell in CELLS_SHIPPED},
        "step": step(models["lstm"], scorers["lstm"], task, document),
        "gradient": gradients(models["rnn"], models["lstm"], task, far),
        "overlay": overlay(models["lstm"], task),
        "parameters": {cell: CELLS[cell]().parameters(32, 128) for cell in CELLS},
        "speed": speeds(),
    }


def speeds() -> dict[str, Any]:
    """Tokens a second that each cell learns, one layer of 128 units, in the default type."""
    told = json.loads((shipped.HOME / "benchmarks/train.json").read_text(encoding="utf-8"))
    return {
        row["cell"]: row["tokens_per_second"]
        for row in told["rows"]
        if row["library"] == "textgen" and row["dtype"] == "bfloat16" and row["shape"] == SHAPE
    } | {"machine": told["machine"]}


def distant(task: Task, fact: str, distance: int) -> Document:
    """A document on filler that no model was trained on."""
    return Writer(task, ("filler",)).write(random.Random(1), fact, distance, "plain")


# --- one station each -----------------------------------------------------------------------------


def unrolled(model: Model, text: str) -> dict[str, Any]:
    """What goes in, what is kept and what comes out, token by token: four units, the likeliest next
    character and its probability."""
    ids = [model.tokenizer.start_id, *model.tokenizer.encode(text)]
    found = trace(model.network, ids)
    units = np.argsort(-found.layers[0]["h"].std(0))[:6]
    shares = np.exp(found.logprobs)
    best = shares.argmax(1)
    return {
        "tokens": ["↵", *text],
        "h": found.layers[0]["h"][:, units].tolist(),
        "next": [model.tokenizer.token(int(k)) for k in best],
        "p": shares[np.arange(len(best)), best].tolist(),
    }


def slopes(model: Model, document: Document) -> dict[str, Any]:
    """The slopes of three activations; the mean one of the trained recurrence while it reads."""
    a = np.linspace(-4, 4, 161)
    h = trace(model.network, ids_before_blank(model.tokenizer, document)).layers[0]["h"]
    return {
        "a": a.tolist(),
        "slope": {name: slope(name, a).tolist() for name in ("tanh", "sigmoid", "relu")},
        "mean_tanh": float((1 - h**2).mean()),
        "sigmoid_20": 0.25**20,
    }


def answers(scorer: Scorer, task: Task) -> dict[str, Any]:
    """fact -> the share of each answer at the blank of the sentence, with much in between."""
    documents = [typed(task, LONGER.format(fact), "___") for fact in FACTS]
    shares = scorer.shares(documents)
    return {
        fact: {"right": task.answer_to(fact)}
        | {"shares": dict(zip(task.answers, row.tolist(), strict=True))}
        for fact, row in zip(FACTS, shares, strict=True)
    }


def recall(scorer: Scorer) -> dict[str, Any]:
    """Right answers against distance."""
    found = probe(scorer, DISTANCES, DOCUMENTS)
    return {
        "right": {str(row.distance): row.accuracy for row in found.rows},
        "low": {str(row.distance): row.low for row in found.rows},
        "high": {str(row.distance): row.high for row in found.rows},
        "horizon": found.horizon,
        "chance": found.chance,
    }


def step(model: Model, scorer: Scorer, task: Task, document: Document) -> dict[str, Any]:
    """One unit where the country is written into it; and the answer with every f at zero once the
    country has been read."""
    ids = ids_before_blank(model.tokenizer, document)
    values = trace(model.network, ids).layers[0]
    unit = most_needed(model, task, document)
    at = written_at(model.tokenizer, document, values["C"][:, unit])
    told = fact_word(model.tokenizer, document)[1] + 1
    cut = [Override(0, "f", token, None, 0.0) for token in range(told, len(ids))]
    wiped = trace(model.network, ids, cut).state
    names = {name: float(values[name][at, unit]) for name in ("f", "i", "c", "o", "C", "h")}
    return {
        "fact": document.fact,
        "answer": document.answer,
        "token": model.tokenizer.token(ids[at]),
        "at": at,
        "unit": unit,
        "was_C": float(values["C"][at - 1, unit]),
        "least_f": float(values["f"][at + 1 :, unit].min()),
        "values": names,
        "before": share_of(scorer, scorer.state([document], "none"), document),
        "wiped": share_of(scorer, wiped, document),
    }


def share_of(scorer: Scorer, state: Any, document: Document) -> float:
    """The share of the right answer after a state."""
    (shares,) = scorer.shares_of(state, [document.ending])
    return float(shares[scorer.task.answers.index(document.answer)])


def most_needed(model: Model, task: Task, document: Document) -> int:
    """The unit whose forgetting hurts the right answer most against that of another country: the
    one with which the pages of the app open."""
    foil = next(a for a in map(task.answer_to, FACTS) if a != document.answer)
    asked = at_blank(model.tokenizer, document, foil)
    return int(forgetting(model.network, *asked, layer=0).argmax())


def gradients(rnn: Model, lstm: Model, task: Task, document: Document) -> dict[str, Any]:
    """How much of the gradient of ln p(the answer's first character) is left at each token, as a
    share of that at the blank: of the plain recurrence the whole of it, of the LSTM what comes back
    along C alone, where it is multiplied by the forget gates and nothing else."""
    found: dict[str, Any] = {"distance": document.distance}
    for name, model in (("rnn", rnn), ("lstm", lstm)):
        ids = ids_before_blank(model.tokenizer, document)
        traced = trace(model.network, ids)
        values = traced.layers[0]
        answer = model.tokenizer.encode(document.answer)[0]
        kernel = np.asarray(model.network.kernel, np.float64)
        at_h = kernel[:, answer] - kernel @ np.exp(traced.logprobs[-1].astype(np.float64))
        if name == "rnn":
            back = through_tanh(
                values["h"], np.asarray(model.network.layers[0]["recurrent_kernel"]), at_h
            )
        else:
            at_C = at_h * values["o"][-1] * (1 - np.tanh(values["C"][-1]) ** 2)
            back = along(values["f"], at_C)
        lengths = norms(back)
        found[name] = (lengths / lengths[-1]).tolist()
        found["fact"] = fact_end(model.tokenizer, document)
    found["left"] = {name: found[name][found["fact"]] for name in ("rnn", "lstm")}
    return found


def through_tanh(h: np.ndarray, recurrent: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Backpropagation through h_t = tanh(W x_t + U h_{t-1} + b): [T, U] from that at the last."""
    back = np.empty(h.shape, np.float64)
    back[-1] = end
    for t in range(len(h) - 1, 0, -1):
        back[t - 1] = recurrent @ (back[t] * (1 - h[t].astype(np.float64) ** 2))
    return back


def overlay(model: Model, task: Task) -> dict[str, Any]:
    """C and h of one unit, token by token, for three facts with the same words after them."""
    documents = [distant(task, fact, 60) for fact in FACTS]
    unit = most_needed(model, task, documents[0])
    found: dict[str, Any] = {"unit": unit, "facts": {}}
    for document in documents:
        ids = ids_before_blank(model.tokenizer, document)
        values = trace(model.network, ids).layers[0]
        found["facts"][document.fact] = {
            "C": values["C"][:, unit].tolist(),
            "h": values["h"][:, unit].tolist(),
            "fact": fact_end(model.tokenizer, document),
            "question": question_start(model.tokenizer, document),
        }
        found["text"] = document.before
    found["moves"] = {part: moves(found["facts"].values(), part) for part in ("C", "h")}
    return found


def moves(traces: Iterable[dict[str, Any]], part: str) -> float:
    """How far a value moves from one character to the next, from the fact to the question."""
    steps = [np.abs(np.diff(one[part][one["fact"] : one["question"]])).mean() for one in traces]
    return float(np.mean(steps))
