"""A fact on its way through a text: what of the state tells it after each token, and what the model
would answer if it were asked there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from textgen.data.recall_documents import Document
from textgen.data.token_positions import fact_word, ids_before_blank, question_start
from textgen.evaluation.batch_reader import repeat
from textgen.evaluation.recall_probe import Scorer
from textgen.interpret.trace import trace


@dataclasses.dataclass(frozen=True)
class FactCourse:
    """T tokens up to the blank, U units of the last layer.

    told [T, U]: what the state (tanh C where there is a C, else h) has in it that it would not have
    for another fact: the difference to its mean over other facts. 0 before the fact.
    shares [T, candidates]: the share of each answer if the question were asked after this token.
    """

    told: np.ndarray
    shares: np.ndarray


def fact_course(scorer: Scorer, document: Document, others: Sequence[Document]) -> FactCourse:
    """others: the same text with other facts, whose words have as many tokens (`of_one_length`), so
    that each token stands beside its like."""
    rows = np.stack([_shown(scorer, one) for one in (document, *others)])
    return FactCourse(rows[0] - rows[1:].mean(0), asked_anywhere(scorer, document))


def of_one_length(scorer: Scorer, document: Document, others: Sequence[Document]) -> list[Document]:
    """Those of the others whose tokens stand at the same places."""

    def places(one: Document) -> tuple[int, ...]:
        tokenizer = scorer.tokenizer
        return (*fact_word(tokenizer, one), len(ids_before_blank(tokenizer, one)))

    return [o for o in others if o.fact != document.fact and places(o) == places(document)]


def asked_anywhere(scorer: Scorer, document: Document) -> np.ndarray:
    """The share of each answer if the question of the document came after each token, from where it
    stands on as it is read [T, candidates]."""
    ids = ids_before_blank(scorer.tokenizer, document)
    question = question_start(scorer.tokenizer, document)
    network = scorer.generator.network
    traced = trace(network, ids)
    # the text is read once: the question goes on from the state after each token before it
    names = network.cell.state_names
    reached = tuple(tuple(layer[name][:question] for name in names) for layer in traced.layers)
    asked = scorer.reader.read([ids[question:]] * question, reached)
    whole = repeat(traced.state, len(ids) - question)
    return scorer.shares_of(network.joined([asked, whole]), [document.ending] * len(ids))


def _shown(scorer: Scorer, document: Document) -> np.ndarray:
    """What a unit may show after each token, tanh C, C or h: [T, U]."""
    network = scorer.generator.network
    values = trace(network, ids_before_blank(scorer.tokenizer, document)).layers[-1]
    course = values[network.cell.carried]
    return np.asarray(np.tanh(course) if network.cell.shows_tanh else course)
